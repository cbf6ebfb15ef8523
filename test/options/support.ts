/** Helpers of the option tests: nested values written as literals, refusals, and the arbitrary values of the property tests. */
import { expect } from "chai";
import fc from "fast-check";
import { QomError } from "#src/base/errors.js";
import type { QomErrorKind } from "#src/base/errors.js";
import { INT64_MIN, UINT64_MAX } from "#src/options/value.js";
import type { OptionMap, ParsedOptions, PlainValue } from "#src/options/value.js";

/** A plain value as a literal: objects stand for maps. */
export type Literal = null | boolean | number | bigint | string | readonly Literal[] | { readonly [name: string]: Literal };

/** The plain value that a literal stands for. */
export function plain(literal: Literal): PlainValue {
  if (literal === null || typeof literal !== "object") return literal;
  if (Array.isArray(literal)) return literal.map((element: Literal) => plain(element));
  return map(literal as { readonly [name: string]: Literal }); // Array.isArray does not narrow readonly arrays away
}

/** The map that an object literal stands for. */
export function map(literal: { readonly [name: string]: Literal }): OptionMap {
  return new Map(Object.entries(literal).map(([name, value]) => [name, plain(value)]));
}

/** The QomError that `action` throws; fails when it throws nothing or anything else. */
export function refused(action: () => unknown): QomError {
  try {
    action();
  } catch (error) {
    if (error instanceof QomError) return error;
    throw error;
  }
  throw new Error("expected a QomError, but nothing was refused");
}

/** What a row of a table expects of a parser. */
export type Expected =
  | { readonly values: { readonly [name: string]: Literal }; readonly warnings?: number; readonly help?: boolean }
  | { readonly refused: QomErrorKind; readonly position?: number };

/** Checks one row: refused with this kind, or exactly these values, number of warnings and help. */
export function check(parse: () => ParsedOptions, expected: Expected): void {
  if ("refused" in expected) {
    const error = refused(parse);
    expect(error.kind, error.message).to.equal(expected.refused);
    expect(error.message).not.to.match(/[\r\n]/);
    if (expected.position !== undefined) expect(error.context.position).to.equal(expected.position);
    return;
  }
  const parsed = parse();
  expect(parsed.values).to.deep.equal(map(expected.values));
  expect([...parsed.values.keys()]).to.deep.equal(Object.keys(expected.values), "in the order of the text");
  expect(parsed.warnings).to.have.lengthOf(expected.warnings ?? 0);
  expect(parsed.help).to.equal(expected.help ?? false);
}

/** Names that would do harm in a JavaScript object. */
export const AWKWARD_NAMES = ["__proto__", "constructor", "toString", "hasOwnProperty", "valueOf", "prototype"] as const;

/** Text without half surrogate pairs and noncharacters, which JSON here refuses. */
export const anyText = (): fc.Arbitrary<string> =>
  fc
    .oneof(fc.string(), fc.string({ unit: "binary" }), fc.constantFrom(...AWKWARD_NAMES, "", ",", ",,", "=", "a,b", "x=y,z", "help", "?"))
    .filter((text) => !/[\p{Surrogate}\p{Noncharacter_Code_Point}]/u.test(text));

const integer = (): fc.Arbitrary<number | bigint> =>
  fc.oneof(
    fc.maxSafeInteger(),
    fc.bigInt({ min: INT64_MIN, max: BigInt(Number.MIN_SAFE_INTEGER) - 1n }),
    fc.bigInt({ min: BigInt(Number.MAX_SAFE_INTEGER) + 1n, max: UINT64_MAX }),
  );

/** Any value that JSON can say. */
export const anyValue = (): fc.Arbitrary<PlainValue> =>
  fc.letrec<{ value: PlainValue; map: OptionMap }>((tie) => ({
    value: fc.oneof(
      { depthSize: "small", withCrossShrink: true },
      anyText(),
      fc.constantFrom(null, true, false),
      integer(),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.array(tie("value"), { maxLength: 5 }),
      tie("map"),
    ),
    map: fc.array(fc.tuple(anyText(), tie("value")), { maxLength: 5 }).map((members) => new Map(members)),
  })).value;
