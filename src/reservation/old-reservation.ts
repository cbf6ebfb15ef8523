/**
 * RESERVE and RELEASE of SPC-2, (6) and (10), beside persistent reservations (SPC-5 5.14, Exceptions to SPC-2 RESERVE and RELEASE
 * behavior): a reservation of the whole unit for one nexus, which ends with any reset and with the nexus.
 */

import type { ScsiResult } from "../scsi/command.js";
import { PR_IN, PR_OUT } from "../scsi/persistent-reserve.js";
import { isAllowed } from "./access.js";
import { CONFLICT, GOOD } from "./outcomes.js";
import type { ReservationSettings } from "./settings.js";
import type { ReservationState } from "./state.js";

/** The nexusKey of the nexus that reserved the unit with RESERVE, or null. */
export type OldReservation = string | null;

/** The answer to RESERVE or RELEASE, and who has the unit reserved from then on. */
export interface OldReservationOutcome {
  readonly result: ScsiResult;
  readonly holder: OldReservation;
}

/**
 * Executes RESERVE or RELEASE from `nexus`. First matching row:
 *
 * | condition | RESERVE | RELEASE |
 * |---|---|---|
 * | persistent reservation, sender has access by it, CRH = 1 | GOOD, nothing happens | GOOD, nothing happens |
 * | registrations | RESERVATION CONFLICT | RESERVATION CONFLICT |
 * | nobody reserved the unit | GOOD, reserved for the sender | GOOD, nothing happens |
 * | the sender reserved it | GOOD, nothing happens | GOOD, released |
 * | another nexus reserved it | RESERVATION CONFLICT | GOOD, nothing happens |
 *
 * "Access" is what a write command needs: the sender is a holder, or registered where that is enough.
 */
export function applyOldReservation(
  state: ReservationState,
  holder: OldReservation,
  nexus: string,
  operation: "reserve" | "release",
  settings: ReservationSettings,
): OldReservationOutcome {
  if (state.registrantCount > 0) {
    const tolerated = settings.compatibleReservationHandling && state.reservation !== null && isAllowed(state, nexus, "write");
    return { result: tolerated ? GOOD.result : CONFLICT.result, holder };
  }
  if (operation === "release") return { result: GOOD.result, holder: holder === nexus ? null : holder };
  const taken = holder !== null && holder !== nexus;
  return { result: taken ? CONFLICT.result : GOOD.result, holder: taken ? holder : nexus };
}

/** Operation codes that get through from other nexuses while the unit is reserved by RESERVE (SPC-2 5.5.1). */
const FREE_BESIDE_RESERVE: readonly number[] = Object.freeze([0x03, 0x12, 0xa0]); // REQUEST SENSE, INQUIRY, REPORT LUNS

/**
 * True when the reservation made by RESERVE lets a command begin; false means RESERVATION CONFLICT. RESERVE and RELEASE themselves are
 * for {@link applyOldReservation}. PERSISTENT RESERVE IN and OUT conflict even for the nexus that reserved the unit.
 */
export function isAllowedBesideReserve(holder: OldReservation, nexus: string, operationCode: number): boolean {
  if (holder === null) return true;
  if (operationCode === PR_IN || operationCode === PR_OUT) return false;
  return holder === nexus || FREE_BESIDE_RESERVE.includes(operationCode);
}
