/** What the things that a unit keeps in memory count for, to whoever answers for them. */

import type { Holdings } from "../scsi/account.js";
import type { TransportId } from "../scsi/transport-id.js";

/** A unit without anything: measured 5 KB. */
const UNIT_BYTES = 8192;

/** A nexus that a unit knows, with its unit attentions: measured 0.8 KB. */
const NEXUS_BYTES = 1024;

/** A registration, with its places in three maps and a copy while a change is saved: measured 0.6 KB, without names. */
const REGISTRATION_BYTES = 1024;

/** A name is kept as text, as key and as bytes, some of them two bytes for each character. */
const BYTES_PER_CHARACTER = 8;

/** What a unit of that name is. */
export function unitHoldings(name: string): Holdings {
  return { units: 1, registrations: 0, bytes: UNIT_BYTES + BYTES_PER_CHARACTER * name.length };
}

/** What a nexus of that initiator port is, unregistered. */
export function nexusHoldings(initiator: TransportId): Holdings {
  return { units: 0, registrations: 0, bytes: NEXUS_BYTES + BYTES_PER_CHARACTER * initiator.key.length };
}

/** What registrations of those initiator ports are. */
export function registrationHoldings(initiators: Iterable<TransportId>): Holdings {
  let [registrations, bytes] = [0, 0];
  for (const { key } of initiators) {
    registrations += 1;
    bytes += REGISTRATION_BYTES + BYTES_PER_CHARACTER * key.length;
  }
  return { units: 0, registrations, bytes };
}

/** The one and the other together. */
export function sumOf(one: Holdings, other: Holdings): Holdings {
  return { units: one.units + other.units, registrations: one.registrations + other.registrations, bytes: one.bytes + other.bytes };
}

/** What gives that back. */
export function negative({ units, registrations, bytes }: Holdings): Holdings {
  return { units: -units, registrations: -registrations, bytes: -bytes };
}

/** Nothing. */
export const NO_HOLDINGS: Holdings = Object.freeze({ units: 0, registrations: 0, bytes: 0 });
