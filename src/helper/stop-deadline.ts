/**
 * How long a stopping helper waits for its threads. Requests in execution are answered, however slow the disk. But a thread that only closes
 * a descriptor has no client waiting for it, and one whose device never answers must not keep the helper from ending.
 */

import type { Clock, Timer } from "../base/clock.js";

/** Longer than a command takes if its disk has to be reset (SG_IO: 7 s, then error handling), and less than systemd's unit allows (90 s). */
export const STOP_GRACE_MS = 60_000;

/** For threads that only have a descriptor left to close, which takes no time unless something is wrong. */
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

  /** Starts the clock: the helper is to stop. Idempotent. */
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
