/** What an account is charged for the things that a unit keeps in memory. */

import type { Holdings } from "../scsi/account.js";
import type { TransportId } from "../scsi/transport-id.js";

/** An empty unit: measured 5 KB. */
const UNIT_BYTES = 8192;

/** A known nexus with its unit attentions: measured 0.8 KB. */
const NEXUS_BYTES = 1024;

/** A registration with its entries in three maps, and a copy while a change is saved: measured 0.6 KB, without names. */
const REGISTRATION_BYTES = 1024;

/** A name is kept as text, as a key and as bytes, some of them with two bytes per character. */
const BYTES_PER_CHARACTER = 8;

/** The charge for a unit of that name. */
export function unitHoldings(name: string): Holdings {
  return { units: 1, registrations: 0, bytes: UNIT_BYTES + BYTES_PER_CHARACTER * name.length };
}

/** The charge for an unregistered nexus of that initiator port. */
export function nexusHoldings(initiator: TransportId): Holdings {
  return { units: 0, registrations: 0, bytes: NEXUS_BYTES + BYTES_PER_CHARACTER * initiator.key.length };
}

/** The charge for registrations of these initiator ports. */
export function registrationHoldings(initiators: Iterable<TransportId>): Holdings {
  let [registrations, bytes] = [0, 0];
  for (const { key } of initiators) {
    registrations += 1;
    bytes += REGISTRATION_BYTES + BYTES_PER_CHARACTER * key.length;
  }
  return { units: 0, registrations, bytes };
}

/** The sum of both. */
export function sumOf(one: Holdings, other: Holdings): Holdings {
  return { units: one.units + other.units, registrations: one.registrations + other.registrations, bytes: one.bytes + other.bytes };
}

/** The change that undoes that one. */
export function negative({ units, registrations, bytes }: Holdings): Holdings {
  return { units: -units, registrations: -registrations, bytes: -bytes };
}

/** Nothing. */
export const NO_HOLDINGS: Holdings = Object.freeze({ units: 0, registrations: 0, bytes: 0 });
