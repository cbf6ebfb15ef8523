/**
 * The kinds of value a property can have. Each kind is declared once, with zod schemas, and from it follow the option text that
 * the property accepts, the JSON it accepts (strictly typed), the TypeScript type, the type name that `help` and qom-list show,
 * and the error when a value is wrong.
 *
 * Type names are QEMU's (`str`, `bool`, `uint32`, `size`, the enum's name, `link<T>`).
 */
import * as z from "zod";
import { aBigint, aBoolean, aNumber, arrayOf, aString, check, checkMembers, oneOf, optional } from "../base/check.js";
import type { Kind } from "../base/check.js";
import { lazily } from "../base/lazily.js";
import { formatSize, parseBool, parseInteger, parseSize } from "../options/scalars.js";
import { isOptionMap, isPlainList } from "../options/value.js";
import type { PlainValue } from "../options/value.js";
import { listOf, object } from "./composite-type.js";
import type { QomObject } from "./object.js";
import { aLinkTarget, propertyType } from "./property-kind.js";
import type { LinkTarget, PropertyType } from "./property-kind.js";

export type { LinkResolver, LinkTarget, PropertyType, ValueForm } from "./property-kind.js";

const refuse = (context: { issues: unknown[] }, input: unknown): never => {
  context.issues.push({ code: "custom", message: "refused", input });
  return z.NEVER;
};

const STRING = lazily(() => z.string());
const BOOL = lazily(() => z.boolean());
const BOOL_TEXT = lazily(() =>
  z.codec(STRING(), BOOL(), {
    decode: (input, context) => parseBool(input) ?? refuse(context, input),
    encode: (value) => (value ? "on" : "off"),
  }),
);

function string(): PropertyType<string> {
  return propertyType({ name: "str", expects: "a string", holds: aString.holds }, STRING, STRING);
}

function bool(): PropertyType<boolean> {
  return propertyType({ name: "bool", expects: "'on' or 'off'", expectsJson: "true or false", holds: aBoolean.holds }, BOOL, BOOL_TEXT);
}

/** Smallest and largest value of an integer property. */
interface Range<T> {
  readonly min?: T;
  readonly max?: T;
}

function integer(name: string, lowest: number, highest: number, range: Range<number>): PropertyType<number> {
  checkMembers(`qom.${name}`, "range", range, { min: optional(aNumber), max: optional(aNumber) });
  const min = range.min ?? lowest;
  const max = range.max ?? highest;
  const json = lazily(() => z.int().min(min).max(max));
  const text = (): z.ZodType<number> =>
    z.codec(STRING(), json(), {
      decode: (input, context) => {
        const value = parseInteger(input);
        return value === undefined ? refuse(context, input) : Number(value);
      },
      encode: (value) => String(value),
    });
  const narrowed = min > lowest || max < highest ? { values: `${min} to ${max}` } : {};
  const holds = (value: unknown): boolean => typeof value === "number" && Number.isSafeInteger(value) && value >= min && value <= max;
  return propertyType({ name, expects: `an integer from ${min} to ${max} (${name})`, ...narrowed, holds }, json, text);
}

/** How option text says an integer of 64 bits. */
interface WideText {
  readonly parse: (text: string) => bigint | undefined;
  readonly print: (value: bigint) => string;
}

function wide(
  says: Pick<PropertyType<bigint>, "name" | "expects" | "expectsJson" | "deprecated">,
  min: bigint,
  max: bigint,
  { parse, print }: WideText,
): PropertyType<bigint> {
  const value = lazily(() => z.bigint().min(min).max(max));
  const json = (): z.ZodType<bigint> =>
    z.codec(z.union([z.int(), z.bigint()]), value(), {
      decode: (input) => BigInt(input),
      encode: (exact) => exact,
    });
  const text = (): z.ZodType<bigint> =>
    z.codec(STRING(), value(), {
      decode: (input, context) => parse(input) ?? refuse(context, input),
      encode: print,
    });
  const holds = (exact: unknown): boolean => typeof exact === "bigint" && exact >= min && exact <= max;
  return propertyType({ ...says, holds }, json, text);
}

const INTEGER_TEXT: WideText = { parse: parseInteger, print: String };
const UINT64_MAX = (1n << 64n) - 1n;
const INT64_MAX = (1n << 63n) - 1n;

const WIDE_RANGE = { min: optional(aBigint), max: optional(aBigint) } as const;

function int64(range: Range<bigint> = {}): PropertyType<bigint> {
  checkMembers("qom.int64", "range", range, WIDE_RANGE);
  const min = range.min ?? -INT64_MAX - 1n;
  const max = range.max ?? INT64_MAX;
  return wide({ name: "int64", expects: `an integer from ${min} to ${max} (int64)` }, min, max, INTEGER_TEXT);
}

