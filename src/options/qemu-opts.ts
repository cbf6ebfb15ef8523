/**
 * QemuOpts, the older option language: -object, -device and -drive of the system emulator.
 *
 *     options = [ item { "," item } [ "," ] ]
 *     item    = name "=" value | name | "no" name
 *     value   = any text, in which ",," stands for one comma
 *
 * The first item may be a bare value where the option has an implied key. A bare name means `on`, with `no` before it `off`; both are
 * deprecated. Names are not checked and nothing nests: `a.b` is a name. Of repeated names the last wins, but of repeated ids the first,
 * and an id must be well formed. Interface followed: QEMU's util/qemu-option.c.
 */
import { printable } from "../base/limits.js";
import { requireWellFormedId } from "./id.js";
import { findKeyEnd, isHelpWord, leafText, printPair, readValue, unprintable } from "./pair-text.js";
import type { PairSyntax } from "./pair-text.js";
import { requireTextLength } from "./text-length.js";
import type { OptionMap, ParsedOptions } from "./value.js";

/** Deprecation warnings reported for one text: a page of them says it all, and millions would cost more memory than the text. */
const WARNINGS_MAX = 32;

/**
 * Parses `text`; the values are flat and all strings.
 * @throws QomError `bad-id`; `limit` for a text that is too long. Nothing else is an error in this language.
 */
export function parseQemuOpts(text: string, syntax: PairSyntax = {}): ParsedOptions {
  requireTextLength(text);
  const values = new Map<string, string>();
  const warnings = new WarningList();
  let at = 0;
  while (at < text.length) {
    const item = readItem(text, at, at === 0 ? syntax.impliedKey : undefined, warnings);
    if (item.name !== "id") {
      values.set(item.name, item.value);
    } else if (!values.has("id")) {
      requireWellFormedId(item.value, { position: item.valueStart });
      values.set("id", item.value);
    }
    at = item.end + 1;
  }
  const help = syntax.permitHelp === true && takeHelp(values, syntax.impliedKey);
  return { form: "text", values, warnings: warnings.lines, help };
}

/** One item of the text; `end` is the offset of the comma after it or the end of the text. */
interface Item {
  readonly name: string;
  readonly value: string;
  readonly valueStart: number;
  readonly end: number;
}

function readItem(text: string, start: number, impliedKey: string | undefined, warnings: WarningList): Item {
  const nameEnd = findKeyEnd(text, start);
  const word = text.slice(start, nameEnd);
  const hasValue = text[nameEnd] === "=";
  const given = hasValue ? word : impliedKey;
  if (given !== undefined) {
    const valueStart = hasValue ? nameEnd + 1 : start;
    const { value, end } = readValue(text, valueStart);
    return { name: given, value, valueStart, end };
  }
  const negated = word.startsWith("no");
  const name = negated ? word.slice("no".length) : word;
  const value = negated ? "off" : "on";
  if (!isHelpWord(word)) {
    warnings.add(() => `short-form boolean option '${printable(word)}' is deprecated, write '${printable(name)}=${value}'`);
  }
  return { name, value, valueStart: start, end: nameEnd };
}

/** Whether help was asked for, by an option of that name or by the implied key's value; takes what said so out of `values`. */
function takeHelp(values: Map<string, string>, impliedKey: string | undefined): boolean {
  let asked = false;
  for (const word of ["help", "?"]) asked = values.delete(word) || asked;
  if (impliedKey !== undefined && isHelpWord(values.get(impliedKey) ?? "")) {
    values.delete(impliedKey);
    asked = true;
  }
  return asked;
}

/** Warnings, cut to {@link WARNINGS_MAX} lines. */
class WarningList {
  readonly #lines: string[] = [];
  #leftOut = 0;

  add(line: () => string): void {
    if (this.#lines.length < WARNINGS_MAX) this.#lines.push(line());
    else this.#leftOut += 1;
  }

  get lines(): readonly string[] {
    return this.#leftOut === 0 ? this.#lines : [...this.#lines, `${this.#leftOut} further warnings of this kind`];
  }
}

/**
 * The text that {@link parseQemuOpts}, with the same `syntax`, reads as `values`, in the same order. Booleans become `on` and `off`,
 * numbers decimal.
 * @throws QomError `syntax` for what the language cannot say: null, nesting, a name with `=` or `,`, a request for help; `bad-id`
 */
export function printQemuOpts(values: OptionMap, syntax: PairSyntax = {}): string {
  const pairs: string[] = [];
  for (const [name, value] of values) {
    if (/[=,]/.test(name)) throw unprintable(name, "its name has '=' or ','");
    const leaf = leafText(name, value);
    if (name === "id") requireWellFormedId(leaf);
    const asksHelp = isHelpWord(name) || (name === syntax.impliedKey && isHelpWord(leaf));
    if (syntax.permitHelp === true && asksHelp) throw unprintable(name, "it would ask for help");
    pairs.push(printPair(name, leaf, pairs.length === 0, syntax));
  }
  return pairs.join(",");
}
