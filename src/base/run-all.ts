/** Taking things down: every step is taken, whatever the others do. */

import { sliceEnd } from "./slices.js";

/** Steps after which others are served. */
const SLICE_LENGTH = 64;

/**
 * Runs the steps one after the other, all of them.
 * @throws the error of the first step that failed; AggregateError when several did
 */
export async function runAll(steps: Iterable<() => Promise<void> | void>): Promise<void> {
  const errors: unknown[] = [];
  let index = 0;
  for (const step of steps) {
    try {
      await step();
    } catch (error) {
      errors.push(error);
    }
    const end = sliceEnd(index, SLICE_LENGTH);
    if (end !== undefined) await end;
    index += 1;
  }
  if (errors.length > 1) throw new AggregateError(errors, errors.map(String).join("; "));
  if (errors.length === 1) throw errors[0];
}
