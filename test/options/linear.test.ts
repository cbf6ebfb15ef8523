/**
 * Work grows with the length of a text and no faster, whatever the text. Counted are the characters that the parsers look at, copy or
 * search through, by instruments in place of the string methods they use; nothing is timed.
 */
import { expect } from "chai";
import { unflatten } from "#src/options/dotted.js";
import { JsonStream, parseJson, printJson } from "#src/options/json.js";
import { parseKeyval, printKeyval } from "#src/options/keyval.js";
import { parseQemuOpts, printQemuOpts } from "#src/options/qemu-opts.js";
import { parseInteger, parseSize } from "#src/options/scalars.js";
import type { OptionMap } from "#src/options/value.js";
import { commaSeparated } from "./long-texts.js";

const COUNTED = ["charCodeAt", "charAt", "codePointAt", "indexOf", "startsWith", "slice", "replaceAll", "replace", "split"] as const;

/** Characters that string methods touch while `action` runs. */
function workOf(action: () => unknown): number {
  let work = 0;
  const instrumented: object = String.prototype;
  const originals = COUNTED.map((name) => [name, Object.getOwnPropertyDescriptor(instrumented, name)] as const);
  for (const [name, descriptor] of originals) {
    const original: unknown = descriptor?.value;
    if (typeof original !== "function") throw new Error(`no method ${name}`);
    const counting = function (this: string, ...given: unknown[]): unknown {
      const result: unknown = Reflect.apply(original, this, given);
      if (name === "slice") work += String(result).length;
      else if (name === "replaceAll" || name === "replace" || name === "split") work += this.length;
      else if (name === "indexOf") work += (result === -1 ? this.length : Number(result)) - Number(given[1] ?? 0) + 1;
      else work += 1;
      return result;
    };
    Object.defineProperty(instrumented, name, { ...descriptor, value: counting });
  }
  try {
    action();
  } finally {
    for (const [name, descriptor] of originals) if (descriptor !== undefined) Object.defineProperty(instrumented, name, descriptor);
  }
  return work;
}

/** `action`, its refusal being as good as a result. */
const tried = (action: () => unknown) => (): void => {
  try {
    action();
  } catch {
    // what it makes of the text is another test's business
  }
};

const deep = (prefix: string): string => prefix + ".a".repeat(1000);

/** Texts of about a length that are hard on one thing or another. */
const TEXTS: readonly (readonly [string, (length: number) => string])[] = [
  ["commas", (length) => ",".repeat(length)],
  ["equals signs", (length) => "=".repeat(length)],
  ["a long word", (length) => "a".repeat(length)],
  ["a long key", (length) => `${"a".repeat(length)}=1`],
  ["a long value", (length) => `a=${"b".repeat(length)}`],
  ["a value of doubled commas", (length) => `a=${",".repeat(length & ~1)}`],
  ["flags", (length) => commaSeparated(length, () => "a")],
  ["different flags", (length) => commaSeparated(length, (index) => `a${index}`)],
  ["pairs", (length) => commaSeparated(length, (index) => `a${index}=b`)],
  ["one pair again and again", (length) => commaSeparated(length, () => "a=b")],
  ["pairs with doubled commas", (length) => commaSeparated(length, (index) => `a${index}=,,b,,`)],
  ["a list", (length) => commaSeparated(length, (index) => `a.${index}=b`)],
  ["a list with a gap", (length) => commaSeparated(length, (index) => `a.${index + 1}=b`)],
  ["two lists in step", (length) => commaSeparated(length, (index) => `${index % 2 === 0 ? "a" : "b"}.${index >> 1}.c=d`)],
  ["one deep key again and again", (length) => commaSeparated(length, (index) => `${deep("a")}.b${index}=1`)],
  ["different deep keys", (length) => commaSeparated(length, (index) => `${deep(`a${index}`)}=1`)],
  ["a key too deep", (length) => `${"a.".repeat(length / 2)}a=1`],
  ["dots", (length) => `${".".repeat(length)}=1`],
  ["underscores", (length) => `${"_".repeat(length)}=1`],
  ["a domain prefix", (length) => `__${"a.".repeat(length / 2)}=1`],
  ["digits", (length) => `a.${"0".repeat(length)}=1`],
  ["open brackets", (length) => "[".repeat(length)],
  ["braces", (length) => '{"a":'.repeat(length / 5)],
  ["a JSON list", (length) => `[${commaSeparated(length, (index) => String(index))}]`],
  ["a JSON object", (length) => `{${commaSeparated(length, (index) => `"a${index}":[{}]`)}}`],
  ["a JSON string", (length) => `"${"a".repeat(length)}"`],
  ["escapes", (length) => `"${"\\n\\u00e4".repeat(length / 8)}"`],
  ["a string that never ends", (length) => `{"${"a\\\\".repeat(length / 3)}`],
  ["a long number", (length) => "1".repeat(length)],
  ["a long fraction", (length) => `0.${"1".repeat(length)}`],
  ["a long literal", (length) => "t".repeat(length)],
  ["JSON errors", (length) => "@}\n".repeat(length / 3)],
  ["blanks", (length) => `${" ".repeat(length)}1`],
];

