/** UTF-8 that arrives in pieces, to text in which what was not UTF-8 can still be told; and what is no Unicode character. */
import { isUtf8 } from "node:buffer";

/** Stands for bytes that are no well-formed sequence. A noncharacter, which JSON text here may not have either. */
const INVALID_SEQUENCE = "\ufffe";

/** Stands for a byte that no UTF-8 text has at all (FEh, FFh): peers send it to say that what came before is void. A noncharacter too. */
export const IMPOSSIBLE_BYTE = "\uffff";

/** Half a surrogate pair, or a code point set aside for ever. QEMU's JSON refuses both, escaped or not. */
const NONCHARACTER = /[\p{Surrogate}\p{Noncharacter_Code_Point}]/u;

/** True when `text` has something that is not a Unicode character. */
export function hasNoncharacter(text: string): boolean {
  return NONCHARACTER.test(text);
}

/** `text` with U+FFFD for everything that is not a Unicode character. */
export function replaceNoncharacters(text: string): string {
  return hasNoncharacter(text) ? text.replaceAll(new RegExp(NONCHARACTER, "gu"), "\ufffd") : text;
}

/** Longest sequence of UTF-8, in bytes. */
const SEQUENCE_LENGTH_MAX = 4;

/** Decodes a stream of bytes; a sequence may be split between two pushes. */
export class Utf8Decoder {
  /** First bytes of a sequence whose rest has not come yet. */
  #started: Uint8Array = new Uint8Array(0);

  /** The text of `bytes` and of what was left of those before. */
  push(bytes: Uint8Array): string {
    const all = this.#started.length === 0 ? bytes : Buffer.concat([this.#started, bytes]);
    const complete = all.length - incompleteLength(all);
    this.#started = Uint8Array.from(all.subarray(complete));
    return decode(all.subarray(0, complete));
  }

  /** The text of a sequence that was never completed. */
  end(): string {
    const text = decode(this.#started);
    this.#started = new Uint8Array(0);
    return text;
  }
}

/** How many bytes at the end of `bytes` begin a sequence that may be completed by further ones. */
function incompleteLength(bytes: Uint8Array): number {
  for (let length = 1; length < SEQUENCE_LENGTH_MAX && length <= bytes.length; length += 1) {
    const tail = bytes.subarray(bytes.length - length);
    if (isContinuation(tail[0])) continue;
    return sequenceLength(tail) === "incomplete" ? length : 0;
  }
  return 0;
}

function decode(bytes: Uint8Array): string {
  if (isUtf8(bytes)) return asText(bytes);
  const parts: string[] = [];
  let start = 0;
  let at = 0;
  while (at < bytes.length) {
    const length = sequenceLength(bytes.subarray(at, at + SEQUENCE_LENGTH_MAX));
    if (typeof length === "number") {
      at += length;
      continue;
    }
    parts.push(asText(bytes.subarray(start, at)), (bytes[at] ?? 0) >= 0xfe ? IMPOSSIBLE_BYTE : INVALID_SEQUENCE);
    at += 1;
    start = at;
  }
  parts.push(asText(bytes.subarray(start)));
  return parts.join("");
}

function asText(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
}

function isContinuation(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x80 && byte <= 0xbf;
}

/** Length of the sequence at the start of `bytes`, which are all there are or at least as many as a sequence has (Unicode, table 3-7). */
function sequenceLength(bytes: Uint8Array): number | "invalid" | "incomplete" {
  const lead = bytes[0] ?? 0;
  if (lead < 0x80) return 1;
  const length = lead < 0xc2 || lead > 0xf4 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  if (length === 0) return "invalid";
  const low = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
  const high = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
  for (let index = 1; index < length; index += 1) {
    const byte = bytes[index];
    if (byte === undefined) return "incomplete";
    if (!isContinuation(byte) || (index === 1 && (byte < low || byte > high))) return "invalid";
  }
  return length;
}
