/** CLEAR (SPC-5 5.14, Clearing): everything goes, whoever holds it. */

import { Sense } from "../scsi/sense.js";
import type { Outcome } from "./effects.js";
import { goodWith, othersOf } from "./outcomes.js";
import type { Registration, ReservationState } from "./state.js";

/** CLEAR from a nexus registered with the key it named: all registrations and the reservation end; whoever was registered is told. */
export function clear(state: ReservationState, sender: Registration): Outcome {
  const removed = state.clear();
  state.advanceGeneration();
  const audience = othersOf(removed, sender.nexusKey);
  return goodWith(audience === null ? [] : [{ audience, code: Sense.RESERVATIONS_PREEMPTED }]);
}
