/**
 * What each user has made the helper keep, and how much that may be. A user is who the process was that connected (SO_PEERCRED); what it
 * registers in the name of others counts to it too.
 */

import { NO_HOLDINGS, sumOf } from "../../reservation/holdings.js";
import type { Account, Holdings, Ledger } from "../../scsi/account.js";
import { printable } from "../../base/limits.js";
import type { TransportId } from "../../scsi/transport-id.js";
import { LogLevel } from "../log.js";
import type { Log } from "../log.js";
import type { UserLimits } from "./user-limits.js";

/**
 * All users together may have as many bytes as this many may have each. With the defaults that is 128 MiB; with the most threads that the
 * process may have it is less than MemoryMax of the packaged unit.
 */
export const USERS_AT_THEIR_LIMIT = 4;

/**
 * This part of what one user may have, each may have although all together have what they may: with the defaults 256 KiB, some twenty disks
 * with a registration each. So users who take everything do not shut out those who need little.
 */
const PART_OF_EVERY_USER = 1 / 128;

/** The owner that a user is, in files of reservations too. */
const OWNER_PREFIX = "uid-";

/** Name of the initiator of a user with `--initiator-from uid`: the registrations of older files are assigned to users by it. */
const INITIATOR_OF_USER = /^iqn\.2026-11\.org\.qom-pr:(uid-\d{1,10})(?:,i,0x[0-9a-f]{12})?$/;

/** What a user has, for the status. */
export interface UserHoldings extends Holdings {
  readonly uid: number;
}

/** See the module text. */
export class UserLedger implements Ledger {
  readonly #limits: UserLimits;
  readonly #log: Log;
  readonly #holdings = new Map<string, Holdings>();
  /** Users whose limit the log has reported, until they have nothing any more. */
  readonly #told = new Set<string>();
  #bytes = 0;

  constructor(limits: UserLimits, log: Log) {
    this.#limits = limits;
    this.#log = log;
  }

  /** The account of a user. */
  account(uid: number): Account {
    return { owner: `${OWNER_PREFIX}${uid}`, ledger: this };
  }

  /** What all users have that have anything. */
  get users(): readonly UserHoldings[] {
    return [...this.#holdings].map(([owner, holdings]) => ({ uid: Number(owner.slice(OWNER_PREFIX.length)), ...holdings }));
  }

  hasRoom(owner: string, more: Holdings): boolean {
    const { units, registrations, bytes } = sumOf(this.#holdings.get(owner) ?? NO_HOLDINGS, more);
    const limits = this.#limits;
    if (more.units > 0 && units > limits.units) return this.#refuse(owner, `${limits.units} units`);
    if (more.registrations > 0 && registrations > limits.registrations) return this.#refuse(owner, `${limits.registrations} registrations`);
    if (bytes > limits.bytes) return this.#refuse(owner, `${limits.bytes} bytes`);
    const all = USERS_AT_THEIR_LIMIT * limits.bytes;
    return (
      this.#bytes + more.bytes <= all ||
      bytes <= PART_OF_EVERY_USER * limits.bytes ||
      this.#refuse(owner, `${all} bytes of all users together`)
    );
  }

  change(owner: string, by: Holdings): void {
    const holdings = sumOf(this.#holdings.get(owner) ?? NO_HOLDINGS, by);
    this.#bytes += by.bytes;
    if (holdings.bytes > 0) {
      this.#holdings.set(owner, holdings);
      return;
    }
    this.#holdings.delete(owner);
    this.#told.delete(owner);
  }

  ownerOf(initiator: TransportId): string | null {
    return INITIATOR_OF_USER.exec(initiator.key)?.[1] ?? null;
  }

  /** Always false. Once for each user, since it may ask as often as it likes. */
  #refuse(owner: string, what: string): false {
    if (!this.#told.has(owner)) {
      this.#told.add(owner);
      this.#log.write(LogLevel.WARNING, `${printable(owner)} is at the limit of ${what}: commands that need more end with 05/55/04`);
    }
    return false;
  }
}
