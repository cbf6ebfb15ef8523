/**
 * The reservations of one logical unit at work: commands go to the rules of src/reservation, what changed goes to the store, and
 * whoever is concerned is told or loses its commands.
 *
 * A change that must survive power loss is made on a copy, which becomes the state when the store has it: until then every other
 * command sees what is there in any case, and a failed commit has changed nothing.
 */

import { applyReserveIn, applyReserveOut } from "../../reservation/apply.js";
import { isAllowed, reserveOutAllowed } from "../../reservation/access.js";
import type { AccessClass } from "../../reservation/access.js";
import { negative, registrationHoldings } from "../../reservation/holdings.js";
import type { Account, Holdings, Ledger } from "../../scsi/account.js";
import { membersOf } from "../../reservation/effects.js";
import type { Audience, Effects } from "../../reservation/effects.js";
import { applyOldReservation, isAllowedBesideReserve } from "../../reservation/old-reservation.js";
import type { OldReservation, OldReservationOutcome } from "../../reservation/old-reservation.js";
import { defaultReservationSettings } from "../../reservation/settings.js";
import type { ReservationSettings } from "../../reservation/settings.js";
import { ReservationState } from "../../reservation/state.js";
import { raiseUnitAttentions } from "../../reservation/unit-attentions.js";
import { NO_BYTES, ScsiStatus } from "../../scsi/command.js";
import type { ScsiResult } from "../../scsi/command.js";
import { mayActivatePersistence } from "../../scsi/persistent-reserve-out.js";
import { parseSense, sameSense, Sense, senseResult } from "../../scsi/sense.js";
import type { TargetBehaviour } from "../behaviour.js";
import { mediumFailure } from "../medium/medium-failure.js";
import type { NexusState, NexusTable } from "./nexus-table.js";
import { after, bufferLength, goodWithoutData } from "./reply.js";
import type { ReservationStore } from "../../reservation/store.js";
import { SerialQueue } from "../../base/serial-queue.js";
import type { Task, TaskSet } from "./task.js";
import type { UnitModes } from "./unit-modes.js";

/** RESERVE or RELEASE of SPC-2. */
export type OldOperation = "reserve" | "release";

/** What the desk works with. */
export interface ReservationDeskParts {
  /** Name of the unit in the store. */
  readonly unit: string;
  readonly store: ReservationStore;
  /** Whether APTPL may be switched on. */
  readonly persistent: boolean;
  readonly behaviour: TargetBehaviour;
  readonly nexuses: NexusTable;
  readonly tasks: TaskSet;
  readonly modes: UnitModes;
  /** Where what registrations take is counted, null for nowhere. */
  readonly ledger: Ledger | null;
  /** Called when registrations or the reservation have changed. */
  readonly changed: () => void;
  /** Called when a command wanted to switch APTPL on, and may not. */
  readonly persistenceRefused: () => void;
}

/** The persistent reservations of a unit, and the one made by RESERVE. */
export class ReservationDesk {
  /** Reservation commands run one after the other. */
  readonly queue = new SerialQueue();
  readonly #parts: ReservationDeskParts;
  readonly #settings: ReservationSettings;
  #state: ReservationState;
  #revision: number;
  #old: OldReservation = null;

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
    // what it cannot keep, a unit has not kept either; what nobody could read or release must not keep anybody out
    const stored = parts.persistent && behaviour.persistentReservations ? store.load(parts.unit) : null;
    this.#state = stored?.state ?? new ReservationState();
    this.#revision = stored?.revision ?? 0;
    for (const { nexus } of this.#state.registrations()) nexuses.noteReach(nexus);
    this.#countOwners();
  }

  /** The state at this moment, to be read. */
  get state(): ReservationState {
    return this.#state;
  }

  /** False when there is neither a registration nor a reservation, so that nothing can conflict. */
  get exist(): boolean {
    return this.#old !== null || this.#state.registrantCount > 0;
  }

  /** True when that nexus is registered or has reserved. */
  concerns(nexus: string): boolean {
    return this.#old === nexus || this.#state.find(nexus) !== undefined;
  }

