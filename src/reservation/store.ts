/** Where the reservations of a fabric's units outlive the process, if they do. */

import type { ReservationState } from "./state.js";

/** The reservations of a unit as a store has them. */
export interface StoredReservations {
  /** Counts the commits of this unit, so that one which was overtaken is noticed. */
  readonly revision: number;
  readonly state: ReservationState;
}

/** A name that a unit had in reservations saved by version 0.1.0. */
export interface FormerName {
  readonly unit: string;
  /** When what the unit stands for came into being, in nanoseconds since 1970: what was saved before is of something else. Null when unknown. */
  readonly birthNs: bigint | null;
}

/** Keeps what must survive power loss. One store serves all units of a fabric. */
export interface ReservationStore {
  /** True when the end of the process does not forget, so that commits are of use. */
  readonly durable: boolean;
  /**
   * True when fabrics of several processes or hosts have the same reservations by it: then they may have the file of a medium open at the
   * same time. Absent: false.
   */
  readonly sharedByHosts?: boolean;
  /** What was committed last for the unit of that name, as a state of the caller's own; null for a unit without. */
  load(unit: string): StoredReservations | null;
  /** Gives the unit what version 0.1.0 saved for it under another name, unless there is something under its own. */
  adopt?(unit: string, former: FormerName): void;
  /**
   * Makes `image` what {@link load} gives, if `revision` is one more than what is there. Null when that is done on return; else a promise
   * that settles when power loss can no longer undo it, and rejects when nothing was changed. `image` is only read. The store may read it again
   * until the next commit of the unit, to put it back: the caller leaves it as it is.
   */
  commit(unit: string, revision: number, image: ReservationState): Promise<void> | null;
  /**
   * Nothing of the unit of that name would be missed, and none of its commits is under way: what is kept of it may go, at any time. From now
   * on {@link load} gives null for it. Absent: it stays.
   */
  forget?(unit: string): void;
}
