/** A command in a logical unit, and the set of those that have not ended yet (SAM-5 8). */

import type { Clock, Timer } from "../../base/clock.js";
import type { Account } from "../../scsi/account.js";
import { ScsiStatus, bareStatus } from "../../scsi/command.js";
import type { ScsiCommand, ScsiResult } from "../../scsi/command.js";
import { hostFailure, HostStatus } from "../../scsi/host-status.js";
import type { Nexus } from "../../scsi/nexus.js";
import type { Cancellation } from "../medium/medium.js";
import { mediumFailure } from "../medium/medium-failure.js";
import type { NexusState } from "./nexus-table.js";

/** The result of an aborted command. */
export function taskAborted(): ScsiResult {
  return bareStatus(ScsiStatus.TASK_ABORTED);
}

/** One command of one nexus. Most end before `execute` returns, so nothing else ever sees them. */
export class Task implements Cancellation {
  /** True while an operation is under way that touches the medium, the caller's memory or the store; an abort waits for it. */
  busy = false;
  #abortResult: ScsiResult | null = null;
  #onAbort: readonly (() => void)[] | null = null;

  constructor(
    readonly nexusState: NexusState,
    readonly command: ScsiCommand,
    /** The path that the command came by is read-only. */
    readonly readOnly: boolean,
    /** The account that is charged for it; null for none. */
    readonly account: Account | null = null,
  ) {}

  get nexus(): Nexus {
    return this.nexusState.nexus;
  }

  get cdb(): Uint8Array {
    return this.command.cdb;
  }

  get aborted(): boolean {
    return this.#abortResult !== null;
  }

  /** The result of an aborted command; null if it is not aborted. */
  get abortResult(): ScsiResult | null {
    return this.#abortResult;
  }

  /** Ends the command with `result`: at once, or once the operation under way has ended. A second abort has no effect. */
  abort(result: ScsiResult): void {
    if (this.#abortResult !== null) return;
    this.#abortResult = result;
    for (const action of this.#onAbort ?? []) action();
  }

  /** Has `action` called by {@link abort}; the command must not be aborted yet. */
  onAbort(action: () => void): void {
    this.#onAbort = [...(this.#onAbort ?? []), action];
  }
}

/** A signal that aborts tasks. */
interface WatchedSignal {
  readonly tasks: Set<Task>;
  readonly listener: () => void;
}

/** The commands of a logical unit that have not ended when `execute` returns. */
export class TaskSet {
  /** Each task with a promise that settles when it ends, and never rejects. */
  readonly #tasks = new Map<Task, Promise<unknown>>();
  /** Tasks by signal. Commands share signals, and each signal has one listener while there are tasks with it. */
  readonly #watched = new Map<AbortSignal, WatchedSignal>();

  constructor(private readonly clock: Clock) {}

  get size(): number {
    return this.#tasks.size;
  }

  /** Settles when no command that is under way now can touch the medium any more; null if none can. */
  quiet(): Promise<void> | null {
    const ends = [...this.#tasks].filter(([task]) => task.busy).map(([, ended]) => ended);
    return ends.length === 0 ? null : Promise.all(ends).then(() => {});
  }

  /** Whether a task of that nexus is in the set. */
  has(nexusState: NexusState): boolean {
    for (const task of this.#tasks.keys()) if (task.nexusState === nexusState) return true;
    return false;
  }

  /**
   * Keeps `task` in the set until `work` ends or it is aborted, and returns the command's result. Rejects only if `work` rejects with
   * something other than the error of a system call, which is a mistake in this library or in a block driver.
   */
  track(task: Task, work: Promise<ScsiResult>): Promise<ScsiResult> {
    const { signal, timeoutMs } = task.command;
    let timer: Timer | null = null;
    const leave = (): void => {
      timer?.cancel();
      if (signal !== undefined) this.#unwatch(signal, task);
      this.#tasks.delete(task);
    };
    const ended = new Promise<ScsiResult>((resolve, reject) => {
      const end = (result: ScsiResult): void => {
        leave();
        resolve(task.abortResult ?? result);
      };
      task.onAbort(() => {
        if (!task.busy) end(taskAborted());
      });
      work.then(end, (error: unknown) => {
        const failure = mediumFailure(error);
        if (failure !== null) return end(failure);
        leave();
        reject(error);
      });
    });
    this.#tasks.set(
      task,
      ended.catch(() => {}),
    );
    if (timeoutMs !== undefined) timer = this.clock.after(timeoutMs, () => task.abort(hostFailure(HostStatus.TIME_OUT)));
    // it may have fired while the command began, before there was a listener
    if (signal?.aborted === true) task.abort(taskAborted());
    else if (signal !== undefined) this.#watch(signal, task);
    return ended;
  }

  #watch(signal: AbortSignal, task: Task): void {
    const known = this.#watched.get(signal);
    if (known !== undefined) {
      known.tasks.add(task);
      return;
    }
    const tasks = new Set([task]);
    const listener = (): void => {
      for (const each of [...tasks]) each.abort(taskAborted());
    };
    this.#watched.set(signal, { tasks, listener });
    signal.addEventListener("abort", listener, { once: true });
  }

  #unwatch(signal: AbortSignal, task: Task): void {
    const watched = this.#watched.get(signal);
    if (watched?.tasks.delete(task) !== true || watched.tasks.size > 0) return;
    this.#watched.delete(signal);
    signal.removeEventListener("abort", watched.listener);
  }

  /**
   * Aborts every task that `concerns` selects, and calls `onAborted` with each. The promise settles when none of them can touch the medium
   * any more; null if none can.
   */
  abort(concerns: (task: Task) => boolean, onAborted?: (task: Task) => void): Promise<void> | null {
    const ends: Promise<unknown>[] = [];
    for (const [task, ended] of [...this.#tasks]) {
      if (!concerns(task)) continue;
      if (task.busy) ends.push(ended);
      if (!task.aborted) onAborted?.(task);
      task.abort(taskAborted());
    }
    return ends.length === 0 ? null : Promise.all(ends).then(() => {});
  }
}
