/** RESERVE (SPC-5 5.14, Reserving): the sender takes the reservation, if nobody else has it. */

import type { ReserveOutBasic } from "../scsi/reserve-out-request.js";
import type { Outcome } from "./effects.js";
import { typeToReserve } from "./fields.js";
import { CONFLICT, GOOD } from "./outcomes.js";
import type { ReservationSettings } from "./settings.js";
import type { Registration, ReservationState } from "./state.js";

/**
 * RESERVE from a nexus registered with the key it named. First matching row:
 *
 * | condition | |
 * |---|---|
 * | SCOPE or TYPE that cannot be reserved | INVALID FIELD IN CDB |
 * | no reservation | GOOD, the sender holds it |
 * | sender is a holder, same TYPE | GOOD, nothing happens |
 * | sender is a holder, other TYPE | RESERVATION CONFLICT |
 * | sender is not a holder | RESERVATION CONFLICT, whatever type and key |
 */
export function reserve(state: ReservationState, sender: Registration, command: ReserveOutBasic, settings: ReservationSettings): Outcome {
  const type = typeToReserve(command, settings);
  if (typeof type === "object") return type;
  const { reservation } = state;
  if (reservation === null) {
    state.reserve(type, sender);
    return GOOD;
  }
  return state.isHolder(sender) && reservation.type === type ? GOOD : CONFLICT;
}