function uint64(range: Range<bigint> = {}): PropertyType<bigint> {
  checkMembers("qom.uint64", "range", range, WIDE_RANGE);
  const min = range.min ?? 0n;
  const max = range.max ?? UINT64_MAX;
  return wide({ name: "uint64", expects: `an integer from ${min} to ${max} (uint64)` }, min, max, INTEGER_TEXT);
}

function deprecatedSize(text: string): string | undefined {
  let message: string | undefined;
  parseSize(text, (told) => (message = told));
  return message;
}

function size(range: Range<bigint> = {}): PropertyType<bigint> {
  checkMembers("qom.size", "range", range, WIDE_RANGE);
  const min = range.min ?? 0n;
  const max = range.max ?? UINT64_MAX;
  const bounds = range.min === undefined && range.max === undefined ? "" : ` from ${formatSize(min)} to ${formatSize(max)}`;
  const expects = `a size in bytes${bounds}, with an optional suffix K, M, G, T, P or E`;
  const expectsJson = `an integer from ${min} to ${max}, in bytes`;
  const says = { name: "size", expects, expectsJson, deprecated: deprecatedSize };
  return wide(says, min, max, { parse: parseSize, print: formatSize });
}

const TEXTS = arrayOf(aString);
const SOME_TEXTS: Kind = {
  expects: "an array of strings, one at least",
  holds: (value) => TEXTS.holds(value) && Array.isArray(value) && value.length > 0,
};

/** @param supported of the values, those that help lists, where the property refuses others for a reason of its own; by default all */
function enumeration<const T extends string>(
  name: string,
  values: readonly [T, ...T[]],
  supported: readonly NoInfer<T>[] = values,
): PropertyType<T> {
  check("qom.enumeration", "name", name, aString);
  check("qom.enumeration", "values", values, SOME_TEXTS);
  check("qom.enumeration", "supported", supported, SOME_TEXTS);
  const schema = lazily(() => z.enum(values));
  const expects = `one of ${supported.join(", ")}`;
  return propertyType({ name, expects, values: expects, holds: oneOf(values).holds }, schema, schema);
}

/**
 * Any option value as it was parsed: for properties whose members another type decides, such as a nested block node. Only the
 * owner knows what is right, so it checks the value itself.
 */
function nested(name: string, expects: string): PropertyType<PlainValue> {
  check("qom.nested", "name", name, aString);
  check("qom.nested", "expects", expects, aString);
  const json = lazily(() => z.custom<PlainValue>((value) => value !== undefined));
  return propertyType({ name, expects }, json, () => json().refine(hasTextLeavesOnly));
}

/** Whether all leaves are strings, as option text gives them: `5` as text would be read as a string. */
function hasTextLeavesOnly(value: PlainValue): boolean {
  if (isOptionMap(value)) return [...value.values()].every(hasTextLeavesOnly);
  return isPlainList(value) ? value.every(hasTextLeavesOnly) : typeof value === "string";
}

/**
 * A link to another object. A strong one: what it points to cannot be deleted while the holder lives.
 *
 * @param target.typeName type or interface the target must be of
 */
function link<T extends QomObject>(target: LinkTarget): PropertyType<T> {
  check("qom.link", "target", target, aLinkTarget);
  const says = { name: `link<${target.typeName}>`, expects: `the id of a ${target.noun}`, link: target };
  return propertyType(says, () => z.custom<T>((value) => typeof value === "object" && value !== null));
}

/** A link that does not keep its target: when that is deleted, the property is undefined again and reads as "". */
function weakLink<T extends QomObject>(target: LinkTarget): PropertyType<T> {
  check("qom.weakLink", "target", target, aLinkTarget);
  return link({ ...target, weak: true });
}

/** Makers of property types: `@qomProperty(qom.string(), {...})`. */
export const qom = {
  string,
  bool,
  int8: (range: Range<number> = {}): PropertyType<number> => integer("int8", -0x80, 0x7f, range),
  int16: (range: Range<number> = {}): PropertyType<number> => integer("int16", -0x8000, 0x7fff, range),
  int32: (range: Range<number> = {}): PropertyType<number> => integer("int32", -0x8000_0000, 0x7fff_ffff, range),
  uint8: (range: Range<number> = {}): PropertyType<number> => integer("uint8", 0, 0xff, range),
  uint16: (range: Range<number> = {}): PropertyType<number> => integer("uint16", 0, 0xffff, range),
  uint32: (range: Range<number> = {}): PropertyType<number> => integer("uint32", 0, 0xffff_ffff, range),
  int64,
  uint64,
  size,
  enumeration,
  /** A list of strings: `strList`. Option text says it where dotted keys nest (`names.0=a,names.1=b`), QemuOpts only by JSON. */
  list: (): PropertyType<readonly string[]> => listOf(string()),
  listOf,
  object,
  nested,
  link,
  weakLink,
} as const;
