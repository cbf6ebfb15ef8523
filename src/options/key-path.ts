/**
 * Dotted keys: the fragments of `file.driver`, `rules.0.match`, `__org.example_x`.
 *
 *     key      = fragment { "." fragment }
 *     fragment = name | index                                    (the first one is a name)
 *     name     = [ "__" { letter | digit | "-" | "." } "_" ] letter { letter | digit | "-" | "_" }
 *     index    = digit { digit }
 *
 * The optional prefix of a name is a reversed domain name and may have dots that separate nothing. Interface followed: QEMU's
 * parse_qapi_name() and the key grammar of util/keyval.c.
 */
import { QomError } from "../base/errors.js";
import { printable } from "../base/limits.js";
import { NESTING_MAX } from "./value.js";

/** Longest fragment of a key, as in QEMU, which reads one into a fixed buffer. */
const KEY_FRAGMENT_LENGTH_MAX = 127;

const isDigit = (unit: number): boolean => unit >= 0x30 && unit <= 0x39;
const isLetter = (unit: number): boolean => (unit >= 0x41 && unit <= 0x5a) || (unit >= 0x61 && unit <= 0x7a);
const HYPHEN = 0x2d;
const DOT = 0x2e;
const UNDERSCORE = 0x5f;

/** Offset of the first character from `start` on that does not belong. */
function skip(text: string, start: number, belongs: (unit: number) => boolean): number {
  let end = start;
  while (end < text.length && belongs(text.charCodeAt(end))) end += 1;
  return end;
}

/** Where the index that starts at `start` ends; `start` when there is none. */
function indexEnd(text: string, start: number): number {
  return skip(text, start, isDigit);
}

/** Where the name that starts at `start` ends; `start` when there is none. */
function nameEnd(text: string, start: number): number {
  let letter = start;
  if (text.startsWith("__", start)) {
    const domainEnd = skip(text, start + 2, (unit) => isLetter(unit) || isDigit(unit) || unit === HYPHEN || unit === DOT);
    if (text.charCodeAt(domainEnd) !== UNDERSCORE) return start;
    letter = domainEnd + 1;
  }
  if (!isLetter(text.charCodeAt(letter))) return start;
  return skip(text, letter, (unit) => isLetter(unit) || isDigit(unit) || unit === HYPHEN || unit === UNDERSCORE);
}

/** True for a fragment that numbers a list element. */
export function isIndex(fragment: string): boolean {
  return fragment !== "" && indexEnd(fragment, 0) === fragment.length;
}

/** True for a fragment that names a member and is not too long. */
export function isMemberName(fragment: string): boolean {
  return fragment !== "" && fragment.length <= KEY_FRAGMENT_LENGTH_MAX && nameEnd(fragment, 0) === fragment.length;
}

/**
 * The fragments of a key of keyval.
 * @param position of the key in the text, for errors
 * @throws QomError `syntax` for a key that breaks the grammar; `limit` for a fragment or a path that is too long
 */
export function splitKey(key: string, position: number): string[] {
  return split(key, position, (start) => {
    const index = start === 0 ? start : indexEnd(key, start);
    const end = index > start ? index : nameEnd(key, start);
    if (end === start || (end < key.length && key[end] !== ".")) throw invalidKey(key, position + end);
    if (end - start > KEY_FRAGMENT_LENGTH_MAX) {
      throw new QomError("limit", `a part of the parameter name '${printable(key)}' is longer than ${KEY_FRAGMENT_LENGTH_MAX} characters`, {
        context: { option: printable(key), position: position + start },
      });
    }
    return end;
  });
}

/**
 * The fragments of a dotted key whose names the language before did not check: whatever is between two dots, as long as it is something.
 * @throws QomError `syntax` for an empty fragment; `limit` for a path that is too long
 */
export function splitLooseKey(key: string): string[] {
  return split(key, undefined, (start) => {
    const name = nameEnd(key, start);
    if (name > start && (name === key.length || key[name] === ".")) return name;
    const dot = key.indexOf(".", start);
    const end = dot === -1 ? key.length : dot;
    // A key that is empty as a whole is a name like any other in QemuOpts.
    if (end === start && key !== "") throw invalidKey(key, undefined);
    return end;
  });
}

/** Cuts `key` at the ends that `fragmentEnd` tells, each given the start of its fragment. */
function split(key: string, position: number | undefined, fragmentEnd: (start: number) => number): string[] {
  const fragments: string[] = [];
  let start = 0;
  do {
    const end = fragmentEnd(start);
    fragments.push(key.slice(start, end));
    if (fragments.length > NESTING_MAX) {
      throw new QomError("limit", `the parameter name '${printable(key)}' nests deeper than ${NESTING_MAX}`, {
        context: { option: printable(key), ...at(position === undefined ? undefined : position + start) },
      });
    }
    start = end + 1;
  } while (start <= key.length);
  return fragments;
}

function invalidKey(key: string, position: number | undefined): QomError {
  return new QomError("syntax", `invalid parameter name '${printable(key)}'`, {
    context: { option: printable(key), ...at(position) },
    hint: "a name starts with a letter and consists of letters, digits, '-' and '_'; dots separate names and list indices",
  });
}

/** A position as a part of an error's context, where it is known. */
export function at(position: number | undefined): { readonly position?: number } {
  return position === undefined ? {} : { position };
}
