/**
 * Tokens of JSON from text that arrives in pieces, even within a token.
 *
 * A lexer of its own, since a stream needs what libraries for whole texts do not have: to stop within a token and go on, to hand over a
 * value before the next separator, and to find its feet after an error. Besides, integers are exact to 64 bits and strings may have
 * single quotes, as in QEMU. Every character is looked at once. Interface followed: QEMU's qobject/json-lexer.c.
 *
 * A mistake that ends the token stream (a character no token starts with, a control character in a string) is a *lexical error*: the
 * lexer skips to the next structural or control character, where it takes up again. A token that ends well and means nothing
 * (`nul`, `"\q"`, an integer of 65 bits) is *flawed*; tokens go on after it.
 */
import { printable } from "../base/limits.js";
import { hasNoncharacter, IMPOSSIBLE_BYTE } from "./utf8.js";
import { INT64_MIN, UINT64_MAX } from "./value.js";

/** The structural characters. */
export type JsonPunctuation = "{" | "}" | "[" | "]" | "," | ":";

/** What a string, number or literal name stands for. */
export type JsonScalar = string | number | bigint | boolean | null;

/** Why a token or the text at a place is refused. */
export interface JsonFlaw {
  readonly kind: "syntax" | "limit";
  readonly message: string;
}

/** Takes the tokens; `start` and `end` are offsets from the beginning of the stream. */
export interface JsonTokenSink {
  punctuation(mark: JsonPunctuation, start: number): void;
  scalar(value: JsonScalar, start: number, end: number): void;
  flawed(flaw: JsonFlaw, start: number, end: number): void;
  /** `start`: of the token that the character at `at` breaks; the same where it is no part of one. */
  lexicalError(message: string, start: number, at: number): void;
  /** A line feed between tokens. */
  lineFeed(): void;
}

type State = "start" | "string" | "escape" | "unicode-escape" | "number" | "literal" | "recovery";

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const SPACE = 0x20;
const IMPOSSIBLE = IMPOSSIBLE_BYTE.charCodeAt(0);

const PUNCTUATION: ReadonlySet<string> = new Set<JsonPunctuation>(["{", "}", "[", "]", ",", ":"]);
const isPunctuation = (character: string): character is JsonPunctuation => PUNCTUATION.has(character);

/** Escapes of one character. The apostrophe is QEMU's, for its strings in single quotes. */
const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['"', '"'],
  ["'", "'"],
  ["\\", "\\"],
  ["/", "/"],
  ["b", "\b"],
  ["f", "\f"],
  ["n", "\n"],
  ["r", "\r"],
  ["t", "\t"],
]);

const LITERALS: ReadonlyMap<string, boolean | null> = new Map([
  ["true", true],
  ["false", false],
  ["null", null],
]);

type NumberState = "minus" | "zero" | "integer" | "point" | "fraction" | "e" | "sign" | "exponent";
type NumberSymbol = "0" | "1" | "." | "e" | "+" | "-";

/** The grammar of numbers (RFC 8259 clause 6). `1` stands for the digits 1 to 9, `e` for both cases. */
const NUMBER_STEPS: Readonly<Record<NumberState, Partial<Record<NumberSymbol, NumberState>>>> = {
  minus: { "0": "zero", "1": "integer" },
  zero: { ".": "point", e: "e" },
  integer: { "0": "integer", "1": "integer", ".": "point", e: "e" },
  point: { "0": "fraction", "1": "fraction" },
  fraction: { "0": "fraction", "1": "fraction", e: "e" },
  e: { "0": "exponent", "1": "exponent", "+": "sign", "-": "sign" },
  sign: { "0": "exponent", "1": "exponent" },
  exponent: { "0": "exponent", "1": "exponent" },
};

/** States in which a number may end. */
const NUMBER_ENDS: ReadonlySet<NumberState> = new Set<NumberState>(["zero", "integer", "fraction", "exponent"]);

/** Characters of the smallest int64 and of the largest uint64; JSON has no leading zeros, so a longer integer is out of range unseen. */
const INTEGER_LENGTH_MAX = 20;

/** Turns text into calls of a {@link JsonTokenSink}. */
export class JsonLexer {
  readonly #sink: JsonTokenSink;
  #state: State = "start";
  /** Offset of the text being fed. */
  #base = 0;
  #tokenStart = 0;
  /** Pieces of the token so far: decoded in a string, as written in numbers and literals. */
  #pieces: string[] = [];
  #flaw: JsonFlaw | null = null;
  #quote = QUOTE;
  #hexDigits = "";
  #number: NumberState = "minus";

