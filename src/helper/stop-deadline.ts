/**
 * How long a helper that was told to stop waits for its threads. What is in execution is answered, however slow the disk; but a thread that
 * only closes a descriptor owes nobody anything, and one whose device never answers must not keep the helper from ending.
 */

import type { Clock, Timer } from "../base/clock.js";

/** Longer than a command takes whose disk has to be reset (SG_IO: 7 s, and then error handling), and within what systemd's unit allows (90 s). */
export const STOP_GRACE_MS = 60_000;

/** For threads that have nothing left to do but to close a descriptor, which takes no time when nothing is wrong. */
export const CLOSE_GRACE_MS = 1000;

const LOOK_EVERY_MS = 100;

/** What a {@link StopDeadline} needs. */
export interface StopDeadlineParts {
  readonly clock: Clock;
  /** Whether no thread has a request in execution. */
  readonly isOver: () => boolean;
}

/** See the module text. */
export class StopDeadline {
  /** Resolves when there has been time enough since {@link start}. */
  readonly reached: Promise<void>;
  readonly #parts: StopDeadlineParts;
  #reach: () => void = () => {};
  #timer: Timer | null = null;
  #started = false;

  constructor(parts: StopDeadlineParts) {
    this.#parts = parts;
    this.reached = new Promise((resolve) => (this.#reach = resolve));
  }

  /** The helper was told to stop. Idempotent. */
  start(): void {
    if (this.#started) return;
    this.#started = true;
    const { clock, isOver } = this.#parts;
    const startedAtMs = clock.nowMs();
    let overSinceMs: number | null = null;
    const look = (): void => {
      const nowMs = clock.nowMs();
      overSinceMs = isOver() ? (overSinceMs ?? nowMs) : null;
      const closesTake = overSinceMs !== null && nowMs - overSinceMs >= CLOSE_GRACE_MS;
      if (closesTake || nowMs - startedAtMs >= STOP_GRACE_MS) this.#reach();
      else this.#timer = clock.after(LOOK_EVERY_MS, look);
    };
    look();
  }

  /** The threads have ended. */
  cancel(): void {
    this.#timer?.cancel();
  }
}
