/** Time as a dependency, so that tests decide when a second has passed. */

/** What a timer of {@link Clock} gives back. */
export interface Timer {
  /** Stops the timer; harmless when it has fired. */
  cancel(): void;
}

/** What kind of timer {@link Clock.after} makes. */
export interface TimerOptions {
  /** Nobody is owed an answer: the timer does not keep the process alive. A clock that cannot tell may ignore it. */
  readonly background?: boolean;
}

/** Monotonic time and timers. */
export interface Clock {
  /** Milliseconds since an arbitrary moment; never goes back. */
  nowMs(): number;
  /** Calls `action` once after `delayMs`. */
  after(delayMs: number, action: () => void, options?: TimerOptions): Timer;
}

/** Injection token of {@link Clock}. */
export const Clock: unique symbol = Symbol("Clock");

/** Longest delay of node's timers, 24.8 days; a longer one would fire at once. */
const TIMER_DELAY_MS_MAX = 0x7fff_ffff;

/**
 * The real clock. A timer keeps the process alive until it fires or is cancelled, since whoever set it is owed an answer; one in the
 * background does not.
 */
export const systemClock: Clock = {
  nowMs: () => performance.now(),
  after(delayMs, action, options) {
    const handle = setTimeout(action, Math.min(delayMs, TIMER_DELAY_MS_MAX));
    if (options?.background === true) handle.unref();
    return { cancel: () => clearTimeout(handle) };
  },
};
