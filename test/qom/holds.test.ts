/** Kinds of properties that tell a value of theirs without a schema: what they say is what the schema says. */
import "reflect-metadata";
import { expect } from "chai";
import fc from "fast-check";
import { qomProperty } from "#src/qom/decorators.js";
import { QomObject } from "#src/qom/object.js";
import { qom } from "#src/qom/property-type.js";
import type { PropertyType } from "#src/qom/property-type.js";

const KINDS: readonly PropertyType<unknown>[] = [
  qom.string(),
  qom.bool(),
  qom.int8(),
  qom.uint8({ min: 3 }),
  qom.int16({ max: -1 }),
  qom.uint16(),
  qom.int32(),
  qom.uint32({ min: 0.5, max: 9.5 }),
  qom.int64(),
  qom.uint64({ min: 7n }),
  qom.size({ min: 1n, max: 4096n }),
  qom.enumeration("Colour", ["red", "green", "toString"]),
];

const edges = [
  -0x8000_0001,
  -0x8000,
  -0x80,
  -1,
  -0,
  0,
  0.5,
  1,
  3,
  9.5,
  127,
  128,
  0xff,
  0x100,
  0xffff,
  0xffff_ffff,
  2 ** 32,
  2 ** 53,
  NaN,
  Infinity,
];
const wide = [-(1n << 63n), -1n, 0n, 1n, 7n, 4096n, 4097n, (1n << 63n) - 1n, 1n << 63n, (1n << 64n) - 1n, 1n << 64n];
const values = fc.oneof(
  fc.constantFrom<unknown>(...edges, ...wide, "", "red", "yellow", "toString", "__proto__", "5", "on", true, false, null),
  fc.integer(),
  fc.double(),
  fc.bigInt(),
  fc.string(),
  fc.anything(),
);

describe("a value of a property, told without a schema", () => {
  for (const kind of KINDS) {
    it(`of type ${kind.name}${kind.values === undefined ? "" : ` (${kind.values})`} is what the schema takes`, () => {
      const { holds = (): never => expect.fail("it has no such check") } = kind;
      fc.assert(fc.property(values, (value) => value === undefined || holds(value) === kind.json.safeEncode(value).success));
    });
  }

  it("is asked of the schema where a copy of the type has one of its own", () => {
    const long = { ...qom.string(), json: qom.enumeration("Long", ["long"]).json };
    const define = (value: string): void => {
      class Kept extends QomObject {
        @qomProperty(long, { description: "something long", default: value })
        accessor text!: string;
      }
      expect(new Kept().text).to.equal(value);
    };
    define("long");
    expect(() => define("short")).to.throw("the default is not a string");
  });
});
