/** `-name`: what a machine is called. */
import { QomError } from "../base/errors.js";
import { printable } from "../base/limits.js";

/** Names of machines become part of initiator names, which iSCSI limits to 223 bytes. */
const MACHINE_NAME_LENGTH_MAX = 64;

/**
 * The name that the text of `-name` gives.
 * @throws QomError `limit`, `bad-id`
 */
export function machineName(text: string): string {
  const context = { argument: "name", value: printable(text) };
  if (text.length > MACHINE_NAME_LENGTH_MAX) {
    throw new QomError("limit", `-name '${printable(text)}' is longer than ${MACHINE_NAME_LENGTH_MAX} characters`, { context });
  }
  if (/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(text)) return text;
  throw new QomError("bad-id", `-name '${printable(text)}' is not a machine name`, {
    context,
    hint: "letters, digits, '-', '.' and '_', beginning with a letter or digit",
  });
}
