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
  /** In order of arrival. */
  readonly #held = new Set<() => void>();
  #conts = 0;
  readonly #listeners = new Set<(status: RunStatus) => void>();

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

  /** Calls `listener` when the machine has stopped, and when it runs again, before anything that waited goes on. */
  onChange(listener: (status: RunStatus) => void): void {
    this.#listeners.add(listener);
  }

  /** Stops the machine. One that is stopped keeps its reason, as in QEMU. @returns whether it ran */
  stop(status: "paused" | "io-error"): boolean {
    if (this.#stopped) return false;
    this.#change(status);
    return true;
  }

  /** Lets the machine run; what waits goes on, in the order in which it began to wait, unless one of them stops the machine again. */
  cont(): void {
    this.#conts += 1;
    if (!this.#stopped) return;
    this.#change("running");
    // what comes while this goes on is not held
    for (const go of this.#held) {
      if (this.stopped) break;
      this.#held.delete(go);
      go();
    }
  }

  /** Calls `go`, which does not throw, once the machine runs. The result takes that back. */
  hold(go: () => void): () => void {
    this.#held.add(go);
    return () => {
      this.#held.delete(go);
    };
  }

  #change(status: RunStatus): void {
    this.#status = status;
    this.#stopped = status !== "running";
    tellAll(this.#listeners, status);
  }
}
