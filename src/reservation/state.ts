/**
 * The persistent reservations of one logical unit as data (SPC-5 5.14): registrations, at most one reservation, PRgeneration, and
 * whether all of it survives power loss.
 *
 * Every look-up an access check or a PERSISTENT RESERVE OUT needs is of constant cost, whatever the number of registrants: by nexus
 * and by key. Two rules are kept here since no command may break them: a reservation ends when its holder's registration disappears
 * (with All Registrants: when the last one does), and no registration has the key zero.
 */

import { assert } from "../base/assert.js";
import { nexusKey } from "../scsi/nexus.js";
import type { Nexus } from "../scsi/nexus.js";
import { isAllRegistrants } from "../scsi/persistent-reserve.js";
import type { ReservationType } from "../scsi/persistent-reserve.js";
import type { Steps } from "../base/slices.js";
import { negative, NO_HOLDINGS, registrationHoldings, sumOf } from "./holdings.js";
import type { Holdings } from "../scsi/account.js";
import { RegistrationTable } from "./registration-table.js";
import type { Registration } from "./registration.js";
import type { TableChanges } from "./registration-table.js";

export type { Registration } from "./registration.js";

/** The reservation. Its scope is always the logical unit. */
export interface Reservation {
  readonly type: ReservationType;
  /** The one holder; null for the All Registrants types, where every registration holds it. */
  readonly holder: Registration | null;
}

/** What is to be known of a state that was in force before. */
export interface FormerState {
  readonly reservation: Reservation | null;
  /** The registration of the nexus with that {@link nexusKey}. */
  find(nexus: string): Registration | undefined;
}

/** An action that was done, and can be taken back: {@link undo} and {@link redo} in turn, with no other change between. */
export interface Recorded<Result> extends Omit<TableChanges, "before"> {
  readonly result: Result;
  /** What the state was before, to be asked while it is what the action made of it. */
  readonly former: FormerState;
}

/** What a state has beside its registrations. */
interface StateValues {
  readonly reservation: Reservation | null;
  readonly generation: number;
  readonly aptpl: boolean;
  readonly nextPlace: number;
}

const GENERATION_COUNT = 2 ** 32;

/** The persistent reservations of one logical unit. Read by everyone, changed by the service actions of PERSISTENT RESERVE OUT only. */
export class ReservationState {
  readonly #table = new RegistrationTable();
  #reservation: Reservation | null = null;
  #generation = 0;
  #aptpl = false;
  #nextPlace = 0;
  /** What owners have more or less since {@link takeChanges}. */
  #changes = new Map<string, Holdings>();

  /** PRgeneration: 32 bits, unsigned, wraps. */
  get generation(): number {
    return this.#generation;
  }

  /** True while everything survives power loss: the APTPL bit of the last command that set it. */
  get aptpl(): boolean {
    return this.#aptpl;
  }

  /** The reservation, or null. */
  get reservation(): Reservation | null {
    return this.#reservation;
  }

  /** Number of registered I_T nexuses. */
  get registrantCount(): number {
    return this.#table.size;
  }

  /** The registration of the nexus with that {@link nexusKey}. */
  find(nexus: string): Registration | undefined {
    return this.#table.find(nexus);
  }

  /** What each owner has by registrations. */
  get holdings(): ReadonlyMap<string, Holdings> {
    return this.#table.holdings;
  }

  /** All registrations, in order of registration; a new key keeps the place. */
  registrations(): Iterable<Registration> {
    return this.#table.values();
  }

  /** The registrations with the reservation key `key`; undefined when there is none. */
  withKey(key: bigint): ReadonlySet<Registration> | undefined {
    return this.#table.withKey(key);
  }

  /** True when `registration` is a reservation holder. */
  isHolder(registration: Registration): boolean {
    const reservation = this.#reservation;
    return reservation !== null && (reservation.holder === null || reservation.holder === registration);
  }

