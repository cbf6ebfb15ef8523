/** A command on its way through a logical unit, and the set of those that have not ended yet (SAM-5 8). */

import type { Clock, Timer } from "../../base/clock.js";
import type { Account } from "../../scsi/account.js";
import { ScsiStatus, bareStatus } from "../../scsi/command.js";
import type { ScsiCommand, ScsiResult } from "../../scsi/command.js";
import { hostFailure, HostStatus } from "../../scsi/host-status.js";
import type { Nexus } from "../../scsi/nexus.js";
import type { Cancellation } from "../medium/medium.js";
import { mediumFailure } from "../medium/medium-failure.js";
import type { NexusState } from "./nexus-table.js";

/** The end of a command that somebody aborted. */
export function taskAborted(): ScsiResult {
  return bareStatus(ScsiStatus.TASK_ABORTED);
}

/** One command of one nexus. Most end before `execute` returns and are never seen by anyone else. */
export class Task implements Cancellation {
  /** Set while an operation is under way that touches the medium, the caller's memory or the store; it is waited for. */
  busy = false;
  #abortResult: ScsiResult | null = null;
  #onAbort: readonly (() => void)[] | null = null;

  constructor(
    readonly nexusState: NexusState,
    readonly command: ScsiCommand,
    /** The path that the command came by is read-only. */
    readonly readOnly: boolean,
    /** In whose name it is executed, null for nobody's. */
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

  /** The answer of an aborted command; null while it is not. */
  get abortResult(): ScsiResult | null {
    return this.#abortResult;
  }

  /** Ends the command with `result`: at once, or when the step under way has ended. A second abort changes nothing. */
  abort(result: ScsiResult): void {
    if (this.#abortResult !== null) return;
    this.#abortResult = result;
    for (const action of this.#onAbort ?? []) action();
  }

  /** `action` is called by {@link abort}, which must not have happened. */
  onAbort(action: () => void): void {
    this.#onAbort = [...(this.#onAbort ?? []), action];
  }
}

/** A signal that tasks end with. */
interface WatchedSignal {
  readonly tasks: Set<Task>;
  readonly listener: () => void;
}

/** The commands of a logical unit that have not ended when `execute` returned. */
export class TaskSet {
  /** Each with the promise of its end, which never rejects. */
  readonly #tasks = new Map<Task, Promise<unknown>>();
  /** By signal, which commands share: one listener while there is a task with it. */
  readonly #watched = new Map<AbortSignal, WatchedSignal>();

  constructor(private readonly clock: Clock) {}

  get size(): number {
    return this.#tasks.size;
  }

  /** Settles when nothing that is under way now can touch the medium any more; null when that is so already. */
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
   * Keeps `task` in the set until `work` ends or it is aborted; gives the command's result. Fails only if `work` does so with
   * anything but a system call's error, which is a mistake of this library.
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
    // It may have fired while the command began, before anybody listened.
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
   * Aborts every task that `concerns` names; `onAborted` hears of each. The promise settles when none of them can touch the medium
   * any more; null when that is so already.
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
