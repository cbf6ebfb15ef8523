/**
 * Accounts for what units keep in memory. A process that serves users who do not trust each other gives each of them an account, so that
 * none can use up all memory; other processes have no accounts, and nothing is counted. The prices are in reservation/holdings.ts.
 */

import { aFunction, aString, having } from "../base/check.js";
import type { Kind } from "../base/check.js";
import type { TransportId } from "./transport-id.js";

/** What is kept for an owner, or a change of that. */
export interface Holdings {
  /** Units that stand for a disk or file. */
  readonly units: number;
  readonly registrations: number;
  /** Upper estimate of the memory for these and for known nexuses. */
  readonly bytes: number;
}

/** Counts what is kept for each owner. Names of owners are saved with registrations. */
export interface Ledger {
  /** True if `owner` may have that much more. Called before anything changes. */
  hasRoom(owner: string, more: Holdings): boolean;
  /** Adds to what `owner` has, or subtracts. Never refuses: what was saved before the process started counts too. */
  change(owner: string, by: Holdings): void;
  /** The owner of a registration that was saved without one; null for none. */
  ownerOf(initiator: TransportId): string | null;
}

/** The owner that is charged for what a unit keeps because of a command. */
export interface Account {
  readonly owner: string;
  readonly ledger: Ledger;
}

/** An {@link Account}. */
export const anAccount: Kind = having("an account, { owner, ledger }", {
  owner: aString,
  ledger: having("a ledger", { hasRoom: aFunction, change: aFunction, ownerOf: aFunction }),
});
