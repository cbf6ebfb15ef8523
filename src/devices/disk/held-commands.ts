/** Commands of one device that wait until the machine runs; a signal, a deadline of their own or the end of the device ends the wait. */
import type { Clock } from "../../base/clock.js";
import { bareStatus, ScsiStatus } from "../../scsi/command.js";
import type { ScsiAnswer, ScsiCommand, ScsiResult } from "../../scsi/command.js";
import { hostFailure, HostStatus } from "../../scsi/host-status.js";
import type { RunState } from "../run-state.js";

/** When a command came: a command that waits keeps its place, and its deadline. */
export interface Arrival {
  /** In the order of all that came to the machine. */
  readonly place: number;
  /** By the clock; of no meaning for a command without a deadline. */
  readonly sinceMs: number;
}

/** Whose commands they are. */
export interface HeldCommandsOwner {
  /** Sends a command that has waited. */
  readonly send: (command: ScsiCommand, arrival: Arrival) => ScsiAnswer;
  /** Told of each that begins to wait. */
  readonly kept: () => void;
}

/** See the file text. */
export class HeldCommands {
  readonly #runState: RunState;
  readonly #clock: Clock;
  readonly #owner: HeldCommandsOwner;
  /** What ends each of them without sending it. */
  readonly #ends = new Set<() => void>();

  constructor(runState: RunState, clock: Clock, owner: HeldCommandsOwner) {
    this.#runState = runState;
    this.#clock = clock;
    this.#owner = owner;
  }

  /** How many there are. */
  get size(): number {
    return this.#ends.size;
  }

  /** That the command comes now. */
  arrival({ timeoutMs }: ScsiCommand): Arrival {
    return { place: this.#runState.arrive(), sinceMs: timeoutMs === undefined ? 0 : this.#clock.nowMs() };
  }

  /** Whether the deadline of a command that came then has passed. */
  isLate(command: ScsiCommand, arrival: Arrival | undefined): boolean {
    return arrival !== undefined && (this.#leftMs(command, arrival) ?? 1) <= 0;
  }

  /**
   * Sends the command when the machine runs. The time since it came counts as part of its `timeoutMs`, after which it ends as any command does
   * then.
   */
  hold(command: ScsiCommand, arrival: Arrival = this.arrival(command)): Promise<ScsiResult> {
    const { signal } = command;
    const leftMs = this.#leftMs(command, arrival);
    const held = new Promise<ScsiResult>((resolve) => {
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
        resolve(this.#send(command, arrival));
      }, arrival.place);
      const timer = leftMs === undefined ? undefined : this.#clock.after(Math.max(leftMs, 0), () => end(hostFailure(HostStatus.TIME_OUT)));
      this.#ends.add(abort);
      if (signal?.aborted === true) abort();
      else signal?.addEventListener("abort", abort, { once: true });
    });
    this.#owner.kept();
    return held;
  }

  /** Ends all of them with TASK ABORTED. */
  endAll(): void {
    for (const end of this.#ends) end();
  }

  /** How much is left of the command's deadline; undefined for a command without one. */
  #leftMs({ timeoutMs }: ScsiCommand, { sinceMs }: Arrival): number | undefined {
    return timeoutMs === undefined ? undefined : timeoutMs - Math.floor(this.#clock.nowMs() - sinceMs);
  }

  /** What sending comes to, with what is left of the deadline; it has begun when this returns. */
  async #send(command: ScsiCommand, arrival: Arrival): Promise<ScsiResult> {
    const leftMs = this.#leftMs(command, arrival);
    if (leftMs === undefined) return this.#owner.send(command, arrival);
    // A deadline is at least one millisecond away: none means none.
    const rest = { ...command, timeoutMs: Math.max(1, leftMs) };
    return this.#owner.send(rest, { place: arrival.place, sinceMs: this.#clock.nowMs() });
  }
}
