/** A simulated logical unit: what an I_T nexus can do with it, and what a test can do to it. */

import { present } from "../../base/assert.js";
import type { Clock } from "../../base/clock.js";
import { aBoolean, aFunction, check, checkMembers, aDuration, optional, problemOf } from "../../base/check.js";
import { QomError } from "../../base/errors.js";
import type { ImageAccess } from "../../base/image-access.js";
import { runAll } from "../../base/run-all.js";
import { nexusHoldings } from "../../reservation/holdings.js";
import { snapshot, summary } from "../../reservation/snapshot.js";
import type { ReservationSnapshot, ReservationSummary } from "../../reservation/snapshot.js";
import type { Account } from "../../scsi/account.js";
import { cdbRefusal, commandProblem } from "../../scsi/command-problem.js";
import { aResult, bareStatus, ScsiStatus } from "../../scsi/command.js";
import type { ScsiAnswer, ScsiCommand, ScsiResult } from "../../scsi/command.js";
import { aNexus } from "../../scsi/nexus.js";
import type { Nexus } from "../../scsi/nexus.js";
import { Sense, senseResult } from "../../scsi/sense.js";
import type { SenseCode } from "../../scsi/sense.js";
import { aResetScope } from "../../scsi/unit.js";
import type { ResetScope } from "../../scsi/unit.js";
import type { CommandTable } from "./command-table.js";
import type { SupportedCommand, UnitContext } from "./device-command.js";
import { FlushGuard } from "../medium/flush-guard.js";
import { Interference } from "./interference.js";
import type { CommandFilter, Disturbance, Hold } from "./interference.js";
import { TASK_SET_SIZE_MAX } from "../limits.js";
import type { Medium } from "../medium/medium.js";
import { NexusTable } from "./nexus-table.js";
import type { NexusState } from "./nexus-table.js";
import { A_PATH, FULL_ACCESS } from "./path-access.js";
import type { PathAccess } from "./path-access.js";
import { admit, carryOut } from "./pipeline.js";
import { invalidCdbField } from "./reply.js";
import { isPersistent, keepingOf } from "./keeping.js";
import type { KeptUnit } from "./keeping.js";
import { ReservationDesk } from "./reservation-desk.js";
import { SerialQueue } from "../../base/serial-queue.js";
import { Task, taskAborted, TaskSet } from "./task.js";
import { UnitModes } from "./unit-modes.js";
import { UnitPower } from "./unit-power.js";
import type { UnitDefinition } from "./unit-spec.js";

/** Everything that a unit is made from. */
export interface LogicalUnitParts extends KeptUnit {
  readonly definition: UnitDefinition;
  readonly medium: Medium;
  readonly commands: CommandTable;
  /** Name of the unit in the store. */
  readonly storeName: string;
  /** Called when APTPL was refused because nothing can be kept. */
  readonly persistenceRefused?: () => void;
  /** Called with one line that says why the unit is busy. Default: not reported. */
  readonly warn?: (line: string) => void;
  readonly clock: Clock;
  /** The account that is charged for the unit; null, the default, for none. */
  readonly account?: Account | null;
  /** Called when registrations or the reservation of the unit have changed. */
  readonly reservationsChanged?: (unit: LogicalUnit) => void;
}

const RESET_ATTENTION: Readonly<Record<ResetScope, SenseCode>> = Object.freeze({
  "logical-unit": Sense.BUS_DEVICE_RESET,
  "i-t-nexus": Sense.I_T_NEXUS_LOSS,
  target: Sense.SCSI_BUS_RESET,
});

/** Kinds of the members of a {@link Disturbance}, and of an {@link ImageAccess}. */
const A_DISTURBANCE = { latencyMs: optional(aDuration), result: optional(aResult), pathLost: optional(aBoolean) } as const;
const AN_ACCESS = { writes: aBoolean, sharesWrites: aBoolean } as const;

/** A logical unit with its medium, its reservations, and its device server. Made by a Fabric, and closed with it. */
export class LogicalUnit {
  readonly wwn: string;
  /** Capacity in bytes; 0 for a unit without medium. */
  readonly sizeBytes: number;
  readonly blockSizeBytes: number;
  /** Descriptor of the medium's file; null if there is no file. */
  readonly fd: number | null;
  readonly definition: UnitDefinition;
  readonly #commands: CommandTable;
  readonly #context: UnitContext;
  readonly #tasks: TaskSet;
  readonly #interference: Interference;
  readonly #sharedByHosts: boolean;
  readonly #medium: FlushGuard;
  #closing: Promise<void> | null = null;

