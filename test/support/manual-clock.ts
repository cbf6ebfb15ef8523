/** A clock that stands still until the test moves it. */

import type { Clock, Timer } from "#src/base/clock.js";

interface Pending {
  readonly atMs: number;
  readonly action: () => void;
}

/** See the file text. */
export class ManualClock implements Clock {
  readonly #pending = new Set<Pending>();
  #nowMs = 0;

  nowMs(): number {
    return this.#nowMs;
  }

  after(delayMs: number, action: () => void): Timer {
    const pending = { atMs: this.#nowMs + delayMs, action };
    this.#pending.add(pending);
    return { cancel: () => void this.#pending.delete(pending) };
  }

  /** Timers that have neither fired nor been cancelled. */
  get timers(): number {
    return this.#pending.size;
  }

  /** Milliseconds until the next timer fires; null when there is none. */
  get nextInMs(): number | null {
    const moments = [...this.#pending].map(({ atMs }) => atMs);
    return moments.length === 0 ? null : Math.min(...moments) - this.#nowMs;
  }

  /** Lets `ms` milliseconds pass; timers fire in order, those started meanwhile included. */
  advance(ms: number): void {
    const endMs = this.#nowMs + ms;
    for (let next = this.#nextBefore(endMs); next !== undefined; next = this.#nextBefore(endMs)) {
      this.#pending.delete(next);
      this.#nowMs = next.atMs;
      next.action();
    }
    this.#nowMs = endMs;
  }

  #nextBefore(endMs: number): Pending | undefined {
    let next: Pending | undefined;
    for (const pending of this.#pending) if (pending.atMs <= endMs && (next === undefined || pending.atMs < next.atMs)) next = pending;
    return next;
  }
}
