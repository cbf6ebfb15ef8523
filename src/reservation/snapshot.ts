/** The state of a unit's reservations as plain values for people and tests; it shares nothing with the state. */

import { LU_SCOPE } from "../scsi/persistent-reserve.js";
import type { ReservationType } from "../scsi/persistent-reserve.js";
import type { Nexus } from "../scsi/nexus.js";
import type { ReservationState } from "./state.js";

/** An I_T nexus as plain values. */
export interface NexusSnapshot {
  /** TransportID of the initiator port as text. */
  readonly initiator: string;
  /** Relative target port identifier. */
  readonly targetPort: number;
}

/** A registered nexus. */
export interface RegistrantSnapshot extends NexusSnapshot {
  readonly key: bigint;
  /** True for reservation holders: with All Registrants types every registrant. */
  readonly holder: boolean;
}

/** A persistent reservation. */
export interface HeldReservation {
  readonly type: ReservationType;
  /** Always 0, the logical unit. */
  readonly scope: number;
  /** Null for All Registrants types. */
  readonly holder: NexusSnapshot | null;
}

/** What is registered and reserved at one moment. */
export interface ReservationSnapshot {
  /** PRgeneration. */
  readonly generation: number;
  /** In order of registration. */
  readonly registrants: readonly RegistrantSnapshot[];
  readonly reservation: HeldReservation | null;
}

/** The same in short, whatever the number of registrants. */
export interface ReservationSummary {
  readonly generation: number;
  readonly registrantCount: number;
  readonly reservation: HeldReservation | null;
}

function nexusSnapshot(nexus: Nexus): NexusSnapshot {
  return { initiator: nexus.initiator.format(), targetPort: nexus.targetPort };
}

/** A copy of `state`; grows with the number of registrants. */
export function snapshot(state: ReservationState): ReservationSnapshot {
  const registrants = Array.from(state.registrations(), (registration) => ({
    ...nexusSnapshot(registration.nexus),
    key: registration.key,
    holder: state.isHolder(registration),
  }));
  return { generation: state.generation, registrants, reservation: heldReservation(state) };
}

/** What {@link ReservationSummary} says, of `state` as it is now. */
export function summary(state: ReservationState): ReservationSummary {
  return { generation: state.generation, registrantCount: state.registrantCount, reservation: heldReservation(state) };
}

function heldReservation({ reservation }: ReservationState): HeldReservation | null {
  if (reservation === null) return null;
  const holder = reservation.holder === null ? null : nexusSnapshot(reservation.holder.nexus);
  return { type: reservation.type, scope: LU_SCOPE, holder };
}
