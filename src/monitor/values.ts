/** Values of QMP as JavaScript sees them, and as JSON is read and written here. */
import { QomError } from "../base/errors.js";
import { isOptionMap, isPlainList, NESTING_MAX } from "../options/value.js";
import type { OptionMap, PlainValue } from "../options/value.js";

/**
 * A value of QMP in JavaScript: an object is a record, a list an array. An integer that a double does not hold exactly is a bigint; either
 * is taken for either.
 */
export type QmpValue = null | boolean | number | bigint | string | readonly QmpValue[] | { readonly [name: string]: QmpValue | undefined };

/** Arguments of a command; a member that is undefined is one that was not given. */
export type QmpArguments = { readonly [name: string]: QmpValue | undefined };

/**
 * A value of the library's users, or the result of a command, as a plain value. Plain values inside it stay as they are.
 * @throws QomError `invalid-value` for what JSON cannot say, `limit` for one that nests too deep (or for ever)
 */
export function toPlain(value: unknown, depth = 0): PlainValue {
  if (depth > NESTING_MAX) throw new QomError("limit", `value nests deeper than ${NESTING_MAX}`);
  switch (typeof value) {
    case "string":
    case "boolean":
    case "number":
    case "bigint":
      return value;
    case "object":
      if (value === null) return null;
      if (Array.isArray(value)) return value.map((element) => toPlain(element, depth + 1));
      return membersToPlain(value instanceof Map ? value : Object.entries(value), depth + 1);
    default:
      throw new QomError("invalid-value", `${value === undefined ? "undefined" : `a ${typeof value}`} is not a value of JSON`);
  }
}

/** Elements of a list that are turned into plain values, or printed, before others are served. */
export const LIST_SLICE_LENGTH = 128;

/** Whether a value is a list so long that it is to be handled in slices. */
export function isLong(value: unknown): value is readonly unknown[] {
  return Array.isArray(value) && value.length > LIST_SLICE_LENGTH;
}

/** {@link toPlain} as work that can be interrupted (base/slices.ts) between the elements. Nobody may change them before all is done. */
export function* listToPlain(list: readonly unknown[]): Generator<void, PlainValue> {
  const plain: PlainValue[] = [];
  for (const element of list) {
    plain.push(toPlain(element, 1));
    yield;
  }
  return plain;
}

/** {@link fromPlain} in the same way. */
export function* listFromPlain(list: readonly PlainValue[]): Generator<void, QmpValue> {
  const values: QmpValue[] = [];
  for (const element of list) {
    values.push(fromPlain(element));
    yield;
  }
  return values;
}

function membersToPlain(members: Iterable<readonly [unknown, unknown]>, depth: number): OptionMap {
  const plain = new Map<string, PlainValue>();
  for (const [name, member] of members) if (member !== undefined) plain.set(String(name), toPlain(member, depth));
  return plain;
}

/** A plain value for the library's users: maps become records, whose members are their own even if they are called `__proto__`. */
export function fromPlain(value: PlainValue): QmpValue {
  if (isPlainList(value)) return value.map(fromPlain);
  if (!isOptionMap(value)) return value;
  return Object.fromEntries([...value].map(([name, member]) => [name, fromPlain(member)]));
}
