/**
 * Work that goes through many items without keeping everything else waiting: it is written as a generator that yields after every
 * {@link SLICE_ITEMS} of them, and whoever runs it decides whether others get a turn there.
 */

import { setImmediate } from "node:timers/promises";

/** Items between two turns: 1 to 4 ms of encoding, decoding or checking registrations. */
export const SLICE_ITEMS = 2000;

/** Work in slices: it yields between them and returns what comes of it. */
export type Steps<Result> = Generator<void, Result, void>;

/** Does the work at once. */
export function allAtOnce<Result>(steps: Steps<Result>): Result {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

/** Does the first slice now; if that is not all, a promise of the result, and everything else has its turn before each further slice. */
export function inSlices<Result>(steps: Steps<Result>): Result | Promise<Result> {
  const first = steps.next();
  return first.done === true ? first.value : rest(steps);
}

async function rest<Result>(steps: Steps<Result>): Promise<Result> {
  for (;;) {
    await setImmediate();
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}
