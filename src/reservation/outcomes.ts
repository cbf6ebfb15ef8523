/** Outcomes shared by the service actions. The most frequent ones, which carry no data, are frozen constants. */

import { bareStatus, good, ScsiStatus } from "../scsi/command.js";
import { senseResult } from "../scsi/sense.js";
import type { FieldPointer, SenseCode } from "../scsi/sense.js";
import { NO_EFFECTS } from "./effects.js";
import type { Audience, Outcome, UnitAttention } from "./effects.js";
import type { Registration, ReservationState } from "./state.js";

/** GOOD, without effects. */
export const GOOD: Outcome = Object.freeze({ result: Object.freeze(good()), effects: NO_EFFECTS });

/** RESERVATION CONFLICT. */
export const CONFLICT: Outcome = Object.freeze({
  result: Object.freeze(bareStatus(ScsiStatus.RESERVATION_CONFLICT)),
  effects: NO_EFFECTS,
});

/** CHECK CONDITION because of the field at `fieldPointer`. */
export function refused(sense: SenseCode, fieldPointer: FieldPointer): Outcome {
  return { result: senseResult(sense, { fieldPointer }), effects: NO_EFFECTS };
}

/** GOOD, with unit attentions or aborts. */
export function goodWith(unitAttentions: readonly UnitAttention[], aborts: readonly Audience[] = []): Outcome {
  if (unitAttentions.length === 0 && aborts.length === 0) return GOOD;
  return { result: GOOD.result, effects: { unitAttentions, aborts, persist: false } };
}

/** A unit attention for all registrants but `sender`; none if there are no others. */
export function tellRegistrants(state: ReservationState, sender: string, code: SenseCode): readonly UnitAttention[] {
  const others = state.registrantCount - (state.find(sender) === undefined ? 0 : 1);
  return others === 0 ? [] : [{ audience: { group: "registrants-but", except: sender }, code }];
}

/** The group of `removed` without `sender`; null if it is empty. */
export function othersOf(removed: readonly Registration[], sender: string): Audience | null {
  const [first] = removed;
  if (first === undefined || (removed.length === 1 && first.nexusKey === sender)) return null;
  return { group: "removed", registrations: removed, except: sender };
}
