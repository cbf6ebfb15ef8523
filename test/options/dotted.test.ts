/** Flat dotted keys to nested values. */
import { expect } from "chai";
import fc from "fast-check";
import { QomError } from "#src/base/errors.js";
import type { QomErrorKind } from "#src/base/errors.js";
import { KeyTree, unflatten } from "#src/options/dotted.js";
import { NESTING_MAX } from "#src/options/value.js";
import type { OptionMap } from "#src/options/value.js";
import { anyText, map, refused } from "./support.js";
import type { Literal } from "./support.js";

type Flat = { readonly [name: string]: Literal };

const ACCEPTED: readonly (readonly [string, Flat, Flat])[] = [
  ["plain keys", { a: "1", b: "2" }, { a: "1", b: "2" }],
  [
    "members",
    { "file.driver": "sim-lun", "file.wwn": "naa.5", driver: "raw" },
    { file: { driver: "sim-lun", wwn: "naa.5" }, driver: "raw" },
  ],
  ["a list in any order", { "l.1": "b", "l.0": "a" }, { l: ["a", "b"] }],
  ["a list of lists and maps", { "l.0.0": "a", "l.1.x": "b" }, { l: [["a"], { x: "b" }] }],
  ["leaves that are no text", { "a.b": 1, "a.c": null, "a.d": [true] }, { a: { b: 1, c: null, d: [true] } }],
  ["numbers at the top", { "0": "a", "1.x": "b" }, { "0": "a", "1": { x: "b" } }],
  ["names that QAPI would not have", { "a b.c": "1", _x: "2", "1x.y": "3" }, { "a b": { c: "1" }, _x: "2", "1x": { y: "3" } }],
  ["a name with dots of its own", { "__org.foo_x.y": "1" }, { "__org.foo_x": { y: "1" } }],
  ["an empty name", { "": "1" }, { "": "1" }],
  [
    "names of Object.prototype",
    { "constructor.prototype.x": "1", ["__proto__.y"]: "2" },
    { constructor: { prototype: { x: "1" } }, ["__proto__"]: { y: "2" } },
  ],
  ["nothing", {}, {}],
];

const REFUSED: readonly (readonly [string, Flat, QomErrorKind, string])[] = [
  ["a value and members", { a: "1", "a.b": "2" }, "syntax", "a"],
  ["members and a value", { "x.a.b": "2", "x.a": "1" }, "syntax", "x.a"],
  ["numbers and names", { "a.0": "1", "a.b": "2" }, "syntax", "a"],
  ["a gap", { "a.0": "1", "a.2": "2" }, "missing", "a.1"],
  ["a list that starts late", { "x.a.1": "1" }, "missing", "x.a.0"],
  ["a gap next to two spellings", { "a.0": "1", "a.00": "2", "a.2": "3" }, "missing", "a.1"],
  ["an index beyond counting", { "a.99999999999999999999999999": "1" }, "missing", "a.0"],
  ["an empty part in front", { ".a": "1" }, "syntax", ".a"],
  ["an empty part behind", { "a.": "1" }, "syntax", "a."],
  ["an empty part between", { "a..b": "1" }, "syntax", "a..b"],
  ["only a dot", { ".": "1" }, "syntax", "."],
];

/** What the members of one branch make, said another way: a map, a list, or the kind of the error. */
function listOrError(members: ReadonlyMap<string, string>): unknown {
  const numbered = [...members].filter(([name]) => name !== "x");
  if (numbered.length === 0) return members;
  if (numbered.length < members.size) return "syntax";
  const byIndex = new Map(numbered.map(([name, value]) => [Number(name), value]));
  const length = Math.max(...byIndex.keys()) + 1;
  return byIndex.size === length ? Array.from({ length }, (_, index) => byIndex.get(index)) : "missing";
}

describe("unflatten", () => {
  for (const [name, flat, expected] of ACCEPTED) {
    it(`makes values of ${name}`, () => {
      expect(unflatten(map(flat))).to.deep.equal(map(expected));
    });
  }

  for (const [name, flat, kind, option] of REFUSED) {
    it(`refuses ${name}`, () => {
      const error = refused(() => unflatten(map(flat)));
      expect(error.kind, error.message).to.equal(kind);
      expect(error.context).to.deep.equal({ option });
      expect(error.message).to.contain(`'${option}`);
    });
  }

  it(`nests ${NESTING_MAX} deep and no deeper`, () => {
    const key = (depth: number): string => `${"a.".repeat(depth - 1)}a`;
    expect(unflatten(map({ [key(NESTING_MAX)]: "x" })).size).to.equal(1);
    expect(refused(() => unflatten(map({ [key(NESTING_MAX + 1)]: "x" }))).kind).to.equal("limit");
  });

  it("makes so many lists and maps and no more", () => {
    const tree = new KeyTree(3);
    tree.put(["a", "0", "b"], "1", 0);
    tree.put(["a", "0", "c"], "2", 10);
    tree.put(["d", "0"], "3", 20);
    const error = refused(() => tree.put(["e", "f"], "4", 30));
    expect(error.kind).to.equal("limit");
    expect(error.context).to.deep.equal({ option: "e.f", position: 30 });
  });

  it("takes a list in any order, and names that come before or after numbers", () => {
    const indices = fc.array(fc.constantFrom("0", "1", "2", "3", "00", "01", "x"), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(indices, (names) => {
        const members = new Map(names.map((name, place) => [name, String(place)]));
        const expected = listOrError(members);
        let actual: unknown;
        try {
          const tree = new KeyTree();
          for (const [place, name] of names.entries()) tree.put(["l", name], String(place));
          actual = tree.nested().get("l");
        } catch (error) {
          actual = error instanceof QomError ? error.kind : error;
        }
        expect(actual).to.deep.equal(expected);
      }),
    );
  });

  it("leaves no key out", () => {
    const keys = fc.uniqueArray(fc.array(fc.constantFrom("a", "b", "0", "1"), { minLength: 1, maxLength: 4 }), {
      selector: (path) => path.join("."),
      maxLength: 8,
    });
    const count = (value: unknown): number =>
      value instanceof Map
        ? [...value.values()].reduce<number>((sum, inner) => sum + count(inner), 0)
        : Array.isArray(value)
          ? value.reduce<number>((sum, inner) => sum + count(inner), 0)
          : 1;
    fc.assert(
      fc.property(keys, anyText(), (paths, leaf) => {
        const flat = new Map(paths.map((path) => [path.join("."), leaf]));
        let nested: OptionMap;
        try {
          nested = unflatten(flat);
        } catch {
          return;
        }
        expect(count(nested)).to.equal(flat.size);
      }),
    );
  });
});