  /** True when the reservation made by RESERVE lets a command begin that is neither RESERVE nor RELEASE. */
  allowsBesideReserve(nexus: string, opcode: number): boolean {
    return isAllowedBesideReserve(this.#old, nexus, opcode);
  }

  /** True when the persistent reservation lets a command of that class through. */
  allows(nexus: string, access: AccessClass): boolean {
    return isAllowed(this.#state, nexus, access);
  }

  /** True when the persistent reservation lets a PERSISTENT RESERVE OUT of that service action begin. */
  allowsReserveOut(nexus: string, serviceAction: number): boolean {
    return reserveOutAllowed(this.#state, nexus, serviceAction);
  }

  /** PERSISTENT RESERVE IN. */
  reserveIn(task: Task, allocationLength: number): ScsiResult {
    const buffer = bufferLength(task, allocationLength);
    return applyReserveIn(this.#state, task.cdb, buffer, this.#settings, task.command.into);
  }

  /** PERSISTENT RESERVE OUT; settles when what was answered GOOD is safe and everyone concerned knows. */
  reserveOut(task: Task): ScsiResult | Promise<ScsiResult> {
    const dataOut = task.command.dataOut ?? NO_BYTES;
    const { persistent, store } = this.#parts;
    const mayActivate = mayActivatePersistence(dataOut);
    const maySave = persistent && store.durable && (this.#state.aptpl || mayActivate);
    const next = maySave ? this.#state.copy() : this.#state;
    const { generation, reservation } = next;
    const { result, effects } = applyReserveOut(next, task.nexus, task.cdb, dataOut, this.#settingsFor(task.account));
    const changes = next.takeChanges();
    this.#count(changes);
    if (!persistent && mayActivate && isInvalidField(result)) this.#parts.persistenceRefused();
    const changed = next.generation !== generation || next.reservation !== reservation;
    const adopt = (): ScsiResult | Promise<ScsiResult> => {
      this.#state = next;
      if (changed) this.#parts.changed();
      return this.#carryOut(effects, task, result);
    };
    return maySave && effects.persist
      ? this.#save(next).then((failure) => {
          if (failure === null) return adopt();
          this.#count(changes, negative);
          return failure;
        })
      : adopt();
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

  /** What power loss leaves: everything while APTPL is on, but PRgeneration; else nothing. */
  powerCycle(): void {
    const { exist } = this;
    const former = this.#state;
    this.#old = null;
    this.#state = this.#parts.persistent ? former.afterPowerLoss() : new ReservationState();
    if (this.#state.registrantCount === 0) {
      former.clear();
      this.#count(former.takeChanges());
    }
    if (exist) this.#parts.changed();
  }

  /** What a command of that account goes by. */
  #settingsFor(account: Account | null): ReservationSettings {
    return account === null ? this.#settings : { ...this.#settings, account };
  }

  /** Finds out who answers for what is registered already. */
  #countOwners(): void {
    const { ledger } = this.#parts;
    if (ledger === null) return;
    for (const { nexus, key, allTargetPorts, owner } of this.#state.registrations()) {
      const known = owner ?? ledger.ownerOf(nexus.initiator);
      if (known === null) continue;
      if (owner === null) this.#state.register(nexus, key, allTargetPorts, known);
      ledger.change(known, registrationHoldings([nexus.initiator]));
    }
    this.#state.takeChanges();
  }

  #count(changes: ReadonlyMap<string, Holdings>, as: (by: Holdings) => Holdings = (by) => by): void {
    for (const [owner, by] of changes) this.#parts.ledger?.change(owner, as(by));
  }

  #applyOld(nexus: string, operation: OldOperation): OldReservationOutcome {
    return applyOldReservation(this.#state, this.#old, nexus, operation, this.#settings);
  }

  /** Commits `next`; gives the answer for a commit that failed, else null. */
  async #save(next: ReservationState): Promise<ScsiResult | null> {
    try {
      await this.#parts.store.commit(this.#parts.unit, this.#revision + 1, next);
    } catch (error) {
      return mediumFailure(error) ?? senseResult(Sense.INTERNAL_TARGET_FAILURE);
    }
    this.#revision += 1;
    return null;
  }

  #carryOut(effects: Effects, task: Task, result: ScsiResult): ScsiResult | Promise<ScsiResult> {
    if (effects.unitAttentions.length > 0) raiseUnitAttentions(effects.unitAttentions, this.#state, this.#parts.nexuses);
    return effects.aborts.length === 0 ? result : after(this.#abort(effects.aborts, task), result);
  }

  /** Ends the commands of all nexuses named, except `self`. Nexuses other than its own hear of what they lost. */
  #abort(audiences: readonly Audience[], self: Task): Promise<void> | null {
    const named = new Set<string>();
    for (const audience of audiences) for (const nexus of membersOf(audience, this.#state)) named.add(nexus);
    const losers = new Set<NexusState>();
    const pending = this.#parts.tasks.abort(
      (task) => task !== self && named.has(task.nexusState.key),
      (task) => losers.add(task.nexusState),
    );
    losers.delete(self.nexusState);
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
