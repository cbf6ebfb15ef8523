/**
 * Long work that lets other work run in between: it is written as a generator that yields where it may be interrupted, and its caller
 * decides whether it is.
 */

import { setImmediate } from "node:timers/promises";

/** Items between two yields: 1 to 4 ms of encoding, decoding or checking registrations. */
export const SLICE_ITEMS = 2000;

/** Work in slices: it yields where it may be interrupted, and returns its result. */
export type Steps<Result> = Generator<void, Result, void>;

/** Does all the work at once. */
export function allAtOnce<Result>(steps: Steps<Result>): Result {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

/**
 * Does the first slice now, and returns the result if that was all. Otherwise returns a promise; the event loop runs before each further
 * slice.
 * @param length yields per slice: as many as are reached within a few milliseconds
 */
export function inSlices<Result>(steps: Steps<Result>, length = 1): Result | Promise<Result> {
  for (let at = 0; at < length; at += 1) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
  return rest(steps, length);
}

async function rest<Result>(steps: Steps<Result>, length: number): Promise<Result> {
  await setImmediate();
  for (let at = 0; ; at += 1) {
    const step = steps.next();
    if (step.done === true) return step.value;
    const end = sliceEnd(at, length);
    if (end !== undefined) await end;
  }
}

/**
 * For a long loop: awaited after each item, it lets the event loop run after every `length` items.
 * @param index number of the item, from 0
 */
export function sliceEnd(index: number, length: number): Promise<void> | undefined {
  return (index + 1) % length === 0 ? setImmediate() : undefined;
}
