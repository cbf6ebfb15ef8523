/**
 * The registrations of a unit: in order, by nexus and by key, each at constant cost. What changes can be recorded, and is then taken back or
 * done again at the cost of what has changed, not of what there is.
 *
 * A place that was given up stays in the order, empty, until there are more empty ones than others: what is taken back has its old place.
 */

import { assert, present } from "../base/assert.js";
import { SLICE_ITEMS } from "../base/slices.js";
import type { Steps } from "../base/slices.js";
import type { Holdings } from "../scsi/account.js";
import { ChurnMap } from "./churn-map.js";
import { negative, NO_HOLDINGS, registrationHoldings, sumOf } from "./holdings.js";
import type { Registration } from "./registration.js";

/** Empty places that are tolerated in any case, so that small tables are not built anew all the time. */
const EMPTY_MIN = 16;

/** One step of a recording: another registration at a place, or another set of tables. */
type Change =
  | { readonly former: Registration | undefined; readonly next: Registration | undefined }
  | { readonly formerTables: Tables; readonly nextTables: Tables };

/** See the module text. */
export class RegistrationTable {
  #tables = new Tables();
  #recording: Change[] | null = null;

  /** Number of registrations. */
  get size(): number {
    return this.#tables.size;
  }

  /** The registration of the nexus with that nexusKey. */
  find(nexus: string): Registration | undefined {
    return this.#tables.byNexus.get(nexus);
  }

  /** Those with that key, in no order; undefined when there is none. */
  withKey(key: bigint): ReadonlySet<Registration> | undefined {
    return this.#tables.byKey.get(key);
  }

  /** What each owner has by them. */
  get holdings(): ReadonlyMap<string, Holdings> {
    return this.#tables.holdings;
  }

  /** All of them, lowest place first. */
  values(): Iterable<Registration> {
    return this.#tables.inOrder();
  }

  /** Enters `next` at its place, in the stead of `former` if that is there. */
  put(next: Registration, former: Registration | undefined): void {
    this.#change({ former, next });
  }

  /** Takes `former` out. */
  remove(former: Registration): void {
    this.#change({ former, next: undefined });
  }

  /** Takes all of them out, at a cost that does not depend on their number. */
  clear(): void {
    this.#change({ formerTables: this.#tables, nextTables: new Tables() });
  }

  /**
   * Prepares in slices that all leave for whom `leaves` is true: what it gives takes them out, at a cost that does not depend on their number.
   * Until that is called nothing has changed, and nothing else may change.
   */
  *without(leaves: (registration: Registration) => boolean): Steps<() => void> {
    const formerTables = this.#tables;
    const nextTables = new Tables();
    let count = 0;
    for (const registration of formerTables.inOrder()) {
      if (!leaves(registration)) nextTables.exchange(undefined, registration);
      count += 1;
      if (count % SLICE_ITEMS === 0) yield;
    }
    return () => this.#change({ formerTables, nextTables });
  }

  /** From now on changes are recorded, until {@link endRecording}. Recordings do not nest. */
  beginRecording(): void {
    assert(this.#recording === null, "one recording at a time");
    this.#recording = [];
  }

  /** What has changed since {@link beginRecording}, to be taken back and done again in turn. */
  endRecording(): TableChanges {
    const changes = this.#recording;
    assert(changes !== null, "a recording that ends has begun");
    this.#recording = null;
    return {
      undo: () => {
        for (const change of changes.toReversed()) this.#apply(inverse(change));
      },
      redo: () => {
        for (const change of changes) this.#apply(change);
        this.#tables.compact();
      },
      settle: () => this.#tables.compact(),
      before: this.#finderBefore(changes),
    };
  }

  #finderBefore(changes: readonly Change[]): TableChanges["before"] {
    let found: { readonly changed: ReadonlyMap<string, Registration | undefined>; readonly others: Tables | null } | null = null;
    return (nexus) => {
      found ??= firstOf(changes);
      return found.changed.has(nexus) ? found.changed.get(nexus) : (found.others ?? this.#tables).byNexus.get(nexus);
    };
  }

  #change(change: Change): void {
    this.#apply(change);
    if (this.#recording === null) this.#tables.compact();
    else this.#recording.push(change);
  }

  #apply(change: Change): void {
    if ("nextTables" in change) this.#tables = change.nextTables;
    else this.#tables.exchange(change.former, change.next);
  }
}

