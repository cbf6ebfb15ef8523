/** One at a time, first come first served; whatever can be done at once is done at once. */
export class SerialQueue {
  /** Settles when the last work so far has; null while nothing is under way. */
  #tail: Promise<unknown> | null = null;

  /** True when {@link run} would start its work before it returns. */
  get idle(): boolean {
    return this.#tail === null;
  }

  /** Runs `work` after everything that was given before; in this call when nothing is under way. Gives back what `work` does. */
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

/** A failed work is its caller's concern; the queue only waits for its end. */
function ignore(): void {}
