/** Commands of one device that wait until the machine runs; a signal, a deadline of their own or the end of the device ends the wait. */
import type { Clock } from "../../base/clock.js";
import { bareStatus, ScsiStatus } from "../../scsi/command.js";
import type { ScsiAnswer, ScsiCommand, ScsiResult } from "../../scsi/command.js";
import { hostFailure, HostStatus } from "../../scsi/host-status.js";
import type { RunState } from "../run-state.js";

/** See the file text. */
export class HeldCommands {
  readonly #runState: RunState;
  readonly #clock: Clock;
  /** What ends each of them without sending it. */
  readonly #ends = new Set<() => void>();

  constructor(runState: RunState, clock: Clock) {
    this.#runState = runState;
    this.#clock = clock;
  }

  /** How many there are. */
  get size(): number {
    return this.#ends.size;
  }

  /**
   * Sends the command when the machine runs. The time that it has waited counts as part of its `timeoutMs`, after which it ends as any
   * command does then.
   */
  hold(command: ScsiCommand, send: (command: ScsiCommand) => ScsiAnswer): Promise<ScsiResult> {
    const { signal, timeoutMs } = command;
    const since = this.#clock.nowMs();
    return new Promise((resolve) => {
      const leave = (): void => {
        release();
        timer?.cancel();
        signal?.removeEventListener("abort", abort);
        this.#ends.delete(abort);
      };
      const end = (result: ScsiResult): void => {
        leave();
        resolve(result);
      };
      const abort = (): void => end(bareStatus(ScsiStatus.TASK_ABORTED));
      const release = this.#runState.hold(() => {
        leave();
        const left = timeoutMs === undefined ? command : { ...command, timeoutMs: remaining(timeoutMs, this.#clock.nowMs() - since) };
        resolve(sent(left, send));
      });
      const timer = timeoutMs === undefined ? undefined : this.#clock.after(timeoutMs, () => end(hostFailure(HostStatus.TIME_OUT)));
      this.#ends.add(abort);
      if (signal?.aborted === true) abort();
      else signal?.addEventListener("abort", abort, { once: true });
    });
  }

  /** Ends all of them with TASK ABORTED. */
  endAll(): void {
    for (const end of this.#ends) end();
  }
}

/** What sending comes to; it has begun when this returns. */
async function sent(command: ScsiCommand, send: (command: ScsiCommand) => ScsiAnswer): Promise<ScsiResult> {
  return send(command);
}

/** A deadline is at least one millisecond away: none means none. */
function remaining(timeoutMs: number, waitedMs: number): number {
  return Math.max(1, timeoutMs - Math.floor(waitedMs));
}
