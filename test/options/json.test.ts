/** The JSON reader on whole texts, and the printer. What is refused is what QEMU 7.2 refuses, apart from integers beyond 64 bits. */
import { expect } from "chai";
import fc from "fast-check";
import { QomError } from "#src/base/errors.js";
import type { QomErrorKind } from "#src/base/errors.js";
import { allAtOnce } from "#src/base/slices.js";
import { parseJson, printingJson, printJson } from "#src/options/json.js";
import { INT64_MIN, NESTING_MAX, UINT64_MAX } from "#src/options/value.js";
import type { PlainValue } from "#src/options/value.js";
import { anyValue, AWKWARD_NAMES, map, plain, refused } from "./support.js";
import type { Literal } from "./support.js";

const ACCEPTED: readonly (readonly [string, Literal])[] = [
  ["{}", {}],
  ["[]", []],
  [' \t\r\n{ "a" : [ 1 , 2 ] }\n ', { a: [1, 2] }],
  ['"x"', "x"],
  ["'x'", "x"],
  [`{'a':'it"s', "b":"it's"}`, { a: 'it"s', b: "it's" }],
  [`'\\'' `, "'"],
  ['"\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041"', '"\\/\b\f\n\r\tA'],
  ['"\\ud83d\\ude00"', "\u{1f600}"],
  ['"\u{1f600}ä"', "\u{1f600}ä"],
  ['"\\u0000"', "\0"],
  ['"a\u007fb"', "a\u007fb"],
  ["true", true],
  ["false", false],
  ["null", null],
  ["0", 0],
  ["-0", 0],
  ["-0.0", -0],
  ["0e1", 0],
  ["1.0", 1],
  ["1e3", 1000],
  ["1E+3", 1000],
  ["-1.5e-1", -0.15],
  ["1e20", 1e20],
  ["9007199254740991", 9007199254740991],
  ["9007199254740992", 9007199254740992n],
  ["-9007199254740992", -9007199254740992n],
  ["9223372036854775807", 9223372036854775807n],
  ["-9223372036854775808", INT64_MIN],
  ["18446744073709551615", UINT64_MAX],
  ['{"":{"":[]}}', { "": { "": [] } }],
];

const REFUSED: readonly (readonly [string, QomErrorKind, number])[] = [
  ["", "syntax", 0],
  [" \n", "syntax", 2],
  ["{", "syntax", 1],
  ['{"a"', "syntax", 4],
  ['{"a":', "syntax", 5],
  ['{"a":1', "syntax", 6],
  ['{"a":1,', "syntax", 7],
  ["[1", "syntax", 2],
  ['"abc', "syntax", 4],
  ['"abc\\', "syntax", 5],
  ['"abc\\u00', "syntax", 8],
  ["-", "syntax", 1],
  ["1.", "syntax", 2],
  ["1e", "syntax", 2],
  ["1e+", "syntax", 3],
  ['{"a":-}', "syntax", 6],
  ["01", "syntax", 1],
  ["-01", "syntax", 2],
  ["+1", "syntax", 0],
  [".5", "syntax", 0],
  ["0x10", "syntax", 1],
  ["nul", "syntax", 0],
  ["nullx", "syntax", 0],
  ["TRUE", "syntax", 0],
  ["NaN", "syntax", 0],
  ["Infinity", "syntax", 0],
  ["{]", "syntax", 1],
  ["[}", "syntax", 1],
  ['{"a":[}', "syntax", 6],
  ["}", "syntax", 0],
  [",", "syntax", 0],
  [":", "syntax", 0],
  ["[1,]", "syntax", 3],
  ["[,1]", "syntax", 1],
  ["[1 2]", "syntax", 3],
  ["[1:2]", "syntax", 2],
  ['{"a":1,}', "syntax", 7],
  ['{"a" 1}', "syntax", 5],
  ['{"a",1}', "syntax", 4],
  ['{"a":1 "b":2}', "syntax", 7],
  ["{1:2}", "syntax", 1],
  ["{null:2}", "syntax", 1],
  ["{[]:2}", "syntax", 1],
  ["{a:2}", "syntax", 1],
  ['{"a":1,"a":2}', "syntax", 7],
  ['{"a":1,"b":{"c":1,"c":2}}', "syntax", 18],
  ['{"__proto__":1,"__proto__":2}', "syntax", 15],
  ["{} {}", "syntax", 3],
  ["{}x", "syntax", 2],
  ["{}}", "syntax", 2],
  ['"a\nb"', "syntax", 2],
  ['"a\tb"', "syntax", 2],
  ['"\\\n"', "syntax", 2],
  ['"\\q"', "syntax", 0],
  ['"\\u12x4"', "syntax", 0],
  ['"\\ud800"', "syntax", 0],
  ['"\\udc00\\ud800"', "syntax", 0],
  ['"\\uffff"', "syntax", 0],
  ['"\\ufdd0"', "syntax", 0],
  ['"\ud800"', "syntax", 0],
  ["{@}", "syntax", 1],
  ["{\u0001}", "syntax", 1],
  ["\ufeff{}", "syntax", 0],
  ["%p", "syntax", 0],
  ["// x\n1", "syntax", 0],
  ["18446744073709551616", "limit", 0],
  ["-9223372036854775809", "limit", 0],
  ["[99999999999999999999999]", "limit", 1],
  ["1e999", "limit", 0],
];

