/**
 * Deadlines of many commands on one timer, which is left running when the command it was set for has ended: setting and stopping one
 * for each command would cost a good part of what a command costs here.
 */

import type { Clock, Timer } from "../../base/clock.js";

/** Something that has a deadline, on the clock's scale; it may change only through {@link Deadlines.set}. */
export interface Timed {
  deadlineMs: number;
}

/** See the file text. Does not keep the process alive: whoever waits does. */
export class Deadlines<Item extends Timed> {
  readonly #clock: Clock;
  readonly #expired: (item: Item) => void;
  readonly #items = new Set<Item>();
  #timer: Timer | null = null;
  #timerAtMs = 0;

  /** @param expired told once of an item whose deadline has passed; it is forgotten by then */
  constructor(clock: Clock, expired: (item: Item) => void) {
    this.#clock = clock;
    this.#expired = expired;
  }

  /** Gives an item a deadline, or another one. */
  set(item: Item, deadlineMs: number): void {
    item.deadlineMs = deadlineMs;
    this.#items.add(item);
    this.#arm(deadlineMs);
  }

  /** Forgets an item. */
  delete(item: Item): void {
    this.#items.delete(item);
  }

  /** Forgets all of them. */
  clear(): void {
    this.#items.clear();
    this.#timer?.cancel();
    this.#timer = null;
  }

  /** Sees to it that the timer fires at `atMs`, or before. */
  #arm(atMs: number): void {
    if (atMs === Infinity || (this.#timer !== null && this.#timerAtMs <= atMs)) return;
    this.#timer?.cancel();
    this.#timerAtMs = atMs;
    this.#timer = this.#clock.after(Math.max(0, atMs - this.#clock.nowMs()), () => this.#fire(), { background: true });
  }

  #fire(): void {
    this.#timer = null;
    const nowMs = this.#clock.nowMs();
    for (const item of [...this.#items]) {
      // The end of one may have been another's, or given it more time.
      if (item.deadlineMs > nowMs || !this.#items.delete(item)) continue;
      this.#expired(item);
    }
    let nextMs = Infinity;
    for (const { deadlineMs } of this.#items) nextMs = Math.min(nextMs, deadlineMs);
    this.#arm(nextMs);
  }
}
