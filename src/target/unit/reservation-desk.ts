/**
 * Executes the reservation commands of one logical unit: applies the rules of src/reservation, saves the changes, and then raises unit
 * attentions and aborts commands.
 *
 * A change that has to be saved is made, undone, and made again once it is stored: until then all other commands see the former state, and
 * a failed commit has changed nothing. If another fabric was faster, the command is decided anew on the state that it has left.
 */

import { applyReserveIn, beginReserveOut } from "../../reservation/apply.js";
import { isAllowed, reserveOutAllowed } from "../../reservation/access.js";
import type { AccessClass } from "../../reservation/access.js";
import { negative } from "../../reservation/holdings.js";
import type { Account, Holdings, Ledger } from "../../scsi/account.js";
import { isPreparation } from "../../reservation/effects.js";
import type { ElsewhereSettings } from "../../reservation/changes-elsewhere.js";
import type { Outcome, Preparation } from "../../reservation/effects.js";
import { viewOf } from "../../reservation/image.js";
import { applyOldReservation, isAllowedBesideReserve } from "../../reservation/old-reservation.js";
import type { OldReservation, OldReservationOutcome } from "../../reservation/old-reservation.js";
import { defaultReservationSettings } from "../../reservation/settings.js";
import type { ReservationSettings } from "../../reservation/settings.js";
import type { Recorded, ReservationState } from "../../reservation/state.js";
import { bareStatus, NO_BYTES, ScsiStatus } from "../../scsi/command.js";
import type { ScsiResult } from "../../scsi/command.js";
import { mayActivatePersistence } from "../../scsi/persistent-reserve-out.js";
import { parseSense, sameSense, Sense, senseResult } from "../../scsi/sense.js";
import type { TargetBehaviour } from "../behaviour.js";
import { mediumFailure } from "../medium/medium-failure.js";
import { COMMIT_ATTEMPTS_MAX } from "../limits.js";
import { Consequences } from "./consequences.js";
import { KeptState } from "./kept-state.js";
import type { Keeping } from "./keeping.js";
import type { NexusTable } from "./nexus-table.js";
import { after, bufferLength, goodWithoutData } from "./reply.js";
import type { ReservationStore } from "../../reservation/store.js";
import { SerialQueue } from "../../base/serial-queue.js";
import { inSlices, SLICE_ITEMS } from "../../base/slices.js";
import type { Steps } from "../../base/slices.js";
import { taskAborted } from "./task.js";
import type { Task, TaskSet } from "./task.js";
import type { UnitModes } from "./unit-modes.js";

/** RESERVE or RELEASE of SPC-2. */
export type OldOperation = "reserve" | "release";

/** Everything that the desk needs. */
export interface ReservationDeskParts {
  /** Name of the unit in the store. */
  readonly unit: string;
  readonly store: ReservationStore;
  readonly keeping: Keeping;
  /** Whether APTPL may be switched on. */
  readonly persistent: boolean;
  readonly behaviour: TargetBehaviour;
  readonly nexuses: NexusTable;
  readonly tasks: TaskSet;
  readonly modes: UnitModes;
  /** Where registrations are charged; null if they are not. */
  readonly ledger: Ledger | null;
  /** Called when registrations or the reservation have changed. */
  readonly changed: () => void;
  /** Called when a command tried to switch APTPL on, which is not supported. */
  readonly persistenceRefused: () => void;
  /** Admits a PERSISTENT RESERVE OUT once more; null if it may be executed, else its result. */
  readonly readmit: (task: Task) => ScsiResult | null;
  /** Called with one line that says why the reservations are not known. */
  readonly warn: (line: string) => void;
}

/** The persistent reservations of a unit, and the one made by RESERVE. */
export class ReservationDesk {
  /** Reservation commands run one after the other. */
  readonly queue = new SerialQueue();
  readonly #parts: ReservationDeskParts;
  readonly #settings: ReservationSettings;
  readonly #kept: KeptState;
  readonly #consequences: Consequences;
  #old: OldReservation = null;
  /** Settles when the state that the unit starts with is known, and rejects if the store cannot tell; null if it is known. */
  readonly opened: Promise<void> | null;

