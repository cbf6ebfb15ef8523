/**
 * Values from tokens of JSON, and what to do about mistakes.
 *
 * A mistake is reported when it is found, once. Then the rest of the value it stands in is skipped, unstored, up to the bracket that
 * closes it. After a lexical error or a bracket that closes the wrong thing nobody can tell which one that is: what is open counts as
 * closed, and up to the end of the line objects and lists are taken and other scattered pieces are not. QEMU takes up again at the same
 * places; it reports every piece, and after a wrong bracket it may wait for one that never comes.
 */
import { printable } from "../base/limits.js";
import type { JsonFlaw, JsonPunctuation, JsonScalar, JsonTokenSink } from "./json-lexer.js";
import { NESTING_MAX } from "./value.js";
import type { PlainValue } from "./value.js";

/** A mistake in the text; offsets from the beginning of the stream. */
export interface JsonProblem extends JsonFlaw {
  readonly at: number;
  /** Where the value that the mistake stands in starts. */
  readonly valueStart: number;
}

/** What came out of a text, in order. */
export type JsonOutput =
  | { readonly kind: "value"; readonly value: PlainValue; readonly start: number }
  | { readonly kind: "problem"; readonly problem: JsonProblem };

/** What the grammar wants next, as it is said in messages. */
const EXPECTED = {
  value: "a value",
  "first element": "a value or ']'",
  "first name": "a member's name or '}'",
  name: "a member's name",
  colon: "':'",
  "next element": "',' or ']'",
  "next member": "',' or '}'",
} as const;
type Expected = keyof typeof EXPECTED;

/** Where an object or list may end. */
const MAY_CLOSE: ReadonlySet<Expected> = new Set<Expected>(["first name", "next member", "first element", "next element"]);

/** A list that grew by appending has room for at least so many elements; a shorter one is copied, or millions of them would waste most of their memory. */
const ROOMY_LIST_LENGTH = 16;

/** An object or list that has begun and not ended. */
type Container = { readonly members: Map<string, PlainValue>; name: string } | { readonly elements: PlainValue[] };

/** Builds values of at most `lengthMax` characters from the calls of a lexer. */
export class JsonAssembler implements JsonTokenSink {
  readonly #lengthMax: number;
  #output: JsonOutput[] = [];
  #open: Container[] = [];
  #expected: Expected = "value";
  #valueStart = 0;
  /** Brackets that are open in a value that is being skipped; 0 when none is. */
  #skippedDepth = 0;
  /** Pieces of a broken value may follow on this line. */
  #astray = false;

  constructor(lengthMax: number) {
    this.#lengthMax = lengthMax;
  }

  /** True while a value that was reported as wrong is read to its end. */
  get skipping(): boolean {
    return this.#skippedDepth > 0;
  }

  /** Values and problems since the last call. */
  take(): readonly JsonOutput[] {
    const output = this.#output;
    this.#output = [];
    return output;
  }

