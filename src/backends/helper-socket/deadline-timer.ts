/**
 * Deadlines of many commands on one timer, which is left running when the command it was set for has ended: setting and stopping one
 * for each command would cost a good part of what a command costs here.
 */

import type { Clock, Timer } from "../../base/clock.js";

/** See the file text. Does not keep the process alive: whoever waits does. */
export class DeadlineTimer {
  readonly #clock: Clock;
  readonly #check: (nowMs: number) => number;
  #timer: Timer | null = null;
  #atMs = 0;

  /** @param check ends what is late at `nowMs`, and gives the next deadline of the rest: Infinity when there is none */
  constructor(clock: Clock, check: (nowMs: number) => number) {
    this.#clock = clock;
    this.#check = check;
  }

  /** Sees to it that there is a check at `atMs`, on the clock's scale; `nowMs` is what time it is. */
  checkAt(atMs: number, nowMs: number): void {
    if (atMs === Infinity || (this.#timer !== null && this.#atMs <= atMs)) return;
    this.#timer?.cancel();
    this.#atMs = atMs;
    this.#timer = this.#clock.after(Math.max(0, atMs - nowMs), () => this.#fire(), { background: true });
  }

  /** Stops it. */
  cancel(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }

  #fire(): void {
    this.#timer = null;
    const nowMs = this.#clock.nowMs();
    this.checkAt(this.#check(nowMs), nowMs);
  }
}