  /** A state of its own that equals this one; grows with the number of registrants. */
  copy(): ReservationState {
    const copy = new ReservationState();
    for (const registration of this.#table.values()) copy.#table.put(registration, undefined);
    copy.#reservation = this.#reservation;
    copy.#generation = this.#generation;
    copy.#aptpl = this.#aptpl;
    copy.#nextPlace = this.#nextPlace;
    return copy;
  }

  /**
   * What a power cycle leaves: everything but PRgeneration with APTPL, nothing without.
   * @param kept false where nothing is kept, whatever APTPL says
   */
  losePower(kept = true): void {
    if (!kept || !this.#aptpl) {
      this.clear();
      this.#aptpl = false;
    }
    this.#generation = 0;
  }

  /** The same as a state of its own, which grows with the number of registrants. */
  afterPowerLoss(): ReservationState {
    const kept = this.copy();
    kept.losePower();
    return kept;
  }

  /**
   * Does `action`, and gives with its result what takes back everything that it has changed here, and does it again. It costs as much as
   * the action did, however many registrants there are. What {@link takeChanges} gives is not part of it.
   */
  record<Result>(action: () => Result): Recorded<Result> {
    const before = this.#values();
    this.#table.beginRecording();
    let changes: TableChanges;
    let result: Result;
    try {
      result = action();
    } finally {
      changes = this.#table.endRecording();
    }
    const after = this.#values();
    return {
      result,
      undo: () => {
        changes.undo();
        this.#setValues(before);
      },
      redo: () => {
        changes.redo();
        this.#setValues(after);
      },
      settle: () => changes.settle(),
      former: { reservation: before.reservation, find: (nexus) => changes.before(nexus) },
    };
  }

  /**
   * Registers `nexus` with `key`, or gives the registered nexus that key; the reservation stays with whom it was.
   * @param owner who answers for the registration, if nobody does yet
   */
  register(nexus: Nexus, key: bigint, allTargetPorts: boolean, owner: string | null = null): Registration {
    assert(key !== 0n, "a registration has a key");
    const id = nexusKey(nexus);
    const former = this.#table.find(id);
    const place = former === undefined ? this.#nextPlace++ : former.place;
    const registration: Registration = { nexus, nexusKey: id, key, allTargetPorts, place, owner: former?.owner ?? owner };
    this.#table.put(registration, former);
    if ((former?.owner ?? null) === null) this.#count(registration, 1);
    if (former !== undefined && this.#reservation?.holder === former) {
      this.#reservation = { type: this.#reservation.type, holder: registration };
    }
    return registration;
  }

  /** Removes `registration`, and with the last or only holder the reservation. */
  unregister(registration: Registration): void {
    assert(this.#table.find(registration.nexusKey) === registration, "only what is registered can be removed");
    this.#table.remove(registration);
    this.#count(registration, -1);
    if (this.#reservation?.holder === registration || this.registrantCount === 0) this.#reservation = null;
  }

  /** Removes all registrations and the reservation; returns what was registered. */
  clear(): readonly Registration[] {
    const former = [...this.#table.values()];
    const before = this.#table.holdings;
    this.#table.clear();
    this.#countAll(before);
    this.#reservation = null;
    return former;
  }

  /**
   * Prepares in slices that all are unregistered for whom `leaves` is true: what it gives does that, at a cost that does not depend on their
   * number. Until that is called nothing has changed, and nothing else may change.
   */
  *removal(leaves: (registration: Registration) => boolean): Steps<() => void> {
    const remove = yield* this.#table.without(leaves);
    return () => {
      const before = this.#table.holdings;
      remove();
      this.#countAll(before);
      const holder = this.#reservation?.holder ?? null;
      if (this.registrantCount === 0 || (holder !== null && this.#table.find(holder.nexusKey) !== holder)) this.#reservation = null;
    };
  }

  /** Replaces the reservation, if any, by one of `type` that `holder` establishes. */
  reserve(type: ReservationType, holder: Registration): void {
    assert(this.#table.find(holder.nexusKey) === holder, "a reservation holder is registered");
    this.#reservation = { type, holder: isAllRegistrants(type) ? null : holder };
  }

  /** Ends the reservation; registrations stay. */
  release(): void {
    assert(this.#reservation !== null, "there is a reservation to release");
    this.#reservation = null;
  }

  /** Counts one service action that counts. */
  advanceGeneration(): void {
    this.#generation = (this.#generation + 1) % GENERATION_COUNT;
  }

  /** Sets PRgeneration, when a saved state is read. */
  restoreGeneration(generation: number): void {
    assert(Number.isInteger(generation) && generation >= 0 && generation < GENERATION_COUNT, "PRgeneration has 32 bits");
    this.#generation = generation;
  }

  /** Sets whether the state survives power loss. */
  setAptpl(aptpl: boolean): void {
    this.#aptpl = aptpl;
  }

  /** What owners have more or less since this was called last, or the state was made; a copy begins with nothing. */
  takeChanges(): ReadonlyMap<string, Holdings> {
    const changes = this.#changes;
    if (changes.size > 0) this.#changes = new Map();
    return changes;
  }

  #count({ nexus, owner }: Registration, sign: 1 | -1): void {
    if (owner === null) return;
    const one = registrationHoldings([nexus.initiator]);
    this.#changes.set(owner, sumOf(this.#changes.get(owner) ?? NO_HOLDINGS, sign > 0 ? one : negative(one)));
  }

  /** Counts what owners have by other tables than before. */
  #countAll(before: ReadonlyMap<string, Holdings>): void {
    for (const [owner, holdings] of before) {
      const by = sumOf(this.#table.holdings.get(owner) ?? NO_HOLDINGS, negative(holdings));
      if (by.registrations !== 0) this.#changes.set(owner, sumOf(this.#changes.get(owner) ?? NO_HOLDINGS, by));
    }
  }

  #values(): StateValues {
    return { reservation: this.#reservation, generation: this.#generation, aptpl: this.#aptpl, nextPlace: this.#nextPlace };
  }

  #setValues({ reservation, generation, aptpl, nextPlace }: StateValues): void {
    this.#reservation = reservation;
    this.#generation = generation;
    this.#aptpl = aptpl;
    this.#nextPlace = nextPlace;
  }
}
