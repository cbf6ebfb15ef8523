/**
 * The unit attentions and aborts that a change of reservations by another fabric causes for the nexuses here. Only the states before and
 * after the change are known (SPC-5 5.14).
 *
 * | a nexus that is here | unit attention | loses its commands |
 * |---|---|---|
 * | was registered, nobody is any more: CLEAR | RESERVATIONS PREEMPTED | only if states in between were not seen |
 * | was registered and is not, others are: PREEMPT, with or without ABORT | REGISTRATIONS PREEMPTED | yes |
 * | is registered, and a reservation of types 5 to 8 is gone: RELEASE, or its holder unregistered | RESERVATIONS RELEASED | no |
 * | is registered and not its holder, and the reservation has another type: PREEMPT | RESERVATIONS RELEASED | no |
 * | else | nothing | no |
 *
 * Whether a PREEMPT was a PREEMPT AND ABORT cannot be seen, so it is treated as one: when the change is reported to be in force, nothing
 * that it forbids is under way.
 */

import { isRegistrantsType } from "../scsi/persistent-reserve.js";
import type { SenseCode } from "../scsi/sense.js";
import { Sense } from "../scsi/sense.js";
import type { Audience, Effects, UnitAttention } from "./effects.js";
import type { FormerState, ReservationState } from "./state.js";

/** Settings of the device. */
export interface ElsewhereSettings {
  /** NUAR of the Control mode page: RELEASE causes no unit attention. */
  readonly noUnitAttentionOnRelease: boolean;
  /** States in between were not seen: CLEAR may have followed a PREEMPT AND ABORT. Default: false. */
  readonly skipped?: boolean;
}

/**
 * See the module text. Takes time proportional to the number of `nexuses`, however many are registered.
 * @param nexuses nexusKeys of the nexuses here
 */
export function changesElsewhere(
  former: FormerState,
  next: ReservationState,
  nexuses: Iterable<string>,
  settings: ElsewhereSettings,
): Effects {
  const unitAttentions: UnitAttention[] = [];
  const aborts: Audience[] = [];
  const released = isReleased(former, next, settings);
  for (const nexus of nexuses) {
    if (former.find(nexus) === undefined) continue;
    const audience: Audience = { group: "nexus", nexus };
    const code = newsOf(next, nexus, released);
    if (code !== null) unitAttentions.push({ audience, code });
    const cleared = code === Sense.RESERVATIONS_PREEMPTED;
    if (code === Sense.REGISTRATIONS_PREEMPTED || (cleared && settings.skipped === true)) aborts.push(audience);
  }
  return { unitAttentions, aborts, persist: false };
}

function newsOf(next: ReservationState, nexus: string, released: boolean): SenseCode | null {
  const registration = next.find(nexus);
  if (registration === undefined) return next.registrantCount === 0 ? Sense.RESERVATIONS_PREEMPTED : Sense.REGISTRATIONS_PREEMPTED;
  return released && next.reservation?.holder !== registration ? Sense.RESERVATIONS_RELEASED : null;
}

function isReleased(former: FormerState, next: ReservationState, settings: ElsewhereSettings): boolean {
  const [before, after] = [former.reservation, next.reservation];
  if (before === null || before.type === after?.type) return false;
  if (after !== null) return true;
  if (!isRegistrantsType(before.type)) return false;
  // a holder that is still registered has released
  return !settings.noUnitAttentionOnRelease || (before.holder !== null && next.find(before.holder.nexusKey) === undefined);
}
