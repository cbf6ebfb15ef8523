/** Whether a machine runs: commands of guests wait while it does not (QEMU: system/runstate.c). */
import { tellAll } from "../base/listeners.js";

/** Why a machine is stopped, or that it runs (QAPI: RunState, as far as a machine here can come). */
export const RUN_STATUSES = ["prelaunch", "running", "paused", "io-error"] as const;

/** One of {@link RUN_STATUSES}: `prelaunch` until the first `cont` of a machine made with `-S`, `io-error` by `rerror=stop`. */
export type RunStatus = (typeof RUN_STATUSES)[number];

/** See the file text. */
export class RunState {
  #status: RunStatus;
  /** Apart, since every command of a guest looks at it. */
  #stopped: boolean;
  /** What waits, with its place in the order of arrival. */
  readonly #held = new Map<() => void, number>();
  #arrivals = 0;
  #conts = 0;
  readonly #listeners = new Set<(status: RunStatus) => void>();
  /** Changes that listeners have not been told of. */
  readonly #untold: RunStatus[] = [];
  #isTelling = false;

  constructor(status: "prelaunch" | "running" = "running") {
    this.#status = status;
    this.#stopped = status !== "running";
  }

  get status(): RunStatus {
    return this.#status;
  }

  /** Counts {@link cont}, whether the machine was stopped or not. */
  get conts(): number {
    return this.#conts;
  }

  get stopped(): boolean {
    return this.#stopped;
  }

  /**
   * Calls `listener` when the machine has stopped, and when it runs again, before anything that waited goes on. Every listener hears of all
   * changes in their order, of one that a listener makes when all have heard of the one before.
   */
  onChange(listener: (status: RunStatus) => void): void {
    this.#listeners.add(listener);
  }

  /** Stops the machine. One that is stopped keeps its reason, as in QEMU. @returns whether it ran */
  stop(status: "paused" | "io-error"): boolean {
    if (this.#stopped) return false;
    this.#change(status);
    return true;
  }

  /** Lets the machine run; what waits goes on, in the order in which it arrived, unless one of them stops the machine again. */
  cont(): void {
    this.#conts += 1;
    if (this.#stopped) this.#change("running");
  }

  /** A place in the order of arrival, behind all that were given before. */
  arrive(): number {
    this.#arrivals += 1;
    return this.#arrivals;
  }

  /** Calls `go`, which does not throw, once the machine runs. The result takes that back. @param place in the order of arrival */
  hold(go: () => void, place: number = this.arrive()): () => void {
    this.#held.set(go, place);
    return () => {
      this.#held.delete(go);
    };
  }

  #change(status: RunStatus): void {
    this.#status = status;
    this.#stopped = status !== "running";
    this.#untold.push(status);
    if (this.#isTelling) return;
    this.#isTelling = true;
    for (let next = this.#untold.shift(); next !== undefined; next = this.#untold.shift()) {
      tellAll(this.#listeners, next);
      if (this.#untold.length === 0) this.#goOn();
    }
    this.#isTelling = false;
  }

  #goOn(): void {
    const waiting = [...this.#held].toSorted(([, place], [, other]) => place - other);
    for (const [go] of waiting) {
      // what comes while this goes on is not held, until one of them stops the machine
      if (this.#stopped) break;
      if (this.#held.delete(go)) go();
    }
  }
}