  /**
   * To be asked after each piece of text: true when nothing of the token that is open needs to be kept.
   * @param position end of the text so far
   * @param openToken where the token starts that has begun and not ended
   */
  refusesMore(position: number, openToken: number | undefined): boolean {
    if (this.skipping) return true;
    const start = this.#open.length > 0 ? this.#valueStart : openToken;
    if (start === undefined || position - start <= this.#lengthMax) return false;
    if (this.#open.length === 0 && this.#astray) return true;
    this.#valueStart = start;
    this.#tooLong(position);
    return true;
  }

  /** Says that nothing follows. */
  end(position: number): void {
    if (this.#open.length > 0) {
      this.#report({ kind: "syntax", message: `the text ends, expected ${EXPECTED[this.#expected]}` }, position, 0);
    }
    this.#skippedDepth = 0;
    this.#astray = false;
  }

  lineFeed(): void {
    this.#astray = false;
  }

  lexicalError(message: string, start: number, at: number): void {
    const outside = this.#open.length === 0;
    if (!this.skipping && !(outside && this.#astray)) {
      if (outside) this.#valueStart = start;
      if (at - this.#valueStart > this.#lengthMax) this.#tooLong(at);
      else this.#report({ kind: "syntax", message }, at, 0);
    }
    this.#skippedDepth = 0;
    this.#astray = true;
  }

  flawed(flaw: JsonFlaw, start: number, end: number): void {
    if (this.#accepts(start, end, false)) this.#report(flaw, start, this.#open.length);
  }

  scalar(value: JsonScalar, start: number, end: number): void {
    if (!this.#accepts(start, end, false)) return;
    if (this.#wantsValue()) return this.#add(value);
    const container = this.#open.at(-1);
    const wantsName = this.#expected === "name" || this.#expected === "first name";
    if (!wantsName || typeof value !== "string" || container === undefined || !("members" in container)) {
      return this.#unexpected(typeof value === "string" ? "string" : `'${value}'`, start, this.#open.length);
    }
    if (container.members.has(value)) {
      return this.#report({ kind: "syntax", message: `duplicate member '${printable(value)}'` }, start, this.#open.length);
    }
    container.name = value;
    this.#expected = "colon";
  }

  punctuation(mark: JsonPunctuation, start: number): void {
    const opens = mark === "{" || mark === "[";
    const closes = mark === "}" || mark === "]";
    if (!this.#accepts(start, start + 1, opens)) {
      if (this.skipping) this.#skippedDepth += opens ? 1 : closes ? -1 : 0;
    } else if (opens) this.#begin(mark, start);
    else if (closes) this.#finish(mark, start);
    else if (mark === ":" && this.#expected === "colon") this.#expected = "value";
    else if (mark === "," && this.#expected === "next element") this.#expected = "value";
    else if (mark === "," && this.#expected === "next member") this.#expected = "name";
    else this.#unexpected(`'${mark}'`, start, this.#open.length);
  }

  /** Whether a token counts: not in a value that is skipped, nor a piece of a broken one, nor where the value gets too long with it. */
  #accepts(start: number, end: number, opens: boolean): boolean {
    const outside = this.#open.length === 0;
    if (this.skipping || (outside && this.#astray && !opens)) return false;
    if (outside) this.#valueStart = start;
    if (end - this.#valueStart <= this.#lengthMax) return true;
    this.#tooLong(end);
    return false;
  }

  #wantsValue(): boolean {
    return this.#expected === "value" || this.#expected === "first element";
  }

  #begin(mark: "{" | "[", start: number): void {
    const depth = this.#open.length + 1;
    if (!this.#wantsValue()) return this.#unexpected(`'${mark}'`, start, depth);
    if (depth > NESTING_MAX) return this.#report({ kind: "limit", message: `values nest deeper than ${NESTING_MAX}` }, start, depth);
    this.#open.push(mark === "{" ? { members: new Map(), name: "" } : { elements: [] });
    this.#expected = mark === "{" ? "first name" : "first element";
  }

  #finish(mark: "}" | "]", start: number): void {
    const container = this.#open.at(-1);
    const fits = container !== undefined && mark === ("members" in container ? "}" : "]");
    if (!fits) {
      this.#unexpected(`'${mark}'`, start, 0);
      this.#astray = true;
    } else if (!MAY_CLOSE.has(this.#expected)) {
      this.#unexpected(`'${mark}'`, start, this.#open.length - 1);
    } else {
      this.#open.pop();
      this.#add("members" in container ? container.members : trimmed(container.elements));
    }
  }

  /** Puts a complete value where it belongs. */
  #add(value: PlainValue): void {
    const container = this.#open.at(-1);
    if (container === undefined) {
      this.#output.push({ kind: "value", value, start: this.#valueStart });
      this.#expected = "value";
    } else if ("members" in container) {
      container.members.set(container.name, value);
      this.#expected = "next member";
    } else {
      container.elements.push(value);
      this.#expected = "next element";
    }
  }

  #unexpected(what: string, at: number, depthAfter: number): void {
    this.#report({ kind: "syntax", message: `unexpected ${what}, expected ${EXPECTED[this.#expected]}` }, at, depthAfter);
  }

  #tooLong(at: number): void {
    this.#report({ kind: "limit", message: `the value is longer than ${this.#lengthMax} characters` }, at, this.#open.length);
  }

  /** Reports a mistake and gives up the value it stands in. `depthAfter`: brackets of it that are still open. */
  #report(flaw: JsonFlaw, at: number, depthAfter: number): void {
    if (this.#open.length === 0) this.#astray = true;
    this.#output.push({ kind: "problem", problem: { ...flaw, at, valueStart: this.#valueStart } });
    this.#open = [];
    this.#expected = "value";
    this.#skippedDepth = depthAfter;
  }
}

function trimmed(elements: PlainValue[]): PlainValue[] {
  return elements.length > 0 && elements.length < ROOMY_LIST_LENGTH ? [...elements] : elements;
}
