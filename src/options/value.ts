/**
 * Plain values: what a text becomes before anybody knows which object it is for.
 *
 * Members are kept in Maps and never in JavaScript objects, so `__proto__` and `constructor` are names like any other.
 */

/** A value of JSON, with integers exact to 64 bits. */
export type PlainValue = null | boolean | number | bigint | string | readonly PlainValue[] | OptionMap;

/** Named members, in the order in which the text first named them. */
export type OptionMap = ReadonlyMap<string, PlainValue>;

/** What one option string says. */
export interface ParsedOptions {
  /**
   * `text`: every leaf is a string, to be converted where its type is known (a bare flag is `on` or `off`).
   * `json`: leaves have JSON types: number for an integer that a double holds exactly and for whatever has a fraction or an exponent,
   * bigint for the other integers of 64 bits.
   */
  readonly form: "text" | "json";
  readonly values: OptionMap;
  /** One line each: spellings that work and are deprecated. */
  readonly warnings: readonly string[];
  /** Help was asked for; the other parameters are in `values`. */
  readonly help: boolean;
}

/**
 * Deepest nesting of lists and maps, the outermost one counted: QEMU's limit for JSON, and here for dotted keys too, since values are
 * walked by recursion.
 */
export const NESTING_MAX = 1024;

/** Range of the integers: everything that an int64 or a uint64 holds. */
export const INT64_MIN = -(2n ** 63n);
export const UINT64_MAX = 2n ** 64n - 1n;

/** True for a map of members. */
export function isOptionMap(value: PlainValue): value is OptionMap {
  return value instanceof Map;
}

/** True for a list. */
export function isPlainList(value: PlainValue): value is readonly PlainValue[] {
  return Array.isArray(value);
}

/** The member of `value` at the end of a path of names and indices; undefined when there is none. */
export function memberAt(value: PlainValue, path: readonly PropertyKey[]): PlainValue | undefined {
  let at: PlainValue | undefined = value;
  for (const step of path) {
    if (at === undefined) return undefined;
    at = isOptionMap(at) ? at.get(String(step)) : isPlainList(at) ? at[Number(step)] : undefined;
  }
  return at;
}
