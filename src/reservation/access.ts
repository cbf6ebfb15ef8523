/** Who may do what while a reservation is held: the tables of SPC-5 5.14 (Reservations overview) as functions. Neither allocates. */

import { isRegistrantsType, ReservationTypes } from "../scsi/persistent-reserve.js";
import type { ReservationType } from "../scsi/persistent-reserve.js";
import type { ReservationState } from "./state.js";

/** How a command relates to the medium, as reservations see it: `free` commands never conflict. */
export type AccessClass = "free" | "read" | "write";

/** True for the types that keep reads from those without access; the others keep writes from them only. */
function excludesReads(type: ReservationType): boolean {
  return (
    type === ReservationTypes.EXCLUSIVE_ACCESS ||
    type === ReservationTypes.EXCLUSIVE_ACCESS_REGISTRANTS_ONLY ||
    type === ReservationTypes.EXCLUSIVE_ACCESS_ALL_REGISTRANTS
  );
}

/**
 * True when the persistent reservation lets the nexus with that nexusKey through; false means RESERVATION CONFLICT.
 *
 * | class | WE, EA: not holder | RO, AR types: registered | WERO, WEAR: not registered | EARO, EAAR: not registered |
 * |---|---|---|---|---|
 * | free | yes | yes | yes | yes |
 * | read | WE | yes | yes | no |
 * | write | no | yes | no | no |
 */
export function isAllowed(state: ReservationState, nexus: string, access: AccessClass): boolean {
  const reservation = state.reservation;
  if (reservation === null || access === "free") return true;
  const registration = state.find(nexus);
  if (registration !== undefined && (isRegistrantsType(reservation.type) || reservation.holder === registration)) return true;
  return access === "read" && !excludesReads(reservation.type);
}

/** Whose PERSISTENT RESERVE OUT may begin while another nexus holds a reservation. */
type OutAccess = "anyone" | "registrants" | "writers";

/**
 * By service action 00h to 07h (SPC-5 5.14, table of PERSISTENT RESERVE OUT service actions). The standard stops RESERVE and REGISTER AND
 * MOVE of every other nexus. Those whose writes the reservation lets through are stopped later here, by the actions themselves: what is
 * illegal in the command, and a unit attention, is reported before the conflict, as Linux targets do.
 */
const OUT_ACCESS: readonly OutAccess[] = Object.freeze([
  "anyone", // REGISTER
  "writers", // RESERVE
  "registrants", // RELEASE
  "registrants", // CLEAR
  "registrants", // PREEMPT
  "registrants", // PREEMPT AND ABORT
  "anyone", // REGISTER AND IGNORE EXISTING KEY
  "writers", // REGISTER AND MOVE
]);

/**
 * True when the persistent reservation lets a PERSISTENT RESERVE OUT with that service action (0 to 31) begin; false means RESERVATION
 * CONFLICT. A service action that is not supported conflicts when another nexus holds the reservation, be it one of several holders.
 */
export function reserveOutAllowed(state: ReservationState, nexus: string, serviceAction: number): boolean {
  const reservation = state.reservation;
  if (reservation === null) return true;
  const access = OUT_ACCESS[serviceAction];
  if (access === "anyone") return true;
  if (access === "writers") return isAllowed(state, nexus, "write");
  const registration = state.find(nexus);
  if (registration === undefined || access === "registrants") return registration !== undefined;
  return reservation.holder === registration || state.registrantCount === 1;
}
