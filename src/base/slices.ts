/** Long work in slices, so that whatever else the event loop has to do is done in between. */

import { setImmediate as othersServed } from "node:timers/promises";

/**
 * Does all of `work`, in slices; others are served between one and the next.
 * @param work gives up control wherever it can be interrupted
 * @param sliceLength how many of those places a slice has: as many as are reached within a few milliseconds
 */
export async function inSlices<T>(work: Iterator<void, T>, sliceLength: number): Promise<T> {
  for (let at = 0; ; at += 1) {
    const step = work.next();
    if (step.done === true) return step.value;
    const end = sliceEnd(at, sliceLength);
    if (end !== undefined) await end;
  }
}

/** Does all of `work` at once. */
export function atOnce<T>(work: Iterator<void, T>): T {
  for (;;) {
    const step = work.next();
    if (step.done === true) return step.value;
  }
}

/**
 * To be awaited after each of a long row of things: after every `sliceLength` of them others are served.
 * @param index of the thing, from 0
 */
export function sliceEnd(index: number, sliceLength: number): Promise<void> | undefined {
  return (index + 1) % sliceLength === 0 ? othersServed() : undefined;
}
