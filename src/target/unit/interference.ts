/**
 * How tests interfere with the commands of a unit: holds keep them in flight, disturbances delay them or answer them instead of the unit.
 */

import { aCount, check } from "../../base/check.js";
import type { Clock } from "../../base/clock.js";
import { QomError } from "../../base/errors.js";
import type { ScsiCommand, ScsiResult } from "../../scsi/command.js";
import { hostFailure, HostStatus, normalizeHostStatus } from "../../scsi/host-status.js";
import type { Nexus } from "../../scsi/nexus.js";
import { taskAborted } from "./task.js";
import type { Task } from "./task.js";

/** A command, as a filter sees it. */
export interface CommandInFlight {
  readonly nexus: Nexus;
  readonly cdb: Uint8Array;
}

/** Selects commands. */
export type CommandFilter = (command: CommandInFlight) => boolean;

/** A hold made by {@link LogicalUnit.hold}. */
export interface Hold {
  /** Number of commands held at this moment. */
  readonly count: number;
  /** Settles when `count` commands are held at the same time. */
  reached(count: number): Promise<void>;
  /** Lets all of them continue, and holds no more. Idempotent. */
  release(): void;
}

/** What happens to the commands selected by a call of {@link LogicalUnit.disturb}. */
export interface Disturbance {
  /** Delay in milliseconds before the command is executed. */
  readonly latencyMs?: number;
  /** The result; the command is not executed. With a host status, status and sense are replaced by those that go with it. */
  readonly result?: ScsiResult;
  /**
   * The path is lost: the command does not reach the unit. Not together with `latencyMs` or `result`. The host status is
   * TRANSPORT_DISRUPTED (0Eh), as Linux' transports report for commands of a session or port that is gone, with the sense 0B/29/07.
   */
  readonly pathLost?: boolean;
}

interface ActiveDisturbance extends Disturbance {
  readonly filter: CommandFilter;
}

/** The holds and disturbances of one unit. The first that matches a command applies; a lost path comes before all others. */
export class Interference {
  #holds: readonly ActiveHold[] = [];
  #disturbances: readonly ActiveDisturbance[] = [];

  constructor(private readonly clock: Clock) {}

  /** From now on holds what `filter` selects. */
  hold(filter: CommandFilter): Hold {
    const hold = new ActiveHold(filter, () => {
      this.#holds = this.#holds.filter((other) => other !== hold);
    });
    this.#holds = [...this.#holds, hold];
    return hold;
  }

  /** From now on disturbs what `filter` selects, until the returned function is called. */
  disturb(filter: CommandFilter, disturbance: Disturbance): () => void {
    checkDisturbance(disturbance);
    const { result } = disturbance;
    const active = { ...disturbance, ...(result === undefined ? {} : { result: normalizeHostStatus(result) }), filter };
    this.#disturbances = [...this.#disturbances, active];
    return () => {
      this.#disturbances = this.#disturbances.filter((other) => other !== active);
    };
  }

  /** The result of a command whose path is lost, or null. Called before anything else, since the unit never gets such a command. */
  lose(nexus: Nexus, { cdb }: ScsiCommand): ScsiResult | null {
    if (this.#disturbances.length === 0) return null;
    const command: CommandInFlight = { nexus, cdb };
    const lost = this.#disturbances.some(({ pathLost, filter }) => pathLost === true && filter(command));
    return lost ? hostFailure(HostStatus.TRANSPORT_DISRUPTED) : null;
  }

  /** Executes `task` by `run`: at once, or after a hold and a disturbance, unless it was aborted by then. */
  pass(task: Task, run: () => ScsiResult | Promise<ScsiResult>): ScsiResult | Promise<ScsiResult> {
    if (this.#holds.length === 0 && this.#disturbances.length === 0) return run();
    const hold = this.#holds.find((each) => each.filter(task));
    const disturbance = this.#disturbances.find((each) => each.pathLost !== true && each.filter(task));
    return hold === undefined && disturbance === undefined ? run() : this.#detain(task, run, hold, disturbance);
  }

  async #detain(
    task: Task,
    run: () => ScsiResult | Promise<ScsiResult>,
    hold: ActiveHold | undefined,
    disturbance: Disturbance | undefined,
  ): Promise<ScsiResult> {
    if (hold !== undefined) await hold.keep(task);
    const latencyMs = disturbance?.latencyMs ?? 0;
    if (latencyMs > 0 && !task.aborted) await this.#delay(task, latencyMs);
    if (task.aborted) return taskAborted();
    return disturbance?.result ?? run();
  }

  /** Settles after that time, or as soon as `task` is aborted. */
  #delay(task: Task, latencyMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.clock.after(latencyMs, resolve);
      task.onAbort(() => {
        timer.cancel();
        resolve();
      });
    });
  }
}

function checkDisturbance({ latencyMs, pathLost, result }: Disturbance): void {
  if (pathLost !== true || (latencyMs === undefined && result === undefined)) return;
  const option = result === undefined ? "latencyMs" : "result";
  throw new QomError("conflict", `a disturbance has pathLost together with ${option}: a lost path gives no answer of the unit`, {
    context: { option },
  });
}

interface Expectation {
  readonly count: number;
  readonly met: () => void;
}

class ActiveHold implements Hold {
  readonly #held = new Map<Task, () => void>();
  #expectations: readonly Expectation[] = [];

  constructor(
    readonly filter: CommandFilter,
    private readonly onRelease: () => void,
  ) {}

  get count(): number {
    for (const task of [...this.#held.keys()]) if (task.aborted) this.#held.delete(task);
    return this.#held.size;
  }

  keep(task: Task): Promise<void> {
    const released = new Promise<void>((resolve) => this.#held.set(task, resolve));
    this.#meetExpectations();
    return released;
  }

  async reached(count: number): Promise<void> {
    check("Hold.reached", "count", count, aCount);
    const reached = new Promise<void>((met) => {
      this.#expectations = [...this.#expectations, { count, met }];
    });
    this.#meetExpectations();
    return reached;
  }

  release(): void {
    this.onRelease();
    for (const resolve of this.#held.values()) resolve();
    this.#held.clear();
  }

  #meetExpectations(): void {
    // counting takes time, and a hold may have many commands
    if (this.#expectations.length === 0) return;
    const { count } = this;
    for (const expectation of this.#expectations) if (count >= expectation.count) expectation.met();
    this.#expectations = this.#expectations.filter((expectation) => count < expectation.count);
  }
}
