/** What a unit keeps in the store. */

import type { ReservationStore } from "../../reservation/store.js";
import type { TargetBehaviour } from "../behaviour.js";

/** How a unit uses the store: not at all, by itself for what must survive power loss, or together with other fabrics. */
export type Keeping = "nothing" | "alone" | "shared";

/** What {@link Keeping} depends on. */
export interface KeptUnit {
  readonly behaviour: TargetBehaviour;
  readonly store: ReservationStore;
  /** Whether reservations can survive power loss; otherwise the unit refuses APTPL. Default: as the behaviour says. */
  readonly persistent?: boolean;
  /** False for a unit whose name means something else on other hosts or after a restart: then nothing is shared. Default: true. */
  readonly shareable?: boolean;
}

/** Whether APTPL may be switched on. */
export function isPersistent({ behaviour, persistent }: KeptUnit): boolean {
  return persistent ?? behaviour.persistThroughPowerLoss;
}

/** A unit that cannot keep reservations does not load old ones either: those that nobody can read or release must not keep anybody out. */
export function keepingOf(parts: KeptUnit): Keeping {
  const { behaviour, shareable = true, store } = parts;
  if (!behaviour.persistentReservations) return "nothing";
  if (store.watch !== undefined && shareable) return "shared";
  return isPersistent(parts) && store.durable !== false ? "alone" : "nothing";
}
