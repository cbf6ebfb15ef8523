/**
 * What the guest of a disk has registered and reserved, as a migration carries it (QEMU 11.1: subsection `scsi-disk/pr` of
 * hw/scsi/scsi-disk.c).
 *
 *     the subsection in a stream                     its content
 *     0       05h, a subsection                      0..3    version: 1
 *     1       0Ch, length of the name                4..11   RESERVATION KEY
 *     2..13   "scsi-disk/pr"                         12      TYPE (3..0), 0 without a reservation
 *     14..    content
 *
 *     after the content, in streams for destinations of ours only
 *     13      number of unit attentions
 *     14..    ASC and ASCQ of each, in the order of reporting
 */
import { QomError } from "../base/errors.js";
import { readU32, readU64, writeU32, writeU64 } from "./bytes.js";
import { formatKey } from "./persistent-reserve.js";
import { UNIT_ATTENTION } from "./sense.js";
import type { SenseCode } from "./sense.js";

/** What a nexus has registered and reserved by its own commands. */
export interface ReservationState {
  /** The key that it is registered with; 0 if it is not registered. */
  readonly key: bigint;
  /** TYPE of the reservation that it holds; 0 if it holds none. A number, since older devices have types that are obsolete by now. */
  readonly type: number;
}

/** Neither registered nor a holder. */
export const NOTHING_RESERVED: ReservationState = Object.freeze({ key: 0n, type: 0 });

/** What a stream says. */
export interface MigratedReservations extends ReservationState {
  /** Unit attentions that the guest has not seen, in the order of reporting. */
  readonly attentions: readonly SenseCode[];
}

/**
 * Most unit attentions of a stream. A disk has each condition once at most for a nexus; SPC-4 has some seventy of them, and no disk has a
 * tenth of them at a time.
 */
export const STREAM_ATTENTIONS_MAX = 64;

const VERSION = 1;
const CONTENT_LENGTH = 13;
const ATTENTION_LENGTH = 2;
const TYPE_MAX = 0x0f;

/** A subsection's mark, the length of its name, and the name. */
const HEAD = Uint8Array.from([0x05, 0x0c, ...new TextEncoder().encode("scsi-disk/pr")]);

/** The longest stream in bytes, with the head of the subsection. */
export const STREAM_LENGTH_MAX = HEAD.length + CONTENT_LENGTH + 1 + STREAM_ATTENTIONS_MAX * ATTENTION_LENGTH;

/** The content of a subsection; QEMU's, unless there are unit attentions. */
export function encodeMigration({ key, type }: ReservationState, attentions: readonly SenseCode[] = []): Uint8Array {
  const told = attentions.slice(0, STREAM_ATTENTIONS_MAX);
  const bytes = new Uint8Array(CONTENT_LENGTH + (told.length === 0 ? 0 : 1 + told.length * ATTENTION_LENGTH));
  writeU32(bytes, 0, VERSION);
  writeU64(bytes, 4, key);
  bytes[12] = type;
  if (told.length === 0) return bytes;
  bytes[CONTENT_LENGTH] = told.length;
  for (const [index, { asc, ascq }] of told.entries()) bytes.set([asc, ascq], CONTENT_LENGTH + 1 + index * ATTENTION_LENGTH);
  return bytes;
}

/**
 * Reads the content of a subsection, or all of it.
 * @throws QomError `syntax` for a stream that ends too early or goes on too long, `unsupported` for another version, `invalid-value` for
 *   a TYPE that does not fit its field or belongs to no key
 */
export function decodeMigration(bytes: Uint8Array): MigratedReservations {
  const content = startsWith(bytes, HEAD) ? bytes.subarray(HEAD.length) : bytes;
  if (content.length < 4) throw torn(content.length, CONTENT_LENGTH);
  const version = readU32(content, 0);
  if (version !== VERSION) {
    throw new QomError("unsupported", `a migration stream of reservations has version ${version}, and version ${VERSION} is understood`);
  }
  if (content.length < CONTENT_LENGTH) throw torn(content.length, CONTENT_LENGTH);
  const [key, type = 0] = [readU64(content, 4), content[12]];
  if (type > TYPE_MAX || (key === 0n && type !== 0)) {
    throw new QomError("invalid-value", `a migration stream of reservations has type ${type} for key ${formatKey(key)}, which cannot be`);
  }
  return { key, type, attentions: attentionsOf(content) };
}

function attentionsOf(content: Uint8Array): readonly SenseCode[] {
  if (content.length === CONTENT_LENGTH) return [];
  const count = content[CONTENT_LENGTH] ?? 0;
  if (count > STREAM_ATTENTIONS_MAX) {
    throw new QomError("limit", `a migration stream has ${count} unit attentions, and at most ${STREAM_ATTENTIONS_MAX} are taken`);
  }
  const end = CONTENT_LENGTH + 1 + count * ATTENTION_LENGTH;
  if (content.length < end) throw torn(content.length, end);
  if (content.length > end || count === 0) {
    throw new QomError(
      "syntax",
      `a migration stream of reservations has ${content.length} bytes and ends after ${count === 0 ? CONTENT_LENGTH : end}`,
    );
  }
  const codes: SenseCode[] = [];
  for (let at = CONTENT_LENGTH + 1; at < end; at += ATTENTION_LENGTH) {
    codes.push({ key: UNIT_ATTENTION, asc: content[at] ?? 0, ascq: content[at + 1] ?? 0 });
  }
  return codes;
}

function startsWith(bytes: Uint8Array, head: Uint8Array): boolean {
  return bytes.length >= head.length && head.every((byte, at) => bytes[at] === byte);
}

function torn(length: number, needed: number): QomError {
  return new QomError("syntax", `a migration stream of reservations is torn: it has ${length} bytes instead of ${needed}`);
}
