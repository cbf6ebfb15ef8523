/**
 * Who answers for what a unit keeps in memory. A process that serves users who do not trust each other gives each an account, so that one
 * of them cannot take all; everybody else has none, and nothing is counted. What things count for is in reservation/holdings.ts.
 */

import { aFunction, aString, having } from "../base/check.js";
import type { Kind } from "../base/check.js";
import type { TransportId } from "./transport-id.js";

/** What somebody has caused to be kept, or a change of that. */
export interface Holdings {
  /** Units that stand for a disk or file. */
  readonly units: number;
  readonly registrations: number;
  /** Memory for these, and for nexuses that are known, estimated from above. */
  readonly bytes: number;
}

/** Keeps count of what owners have, by names that are kept with what survives power loss. */
export interface Ledger {
  /** True when `owner` may have so much more. Asked before anything changes. */
  hasRoom(owner: string, more: Holdings): boolean;
  /** `owner` has so much more, or less. Never refused: what was there when the process began counts too. */
  change(owner: string, by: Holdings): void;
  /** Who answers for a registration of which that is not known; null for nobody. */
  ownerOf(initiator: TransportId): string | null;
}

/** In whose name a command is executed: what it makes the unit keep counts to that owner. */
export interface Account {
  readonly owner: string;
  readonly ledger: Ledger;
}

/** An {@link Account}. */
export const anAccount: Kind = having("an account, { owner, ledger }", {
  owner: aString,
  ledger: having("a ledger", { hasRoom: aFunction, change: aFunction, ownerOf: aFunction }),
});
