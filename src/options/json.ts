/**
 * The one reader and printer of JSON: for option strings, the monitor and files.
 *
 * JSON of RFC 8259 with QEMU's extension, strings in single quotes, and stricter where a double or a JavaScript object would lose
 * something: integers are exact to 64 bits or refused, a name given twice is refused, `__proto__` is a name. Values nest at most
 * NESTING_MAX deep.
 */
import { JsonAssembler } from "./json-assembler.js";
import { jsonError } from "./json-error.js";
import { JsonLexer } from "./json-lexer.js";
import { requireTextLength } from "./text-length.js";
import type { PlainValue } from "./value.js";

export { printingJson, printJson, type JsonPrintOptions } from "./json-print.js";
export { JsonStream, type JsonItem } from "./json-stream.js";

/**
 * The one value that `text` is, with nothing but blanks around it.
 * @throws QomError `syntax`, or `limit` for a text, number or nesting out of range; the context has position and text
 */
export function parseJson(text: string): PlainValue {
  requireTextLength(text);
  const assembler = new JsonAssembler(text.length);
  const lexer = new JsonLexer(assembler);
  lexer.feed(text);
  lexer.end();
  assembler.end(lexer.position);
  const [first, second] = assembler.take();
  if (first === undefined) throw jsonError({ kind: "syntax", message: "the text is empty, expected a value" }, text.length, { text });
  if (first.kind === "problem") throw jsonError(first.problem, first.problem.at, { text });
  if (second?.kind === "problem") throw jsonError(second.problem, second.problem.at, { text });
  if (second !== undefined) throw jsonError({ kind: "syntax", message: "something follows the value" }, second.start, { text });
  return first.value;
}
