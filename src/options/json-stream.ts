/** JSON values from a connection: whatever comes in whatever pieces. */
import { assert } from "../base/assert.js";
import type { QomError } from "../base/errors.js";
import { JsonAssembler } from "./json-assembler.js";
import type { JsonOutput } from "./json-assembler.js";
import { jsonError } from "./json-error.js";
import { JsonLexer } from "./json-lexer.js";
import { Utf8Decoder } from "./utf8.js";
import type { PlainValue } from "./value.js";

/** What came out of a stream: a complete value, or a mistake, whose position is an offset into the value it stands in. */
export type JsonItem = { readonly kind: "value"; readonly value: PlainValue } | { readonly kind: "error"; readonly error: QomError };

/** Settings of a {@link JsonStream}. */
export interface JsonStreamOptions {
  /**
   * Longest value in characters (UTF-16 units), its blanks counted. One that gets longer is refused at once, and the rest of it is read
   * to its end without being stored; so this many characters and one chunk are all that is ever kept.
   */
  readonly lengthMax: number;
}

/**
 * Reads values that follow each other with blanks, line feeds or nothing between them. A mistake is reported once, as an item, and
 * reading goes on after the broken value (see json-assembler.ts). A number or literal at the top is complete when something follows it.
 */
export class JsonStream {
  readonly #assembler: JsonAssembler;
  readonly #lexer: JsonLexer;
  readonly #decoder = new Utf8Decoder();

  constructor(options: JsonStreamOptions) {
    assert(options.lengthMax > 0, `lengthMax ${options.lengthMax} is positive`);
    this.#assembler = new JsonAssembler(options.lengthMax);
    this.#lexer = new JsonLexer(this.#assembler);
  }

  /** What `chunk` completes, in order. Bytes are UTF-8. */
  push(chunk: string | Uint8Array): readonly JsonItem[] {
    this.#lexer.feed(typeof chunk === "string" ? this.#decoder.end() + chunk : this.#decoder.push(chunk));
    if (this.#assembler.refusesMore(this.#lexer.position, this.#lexer.openToken)) this.#lexer.forgetToken();
    return this.#assembler.take().map(item);
  }

  /** What the end of the stream completes: a last number or literal, or the error of a value that was cut off. */
  end(): readonly JsonItem[] {
    this.#lexer.feed(this.#decoder.end());
    this.#lexer.end();
    this.#assembler.end(this.#lexer.position);
    return this.#assembler.take().map(item);
  }
}

function item(output: JsonOutput): JsonItem {
  if (output.kind === "value") return { kind: "value", value: output.value };
  const { problem } = output;
  return { kind: "error", error: jsonError(problem, problem.at - problem.valueStart) };
}
