/** Runs work one piece at a time, in order; at once if nothing is under way. */
export class SerialQueue {
  /** Settles with the last work so far; null while nothing is under way. */
  #tail: Promise<unknown> | null = null;

  /** True if {@link run} would start its work at once. */
  get idle(): boolean {
    return this.#tail === null;
  }

  /** Runs `work` after all earlier work, or in this call if nothing is under way. Returns what `work` returns. */
  run<T>(work: () => T | Promise<T>): T | Promise<T> {
    const outcome = this.#tail === null ? work() : this.#tail.then(work);
    if (outcome instanceof Promise) this.#follow(outcome);
    return outcome;
  }

  #follow(outcome: Promise<unknown>): void {
    const tail = outcome.then(ignore, ignore).then(() => {
      if (this.#tail === tail) this.#tail = null;
    });
    this.#tail = tail;
  }
}

/** Failures are the caller's concern; the queue only waits for the end. */
function ignore(): void {}
