/** Where the reservations of a fabric's units outlive the process, if they do. */

import type { ReservationState } from "../reservation/state.js";

/** The reservations of a unit as a store has them. */
export interface StoredReservations {
  /** Counts the commits of this unit, so that one which was overtaken is noticed. */
  readonly revision: number;
  readonly state: ReservationState;
}

/** Keeps what must survive power loss. One store serves all units of a fabric. */
export interface ReservationStore {
  /** True when power loss does not forget: units then support APTPL (PTPL_C = 1). */
  readonly durable: boolean;
  /** What was committed last for the unit of that name, as a state of the caller's own; null for a unit without. */
  load(unit: string): StoredReservations | null;
  /**
   * Makes `image` what {@link load} gives, if `revision` is one more than what is there. Null when that is done on return; else a promise
   * that settles when power loss can no longer undo it, and rejects when nothing was changed. `image` is only read. The store may read it again
   * until the next commit of the unit, to put it back: the caller leaves it as it is.
   */
  commit(unit: string, revision: number, image: ReservationState): Promise<void> | null;
}

/** Forgets everything with the process. */
export const memoryStore: ReservationStore = Object.freeze({
  durable: false,
  load: () => null,
  commit: () => null,
});