  constructor(parts: LogicalUnitParts) {
    const { behaviour, clock, commands, definition, store, storeName } = parts;
    const medium = new FlushGuard(parts.medium);
    this.definition = definition;
    this.wwn = definition.wwn;
    this.sizeBytes = definition.sizeBytes;
    this.blockSizeBytes = definition.blockSizeBytes;
    this.fd = medium.fd;
    this.#medium = medium;
    this.#sharedByHosts = store.sharedByHosts === true;
    this.#commands = commands;
    this.#tasks = new TaskSet(clock);
    this.#interference = new Interference(clock);
    const nexuses = new NexusTable(behaviour);
    const modes = new UnitModes({ ...behaviour, writeCache: medium.fd !== null });
    this.#context = {
      definition,
      behaviour,
      medium,
      blockCount: definition.sizeBytes / definition.blockSizeBytes,
      modes,
      power: new UnitPower(),
      nexuses,
      reservations: new ReservationDesk({
        unit: storeName,
        store,
        keeping: keepingOf(parts),
        persistent: isPersistent(parts),
        persistenceRefused: parts.persistenceRefused ?? ((): void => {}),
        behaviour,
        nexuses,
        tasks: this.#tasks,
        modes,
        ledger: parts.account?.ledger ?? null,
        changed: () => parts.reservationsChanged?.(this),
        readmit: (task) => this.#readmit(task),
        warn: parts.warn ?? ((): void => {}),
      }),
      commands,
      writes: new SerialQueue(),
    };
  }

  /** Settles when the reservations that the unit starts with are known, and rejects if the store cannot tell; null if they are known. */
  get opened(): Promise<void> | null {
    return this.#context.reservations.opened;
  }

  /** Whether the unit knows any nexus: one that is logged in, or that has sent a command. */
  get hasNexuses(): boolean {
    return this.#context.nexuses.size > 0;
  }

  /** The registrations and the reservation at this moment. */
  get reservations(): ReservationSnapshot {
    return snapshot(this.#context.reservations.state);
  }

  /** The same in short, at a cost that does not depend on the number of registrations. */
  get reservationSummary(): ReservationSummary {
    return summary(this.#context.reservations.state);
  }

  /**
   * A nexus logs in. A nexus may log in several times; each login needs its own logout.
   * @param options.powerOnUnitAttention at its first login the nexus gets a unit attention for a power on (29/00)
   */
  login(nexus: Nexus, options: { readonly powerOnUnitAttention?: boolean } = {}): void {
    check("LogicalUnit.login", "nexus", nexus, aNexus);
    checkMembers("LogicalUnit.login", "options", options, { powerOnUnitAttention: optional(aBoolean) });
    this.#checkOpen();
    const state = this.#context.nexuses.enter(nexus);
    state.logins += 1;
    if (state.logins === 1 && options.powerOnUnitAttention === true) state.attentions.raise(Sense.POWER_ON_OR_RESET);
  }

  /**
   * With the last logout the nexus is lost: its commands are aborted, its pending unit attentions are dropped, and its reservation by
   * RESERVE ends. Its registration stays. Returns at once; aborted commands may end a little later.
   */
  logout(nexus: Nexus): void {
    check("LogicalUnit.logout", "nexus", nexus, aNexus);
    const { nexuses, reservations } = this.#context;
    const state = nexuses.find(nexus);
    if (state === undefined) return;
    state.logins -= 1;
    if (state.logins > 0) return;
    nexuses.leave(state);
    reservations.dropOldReservation(state.key);
    void this.#tasks.abort((task) => task.nexusState === state);
  }

  /** The unit attentions that `nexus` has not been told, in the order of reporting. */
  attentionsOf(nexus: Nexus): readonly SenseCode[] {
    check("LogicalUnit.attentionsOf", "nexus", nexus, aNexus);
    return this.#context.nexuses.find(nexus)?.attentions.pending ?? [];
  }

  /**
   * Executes a command from `nexus`, which need not be logged in. The work is done before the call returns, unless it has to wait for a
   * file, a store, a hold, or another command. Data-out and the caller's memory are in use until the command ends.
   *
   * A command that is aborted by its signal, a reset, PREEMPT AND ABORT, a logout or {@link close} ends with TASK ABORTED, as soon as it no
   * longer touches the medium or the caller's memory. What an aborted write has already written stays. After `timeoutMs` a command ends in
   * the same way, with the host status of a timeout and its sense data (0B/2E/02).
   *
   * If `path` has an account, it is charged for what the unit keeps because of the command. An account without room ends the command with
   * INSUFFICIENT REGISTRATION RESOURCES (05/55/04).
   *
   * Rejects with a QomError: `closed`, `conflict` for a `command` with data in both directions, `invalid-value` for one that is wrong in
   * another way or for an impossible target port. An error of the medium that is not one of the system is passed on as it is.
   */
  // async although nothing is awaited: what is thrown inside becomes a rejection
  async execute(nexus: Nexus, command: ScsiCommand, path: PathAccess = FULL_ACCESS): Promise<ScsiResult> {
    const problem =
      problemOf("LogicalUnit.execute", "nexus", nexus, aNexus) ??
      commandProblem("LogicalUnit.execute", command) ??
      problemOf("LogicalUnit.execute", "path", path, A_PATH);
    if (problem !== null) throw problem;
    const refusal = this.#closing === null ? cdbRefusal(command.cdb) : null;
    return refusal ?? this.executeChecked(nexus, command, path);
  }

  /**
   * The same for a device or manager that has checked the arguments; nothing else may call it. A result that is available at once is
   * returned without a promise.
   * @throws QomError `closed`, `invalid-value` for an impossible target port
   */
  executeChecked(nexus: Nexus, command: ScsiCommand, path: PathAccess = FULL_ACCESS): ScsiAnswer {
    this.#checkOpen();
    if (command.signal?.aborted === true) return taskAborted();
    const lost = this.#interference.lose(nexus, command);
    if (lost !== null) return lost;
    if (this.#tasks.size >= TASK_SET_SIZE_MAX) return bareStatus(ScsiStatus.TASK_SET_FULL);
    const { readOnly = false, account = null } = path;
    if (account !== null && !this.#hasRoomFor(nexus, account)) return senseResult(Sense.INSUFFICIENT_REGISTRATION_RESOURCES);
    const task = new Task(this.#context.nexuses.enter(nexus, account), command, readOnly, account);
    const outcome = this.#serve(task);
    return outcome instanceof Promise ? this.#tasks.track(task, outcome) : outcome;
  }

  /**
   * Removes nexuses that are not logged in and have no registration, no unit attention and no command in flight.
   * @param only this nexus, if it is one of them; by default all
   */
  forgetIdle(only?: Nexus): void {
    check("LogicalUnit.forgetIdle", "only", only, optional(aNexus));
    const { nexuses, reservations } = this.#context;
    const known = only === undefined ? nexuses.values() : [nexuses.find(only)];
    for (const state of known) {
      if (state === undefined || state.logins > 0 || state.attentions.head !== null) continue;
      if (reservations.concerns(state.key) || this.#tasks.has(state)) continue;
      nexuses.leave(state);
      nexuses.forgetReach(state.nexus);
    }
  }

  /** True if no nexus is known or registered, and no command is in flight. */
  get isDeserted(): boolean {
    return !this.hasNexuses && this.#tasks.size === 0 && this.#context.reservations.state.registrantCount === 0;
  }

  /** True if, in addition, there was never a registration since the start, so that a new unit would be the same. */
  get isBlank(): boolean {
    return this.isDeserted && this.#context.reservations.state.generation === 0;
  }

  /**
   * Carries out a task management function for `nexus`: commands are aborted, and each nexus concerned gets a unit attention. Settles when
   * no aborted command can touch the medium any more. Persistent reservations stay. A reset of the unit or the target starts a stopped
   * unit.
   */
  async reset(kind: ResetScope, nexus: Nexus): Promise<void> {
    this.#checkOpen();
    check("LogicalUnit.reset", "kind", kind, aResetScope);
    check("LogicalUnit.reset", "nexus", nexus, aNexus);
    const { modes, nexuses, power, reservations } = this.#context;
    const own = nexuses.enter(nexus);
    const concerns = (state: NexusState): boolean => kind !== "i-t-nexus" || state === own;
    if (kind === "i-t-nexus") {
      reservations.dropOldReservation(own.key);
    } else {
      reservations.dropOldReservation();
      modes.reset();
      power.start();
    }
    for (const state of nexuses.values()) if (concerns(state)) state.attentions.raise(RESET_ATTENTION[kind]);
    await this.#tasks.abort((task) => concerns(task.nexusState));
  }

  /**
   * Switches the unit off and on: commands are aborted, reservations stay only if APTPL is on, every nexus gets a unit attention (29/00).
   * The medium's file stays open, and a failed flush of it is not forgotten.
   */
  async powerCycle(): Promise<void> {
    this.#checkOpen();
    const { modes, nexuses, power, reservations } = this.#context;
    const aborted = this.#tasks.abort(() => true);
    // in the queue from now on, for whoever closes the unit
    await reservations.queue.run(() => (aborted === null ? reservations.powerCycle() : aborted.then(() => reservations.powerCycle())));
    modes.reset();
    power.start();
    for (const state of nexuses.values()) state.attentions.raise(Sense.POWER_ON_OR_RESET);
  }

  /**
   * From now on holds matching commands in flight until the hold is released. A medium command is held after it was admitted, that is,
   * after unit attentions and conflicts; a reservation command before. An abort ends a held command at once.
   */
  hold(filter: CommandFilter = () => true): Hold {
    check("LogicalUnit.hold", "filter", filter, aFunction);
    return this.#interference.hold(filter);
  }

  /**
   * Delays matching commands, or answers them without executing them, until the returned function is called. They are caught at the same
   * point as by {@link hold}; an abort ends a delayed command at once. With `pathLost` they never arrive: no unit attention is reported,
   * and commands that arrived before continue.
   * @throws QomError `conflict` for `pathLost` together with a result or a latency
   */
  disturb(filter: CommandFilter, disturbance: Disturbance): () => void {
    check("LogicalUnit.disturb", "filter", filter, aFunction);
    checkMembers("LogicalUnit.disturb", "disturbance", disturbance, A_DISTURBANCE);
    return this.#interference.disturb(filter, disturbance);
  }

  /** Whether `medium` is the unit's. */
  isOn(medium: Medium): boolean {
    return this.#medium.guards(medium);
  }

  /**
   * Registers a user of the medium's file, and locks the file accordingly, until the returned function is called and no command that is
   * then under way can touch the medium any more. Hosts that share the unit's reservations also share writing. A unit in memory has no file
   * to lock.
   * @throws QomError `in-use` if another process or fabric uses the file in an incompatible way; `closed`
   */
  claimMedium(access: ImageAccess): () => void {
    checkMembers("LogicalUnit.claimMedium", "access", access, AN_ACCESS);
    this.#checkOpen();
    const release = this.#medium.lock?.claim(this.#accessOf(access)) ?? ((): void => undefined);
    return () => {
      const quiet = this.#tasks.quiet();
      if (quiet === null) release();
      else void quiet.then(release);
    };
  }

  /**
   * Checks whether such a user could be registered now.
   * @throws QomError as {@link claimMedium}
   */
  checkMedium(access: ImageAccess): void {
    checkMembers("LogicalUnit.checkMedium", "access", access, AN_ACCESS);
    this.#checkOpen();
    this.#medium.lock?.check(this.#accessOf(access));
  }

  /** Aborts what is in flight, waits for what is being saved, and releases the medium. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= runAll([
      () => this.#context.reservations.close(),
      () => this.#tasks.abort(() => true) ?? undefined,
      () => this.#context.reservations.queue.run(() => undefined),
      () => this.#medium.close(),
    ]);
    return this.#closing;
  }

  #accessOf({ writes, sharesWrites }: ImageAccess): ImageAccess {
    return { writes: writes && !this.definition.writeProtected, sharesWrites: sharesWrites || this.#sharedByHosts };
  }

  #hasRoomFor(nexus: Nexus, { ledger, owner }: Account): boolean {
    return this.#context.nexuses.find(nexus) !== undefined || ledger.hasRoom(owner, nexusHoldings(nexus.initiator));
  }

  #checkOpen(): void {
    if (this.#closing === null) return;
    throw new QomError("closed", `logical unit ${this.wwn} is closed`, { context: { object: this.wwn } });
  }

  #serve(task: Task): ScsiResult | Promise<ScsiResult> {
    const { cdb } = task;
    const command = this.#commands.ofCdb(cdb);
    if (command === null) {
      return this.#commands.hasServiceActions(cdb[0] ?? 0) ? invalidCdbField(1, 4) : senseResult(Sense.INVALID_COMMAND_OPERATION_CODE);
    }
    if (cdb.length < command.cdbLength) return invalidCdbField();
    return command.reservation === true ? this.#serveReservation(task, command) : this.#serveOther(task, command);
  }

  #serveOther(task: Task, command: SupportedCommand): ScsiResult | Promise<ScsiResult> {
    return admit(this.#context, task, command) ?? this.#interference.pass(task, () => carryOut(this.#context, task, command));
  }

  /** Interference comes first: a command held during its turn would block the PREEMPT AND ABORT that is to end it. */
  #serveReservation(task: Task, command: SupportedCommand): ScsiResult | Promise<ScsiResult> {
    const { queue } = this.#context.reservations;
    const inTurn = (): ScsiResult | Promise<ScsiResult> => {
      if (task.aborted) return taskAborted();
      return admit(this.#context, task, command) ?? carryOut(this.#context, task, command);
    };
    return this.#interference.pass(task, () => queue.run(inTurn));
  }

  #readmit(task: Task): ScsiResult | null {
    const command = present(this.#commands.ofCdb(task.cdb), "a command that was admitted is one of the unit's");
    return admit(this.#context, task, command);
  }
}
