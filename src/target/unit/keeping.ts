/** What a unit leaves to the store. */

import type { ReservationStore } from "../../reservation/store.js";
import type { TargetBehaviour } from "../behaviour.js";

/** How a unit uses the store: not at all, alone for what must survive power loss, or together with other fabrics. */
export type Keeping = "nothing" | "alone" | "shared";

/** What that depends on. */
export interface KeptUnit {
  readonly behaviour: TargetBehaviour;
  readonly store: ReservationStore;
  /** Whether its reservations may survive power loss; if not, the unit refuses APTPL. Default: as the behaviour says. */
  readonly persistent?: boolean;
  /** False for a unit that another host, or this one after a restart, does not know by the same name: nothing is shared then. Default: true. */
  readonly shareable?: boolean;
}

/** Whether APTPL may be switched on. */
export function isPersistent({ behaviour, persistent }: KeptUnit): boolean {
  return persistent ?? behaviour.persistThroughPowerLoss;
}

/** What it cannot keep, a unit has not kept either; what nobody could read or release must not keep anybody out. */
export function keepingOf(parts: KeptUnit): Keeping {
  const { behaviour, shareable = true, store } = parts;
  if (!behaviour.persistentReservations) return "nothing";
  if (store.watch !== undefined && shareable) return "shared";
  return isPersistent(parts) && store.durable !== false ? "alone" : "nothing";
}
