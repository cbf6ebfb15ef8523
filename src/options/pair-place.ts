/** Where in a `key=value,...` text a parameter is. */
import { assert } from "../base/assert.js";
import { findKeyEnd, readValue } from "./pair-text.js";

/** Offsets of a parameter's name and of its value. */
export interface OptionPlace {
  readonly name: number;
  readonly value: number;
}

/** What {@link pairPlace} is to look for. */
interface Wanted {
  readonly option: string;
  readonly impliedKey: string | undefined;
  /** A bare word is a name by itself, with or without `no` before it. */
  readonly flags: boolean;
}

/** Offset of the first key of keyval that is `prefix` or is nested in it. */
export function placeOfGroup(text: string, prefix: string, impliedKey: string | undefined): number | undefined {
  return pairPlace(text, { option: prefix, impliedKey, flags: false }, true)?.name;
}

/**
 * Where the wanted parameter is: of a repeated one the last, or the `first`; of a group the first member; undefined when it is not there.
 */
export function pairPlace(text: string, wanted: Wanted, first: boolean): OptionPlace | undefined {
  let exact: OptionPlace | undefined;
  let member: OptionPlace | undefined;
  let start = 0;
  while (start < text.length) {
    const keyEnd = findKeyEnd(text, start);
    const bare = text[keyEnd] !== "=";
    const implied = bare && start === 0 && wanted.impliedKey !== undefined;
    const key = implied ? wanted.impliedKey : text.slice(start, keyEnd);
    const place = { name: start, value: bare ? start : keyEnd + 1 };
    const named = key === wanted.option || (bare && wanted.flags && key === `no${wanted.option}`);
    if (named) exact = place;
    else if (key.startsWith(`${wanted.option}.`)) member ??= place;
    if (first && (exact ?? member) !== undefined) break;
    const end = bare && !implied ? keyEnd : readValue(text, place.value).end;
    assert(end >= start, "the next pair follows this one");
    start = end + 1;
  }
  return exact ?? member;
}
