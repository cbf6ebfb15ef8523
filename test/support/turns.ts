/** Whether anybody else is served while something is done. */

/** How often the event loop went round since it was made. */
export interface Turns {
  readonly count: number;
  end(): void;
}

/** Counts from now on. */
export function countTurns(): Turns {
  let count = 0;
  let next = setImmediate(function turn() {
    count += 1;
    next = setImmediate(turn);
  });
  return {
    get count() {
      return count;
    },
    end: () => clearImmediate(next),
  };
}
