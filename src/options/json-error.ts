/** Errors in JSON text. */
import { QomError } from "../base/errors.js";
import type { QomErrorContext } from "../base/errors.js";
import type { JsonFlaw } from "./json-lexer.js";

/** The error for `flaw` at offset `position`; `context` may add the text. */
export function jsonError(flaw: JsonFlaw, position: number, context: QomErrorContext = {}): QomError {
  return new QomError(flaw.kind, `JSON: ${flaw.message} (at offset ${position})`, { context: { ...context, position } });
}
