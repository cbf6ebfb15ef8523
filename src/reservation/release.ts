/** RELEASE (SPC-5 5.14, Releasing): a holder gives up the reservation; registrations stay. */

import { isRegistrantsType, LU_SCOPE } from "../scsi/persistent-reserve.js";
import type { ReserveOutBasic } from "../scsi/reserve-out-request.js";
import { Sense } from "../scsi/sense.js";
import type { Outcome } from "./effects.js";
import { SCOPE_FIELD, TYPE_FIELD } from "./fields.js";
import { GOOD, goodWith, refused, tellRegistrants } from "./outcomes.js";
import type { ReservationSettings } from "./settings.js";
import type { Registration, ReservationState } from "./state.js";

/**
 * RELEASE from a nexus registered with the key it named. First matching row:
 *
 * | condition | |
 * |---|---|
 * | no reservation | GOOD, nothing happens |
 * | sender is not a holder | GOOD, nothing happens, SCOPE and TYPE unseen |
 * | sender is a holder, SCOPE or TYPE differ, reserved ones included | INVALID RELEASE OF PERSISTENT RESERVATION |
 * | sender is a holder | GOOD, released; types 5 to 8: all others registered are told, unless NUAR = 1 |
 */
export function release(state: ReservationState, sender: Registration, command: ReserveOutBasic, settings: ReservationSettings): Outcome {
  const { reservation } = state;
  if (reservation === null || !state.isHolder(sender)) return GOOD;
  if (command.scope !== LU_SCOPE) return refused(Sense.INVALID_RELEASE_OF_PERSISTENT_RESERVATION, SCOPE_FIELD);
  if (command.type !== reservation.type) return refused(Sense.INVALID_RELEASE_OF_PERSISTENT_RESERVATION, TYPE_FIELD);
  state.release();
  if (settings.noUnitAttentionOnRelease || !isRegistrantsType(reservation.type)) return GOOD;
  return goodWith(tellRegistrants(state, sender.nexusKey, Sense.RESERVATIONS_RELEASED));
}