const nest = (depth: number): string => "[".repeat(depth) + "]".repeat(depth);

describe("JSON text", () => {
  for (const [text, expected] of ACCEPTED) {
    it(`${JSON.stringify(text)} is read`, () => {
      expect(parseJson(text)).to.deep.equal(plain(expected));
    });
  }

  for (const [text, kind, position] of REFUSED) {
    it(`${JSON.stringify(text)} is refused (${kind}, at ${position})`, () => {
      const error = refused(() => parseJson(text));
      expect(error.kind, error.message).to.equal(kind);
      expect(error.context).to.include({ position, text });
      expect(error.message)
        .to.contain(`offset ${position}`)
        .and.not.to.match(/[\r\n]/);
    });
  }

  it("keeps the order of members", () => {
    expect([...(parseJson('{"b":1,"a":2,"1":3}') as ReadonlyMap<string, PlainValue>).keys()]).to.deep.equal(["b", "a", "1"]); // an object is a map
  });

  it("prints the same in slices, at once or not, and what cannot be printed in neither way", () => {
    const stepwise = (value: PlainValue, indent: number): string => allAtOnce(printingJson(value, { indent }));
    fc.assert(
      fc.property(anyValue(), fc.constantFrom(0, 4), (value, indent) => {
        expect(stepwise(value, indent)).to.equal(printJson(value, { indent }));
      }),
    );
    const list = Array.from({ length: 10 }, (_, index) => ({ index }));
    const steps = [...printingJson(plain({ return: list, id: 1 }))];
    expect(steps.length, "a step for each element").to.be.at.least(list.length);
    for (const wrong of [[Number.NaN], [2n ** 70n]]) expect(() => stepwise(wrong, 0)).to.throw(QomError);
  });

  it("treats names of Object.prototype as names", () => {
    const text = `{${AWKWARD_NAMES.map((name) => `"${name}": {"x": 1}`).join(", ")}}`;
    expect(printJson(parseJson(text))).to.equal(text);
    expect(({} as Record<string, unknown>)["x"]).to.equal(undefined);
  });

  it(`nests ${NESTING_MAX} deep and no deeper`, () => {
    expect(printJson(parseJson(nest(NESTING_MAX)))).to.equal(nest(NESTING_MAX));
    const error = refused(() => parseJson(nest(NESTING_MAX + 1)));
    expect(error.kind).to.equal("limit");
    expect(error.context.position).to.equal(NESTING_MAX);
    expect(refused(() => parseJson(`${'{"a":'.repeat(NESTING_MAX)}[]${"}".repeat(NESTING_MAX)}`)).kind).to.equal("limit");
    expect(refused(() => printJson([parseJson(nest(NESTING_MAX))])).kind).to.equal("limit");
  });
});

describe("JSON printing", () => {
  it("is one line, or indented", () => {
    const value = plain({ a: 1, b: [true, null], c: {}, d: [] });
    expect(printJson(value)).to.equal('{"a": 1, "b": [true, null], "c": {}, "d": []}');
    expect(printJson(value, { indent: 4 })).to.equal(
      '{\n    "a": 1,\n    "b": [\n        true,\n        null\n    ],\n    "c": {},\n    "d": []\n}',
    );
  });

  it("is ASCII", () => {
    expect(printJson('ä\u{1f600}\u007f\n"\\')).to.equal('"\\u00e4\\ud83d\\ude00\\u007f\\n\\"\\\\"');
  });

  it("replaces what is no character", () => {
    expect(printJson("a\ud800b\uffff")).to.equal('"a\\ufffdb\\ufffd"');
  });

  it("refuses numbers that JSON or this reader does not have", () => {
    for (const value of [Number.NaN, Infinity, -Infinity]) expect(refused(() => printJson(value)).kind).to.equal("invalid-value");
    for (const value of [UINT64_MAX + 1n, INT64_MIN - 1n]) expect(refused(() => printJson([value])).kind).to.equal("limit");
  });

  it("is the inverse of reading", () => {
    fc.assert(
      fc.property(anyValue(), fc.nat(4), (value, indent) => {
        const text = printJson(value, { indent });
        const back = parseJson(text);
        expect(back).to.deep.equal(value);
        expect(printJson(back, { indent })).to.equal(text);
      }),
      { numRuns: 2000 },
    );
  });

  it("is JSON to other readers", () => {
    fc.assert(
      fc.property(anyValue(), (value) => {
        JSON.parse(printJson(value));
      }),
    );
  });

  it("takes what JSON.stringify writes", () => {
    fc.assert(
      fc.property(fc.jsonValue({ noUnicodeString: false }), (value) => {
        const text = JSON.stringify(value);
        if (/\\u[dD][89a-fA-F]|\\uf|[\ufdd0-\ufdef\ufffe\uffff]/.test(text) || /[\p{Noncharacter_Code_Point}]/u.test(text)) return;
        if (/\d{17}/.test(text)) return;
        expect(JSON.stringify(JSON.parse(printJson(parseJson(text))))).to.equal(JSON.stringify(JSON.parse(text)));
      }),
      { numRuns: 1000 },
    );
  });
});

describe("map literals of these tests", () => {
  it("keep __proto__ as a name", () => {
    expect([...map({ ["__proto__"]: 1 }).keys()]).to.deep.equal(["__proto__"]);
  });
});
