/**
 * keyval, the newer option language: -blockdev.
 *
 *     options = [ pair { "," pair } [ "," ] ]
 *     pair    = key "=" value | "help" | "?"                     (keys: see key-path.ts)
 *     value   = any text, in which ",," stands for one comma
 *
 * The first pair may be a bare value, without `=` and `,`, where the option has an implied key. Dotted keys nest. Of repeated keys the
 * last wins. Every leaf is a string; an empty list or map cannot be written. Interface followed: QEMU's util/keyval.c.
 */
import { QomError } from "../base/errors.js";
import { printable } from "../base/limits.js";
import { KeyTree } from "./dotted.js";
import { isMemberName, splitKey } from "./key-path.js";
import { placeOfGroup } from "./pair-place.js";
import { emptyContainer, findKeyEnd, isHelpWord, leafText, printPair, readValue, unprintable } from "./pair-text.js";
import type { PairSyntax } from "./pair-text.js";
import { requireTextLength } from "./text-length.js";
import { isOptionMap, isPlainList, NESTING_MAX } from "./value.js";
import type { OptionMap, ParsedOptions, PlainValue } from "./value.js";

/**
 * Parses `text`; the values are nested and all leaves are strings.
 * @throws QomError `syntax`, also for keys that contradict each other and for help where there is none; `missing` for a gap in a list;
 *   `limit` for a text, a key or a nesting that is too long
 */
export function parseKeyval(text: string, syntax: PairSyntax = {}): ParsedOptions {
  requireTextLength(text);
  const tree = new KeyTree();
  let helpPosition: number | undefined;
  let start = 0;
  while (start < text.length) {
    const keyEnd = findKeyEnd(text, start);
    const key = text.slice(start, keyEnd);
    const bare = key !== "" && text[keyEnd] !== "=";
    if (bare && isHelpWord(key)) {
      helpPosition ??= start;
      start = keyEnd + 1;
    } else if (bare && start === 0 && syntax.impliedKey !== undefined) {
      tree.put([syntax.impliedKey], key, start);
      start = keyEnd + 1;
    } else {
      const path = splitKey(key, start);
      if (bare) throw missingEquals(key, keyEnd);
      const { value, end } = readValue(text, keyEnd + 1);
      tree.put(path, value, start);
      start = end + 1;
    }
  }
  if (helpPosition !== undefined && syntax.permitHelp !== true) {
    throw new QomError("syntax", "help is not available for this option", { context: { position: helpPosition } });
  }
  const values = tree.nested((prefix) => placeOfGroup(text, prefix, syntax.impliedKey));
  return { form: "text", values, warnings: [], help: helpPosition !== undefined };
}

function missingEquals(key: string, position: number): QomError {
  return new QomError("syntax", `expected '=' after parameter '${printable(key)}'`, {
    context: { option: printable(key), position },
    hint: "double a comma in a value",
  });
}

function tooDeep(key: string): QomError {
  return new QomError("limit", `'${printable(key)}' nests deeper than ${NESTING_MAX}`, { context: { option: printable(key) } });
}

/**
 * The text that {@link parseKeyval}, with the same `syntax`, reads as `values`, in the same order. Booleans become `on` and `off`,
 * numbers decimal.
 * @throws QomError `syntax` for what the language cannot say: null, an empty list or map, a name that breaks the key grammar; `limit`
 *   for deep nesting
 */
export function printKeyval(values: OptionMap, syntax: PairSyntax = {}): string {
  const pairs: string[] = [];
  printMembers(values, "", 1, (key, leaf) => pairs.push(printPair(key, leaf, pairs.length === 0, syntax)));
  return pairs.join(",");
}

function printMembers(values: OptionMap, prefix: string, depth: number, emit: (key: string, leaf: string) => void): void {
  for (const [name, value] of values) {
    if (!isMemberName(name)) throw unprintable(prefix + name, `'${printable(name)}' is not a parameter name`);
    printNested(value, prefix + name, depth, emit);
  }
}

function printNested(value: PlainValue, key: string, depth: number, emit: (key: string, leaf: string) => void): void {
  const empty = emptyContainer(value);
  if (empty !== undefined) throw unprintable(key, empty);
  if (!isOptionMap(value) && !isPlainList(value)) return emit(key, leafText(key, value));
  if (depth === NESTING_MAX) throw tooDeep(key);
  if (isOptionMap(value)) return printMembers(value, `${key}.`, depth + 1, emit);
  for (const [index, element] of value.entries()) printNested(element, `${key}.${index}`, depth + 1, emit);
}