/** What was recorded. */
export interface TableChanges {
  /** Takes everything back: the table is what it was when the recording began, order included. */
  undo(): void;
  /** Does it again, after {@link undo}. The table is what it was when the recording began. */
  redo(): void;
  /** It stays: it will not be taken back. */
  settle(): void;
  /** The registration that a nexus had when the recording began. The table is what it was when the recording ended. */
  before(nexus: string): Registration | undefined;
}

/** What each nexus had before the first change that concerns it, and where all others are found. */
function firstOf(changes: readonly Change[]): {
  readonly changed: ReadonlyMap<string, Registration | undefined>;
  readonly others: Tables | null;
} {
  const changed = new Map<string, Registration | undefined>();
  for (const change of changes) {
    if ("nextTables" in change) return { changed, others: change.formerTables };
    const { nexusKey } = present(change.former ?? change.next, "a change has one side at least");
    if (!changed.has(nexusKey)) changed.set(nexusKey, change.former);
  }
  return { changed, others: null };
}

function inverse(change: Change): Change {
  return "nextTables" in change
    ? { formerTables: change.nextTables, nextTables: change.formerTables }
    : { former: change.next, next: change.former };
}

/** The maps. */
class Tables {
  readonly byNexus = new ChurnMap<string, Registration>();
  readonly byKey = new ChurnMap<bigint, Set<Registration>>();
  readonly holdings = new Map<string, Holdings>();
  /** Places ascend. */
  #byPlace = new Map<number, Registration | undefined>();

  get size(): number {
    return this.byNexus.size;
  }

  inOrder(): Iterable<Registration> {
    if (this.#byPlace.size > this.size) return occupied(this.#byPlace.values());
    return this.#byPlace.values() as Iterable<Registration>; // as many places as registrations: none is empty
  }

  exchange(former: Registration | undefined, next: Registration | undefined): void {
    if (former !== undefined) this.#dropFromKey(former);
    if (next !== undefined) {
      this.#byPlace.set(next.place, next);
      this.byNexus.set(next.nexusKey, next);
      const sameKey = this.byKey.get(next.key);
      if (sameKey === undefined) this.byKey.set(next.key, new Set([next]));
      else sameKey.add(next);
    } else if (former !== undefined) {
      this.#byPlace.set(former.place, undefined);
      this.byNexus.delete(former.nexusKey);
    }
    if (former?.owner === next?.owner) return;
    if (former !== undefined) this.#count(former, negative);
    if (next !== undefined) this.#count(next, (holdings) => holdings);
  }

  /** Drops empty places when they are many. */
  compact(): void {
    if (this.#byPlace.size <= 2 * this.size + EMPTY_MIN) return;
    const kept = new Map<number, Registration | undefined>();
    for (const registration of this.inOrder()) kept.set(registration.place, registration);
    this.#byPlace = kept;
  }

  #count({ nexus, owner }: Registration, as: (by: Holdings) => Holdings): void {
    if (owner === null) return;
    const holdings = sumOf(this.holdings.get(owner) ?? NO_HOLDINGS, as(registrationHoldings([nexus.initiator])));
    if (holdings.registrations === 0) this.holdings.delete(owner);
    else this.holdings.set(owner, holdings);
  }

  #dropFromKey(registration: Registration): void {
    const sameKey = this.byKey.get(registration.key);
    assert(sameKey?.delete(registration) === true, "every registration is found by its key");
    if (sameKey.size === 0) this.byKey.delete(registration.key);
  }
}

function* occupied(places: Iterable<Registration | undefined>): Generator<Registration> {
  for (const registration of places) if (registration !== undefined) yield registration;
}
