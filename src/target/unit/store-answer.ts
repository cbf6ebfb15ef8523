/** What a reservation store answers, looked at before it is believed: the store may be a user's, and without types. */

import { QomError } from "../../base/errors.js";
import type { StoredReservations } from "../../reservation/store.js";

/** Whether an answer is to be awaited. The promises of many libraries, and of another realm, are not instances of Promise. */
export function isThenable<Value>(answer: Value | PromiseLike<Value>): answer is PromiseLike<Value> {
  return typeof answer === "object" && answer !== null && "then" in answer && typeof answer.then === "function";
}

/**
 * What is stored, with a revision that can be one; undefined stands for null. The image is for reservation/image.ts to judge.
 * @throws QomError `invalid-value`
 */
export function checkStored(stored: StoredReservations | null | undefined): StoredReservations | null {
  if (stored === null || stored === undefined) return null;
  const { revision } = stored;
  if (Number.isSafeInteger(revision) && revision >= 1) return stored;
  throw new QomError("invalid-value", "its revision is not a number from 1");
}
