/**
 * What the nexuses that are here have to be told when the reservations were changed by another fabric, of which only the states before and
 * after are known (SPC-5 5.14).
 *
 * | a nexus that is here | is told | loses its commands |
 * |---|---|---|
 * | was registered, nobody is any more: CLEAR | RESERVATIONS PREEMPTED | only if states between were not seen |
 * | was registered and is not, others are: PREEMPT, with or without ABORT | REGISTRATIONS PREEMPTED | yes |
 * | is registered, and a reservation of types 5 to 8 is gone: RELEASE, or its holder unregistered | RESERVATIONS RELEASED | no |
 * | is registered and not its holder, and the reservation has another type: PREEMPT | RESERVATIONS RELEASED | no |
 * | else | nothing | no |
 *
 * Whether a PREEMPT was one that aborts cannot be seen, so it is taken for that: then nothing that the change forbids is under way when
 * that is said to be so.
 */

import { isRegistrantsType } from "../scsi/persistent-reserve.js";
import type { SenseCode } from "../scsi/sense.js";
import { Sense } from "../scsi/sense.js";
import type { Audience, Effects, UnitAttention } from "./effects.js";
import type { FormerState, ReservationState } from "./state.js";

/** What the device goes by. */
export interface ElsewhereSettings {
  /** NUAR of the Control mode page: RELEASE tells nobody. */
  readonly noUnitAttentionOnRelease: boolean;
  /** There were states between the two, of which nothing is known: CLEAR may have come after PREEMPT AND ABORT. Absent: false. */
  readonly skipped?: boolean;
}

/**
 * See the module text. It takes as long as there are `nexuses`, however many are registered.
 * @param nexuses the nexusKeys of those that are here
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
