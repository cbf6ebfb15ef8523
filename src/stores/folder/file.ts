/**
 * The state file of a unit, which holds its reservations: JSON on one line.
 *
 *     {"version":2,"sha256":"9f86…","unit":"naa.5000000000000001","revision":12,"reservations":{"version":1,"aptpl":true,...}}
 *
 * `reservations` is the image of src/reservation/image.ts. `revision` counts the commits of the unit since it had no file. `sha256` covers
 * every byte after the comma that follows it, the line feed at the end included; the bytes before are always the same. So a change of any
 * bit of the file is noticed.
 *
 * Version 1, written by 0.1.0, has neither `version` nor `sha256`, and any layout that JSON allows. It can be read, and the next commit
 * writes version 2. So whoever edits a file by hand removes these two members.
 */

import { closeSync, constants, fstatSync, openSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import { createSha256, sha256 } from "../../base/crypto.js";
import { QomError, isErrnoError } from "../../base/errors.js";
import { printable } from "../../base/limits.js";
import { SLICE_ITEMS } from "../../base/slices.js";
import type { Steps } from "../../base/slices.js";
import { decodeImage } from "../../reservation/image.js";
import type { ReservationImage } from "../../reservation/image.js";
import type { ReservationState } from "../../reservation/state.js";
import { adoptDefaultInitiators } from "./adopt-initiators.js";
import type { StoredReservations } from "../../reservation/store.js";

/** The content of a file. */
export interface SavedReservations extends StoredReservations {
  readonly unit: string;
  /** The image, decoded. */
  readonly state: ReservationState;
  /** True for version 1, which has no checksum. */
  readonly old: boolean;
  /** What was changed since version 0.1.0 wrote it, one line each. */
  readonly adopted: readonly string[];
  /** When the file was written, in nanoseconds since 1970. */
  readonly writtenNs: bigint;
}

/** Suffix of all state files. */
export const STATE_FILE_SUFFIX = ".json";

/** Largest file that is read: a million registrations with the longest initiator names take about 340 MB. */
const FILE_BYTES_MAX = 400 * 1024 * 1024;

/** Symbolic links are not followed, and opening a FIFO does not wait: only what was written here is read. */
const OPEN_FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** Unit names that can serve as file names; those of simulated disks can. */
const PLAIN_NAME = /^[a-z0-9][a-z0-9.-]{0,63}$/;

/** Name of the state file of the unit `unit`: the plain name of a unit, or else the SHA-256 of the name. */
export function stateFileName(unit: string): string {
  const stem = PLAIN_NAME.test(unit) ? unit : `sha256-${sha256(unit)}`;
  return stem + STATE_FILE_SUFFIX;
}

/** The beginning of a file of version 2, up to its checksum. */
const BEGINNING = '{"version":2,"sha256":"';

/** The checksum as it is written; the bytes that it covers follow. */
const SUM_AND_COMMA = /^[0-9a-f]{64}",$/;
const SUM_AND_COMMA_LENGTH = 66;

/** Characters after which a piece of a file ends. */
const PIECE_LENGTH = 64 * 1024;

/** The bytes of a file in pieces, encoded in slices. */
export function* encodeStateFile(unit: string, revision: number, image: ReservationImage): Steps<readonly Uint8Array[]> {
  const hash = createSha256();
  const pieces: Uint8Array[] = [];
  const add = (text: string): void => {
    const piece = Buffer.from(text, "utf8");
    hash.update(piece);
    pieces.push(piece);
  };
  const { registrations } = image;
  const whole = JSON.stringify({ unit, revision, reservations: { ...image, registrations: [] } });
  // No name contains this: the quotes of a name are escaped.
  const empty = '"registrations":[]';
  const at = whole.indexOf(empty) + empty.length - 1;
  let text = whole.slice("{".length, at);
  for (let index = 0; index < registrations.length; index += 1) {
    text += `${index === 0 ? "" : ","}${JSON.stringify(registrations[index])}`;
    if (text.length > PIECE_LENGTH) {
      add(text);
      text = "";
    }
    if (index % SLICE_ITEMS === SLICE_ITEMS - 1) yield;
  }
  add(`${text}${whole.slice(at)}\n`);
  return [Buffer.from(`${BEGINNING}${hash.digest("hex")}",`, "latin1"), ...pieces];
}

/**
 * Reads a file; null if there is none.
 * @throws QomError that names the file, if this version cannot have written it, completely and under this name
 */
export function readStateFile(path: string): SavedReservations | null {
  try {
    const { bytes, writtenNs } = readBytes(path);
    return { ...decode(checkedText(bytes), basename(path)), writtenNs };
  } catch (cause) {
    if (isErrnoError(cause) && cause.code === "ENOENT") return null;
    throw new QomError(kindOf(cause), `the state file '${printable(path)}' cannot be used`, {
      cause,
      context: { value: printable(path) },
      hint:
        cause instanceof QomError && cause.message === SUM_PROBLEM
          ? `it is left as it is; if you have edited it, remove its members version and sha256; ${WITHOUT}`
          : `it is left as it is; ${WITHOUT}`,
    });
  }
}

const WITHOUT = "to go on without the reservations in it, move it away";

function kindOf(cause: unknown): QomError["kind"] {
  if (cause instanceof QomError) return cause.kind;
  return isErrnoError(cause) ? "io" : "syntax";
}

function readBytes(path: string): { readonly bytes: Buffer; readonly writtenNs: bigint } {
  const fd = openSync(path, OPEN_FLAGS);
  try {
    const stat = fstatSync(fd, { bigint: true });
    if (!stat.isFile()) throw new QomError("wrong-type", "it is not a regular file");
    if (stat.size > FILE_BYTES_MAX) throw new QomError("limit", `${stat.size} bytes are more than ${FILE_BYTES_MAX}`);
    return { bytes: readFileSync(fd), writtenNs: stat.mtimeNs };
  } finally {
    closeSync(fd);
  }
}

/**
 * The JSON of a file, without the members of version 2.
 * @throws QomError `invalid-value` when the sum is another
 */
function checkedText(bytes: Buffer): { readonly text: string; readonly old: boolean } {
  if (bytes.toString("latin1", 0, BEGINNING.length) !== BEGINNING) return { text: bytes.toString("utf8"), old: true };
  const begin = BEGINNING.length + SUM_AND_COMMA_LENGTH;
  const sum = bytes.toString("latin1", BEGINNING.length, begin);
  const summed = bytes.subarray(begin);
  if (!SUM_AND_COMMA.test(sum) || !sum.startsWith(sha256(summed))) throw invalid(SUM_PROBLEM);
  return { text: `{${summed.toString("utf8")}`, old: false };
}

const SUM_PROBLEM = "its content is not what was written: the checksum is another";

function decode({ text, old }: ReturnType<typeof checkedText>, name: string): Omit<SavedReservations, "writtenNs"> {
  const file: unknown = JSON.parse(text);
  if (typeof file !== "object" || file === null || Array.isArray(file)) throw invalid("it is not a JSON object");
  const { unit, revision, reservations, version, ...others } = file as Readonly<Record<string, unknown>>; // an object may be asked for members by name
  // A file of version 2 in another layout: somebody has edited it.
  if (version === 2) throw invalid(SUM_PROBLEM);
  if (version !== undefined) throw new QomError("unsupported", "it is of a version that this program does not read");
  const [other] = Object.keys(others);
  if (other !== undefined) throw invalid(`it has an unknown member '${printable(other)}'`);
  if (typeof unit !== "string") throw invalid("it does not say whose reservations it has");
  if (stateFileName(unit) !== name) throw invalid(`it has the reservations of '${printable(unit)}'`);
  if (typeof revision !== "number" || !Number.isSafeInteger(revision) || revision < 1) throw invalid("its revision is not a number from 1");
  const state = decodeImage(reservations);
  if (!state.aptpl) throw invalid("its reservations are not to survive power loss");
  const saved = reservations as ReservationImage; // decodeImage has taken it
  const { image, lines } = old ? adoptDefaultInitiators(unit, saved) : { image: saved, lines: [] };
  return { unit, revision, image, state: image === saved ? state : decodeImage(image), old, adopted: lines };
}

function invalid(message: string): QomError {
  return new QomError("invalid-value", message);
}
