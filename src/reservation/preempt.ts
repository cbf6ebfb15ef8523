/**
 * PREEMPT and PREEMPT AND ABORT (SPC-5 5.14, Preempting, Removing registrations, Preempting and aborting): removes others' registrations,
 * and takes the reservation if it was theirs.
 */

import { isAllRegistrants } from "../scsi/persistent-reserve.js";
import type { ReservationType } from "../scsi/persistent-reserve.js";
import type { ReserveOutBasic } from "../scsi/reserve-out-request.js";
import { Sense } from "../scsi/sense.js";
import { SLICE_ITEMS } from "../base/slices.js";
import type { Audience, Outcome, Preparation, UnitAttention } from "./effects.js";
import { SERVICE_ACTION_KEY_FIELD, typeToReserve } from "./fields.js";
import { CONFLICT, goodWith, othersOf, refused, tellRegistrants } from "./outcomes.js";
import type { ReservationSettings } from "./settings.js";
import type { Registration, Reservation, ReservationState } from "./state.js";

/**
 * PREEMPT from a nexus registered with the key it named; SARK is the SERVICE ACTION RESERVATION KEY. First matching row:
 *
 * | condition | |
 * |---|---|
 * | All Registrants reservation, SARK = 0 | as "replace", all registrations being named |
 * | SARK = 0 | INVALID FIELD IN PARAMETER LIST |
 * | nobody is registered with SARK | RESERVATION CONFLICT |
 * | SARK is the key of the one holder | replace |
 * | else | remove |
 *
 * - replace: SCOPE and TYPE must be such as can be reserved, else INVALID FIELD IN CDB. The sender holds a new reservation of TYPE; all
 *   named registrations but its own are removed. The others registered are told if the type changed.
 * - remove: SCOPE and TYPE are not looked at. All named registrations are removed, the sender's too if it is named.
 *
 * Whoever was removed is told. PREEMPT AND ABORT also ends the commands of all who are named, the sender's other ones included.
 */
export function preempt(
  state: ReservationState,
  sender: Registration,
  command: ReserveOutBasic,
  settings: ReservationSettings,
): Outcome | Preparation {
  const former = state.reservation;
  const victimKey = command.serviceActionKey;
  const namesAll = victimKey === 0n && former !== null && isAllRegistrants(former.type);
  if (victimKey === 0n && !namesAll) return refused(Sense.INVALID_FIELD_IN_PARAMETER_LIST, SERVICE_ACTION_KEY_FIELD);
  const named = namesAll ? state.registrations() : state.withKey(victimKey);
  if (named === undefined) return CONFLICT;

  const replaces = namesAll || former?.holder?.key === victimKey;
  const type = replaces ? typeToReserve(command, settings) : null;
  if (typeof type === "object" && type !== null) return type;
  const leaves = (registration: Registration): boolean =>
    (namesAll || registration.key === victimKey) && !(replaces && registration === sender);
  const removed = [...named].filter(leaves);
  const preemption = { state, sender, command, former, namesAll, removed, type };
  if (removed.length > SLICE_ITEMS) return prepare(preemption, leaves);
  return carryOut(preemption, () => {
    for (const registration of removed) state.unregister(registration);
  });
}

/** One that is not refused. */
interface Preemption {
  readonly state: ReservationState;
  readonly sender: Registration;
  readonly command: ReserveOutBasic;
  /** The reservation before. */
  readonly former: Reservation | null;
  /** All registrations are named. */
  readonly namesAll: boolean;
  readonly removed: readonly Registration[];
  /** Of the reservation that takes the place of the former one; null where none does. */
  readonly type: ReservationType | null;
}

function* prepare(preemption: Preemption, leaves: (registration: Registration) => boolean): Preparation {
  const remove = yield* preemption.state.removal(leaves);
  return () => carryOut(preemption, remove);
}

function carryOut({ state, sender, command, former, namesAll, removed, type }: Preemption, remove: () => void): Outcome {
  // before its former holder goes, and the reservation with that
  if (type !== null) state.reserve(type, sender);
  remove();
  state.advanceGeneration();

  const others = othersOf(removed, sender.nexusKey);
  const unitAttentions: UnitAttention[] = [];
  if (others !== null) unitAttentions.push({ audience: others, code: Sense.REGISTRATIONS_PREEMPTED });
  if (type !== null && former?.type !== type) unitAttentions.push(...tellRegistrants(state, sender.nexusKey, Sense.RESERVATIONS_RELEASED));
  if (command.action !== "preempt-and-abort") return goodWith(unitAttentions);
  const aborts: Audience[] = others === null ? [] : [others];
  if (namesAll || sender.key === command.serviceActionKey) aborts.push({ group: "nexus", nexus: sender.nexusKey });
  return goodWith(unitAttentions, aborts);
}