  constructor(parts: ReservationDeskParts) {
    this.#parts = parts;
    const { behaviour, modes, nexuses, store } = parts;
    this.#settings = {
      ...defaultReservationSettings,
      compatibleReservationHandling: behaviour.compatibleReservationHandling,
      specifyInitiatorPorts: behaviour.specifyInitiatorPorts,
      allTargetPorts: behaviour.allTargetPorts,
      types: behaviour.types,
      registrationsMax: behaviour.registrationsMax,
      persistThroughPowerLoss: parts.persistent,
      targetPorts: nexuses,
      get noUnitAttentionOnRelease() {
        return modes.control.noUnitAttentionOnRelease;
      },
    };
    const { keeping, unit, warn } = parts;
    this.#consequences = new Consequences(parts);
    this.#kept = new KeptState({
      unit,
      store,
      keeping,
      warn,
      prepare: (state) => this.#preparedFor(state),
      replaced: (...change) => this.#replaced(...change),
    });
    this.opened = this.#kept.open();
  }

  /** The state at this moment, for reading; the last known one while {@link isKnown} is false. */
  get state(): ReservationState {
    return this.#kept.state;
  }

  /** False while it is not known what is registered and reserved: commands that depend on it end with BUSY. */
  get isKnown(): boolean {
    return this.#kept.isKnown;
  }

  /** Asks the store again, if that may help. */
  ask(): void {
    this.#kept.ask();
  }

  /** False if there is neither a registration nor a reservation, so that nothing can conflict. */
  get exist(): boolean {
    return this.#old !== null || this.state.registrantCount > 0;
  }

  /** True if that nexus is registered or holds the reservation made by RESERVE. */
  concerns(nexus: string): boolean {
    return this.#old === nexus || this.state.find(nexus) !== undefined;
  }

  /** True when the reservation made by RESERVE lets a command begin that is neither RESERVE nor RELEASE. */
  allowsBesideReserve(nexus: string, opcode: number): boolean {
    return isAllowedBesideReserve(this.#old, nexus, opcode);
  }

  /** True when the persistent reservation lets a command of that class through. */
  allows(nexus: string, access: AccessClass): boolean {
    return isAllowed(this.state, nexus, access);
  }

  /** True when the persistent reservation lets a PERSISTENT RESERVE OUT of that service action begin. */
  allowsReserveOut(nexus: string, serviceAction: number): boolean {
    return reserveOutAllowed(this.state, nexus, serviceAction);
  }

  /** PERSISTENT RESERVE IN. */
  reserveIn(task: Task, allocationLength: number): ScsiResult {
    const buffer = bufferLength(task, allocationLength);
    return applyReserveIn(this.state, task.cdb, buffer, this.#settings, task.command.into);
  }

  /** PERSISTENT RESERVE OUT; a command that ends GOOD has been saved, and its effects are carried out. */
  reserveOut(task: Task, attempt = 1): ScsiResult | Promise<ScsiResult> {
    const { telling } = this.#parts.nexuses;
    // what is being told goes by the state as it is
    if (telling !== null) return telling.then(() => this.#again(task, attempt));
    const dataOut = task.command.dataOut ?? NO_BYTES;
    return this.#make(task, attempt, () => beginReserveOut(this.state, task.nexus, task.cdb, dataOut, this.#settingsFor(task.account)));
  }

  /** The same once more, by the state that there is now. */
  #again(task: Task, attempt: number): ScsiResult | Promise<ScsiResult> {
    return task.aborted ? taskAborted() : (this.#parts.readmit(task) ?? this.reserveOut(task, attempt));
  }

  #make(task: Task, attempt: number, action: () => Outcome | Preparation): ScsiResult | Promise<ScsiResult> {
    const { state } = this;
    const { generation, reservation } = state;
    const made = state.record(action);
    const outcome = made.result;
    if (isPreparation(outcome)) return this.#prepare(task, attempt, outcome);
    const { result, effects } = outcome;
    if (!this.#parts.persistent && mayActivatePersistence(task.command.dataOut ?? NO_BYTES) && isInvalidField(result)) {
      this.#parts.persistenceRefused();
    }
    const changed = state.generation !== generation || state.reservation !== reservation;
    const changes = state.takeChanges();
    this.#count(changes);
    if (changed && (this.#kept.isShared || (effects.persist && this.#kept.isKept))) {
      return this.#save(task, outcome, made, { changes, attempt });
    }
    made.settle();
    if (changed) this.#parts.changed();
    return after(this.#consequences.carryOut(effects, state, made.former, task), result);
  }

  /** Others have their turn between the slices, but for what would change the state; only another fabric may. */
  #prepare(task: Task, attempt: number, preparation: Preparation): ScsiResult | Promise<ScsiResult> {
    const { state } = this;
    const make = inSlices(preparation);
    if (!(make instanceof Promise)) return this.#make(task, attempt, make);
    return make.then((action) => {
      if (task.aborted) return taskAborted();
      if (this.state === state && this.isKnown) return this.#make(task, attempt, action);
      return attempt >= COMMIT_ATTEMPTS_MAX ? bareStatus(ScsiStatus.BUSY) : this.#again(task, attempt + 1);
    });
  }

  /** True when RESERVE or RELEASE from that nexus ends with RESERVATION CONFLICT. */
  refusesOld(nexus: string, operation: OldOperation): boolean {
    return this.#applyOld(nexus, operation).result.status === ScsiStatus.RESERVATION_CONFLICT;
  }

  /** RESERVE and RELEASE. */
  oldReservation(task: Task, operation: OldOperation): ScsiResult {
    const { result, holder } = this.#applyOld(task.nexusState.key, operation);
    this.#old = holder;
    return result.status === ScsiStatus.GOOD ? goodWithoutData(task) : result;
  }

  /** Ends the reservation by RESERVE, or only that of the nexus with that nexusKey. */
  dropOldReservation(nexus?: string): void {
    if (nexus === undefined || this.#old === nexus) this.#old = null;
  }

  /** A power loss: everything but PRgeneration stays while APTPL is on, nothing otherwise. */
  powerCycle(): void | Promise<void> {
    const { telling } = this.#parts.nexuses;
    if (telling !== null) return telling.then(() => this.powerCycle());
    const { exist } = this;
    this.#old = null;
    const changed = (): void => {
      if (exist) this.#parts.changed();
    };
    if (this.#kept.isShared) return this.#losePowerTogether(changed);
    this.state.losePower(this.#parts.persistent);
    this.#count(this.state.takeChanges());
    changed();
  }

  /** Stops watching the store. */
  close(): void {
    this.#kept.close();
  }

  /** The same for all fabrics. If the store refuses, reservations stay as they are stored. */
  async #losePowerTogether(changed: () => void): Promise<void> {
    for (let attempt = 1; attempt <= COMMIT_ATTEMPTS_MAX; attempt += 1) {
      const { state } = this;
      const made = state.record(() => state.losePower(this.#parts.persistent));
      const changes = state.takeChanges();
      const view = viewOf(state);
      made.undo();
      const done = (): void => {
        made.redo();
        this.#count(changes);
        changed();
      };
      const { end } = await this.#kept.save(view, { done, foreign: () => null });
      if (end !== "overtaken") return;
    }
  }

  /** Settings for a command of that account. */
  #settingsFor(account: Account | null): ReservationSettings {
    return account === null ? this.#settings : { ...this.#settings, account };
  }

  /** Who answers for what was read, where that was not said, and which ports there are; see {@link KeptStateParts.prepare}. */
  *#preparedFor(state: ReservationState): Steps<() => void> {
    const { ledger, nexuses } = this.#parts;
    let count = 0;
    for (const { nexus, key, allTargetPorts, owner } of ledger === null ? [] : state.registrations()) {
      const known = owner ?? ledger?.ownerOf(nexus.initiator) ?? null;
      if (owner === null && known !== null) state.register(nexus, key, allTargetPorts, known);
      count += 1;
      if (count % SLICE_ITEMS === 0) yield;
    }
    return yield* nexuses.read(state.registrations());
  }

  /** Another fabric has made `next`, or the unit begins with it. */
  #replaced(former: ReservationState | null, next: ReservationState, skipped: boolean): Promise<void> | null {
    for (const [owner, holdings] of former?.holdings ?? []) this.#parts.ledger?.change(owner, negative(holdings));
    for (const [owner, holdings] of next.holdings) this.#parts.ledger?.change(owner, holdings);
    next.takeChanges();
    if (former === null) return null;
    // RELEASE could no longer end it once there are registrations
    if (next.registrantCount > 0) this.#old = null;
    this.#parts.changed();
    return this.#consequences.carryOutElsewhere(former, next, this.#elsewhere(skipped));
  }

  /** What the nexuses here are told of another fabric's changes by. */
  #elsewhere(skipped: boolean): ElsewhereSettings {
    return { noUnitAttentionOnRelease: this.#settings.noUnitAttentionOnRelease, skipped };
  }

  #count(changes: ReadonlyMap<string, Holdings>, as: (by: Holdings) => Holdings = (by) => by): void {
    for (const [owner, by] of changes) this.#parts.ledger?.change(owner, as(by));
  }

  #applyOld(nexus: string, operation: OldOperation): OldReservationOutcome {
    return applyOldReservation(this.state, this.#old, nexus, operation, this.#settings);
  }

  /** Has what `task` made saved before it is in force. */
  async #save(task: Task, { result, effects }: Outcome, made: Recorded<unknown>, { changes, attempt }: Attempt): Promise<ScsiResult> {
    const { state } = this;
    const view = viewOf(state);
    made.undo();
    const done = (): Promise<void> | null => {
      made.redo();
      this.#parts.changed();
      return this.#consequences.carryOut(effects, state, made.former, task);
    };
    const foreign = (): Promise<void> | null =>
      // by the state that it made: still another one may be in force by now
      this.#kept.isShared ? this.#consequences.carryOutElsewhere(made.former, state, this.#elsewhere(false)) : null;
    const saved = await this.#kept.save(view, { done, foreign });
    if (saved.end === "done") {
      await saved.value;
      return result;
    }
    if (saved.end === "failed" || saved.inForce !== true) this.#count(changes, negative);
    if (saved.end === "failed") return mediumFailure(saved.error) ?? senseResult(Sense.INTERNAL_TARGET_FAILURE);
    if (saved.end === "unknown" || attempt >= COMMIT_ATTEMPTS_MAX) return bareStatus(ScsiStatus.BUSY);
    return this.#again(task, attempt + 1);
  }
}

/** One of several attempts to have a command saved. */
interface Attempt {
  /** What owners have more or less by it. */
  readonly changes: ReadonlyMap<string, Holdings>;
  /** From 1. */
  readonly attempt: number;
}

function isInvalidField({ sense }: ScsiResult): boolean {
  const code = parseSense(sense);
  return code !== null && sameSense(code, Sense.INVALID_FIELD_IN_PARAMETER_LIST);
}
