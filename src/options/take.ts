/** Small things that everybody does with parsed values. */
import { QomError } from "../base/errors.js";
import { printable } from "../base/limits.js";
import { isPlainList } from "./value.js";
import type { PlainValue } from "./value.js";

/** A value in an error text: text in quotes, other values by themselves or by their kind. */
export function describeValue(value: PlainValue): string {
  if (typeof value === "string") return `'${printable(value)}'`;
  if (value === null || typeof value !== "object") return String(value);
  return isPlainList(value) ? "a list" : "an object";
}

/** The value for the context of an error: as {@link describeValue}, but a text is itself, without quotes. */
export function valueText(value: PlainValue): string {
  return typeof value === "string" ? printable(value) : describeValue(value);
}

/**
 * Takes the member `name`, which must be a text, out of `values`; undefined when it is not there.
 * @throws QomError `invalid-value`
 */
export function takeText(values: Map<string, PlainValue>, name: string): string | undefined {
  const value = values.get(name);
  values.delete(name);
  if (value === undefined || typeof value === "string") return value;
  throw new QomError("invalid-value", `option '${name}' expects a string, not ${describeValue(value)}`, {
    context: { option: name, value: describeValue(value) },
  });
}
