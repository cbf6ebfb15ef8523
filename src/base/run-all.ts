/** Clean-up: every step is taken, even if others fail. */

import { sliceEnd } from "./slices.js";

/** Steps between two turns of the event loop. */
const SLICE_LENGTH = 64;

/**
 * Runs all steps, one after the other.
 * @throws the error of the step that failed; AggregateError if several did
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
