/** Results of QMP commands, whose shape their schemas promise, as the human monitor reads them. */
import { assert } from "../../base/assert.js";
import type { QmpValue } from "../values.js";

/** A JSON object. */
export type QmpRecord = { readonly [name: string]: QmpValue | undefined };

/** The elements of a list of objects. */
export function recordsOf(value: QmpValue | undefined): readonly QmpRecord[] {
  assert(Array.isArray(value), "the result is a list");
  // Array.isArray makes any[] of a readonly array.
  return (value as readonly QmpValue[]).map(recordOf);
}

/** An object. */
export function recordOf(value: QmpValue | undefined): QmpRecord {
  assert(isRecord(value), "the result is an object");
  return value;
}

/** Whether a value is an object. */
export function isRecord(value: QmpValue | undefined): value is QmpRecord {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A member as text; empty where it is not there. */
export function textOf(record: QmpRecord, name: string): string {
  const value = record[name];
  return typeof value === "string" || typeof value === "number" || typeof value === "bigint" ? String(value) : "";
}
