/** The grammar of ids: those of objects, devices, drives and nodes. */
import { QomError } from "../base/errors.js";
import type { QomErrorContext } from "../base/errors.js";
import { printable } from "../base/limits.js";

const ID = /^[A-Za-z][A-Za-z0-9._-]*$/;

/** What to tell who wrote a bad id. */
const ID_HINT = "an id starts with a letter and consists of letters, digits, '-', '.' and '_'";

/** True when `text` may be an id. */
export function isWellFormedId(text: string): boolean {
  // `$` without the `m` flag is the very end of the text, so a trailing line feed is refused.
  return ID.test(text);
}

/**
 * Refuses an id that breaks the grammar.
 * @param context where the id stands; the option's name and the value are added
 * @throws QomError `bad-id`, with the grammar as hint
 */
export function requireWellFormedId(id: string, context: QomErrorContext = {}): void {
  if (isWellFormedId(id)) return;
  const option = context.option ?? "id";
  throw new QomError("bad-id", `${option} '${printable(id)}' is not an identifier`, {
    context: { option, value: printable(id), ...context },
    hint: ID_HINT,
  });
}
