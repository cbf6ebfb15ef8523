/**
 * Reservation keys as text. Some clusters use printable characters as keys, and a key of one's own choice is easier to know again so:
 *
 *     text:hostA    68 6f 73 74 41 00 00 00    0x686f737441000000
 *
 * The text begins at the first byte and zeros fill it up, as a string lies in memory.
 */
import { QomError } from "../../base/errors.js";
import { printable } from "../../base/limits.js";
import { toHex, writeU64 } from "../../scsi/bytes.js";
import { PersistentReserveIn } from "../../scsi/persistent-reserve-in.js";
import { formatKey } from "../../scsi/persistent-reserve.js";
import type { ReserveInAction } from "../../scsi/persistent-reserve.js";

const PREFIX = "text:";

const KEY_LENGTH = 8;

/** Keys that are text by chance are rare from this length on, and the names of hosts are not shorter. */
const SHOWN_LENGTH_MIN = 4;

const PRINTABLE = /^[ -~]+$/;

/**
 * The key that `text:…` stands for; null for another text.
 * @throws QomError `invalid-value` for characters or a length that a key does not have
 */
export function keyOfText(option: string, given: string): bigint | null {
  if (!given.startsWith(PREFIX)) return null;
  const text = given.slice(PREFIX.length);
  if (!PRINTABLE.test(text) || text.length > KEY_LENGTH) {
    throw new QomError(
      "invalid-value",
      `option '--${option}' takes 1 to ${KEY_LENGTH} printable ASCII characters after '${PREFIX}', not '${printable(text)}'`,
      { context: { option, value: printable(given) } },
    );
  }
  const bytes = new Uint8Array(KEY_LENGTH);
  bytes.set(Buffer.from(text, "latin1"));
  return BigInt(`0x${toHex(bytes)}`);
}

/** The text in a key, at whichever end; null if it is not text. */
export function textOfKey(key: bigint): string | null {
  const bytes = new Uint8Array(KEY_LENGTH);
  writeU64(bytes, 0, key);
  const text = Buffer.from(bytes)
    .toString("latin1")
    .replace(/^\0+|\0+$/g, "");
  return text.length >= SHOWN_LENGTH_MIN && PRINTABLE.test(text) ? text : null;
}

/** A line for each key of an answer that is text. It is a note, since other programs read what is printed. */
export function keyTextNotes(action: ReserveInAction, data: Uint8Array): readonly string[] {
  return [...new Set(keysOf(action, data))].flatMap((key) => {
    const text = textOfKey(key);
    return text === null ? [] : [`key ${formatKey(key)} is the text '${text}'`];
  });
}

function keysOf(action: ReserveInAction, data: Uint8Array): readonly bigint[] {
  switch (action) {
    case "read-keys":
      return PersistentReserveIn.parse(action, data).keys;
    case "read-reservation": {
      const { reservation } = PersistentReserveIn.parse(action, data);
      return reservation === null ? [] : [reservation.key];
    }
    case "read-full-status":
      return PersistentReserveIn.parse(action, data).registrants.map(({ key }) => key);
    case "report-capabilities":
      return [];
  }
}
