/** A CDB and data as people paste them: in one word, byte by byte, with `0x`, with colons or commas in between. */
import { fromHex } from "../../scsi/bytes.js";
import { CDB_LENGTH_MAX, cdbLengthOf } from "../../scsi/cdb.js";

/** Digits without anything between them; other characters are left in, for the command to refuse. */
export interface CommandDigits {
  readonly cdb: string;
  readonly data: string | undefined;
}

/**
 * The digits of a CDB and of the data for the device. A first word of more than one byte is the whole CDB; when all words are single bytes
 * the operation code says how many of them the CDB has. A CDB that is shorter than its operation code wants is filled up with zeros: they
 * are what its last bytes mostly are.
 */
export function commandDigits(text: string): CommandDigits {
  const words = text
    .split(/\s+/)
    .filter((word) => word !== "")
    .map(digitsOf);
  const [first = "", ...others] = words;
  if (words.length === 1 || !words.every((word) => word.length === 2)) {
    return { cdb: filledUp(first), data: others.length === 0 ? undefined : others.join("") };
  }
  const length = cdbLengthOf(Number.parseInt(first, 16)) ?? CDB_LENGTH_MAX;
  const data = words.slice(length).join("");
  return { cdb: filledUp(words.slice(0, length).join("")), data: data === "" ? undefined : data };
}

/** A word's digits: `0x5e`, `5e:00:1`, `0x5e,0x00`; a single digit is a byte. */
function digitsOf(word: string): string {
  const pieces = word.split(/[:,]/).filter((piece, index, all) => piece !== "" || index < all.length - 1);
  return pieces
    .map((piece) => piece.replace(/^0x/i, ""))
    .map((piece) => (piece.length === 1 ? `0${piece}` : piece))
    .join("");
}

function filledUp(digits: string): string {
  const cdb = fromHex(digits);
  if (cdb === null || cdb.length === 0) return digits;
  const length = cdbLengthOf(cdb[0] ?? 0) ?? CDB_LENGTH_MAX;
  return cdb.length > length ? digits : digits.padEnd(2 * length, "0");
}
