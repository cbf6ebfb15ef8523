/** Time as a dependency, so that tests decide when a second has passed. */

/** What a timer of {@link Clock} gives back. */
export interface Timer {
  /** Stops the timer; harmless when it has fired. */
  cancel(): void;
}

/** Monotonic time and timers. */
export interface Clock {
  /** Milliseconds since an arbitrary moment; never goes back. */
  nowMs(): number;
  /** Calls `action` once after `delayMs`. */
  after(delayMs: number, action: () => void): Timer;
}

/** Injection token of {@link Clock}. */
export const Clock: unique symbol = Symbol("Clock");

/** Longest delay of node's timers, 24.8 days; a longer one would fire at once. */
const TIMER_DELAY_MS_MAX = 0x7fff_ffff;

/** The real clock. A timer keeps the process alive until it fires or is cancelled: whoever set it is owed an answer. */
export const systemClock: Clock = {
  nowMs: () => performance.now(),
  after(delayMs, action) {
    const handle = setTimeout(action, Math.min(delayMs, TIMER_DELAY_MS_MAX));
    return { cancel: () => clearTimeout(handle) };
  },
};
