/**
 * Made-up texts through every parser: it returns plain values or throws a QomError of a known kind, and nothing else happens.
 * The number of texts is fixed. They are put together here: fast-check takes several times longer for it than the parsers for the rest.
 *
 * A failure tells the text; FUZZ_SEED repeats a run.
 */
import { isDeepStrictEqual } from "node:util";
import { expect } from "chai";
import { QomError } from "#src/base/errors.js";
import { parseOption } from "#src/options/arguments.js";
import type { OptionArgument } from "#src/options/arguments.js";
import { caretLines } from "#src/options/caret-lines.js";
import { unflatten } from "#src/options/dotted.js";
import { parseJson, printJson } from "#src/options/json.js";
import { parseKeyval, printKeyval } from "#src/options/keyval.js";
import { parseQemuOpts, printQemuOpts } from "#src/options/qemu-opts.js";
import { parseBool, parseInteger, parseSize } from "#src/options/scalars.js";
import { isOptionMap, isPlainList } from "#src/options/value.js";
import type { OptionMap, PlainValue } from "#src/options/value.js";
import { randomNumbers } from "../support/random.js";
import { withoutStacks } from "../support/stacks.js";
import { AWKWARD_NAMES } from "./support.js";

/** Texts per parser: a million in a soak run (SOAK=1), fewer while somebody waits. */
const RUNS = process.env["SOAK"] === "1" ? 1_000_000 : 20_000;

/** A million texts through the slowest parser take half a minute, and on a busy machine many times that; a hang takes for ever. */
const TIMEOUT_MS = 1_800_000;

const KINDS: ReadonlySet<string> = new Set(["syntax", "limit", "bad-id", "missing"]);

const SEED = Number(process.env["FUZZ_SEED"] ?? Math.floor(Math.random() * 2 ** 32));

/** Numbers from 0 up to 1. */
type Random = () => number;

/** Makes one text. */
type Texts = (random: Random) => string;

interface Choice {
  readonly weight: number;
  readonly parts: readonly string[];
}

function pick<T>(from: readonly T[], random: Random): T {
  const one = from[Math.floor(random() * from.length)];
  if (one === undefined) throw new Error("nothing to pick from");
  return one;
}

/** Texts of up to `partsMax` parts; every fourth has only a few, which meet the ends of a text more often. */
function textsOf(choices: readonly Choice[], partsMax: number): Texts {
  const dealt = choices.flatMap(({ weight, parts }) => Array.from({ length: weight }, () => parts));
  return (random) => {
    let text = "";
    const most = random() < 0.25 ? 4 : partsMax;
    for (let left = Math.floor(random() * (most + 1)); left > 0; left -= 1) text += pick(pick(dealt, random), random);
    return text;
  };
}

const pairText = textsOf(
  [
    { parts: ["a", "b", "file", "driver", "id", "no", "help", "?", "x1", "-", "_", "__org.x_", ...AWKWARD_NAMES], weight: 4 },
    { parts: ["=", ",", ".", ",,", "=", ",", "."], weight: 6 },
    { parts: ["0", "1", "2", "00", "18446744073709551616", "0x1M", " ", "\n", "\0", "{", "}", '"', "ä", "\ud800"], weight: 2 },
  ],
  24,
);

const jsonText = textsOf(
  [
    { parts: ["{", "}", "[", "]", ",", ":", "{", "}"], weight: 6 },
    { parts: ['"a"', "'b'", '"a":', ...AWKWARD_NAMES.map((name) => `"${name}":`)], weight: 4 },
    { parts: ["1", "-0", "1.5e3", "18446744073709551616", "true", "null", "nul"], weight: 2 },
    { parts: ['"', "'", "\\", "\\u", "d800", "\n", " ", "\0", "@", "ä", "\ud800", "\uffff"], weight: 2 },
  ],
  24,
);

const SURROGATES_START = 0xd800;
const SURROGATES = 0x800;
const CODE_POINTS = 0x11_0000;

/** Up to ten characters of all that there are, without halves of a pair. */
const anyText: Texts = (random) => {
  let text = "";
  for (let left = Math.floor(random() * 11); left > 0; left -= 1) {
    const number = Math.floor(random() * (CODE_POINTS - SURROGATES));
    text += String.fromCodePoint(number < SURROGATES_START ? number : number + SURROGATES);
  }
  return text;
};

/** Everything in a value is of a plain kind; counts what is inside. */
function requirePlain(value: PlainValue): void {
  if (isOptionMap(value)) {
    if (Object.getPrototypeOf(value) !== Map.prototype || Object.keys(value).length > 0) expect.fail("a map that is more than a map");
    for (const [name, member] of value) {
      if (typeof name !== "string") expect.fail("a name that is no string");
      requirePlain(member);
    }
  } else if (isPlainList(value)) {
    for (const element of value) requirePlain(element);
  } else if (value !== null && !["string", "number", "bigint", "boolean"].includes(typeof value)) {
    expect.fail(`a ${typeof value}`);
  }
}

/** What `action` returns, or undefined when it refuses properly; counts which of them happened. */
class Tally {
  accepted = 0;
  refused = 0;

