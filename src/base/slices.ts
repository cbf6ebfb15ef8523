/**
 * Work that goes through many items without keeping everything else waiting: it is written as a generator that yields where others may
 * have their turn, and whoever runs it decides whether they get one there.
 */

import { setImmediate } from "node:timers/promises";

/** Items between two yields of work that yields once for many: 1 to 4 ms of encoding, decoding or checking registrations. */
export const SLICE_ITEMS = 2000;

/** Work in slices: it yields where it may be interrupted, and returns what comes of it. */
export type Steps<Result> = Generator<void, Result, void>;

/** Does the work at once. */
export function allAtOnce<Result>(steps: Steps<Result>): Result {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

/**
 * Does the first slice now; if that is not all, a promise of the result, and everything else has its turn before each further slice.
 * @param length of a slice in yields: as many as are reached within a few milliseconds
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
 * To be awaited after each of a long row of things: after every `length` of them others have their turn.
 * @param index of the thing, from 0
 */
export function sliceEnd(index: number, length: number): Promise<void> | undefined {
  return (index + 1) % length === 0 ? setImmediate() : undefined;
}
