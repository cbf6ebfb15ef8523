/** What parsing option texts costs as they get longer: 10 MB against 100 kB, of texts of many shapes. */
import { parseJson } from "#src/options/json.js";
import { parseKeyval } from "#src/options/keyval.js";
import { parseQemuOpts } from "#src/options/qemu-opts.js";
import { commaSeparated } from "../test/options/long-texts.js";
import type { Figure } from "./main.js";
import { inTurn, nanosecondsEach, ratios, spread } from "./measure.js";

const ROUNDS = 5;
const SHORT = 100_000;
const LONG = 10_000_000;
/** Short texts parsed in a row, so that what the collector does for them is in the figure. */
const SHORT_RUNS = 20;

const many =
  (item: (index: number) => string) =>
  (length: number): string =>
    commaSeparated(length, item);
const jsonList = (item: (index: number) => string) => (length: number) => `[${commaSeparated(length, item)}]`;
const jsonObject = (item: (index: number) => string) => (length: number) => `{${commaSeparated(length, item)}}`;

const keyval = (text: string): unknown => parseKeyval(text);
const qemuOpts = (text: string): unknown => parseQemuOpts(text);

/** A Map of the names and values of a text `aN=b,…`, with no grammar at all: what any parser that returns them has to do at least. */
function bareMap(text: string): ReadonlyMap<string, string> {
  const map = new Map<string, string>();
  for (let at = 0; at < text.length;) {
    const equals = text.indexOf("=", at);
    const comma = text.indexOf(",", equals);
    const end = comma === -1 ? text.length : comma;
    map.set(text.slice(at, equals), text.slice(equals + 1, end));
    at = end + 1;
  }
  return map;
}

const distinct = many((index) => `a${index}=b`);

/** Name, parser, text of a length. */
const SHAPES: readonly (readonly [string, (text: string) => unknown, (length: number) => string])[] = [
  ["a bare Map of distinct pairs, for comparison", bareMap, distinct],
  ["keyval, distinct pairs", keyval, distinct],
  ["keyval, distinct pairs of 50 characters", keyval, many((index) => `name${index}=${"v".repeat(40)}`)],
  ["keyval, one pair again and again", keyval, many(() => "a=b")],
  ["keyval, one long value", keyval, (length) => `a=${"b".repeat(length)}`],
  ["keyval, one value of doubled commas", keyval, (length) => `a=${",".repeat(length)}`],
  ["keyval, a list", keyval, many((index) => `a.${index}=b`)],
  ["keyval, a list of maps", keyval, many((index) => `rules.${index >> 1}.${index % 2 === 0 ? "match" : "policy"}=x`)],
  ["keyval, keys of four levels", keyval, many((index) => `a${index}.b.c.d=e`)],
  ["keyval, one deep key again and again", keyval, many((index) => `a${".a".repeat(1000)}.b${index}=1`)],
  ["QemuOpts, distinct pairs", qemuOpts, distinct],
  ["QemuOpts, one pair again and again", qemuOpts, many(() => "a=b")],
  ["QemuOpts, flags", qemuOpts, many((index) => `f${index}`)],
  ["QemuOpts, one value of doubled commas", qemuOpts, (length) => `a=${",".repeat(length)}`],
  ["JSON, a list of numbers", parseJson, jsonList(String)],
  ["JSON, a list of strings", parseJson, jsonList((index) => `"s${index}"`)],
  ["JSON, an object of distinct members", parseJson, jsonObject((index) => `"a${index}":"b"`)],
  ["JSON, a list of objects", parseJson, jsonList(() => '{"match":"x","policy":"allow"}')],
  ["JSON, nested lists", parseJson, jsonList(() => "[".repeat(500) + "]".repeat(500))],
  ["JSON, one long string", parseJson, (length) => `"${"a".repeat(length)}"`],
  ["JSON, one string of escapes", parseJson, (length) => `"${"\\n".repeat(length / 2)}"`],
];

/** For each shape: the long text against the short one, which is a hundredth of it. */
export async function optionTexts(): Promise<readonly Figure[]> {
  const figures: Figure[] = [];
  const run = (parse: (text: string) => unknown, text: string, count: number) => (): Promise<number> =>
    nanosecondsEach(count, () => {
      parse(text);
      return Promise.resolve();
    });
  for (const [what, parse, text] of SHAPES) {
    const [short = [], long = []] = await inTurn(ROUNDS, [run(parse, text(SHORT), SHORT_RUNS), run(parse, text(LONG), 1)]);
    const value = spread(ratios(long, short));
    figures.push({ what: `${what}: 10 MB / 100 kB`, unit: "ratio", value, aim: parse === bareMap ? "" : "< 100 (median)" });
  }
  return figures;
}