  constructor(sink: JsonTokenSink) {
    this.#sink = sink;
  }

  /** Offset of what will be fed next. */
  get position(): number {
    return this.#base;
  }

  /** Offset of the token that has begun and not ended; undefined between tokens. */
  get openToken(): number | undefined {
    return this.#state === "start" || this.#state === "recovery" ? undefined : this.#tokenStart;
  }

  /** Forgets what was stored of the token that has begun and not ended; for a sink that will ignore it anyway. */
  forgetToken(): void {
    this.#pieces = [];
  }

  /** Reads `text`. A number or literal at its end may go on in the next one. */
  feed(text: string): void {
    let at = 0;
    while (at < text.length) at = this.#step(text, at);
    this.#base += text.length;
  }

  /** Says that nothing follows. */
  end(): void {
    if (this.#state === "number" || this.#state === "literal") {
      this.#endWord(0);
    } else if (this.#state !== "start" && this.#state !== "recovery") {
      this.#sink.lexicalError("unterminated string", this.#tokenStart, this.#base);
    }
    this.#state = "start";
  }

  /** Reads from offset `at` of `text` as far as the state allows; returns where to go on. */
  #step(text: string, at: number): number {
    switch (this.#state) {
      case "start":
        return this.#readStart(text, at);
      case "string":
        return this.#readString(text, at);
      case "escape":
        return this.#readEscape(text, at);
      case "unicode-escape":
        return this.#readHexDigit(text, at);
      case "number":
        return this.#readNumber(text, at);
      case "literal":
        return this.#readLiteral(text, at);
      case "recovery":
        return this.#recover(text, at);
    }
  }

  #readStart(text: string, at: number): number {
    const character = text.charAt(at);
    this.#tokenStart = this.#base + at;
    this.#pieces = [];
    this.#flaw = null;
    if (isPunctuation(character)) {
      this.#sink.punctuation(character, this.#tokenStart);
    } else if (character === '"' || character === "'") {
      this.#quote = character.charCodeAt(0);
      this.#state = "string";
    } else if (character === "\n") {
      this.#sink.lineFeed();
    } else if (character >= "a" && character <= "z") {
      this.#state = "literal";
      return at;
    } else if (character === "-" || (character >= "0" && character <= "9")) {
      this.#state = "number";
      this.#number = character === "-" ? "minus" : character === "0" ? "zero" : "integer";
      this.#pieces.push(character);
    } else if (character !== " " && character !== "\t" && character !== "\r") {
      const whole = String.fromCodePoint(text.codePointAt(at) ?? 0);
      this.#fail(hasNoncharacter(whole) ? "unexpected bytes that are not UTF-8" : `unexpected '${printable(whole)}'`, at);
    }
    return at + 1;
  }

  #readString(text: string, start: number): number {
    let at = start;
    let unit = text.charCodeAt(at);
    while (at < text.length && unit !== this.#quote && unit !== BACKSLASH && !endsString(unit)) {
      at += 1;
      unit = text.charCodeAt(at);
    }
    if (at > start) this.#pieces.push(text.slice(start, at));
    if (at === text.length) return at;
    if (unit === this.#quote) {
      this.#state = "start";
      this.#endString(at + 1);
    } else if (unit === BACKSLASH) {
      this.#state = "escape";
    } else {
      this.#fail(stringError(unit), at);
    }
    return at + 1;
  }

  #readEscape(text: string, at: number): number {
    const character = text.charAt(at);
    const plain = ESCAPES.get(character);
    this.#state = "string";
    if (character === "u") {
      this.#state = "unicode-escape";
      this.#hexDigits = "";
    } else if (plain !== undefined) {
      this.#pieces.push(plain);
    } else if (endsString(text.charCodeAt(at))) {
      this.#fail(stringError(text.charCodeAt(at)), at);
    } else {
      this.#flaw ??= { kind: "syntax", message: `invalid escape '\\${printable(character)}' in a string` };
    }
    return at + 1;
  }

  #readHexDigit(text: string, at: number): number {
    const character = text.charAt(at);
    if (!/[0-9A-Fa-f]/.test(character)) {
      this.#flaw ??= { kind: "syntax", message: "an escape '\\u' in a string needs four hexadecimal digits" };
      this.#state = "string";
      return at;
    }
    this.#hexDigits += character;
    if (this.#hexDigits.length === 4) {
      this.#pieces.push(String.fromCharCode(Number.parseInt(this.#hexDigits, 16)));
      this.#state = "string";
    }
    return at + 1;
  }

  #endString(endAt: number): void {
    const value = this.#pieces.join("");
    if (hasNoncharacter(value))
      this.#flaw ??= { kind: "syntax", message: "a string has what is not a Unicode character, or invalid UTF-8" };
    this.#deliver(value, endAt);
  }

  #readNumber(text: string, start: number): number {
    let at = start;
    let next: NumberState | undefined = this.#number;
    while (at < text.length) {
      const symbol = numberSymbol(text.charAt(at));
      next = symbol === undefined ? undefined : NUMBER_STEPS[this.#number][symbol];
      if (next === undefined) break;
      this.#number = next;
      at += 1;
    }
    if (at > start) this.#pieces.push(text.slice(start, at));
    if (next !== undefined) return at;
    const digitAfterZero = this.#number === "zero" && /[0-9]/.test(text.charAt(at));
    if (NUMBER_ENDS.has(this.#number) && !digitAfterZero) {
      this.#endWord(at);
      return at;
    }
    this.#fail(digitAfterZero ? "a number has a leading zero" : "a number ends too early", at);
    return at + 1;
  }

  #readLiteral(text: string, start: number): number {
    let at = start;
    while (at < text.length && text.charAt(at) >= "a" && text.charAt(at) <= "z") at += 1;
    if (at > start) this.#pieces.push(text.slice(start, at));
    if (at < text.length) this.#endWord(at);
    return at;
  }

  /** Ends a number or literal, whose end only what follows can tell. */
  #endWord(endAt: number): void {
    const state = this.#state;
    this.#state = "start";
    const word = this.#pieces.join("");
    if (state === "literal") {
      const value = LITERALS.get(word);
      if (value === undefined) this.#flaw = { kind: "syntax", message: `'${printable(word)}' is not a JSON value` };
      this.#deliver(value ?? null, endAt);
    } else if (!NUMBER_ENDS.has(this.#number)) {
      this.#sink.lexicalError("a number ends too early", this.#tokenStart, this.#base + endAt);
    } else {
      const value = numberValue(word);
      if (value === undefined) this.#flaw = { kind: "limit", message: `the number ${printable(word)} is out of range` };
      this.#deliver(value ?? 0, endAt);
    }
  }

  #deliver(value: JsonScalar, endAt: number): void {
    this.#pieces = [];
    const end = this.#base + endAt;
    if (this.#flaw === null) this.#sink.scalar(value, this.#tokenStart, end);
    else this.#sink.flawed(this.#flaw, this.#tokenStart, end);
  }

  #recover(text: string, start: number): number {
    let at = start;
    while (at < text.length && text.charCodeAt(at) >= SPACE && !PUNCTUATION.has(text.charAt(at))) at += 1;
    if (at < text.length) this.#state = "start";
    return at;
  }

  /** A lexical error at the character of offset `at`, which is thereby read. */
  #fail(message: string, at: number): void {
    this.#state = "recovery";
    this.#pieces = [];
    this.#sink.lexicalError(message, this.#tokenStart, this.#base + at);
  }
}

/** True for characters that no string can have, not even after a backslash. */
function endsString(unit: number): boolean {
  return unit < SPACE || unit === IMPOSSIBLE;
}

function stringError(unit: number): string {
  return unit === IMPOSSIBLE ? "invalid UTF-8 in a string" : "control character in a string";
}

/** The column of {@link NUMBER_STEPS} that `character` belongs to. */
function numberSymbol(character: string): NumberSymbol | undefined {
  if (character >= "1" && character <= "9") return "1";
  switch (character) {
    case "0":
    case ".":
    case "e":
    case "+":
    case "-":
      return character;
    case "E":
      return "e";
    default:
      return undefined;
  }
}

/** The value of a number's text: bigint where a double is not exact; undefined out of range. */
function numberValue(word: string): number | bigint | undefined {
  if (/[.eE]/.test(word)) {
    const value = Number(word);
    return Number.isFinite(value) ? value : undefined;
  }
  if (word.length > INTEGER_LENGTH_MAX) return undefined;
  const exact = BigInt(word);
  if (exact < INT64_MIN || exact > UINT64_MAX) return undefined;
  const value = Number(exact);
  return Number.isSafeInteger(value) ? value : exact;
}
