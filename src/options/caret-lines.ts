/** Where in its text an error is, for a terminal. */
import { QomError } from "../base/errors.js";
import { printable } from "../base/limits.js";

/** Characters of the text shown on either side of the mistake: both fit a line of 80 columns together with the option's name. */
const CONTEXT_LENGTH = 30;

const ELLIPSIS = "…";

/**
 * Two lines, the text around the mistake and a caret under it; none when the error knows no text and position.
 *
 *     -blockdev driver=raw,file,node-name=hd
 *                              ^
 */
export function caretLines(error: unknown): readonly string[] {
  if (!(error instanceof QomError)) return [];
  const { argument, position, text } = error.context;
  if (position === undefined || text === undefined) return [];
  const start = Math.max(0, position - CONTEXT_LENGTH);
  const end = Math.min(text.length, position + CONTEXT_LENGTH);
  const before = `${argument === undefined ? "" : `-${argument} `}${start > 0 ? ELLIPSIS : ""}${printable(text.slice(start, position))}`;
  const after = `${printable(text.slice(position, end))}${end < text.length ? ELLIPSIS : ""}`;
  return [before + after, `${" ".repeat(before.length)}^`];
}
