/** Checks of what a reservation store returns: it may be a user's, written without types. */

import { QomError } from "../../base/errors.js";
import type { StoredReservations } from "../../reservation/store.js";

/** Whether an answer has to be awaited. Promises of many libraries, and of another realm, are not instances of Promise. */
export function isThenable<Value>(answer: Value | PromiseLike<Value>): answer is PromiseLike<Value> {
  return typeof answer === "object" && answer !== null && "then" in answer && typeof answer.then === "function";
}

/**
 * Checks the revision of what is stored; undefined stands for null. The image is checked by reservation/image.ts.
 * @throws QomError `invalid-value`
 */
export function checkStored(stored: StoredReservations | null | undefined): StoredReservations | null {
  if (stored === null || stored === undefined) return null;
  const { revision } = stored;
  if (Number.isSafeInteger(revision) && revision >= 1) return stored;
  throw new QomError("invalid-value", "its revision is not a number from 1");
}
