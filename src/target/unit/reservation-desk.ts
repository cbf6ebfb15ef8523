/**
 * Executes the reservation commands of one logical unit: applies the rules of src/reservation, saves the changes, and then raises unit
 * attentions and aborts commands.
 *
 * A change that has to be saved is made, undone, and made again once it is stored: until then all other commands see the former state, and
 * a failed commit has changed nothing. If another fabric was faster, the command is decided anew on the state that it has left.
 */

import { applyReserveIn, applyReserveOut } from "../../reservation/apply.js";
import { isAllowed, reserveOutAllowed } from "../../reservation/access.js";
import type { AccessClass } from "../../reservation/access.js";
import { negative, registrationHoldings } from "../../reservation/holdings.js";
import type { Account, Holdings, Ledger } from "../../scsi/account.js";
import { changesElsewhere, formerStateOf } from "../../reservation/changes-elsewhere.js";
import type { FormerState } from "../../reservation/changes-elsewhere.js";
import { membersOf, NO_EFFECTS } from "../../reservation/effects.js";
import type { Audience, Effects, Outcome } from "../../reservation/effects.js";
import { viewOf } from "../../reservation/image.js";
import { applyOldReservation, isAllowedBesideReserve } from "../../reservation/old-reservation.js";
import type { OldReservation, OldReservationOutcome } from "../../reservation/old-reservation.js";
import { defaultReservationSettings } from "../../reservation/settings.js";
import type { ReservationSettings } from "../../reservation/settings.js";
import type { Recorded, ReservationState } from "../../reservation/state.js";
import { raiseUnitAttentions } from "../../reservation/unit-attentions.js";
import { PR_OUT } from "../../scsi/persistent-reserve.js";
import { bareStatus, NO_BYTES, ScsiStatus } from "../../scsi/command.js";
import type { ScsiResult } from "../../scsi/command.js";
import { mayActivatePersistence } from "../../scsi/persistent-reserve-out.js";
import { parseSense, sameSense, Sense, senseResult } from "../../scsi/sense.js";
import type { TargetBehaviour } from "../behaviour.js";
import { mediumFailure } from "../medium/medium-failure.js";
import { COMMIT_ATTEMPTS_MAX } from "../limits.js";
import { KeptState } from "./kept-state.js";
import type { Keeping } from "./keeping.js";
import type { NexusState, NexusTable } from "./nexus-table.js";
import { after, bufferLength, goodWithoutData } from "./reply.js";
import type { ReservationStore } from "../../reservation/store.js";
import { SerialQueue } from "../../base/serial-queue.js";
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
    this.#kept = new KeptState({ unit, store, keeping, nexuses, warn, replaced: (...change) => this.#replaced(...change) });
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
    const dataOut = task.command.dataOut ?? NO_BYTES;
    const { state } = this;
    const { generation, reservation } = state;
    const made = state.record(() => applyReserveOut(state, task.nexus, task.cdb, dataOut, this.#settingsFor(task.account)));
    const { result, effects } = made.result;
    if (!this.#parts.persistent && mayActivatePersistence(dataOut) && isInvalidField(result)) this.#parts.persistenceRefused();
    const changed = state.generation !== generation || state.reservation !== reservation;
    const changes = state.takeChanges();
    this.#count(changes);
    if (changed && (this.#kept.isShared || (effects.persist && this.#kept.isKept))) return this.#save(task, made, changes, attempt);
    made.settle();
    if (changed) this.#parts.changed();
    return after(this.#carryOut(effects, task), result);
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

  /** Another fabric has made `next`, or the unit starts with it. */
  #replaced(former: ReservationState | null, next: ReservationState, skipped: boolean): Promise<void> | null {
    this.#countOwners(former, next);
    if (former === null) return null;
    // RELEASE could no longer end it once there are registrations
    if (next.registrantCount > 0) this.#old = null;
    this.#parts.changed();
    return this.#carryOut(this.#effectsElsewhere(former, skipped), null);
  }

  /** The effects on nexuses here of a change that another fabric made. */
  #effectsElsewhere(former: FormerState, skipped = false): Effects {
    const { noUnitAttentionOnRelease } = this.#settings;
    return changesElsewhere(former, this.state, this.#parts.nexuses.keys(), { noUnitAttentionOnRelease, skipped });
  }

  /** Charges accounts for the registrations of `next`, and no longer for those of `former`. */
  #countOwners(former: ReservationState | null, next: ReservationState): void {
    const { ledger } = this.#parts;
    if (ledger === null) return;
    for (const { nexus, owner } of former?.registrations() ?? []) {
      if (owner !== null) ledger.change(owner, negative(registrationHoldings([nexus.initiator])));
    }
    for (const { nexus, key, allTargetPorts, owner } of next.registrations()) {
      const known = owner ?? ledger.ownerOf(nexus.initiator);
      if (known === null) continue;
      if (owner === null) next.register(nexus, key, allTargetPorts, known);
      ledger.change(known, registrationHoldings([nexus.initiator]));
    }
    next.takeChanges();
  }

  #count(changes: ReadonlyMap<string, Holdings>, as: (by: Holdings) => Holdings = (by) => by): void {
    for (const [owner, by] of changes) this.#parts.ledger?.change(owner, as(by));
  }

  #applyOld(nexus: string, operation: OldOperation): OldReservationOutcome {
    return applyOldReservation(this.state, this.#old, nexus, operation, this.#settings);
  }

  /** Saves the change that `task` made, then has it take effect. */
  async #save(task: Task, made: Recorded<Outcome>, changes: ReadonlyMap<string, Holdings>, attempt: number): Promise<ScsiResult> {
    const { result, effects } = made.result;
    const view = viewOf(this.state);
    made.undo();
    let byAnother: Effects = NO_EFFECTS;
    const done = (): Promise<void> | null => {
      const former = this.#kept.isShared ? formerStateOf(this.state, this.#parts.nexuses.keys()) : null;
      made.redo();
      // computed now: by the time it turns out to be another fabric's change, a later state may be in force
      if (former !== null) byAnother = this.#effectsElsewhere(former);
      this.#parts.changed();
      return this.#carryOut(effects, task);
    };
    const foreign = (): Promise<void> | null => this.#carryOut(byAnother, null);
    const saved = await this.#kept.save(view, { done, foreign });
    if (saved.end === "done") {
      await saved.value;
      return result;
    }
    if (saved.end === "failed" || saved.inForce !== true) this.#count(changes, negative);
    if (saved.end === "failed") return mediumFailure(saved.error) ?? senseResult(Sense.INTERNAL_TARGET_FAILURE);
    if (saved.end === "unknown" || attempt >= COMMIT_ATTEMPTS_MAX) return bareStatus(ScsiStatus.BUSY);
    return task.aborted ? taskAborted() : (this.#parts.readmit(task) ?? this.reserveOut(task, attempt + 1));
  }

  /** Raises unit attentions and aborts commands; null if no aborted command is still under way. */
  #carryOut({ aborts, unitAttentions }: Effects, task: Task | null): Promise<void> | null {
    if (unitAttentions.length > 0) raiseUnitAttentions(unitAttentions, this.state, this.#parts.nexuses);
    return aborts.length === 0 ? null : this.#abort(aborts, task);
  }

  /**
   * Aborts the commands of these nexuses, except `self`. Nexuses other than that of `self` get a unit attention for it. Without `self` the
   * cause is another fabric: then a PERSISTENT RESERVE OUT under way is decided anew, and need not be waited for.
   */
  #abort(audiences: readonly Audience[], self: Task | null): Promise<void> | null {
    const named = new Set<string>();
    for (const audience of audiences) for (const nexus of membersOf(audience, this.state)) named.add(nexus);
    const losers = new Set<NexusState>();
    const pending = this.#parts.tasks.abort(
      (task) => task !== self && named.has(task.nexusState.key) && (self !== null || task.cdb[0] !== PR_OUT),
      (task) => losers.add(task.nexusState),
    );
    if (self !== null) losers.delete(self.nexusState);
    if (!this.#parts.modes.control.taskAbortedStatus) {
      for (const loser of losers) loser.attentions.raise(Sense.COMMANDS_CLEARED_BY_ANOTHER_INITIATOR);
    }
    return pending;
  }
}

function isInvalidField({ sense }: ScsiResult): boolean {
  const code = parseSense(sense);
  return code !== null && sameSense(code, Sense.INVALID_FIELD_IN_PARAMETER_LIST);
}
