/** Taking things down: every step is taken, whatever the others do. */

/**
 * Runs the steps one after the other, all of them.
 * @throws the error of the first step that failed; AggregateError when several did
 */
export async function runAll(steps: Iterable<() => Promise<void> | void>): Promise<void> {
  const errors: unknown[] = [];
  for (const step of steps) {
    try {
      await step();
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length > 1) throw new AggregateError(errors, errors.map(String).join("; "));
  if (errors.length === 1) throw errors[0];
}
