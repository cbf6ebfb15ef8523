/** What is true of every state, whatever commands led to it. */

import { assert } from "../base/assert.js";
import { allAtOnce, SLICE_ITEMS } from "../base/slices.js";
import type { Steps } from "../base/slices.js";
import { nexusKey } from "../scsi/nexus.js";
import { isAllRegistrants } from "../scsi/persistent-reserve.js";
import type { ReservationState } from "./state.js";

/**
 * States that `state` is sound. Grows with the number of registrants.
 * @throws AssertionError that says what does not hold
 */
export function checkInvariants(state: ReservationState): void {
  allAtOnce(invariantSteps(state));
}

/** The same in slices. */
export function* invariantSteps(state: ReservationState): Steps<void> {
  const keys = new Set<bigint>();
  let count = 0;
  for (const registration of state.registrations()) {
    count += 1;
    if (count % SLICE_ITEMS === 0) yield;
    keys.add(registration.key);
    assert(registration.key !== 0n, "no stored key is zero");
    assert(nexusKey(registration.nexus) === registration.nexusKey, "a registration knows its nexus");
    assert(state.find(registration.nexusKey) === registration, "a registration is found by its nexus");
    assert(state.withKey(registration.key)?.has(registration) === true, "a registration is found by its key");
  }
  assert(count === state.registrantCount, "the number of registrations is known");
  let sameKey = 0;
  for (const key of keys) sameKey += state.withKey(key)?.size ?? 0;
  assert(sameKey === count, "nothing but registrations is found by a key");
  assert(Number.isInteger(state.generation) && state.generation >= 0 && state.generation < 2 ** 32, "PRgeneration has 32 bits");

  const { reservation } = state;
  if (reservation === null) return;
  assert(count > 0, "a reservation needs a registration");
  const { type, holder } = reservation;
  assert(isAllRegistrants(type) === (holder === null), "all registrants hold a reservation of their types, one nexus those of the others");
  if (holder !== null) assert(state.find(holder.nexusKey) === holder, "the reservation holder is registered");
}
