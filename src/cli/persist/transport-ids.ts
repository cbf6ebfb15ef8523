/**
 * The argument of `--transport-id`, in the forms of sg_persist (sg_persist(8), TRANSPORT IDs): `sas,…` and its like, an iSCSI name, the
 * bytes in hexadecimal, or a file or standard input with one on each line. The text forms of {@link TransportId} are taken too.
 */
import { errnoOrMessage, isErrnoError, QomError } from "../../base/errors.js";
import { printable } from "../../base/limits.js";
import { readBounded } from "../../base/read-bounded.js";
import { TRANSPORT_ID_LENGTH_MAX, TRANSPORT_ID_LENGTH_MIN, TransportId } from "../../scsi/transport-id.js";

/** Longest file of TransportIDs: more than fit into a parameter list, even with long comments. */
const FILE_BYTES_MAX = 1024 * 1024;

/** Standard input of the process. */
const STDIN = 0;

/** By leading word of sg_persist: the text form that stands for it; the rest follows, with `.` for the comma of `spi,3,1`. */
const LEADING_WORDS: ReadonlyMap<string, string> = new Map([
  ["fcp", "fc."],
  ["spi", "spi."],
  ["sbp", "sbp."],
  ["srp", "srp."],
  ["sas", "naa."],
  ["sop", "sop."],
]);

/** A routing id has 16 bits and may be given with fewer digits. */
const ROUTING_ID_DIGITS = 4;

/**
 * The TransportIDs that the argument stands for; at least one.
 * @throws QomError `syntax` and `limit` for a TransportID, `io` for the file, `missing` for a file without any
 */
export function parseTransportIds(argument: string): readonly TransportId[] {
  const file = argument === "-" ? STDIN : argument.startsWith("file=") ? argument.slice("file=".length) : null;
  if (file === null) return [parseTransportId(argument)];
  const ids = readLines(file).map(parseTransportId);
  if (ids.length === 0) throw new QomError("missing", `there is no TransportID in '${printable(argument)}'`);
  return ids;
}

function parseTransportId(text: string): TransportId {
  if (/^[0-9a-f]{1,2}(?:[ ,\t]+[0-9a-f]{1,2})*$/i.test(text)) return fromBytes(text);
  if (text.includes(",,")) {
    throw new QomError("syntax", `invalid TransportID '${printable(text)}': it has two commas in a row`, {
      context: { value: printable(text) },
      hint: "a comma is written twice in option strings only, such as those of --object",
    });
  }
  const [, word = "", rest = ""] = /^([a-z]+),(.*)$/is.exec(text) ?? [];
  const prefix = LEADING_WORDS.get(word.toLowerCase());
  if (prefix === undefined) return TransportId.parse(text);
  const digits = rest.replace(/^0x/i, "");
  return TransportId.parse(prefix + (prefix === "sop." ? digits.padStart(ROUTING_ID_DIGITS, "0") : digits.replace(",", ".")));
}

/** A list of bytes, filled up with zeros to the shortest length that a TransportID has. */
function fromBytes(text: string): TransportId {
  const given = text.split(/[ ,\t]+/).map((digits) => Number.parseInt(digits, 16));
  if (given.length > TRANSPORT_ID_LENGTH_MAX) {
    throw new QomError("limit", `a TransportID of ${given.length} bytes: there are none longer than ${TRANSPORT_ID_LENGTH_MAX}`);
  }
  const bytes = new Uint8Array(Math.max(given.length, TRANSPORT_ID_LENGTH_MIN));
  bytes.set(given);
  return TransportId.parse(bytes);
}

/** Lines that say something: a `#` and what follows is a comment. */
function readLines(file: string | typeof STDIN): readonly string[] {
  let bytes: Buffer | null;
  try {
    bytes = readBounded(file, FILE_BYTES_MAX);
  } catch (error) {
    if (!isErrnoError(error)) throw error;
    throw new QomError("io", `cannot read TransportIDs from '${printable(String(file))}': ${errnoOrMessage(error)}`);
  }
  if (bytes === null) throw new QomError("limit", `more than ${FILE_BYTES_MAX} bytes of TransportIDs`);
  return bytes
    .toString("utf8")
    .split(/\r?\n/)
    .map((line) => line.replace(/#.*$/, "").trim())
    .filter((line) => line !== "");
}