const inChunks =
  (chunkLength: number) =>
  (text: string): void => {
    const reader = new JsonStream({ lengthMax: 1 << 26 });
    for (let at = 0; at < text.length; at += chunkLength) reader.push(text.substring(at, at + chunkLength));
    reader.end();
  };

const WHOLE: readonly (readonly [string, (text: string) => unknown])[] = [
  ["QemuOpts", (text) => parseQemuOpts(text, { impliedKey: "driver", permitHelp: true })],
  ["keyval", (text) => parseKeyval(text, { impliedKey: "driver", permitHelp: true })],
  ["unflatten", (text) => unflatten(parseQemuOpts(text).values)],
  ["JSON", parseJson],
  ["integers", parseInteger],
  ["sizes", (text) => parseSize(text)],
];
const PARSERS: typeof WHOLE = [...WHOLE, ["JSON in chunks of 1", inChunks(1)], ["JSON in chunks of 100", inChunks(100)]];

const SHORT = 2_000;
const FACTOR = 8;

/** More than any option text of a user. */
const LONG = process.env["SOAK"] === "1" ? 300_000 : 100_000;

/** Times a character may be looked at in all; each grammar does so a handful of times. */
const WORK_PER_CHARACTER_MAX = 12;

describe("work per character", function () {
  this.timeout(120_000);

  for (const [parserName, parse] of PARSERS) {
    it(`of ${parserName} does not grow with the text`, () => {
      for (const [textName, text] of TEXTS) {
        const short = text(SHORT);
        const long = text(SHORT * FACTOR);
        const perShort = workOf(tried(() => parse(short))) / short.length;
        const perLong = workOf(tried(() => parse(long))) / long.length;
        expect(perLong, textName).to.be.below(WORK_PER_CHARACTER_MAX);
        // A word of the shorter text may be cheaper where a limit ends the longer one early, and indices get longer by a digit.
        expect(perLong, textName).to.be.below(perShort * 1.5 + 1);
      }
    });
  }

  it("of the printers does not grow with the value", () => {
    const values = (count: number): OptionMap => new Map(Array.from({ length: count }, (_, index) => [`a${index}`, `b,${index}`]));
    for (const print of [printQemuOpts, printKeyval, printJson]) {
      const perEntry = (count: number): number => workOf(() => print(values(count))) / count;
      expect(perEntry(8000)).to.be.below(perEntry(1000) * 1.5 + 1);
    }
  });

  it(`lets every parser come to an end on ${LONG / 1000} kB of anything`, () => {
    for (const [, parse] of WHOLE) for (const [, text] of TEXTS) tried(() => parse(text(LONG)))();
  });
});
