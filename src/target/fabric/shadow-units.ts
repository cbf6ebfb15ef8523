/**
 * The units of a fabric that stand for real disks and files. With accounts, a unit is charged to the first owner that asks for it, and is
 * removed once it holds nothing that would be missed.
 */

import { negative, unitHoldings } from "../../reservation/holdings.js";
import type { Account } from "../../scsi/account.js";
import type { Nexus } from "../../scsi/nexus.js";
import type { LogicalUnit } from "../unit/logical-unit.js";

/** How many units are looked at to make room for another one: an owner with many units in use must not slow down others. */
const LOOKS_MAX = 64;

/** See the module text. */
export class ShadowUnits {
  readonly #create: (identity: string, account: Account | null) => LogicalUnit;
  readonly #forgotten: (identity: string) => void;
  readonly #units = new Map<string, LogicalUnit>();
  /** The account of each unit that has one, by the unit's name. */
  readonly #accounts = new Map<string, Account>();
  /** Names of each owner's units; those that were looked at most recently come last. */
  readonly #owned = new Map<string, Set<string>>();

  /** @param forgotten called with a unit that is removed although a new one would differ from it: what is saved of it has to go too */
  constructor(create: (identity: string, account: Account | null) => LogicalUnit, forgotten: (identity: string) => void) {
    this.#create = create;
    this.#forgotten = forgotten;
  }

  /** All units, in order of first use. */
  values(): Iterable<LogicalUnit> {
    return this.#units.values();
  }

  /** The unit of that name; a new one has no account. */
  get(identity: string): LogicalUnit {
    return this.#units.get(identity) ?? this.#add(identity, null);
  }

  /** The same for an account, which is charged if the unit is new; null if the account has no room for it. */
  getFor(identity: string, account: Account): LogicalUnit | null {
    const known = this.#units.get(identity);
    if (known !== undefined) return known;
    if (!this.#hasRoom(identity, account)) this.#reclaim(identity, account);
    return this.#hasRoom(identity, account) ? this.#add(identity, account) : null;
  }

  /** The nexus is gone for now: removes what is kept for it and would not be missed, including units. */
  forgetNexus(nexus: Nexus): void {
    for (const [identity, unit] of this.#units) {
      unit.forgetIdle(nexus);
      if (unit.isBlank && this.#accounts.has(identity)) this.#drop(identity, unit);
    }
  }

  #hasRoom(identity: string, { ledger, owner }: Account): boolean {
    return ledger.hasRoom(owner, unitHoldings(identity));
  }

  #add(identity: string, account: Account | null): LogicalUnit {
    const unit = this.#create(identity, account);
    this.#units.set(identity, unit);
    if (account === null) return unit;
    const { ledger, owner } = account;
    ledger.change(owner, unitHoldings(identity));
    this.#accounts.set(identity, account);
    const owned = this.#owned.get(owner);
    if (owned === undefined) this.#owned.set(owner, new Set([identity]));
    else owned.add(identity);
    return unit;
  }

  /** Removes unused units of that owner until there is room. If one comes back, its PRgeneration is 0, and APTPL is off. */
  #reclaim(identity: string, account: Account): void {
    const owned = this.#owned.get(account.owner);
    const oldest = [...(owned ?? [])].slice(0, LOOKS_MAX);
    for (const name of oldest) {
      const unit = this.#units.get(name);
      unit?.forgetIdle();
      if (unit?.isDeserted === true) {
        this.#drop(name, unit);
        this.#forgotten(name);
        if (this.#hasRoom(identity, account)) return;
      } else {
        owned?.delete(name);
        owned?.add(name);
      }
    }
  }

  #drop(identity: string, unit: LogicalUnit): void {
    this.#units.delete(identity);
    const account = this.#accounts.get(identity);
    this.#accounts.delete(identity);
    if (account !== undefined) {
      const { ledger, owner } = account;
      ledger.change(owner, negative(unitHoldings(identity)));
      const owned = this.#owned.get(owner);
      owned?.delete(identity);
      if (owned?.size === 0) this.#owned.delete(owner);
    }
    void unit.close();
  }
}