  try<T>(action: () => T): T | undefined {
    try {
      const result = action();
      this.accepted += 1;
      return result;
    } catch (error) {
      if (!(error instanceof QomError) || !KINDS.has(error.kind)) throw error;
      if (/[\r\n]/.test(error.message)) expect.fail(`more than a line: ${error.message}`);
      const { position, text } = error.context;
      if (position !== undefined && text !== undefined && (position < 0 || position > text.length)) expect.fail(`position ${position}`);
      if (caretLines(error).some((line) => /[\r\n]/.test(line))) expect.fail("a caret line of several lines");
      this.refused += 1;
      return undefined;
    }
  }

  /** A fuzzer that only ever sees one of the two tests nothing. */
  requireBoth(): void {
    expect(this.accepted).to.be.above(RUNS / 100);
    expect(this.refused).to.be.above(RUNS / 100);
  }
}

/** Gives `look` as many texts as are to be tried. @throws Error with the text for which `look` throws */
function forEachText(texts: Texts, look: (text: string, random: Random) => void): void {
  const random = randomNumbers(SEED);
  for (let left = RUNS; left > 0; left -= 1) {
    const text = texts(random);
    try {
      look(text, random);
    } catch (error) {
      throw new Error(`text ${JSON.stringify(text)}, FUZZ_SEED=${SEED}`, { cause: error });
    }
  }
}

describe("fuzzing", function () {
  this.timeout(TIMEOUT_MS);
  const prototype = Object.getOwnPropertyNames(Object.prototype).join();

  withoutStacks();

  afterEach(() => {
    expect(Object.getOwnPropertyNames(Object.prototype).join()).to.equal(prototype);
  });

  /** `RUNS` texts through `parse`; what is accepted is plain, and if it can be printed it is read back. */
  function fuzz(texts: Texts, parse: (text: string) => OptionMap, print: (values: OptionMap) => string): Tally {
    const tally = new Tally();
    const printing = new Tally();
    forEachText(texts, (text) => {
      const values = tally.try(() => parse(text));
      if (values === undefined) return;
      requirePlain(values);
      const printed = printing.try(() => print(values));
      // chai explains a difference, and takes many times longer to find that there is none.
      if (printed !== undefined && !isDeepStrictEqual(parse(printed), values)) expect(parse(printed)).to.deep.equal(values);
    });
    return tally;
  }

  it(`keyval: ${RUNS} texts`, () => {
    const syntax = { impliedKey: "driver" };
    fuzz(
      pairText,
      (text) => parseKeyval(text, syntax).values,
      (values) => printKeyval(values, syntax),
    ).requireBoth();
  });

  it(`QemuOpts: ${RUNS} texts`, () => {
    const syntax = { impliedKey: "driver" };
    const tally = fuzz(
      pairText,
      (text) => parseQemuOpts(text, syntax).values,
      (values) => printQemuOpts(values, syntax),
    );
    expect(tally.accepted).to.be.above(RUNS / 2);
    expect(tally.refused).to.be.above(0);
  });

  it(`JSON: ${RUNS} texts`, () => {
    fuzz(
      jsonText,
      (text) => new Map([["value", parseJson(text)]]),
      (values) => printJson(values.get("value") ?? null),
    ).requireBoth();
  });

  it(`unflatten: ${RUNS} texts`, () => {
    const parse = (text: string): OptionMap => unflatten(parseQemuOpts(text).values);
    const tally = new Tally();
    forEachText(pairText, (text) => {
      const values = tally.try(() => parse(text));
      if (values !== undefined) requirePlain(values);
    });
    tally.requireBoth();
  });

  it(`arguments: ${RUNS} texts`, () => {
    const tally = new Tally();
    const names = ["object", "device", "drive", "blockdev"] as const;
    const kinds: readonly Texts[] = [pairText, (random) => `{${jsonText(random)}}`, anyText];
    const texts: Texts = (random) => pick(kinds, random)(random);
    forEachText(texts, (text, random) => {
      const name: OptionArgument = pick(names, random);
      const parsed = tally.try(() => {
        try {
          return parseOption(name, text);
        } catch (error) {
          if (error instanceof QomError) {
            const { context } = error;
            if (context.argument !== name || context.text !== text || context.position === undefined)
              expect.fail("an error without its place");
          }
          throw error;
        }
      });
      if (parsed !== undefined) requirePlain(parsed.values);
    });
    tally.requireBoth();
  });

  it(`scalars: ${RUNS} texts`, () => {
    const parts = ["0", "1", "9", "x", "a", "f", ".", "-", "+", " ", "k", "M", "E", "e", "b", "\n", "on"];
    forEachText(textsOf([{ parts, weight: 1 }], 8), (word) => {
      const size = parseSize(word);
      const integer = parseInteger(word);
      if (size !== undefined && (size < 0n || size > 2n ** 64n - 1n)) expect.fail(`size ${size}`);
      if (integer !== undefined && (integer < -(2n ** 63n) || integer > 2n ** 64n - 1n)) expect.fail(`integer ${integer}`);
      if (parseBool(word) !== undefined) expect(word).to.equal("on");
    });
  });
});
