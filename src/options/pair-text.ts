/**
 * What the two `key=value,...` languages share: where a key ends, how a comma is written in a value, how a leaf is printed.
 */
import { QomError } from "../base/errors.js";
import { printable } from "../base/limits.js";
import { isOptionMap, isPlainList } from "./value.js";
import type { PlainValue } from "./value.js";

/** How one option uses its language. */
export interface PairSyntax {
  /** Key of a first pair that is a bare value. */
  readonly impliedKey?: string;
  /** A bare `help` or `?` asks for help. */
  readonly permitHelp?: boolean;
}

const EQUALS = 0x3d;
const COMMA = 0x2c;

/** Offset of the first `=` or `,` from `start` on, or the length of `text`. */
export function findKeyEnd(text: string, start: number): number {
  // Two calls of indexOf would search far past this pair, and for every pair again.
  let at = start;
  while (at < text.length) {
    const unit = text.charCodeAt(at);
    if (unit === EQUALS || unit === COMMA) break;
    at += 1;
  }
  return at;
}

/** The value from `start` up to a single comma or the end of `text`; two commas stand for one. `end` is the offset of what ended it. */
export function readValue(text: string, start: number): { readonly value: string; readonly end: number } {
  let doubled = false;
  let end = text.indexOf(",", start);
  while (end !== -1 && text.charCodeAt(end + 1) === COMMA) {
    doubled = true;
    end = text.indexOf(",", end + 2);
  }
  if (end === -1) end = text.length;
  const written = text.slice(start, end);
  // Not replaceAll: with millions of matches it takes several times longer, and longer for each the more there are.
  return { value: doubled ? written.split(",,").join(",") : written, end };
}

/** True for the two words that ask for help. */
export function isHelpWord(word: string): boolean {
  return word === "help" || word === "?";
}

/** One pair as text; the key is left out where {@link PairSyntax.impliedKey} and its place allow that. */
export function printPair(key: string, value: string, first: boolean, syntax: PairSyntax): string {
  const bare = first && key === syntax.impliedKey && /^[^=,{][^=,]*$/.test(value) && !isHelpWord(value);
  return bare ? value : `${key}=${value.split(",").join(",,")}`;
}

/**
 * A leaf as text.
 * @throws QomError `syntax` for what only JSON can say: null, and maps and lists where the language has no nesting
 */
export function leafText(key: string, value: PlainValue): string {
  if (typeof value === "string") return value;
  if (typeof value === "boolean") return value ? "on" : "off";
  if (typeof value === "number" || typeof value === "bigint") return String(value);
  const what = value === null ? "null" : isPlainList(value) ? "a list" : "a map";
  throw unprintable(key, what);
}

/** The error for a value that the text form cannot express. */
export function unprintable(key: string, what: string): QomError {
  return new QomError("syntax", `option '${printable(key)}' cannot be written as text: ${what}`, {
    context: { option: printable(key) },
    hint: "JSON can express it",
  });
}

/** What an empty list or map is called when it cannot be printed. */
export function emptyContainer(value: PlainValue): string | undefined {
  if (isPlainList(value)) return value.length === 0 ? "an empty list" : undefined;
  if (isOptionMap(value)) return value.size === 0 ? "an empty map" : undefined;
  return undefined;
}
