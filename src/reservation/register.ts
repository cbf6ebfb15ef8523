/**
 * REGISTER and REGISTER AND IGNORE EXISTING KEY (SPC-5 5.14, Registering and Unregistering): who gets a key, who loses one.
 *
 * Which nexuses a command registers:
 *
 * | SPEC_I_PT | ALL_TG_PT | initiator ports | target ports |
 * |---|---|---|---|
 * | 0 | 0 | the sender's | the receiving one |
 * | 0 | 1 | the sender's | all |
 * | 1 | 0 | the sender's and each TransportID | the receiving one |
 * | 1 | 1 | the sender's and each TransportID | all |
 *
 * An iSCSI TransportID without ISID stands for every port of that name that is known (initiator-ports.ts).
 *
 * With ALL_TG_PT the standard has the command arrive at every target port and does not say what holds when the ports would answer
 * differently. Here the receiving nexus decides whether the command is admitted. REGISTER with a key needs of each of the
 * sender's other nexuses that it be unregistered or have the same key, else the whole command is a RESERVATION CONFLICT; REGISTER AND
 * IGNORE EXISTING KEY overwrites. With key 0 a registered sender's other registrations go too (REGISTER: those with the same key).
 */

import { assert } from "../base/assert.js";
import { isRegistrantsType } from "../scsi/persistent-reserve.js";
import { nexusKey } from "../scsi/nexus.js";
import type { Nexus } from "../scsi/nexus.js";
import type { ReserveOutBasic } from "../scsi/reserve-out-request.js";
import { Sense } from "../scsi/sense.js";
import type { TransportId } from "../scsi/transport-id.js";
import type { Outcome, Preparation } from "./effects.js";
import { SERVICE_ACTION_KEY_FIELD, SPEC_I_PT_FIELD, TRANSPORT_IDS_FIELD } from "./fields.js";
import { withNamedPorts } from "./initiator-ports.js";
import { CONFLICT, GOOD, goodWith, refused, tellRegistrants } from "./outcomes.js";
import { hasRoomFor } from "./settings.js";
import type { ReservationSettings, TargetPorts } from "./settings.js";
import type { Registration, ReservationState } from "./state.js";

/**
 * REGISTER. First matching row:
 *
 * | sender | RESERVATION KEY | SERVICE ACTION RESERVATION KEY | SPEC_I_PT | |
 * |---|---|---|---|---|
 * | not registered | not 0 | any | any | RESERVATION CONFLICT |
 * | not registered | 0 | 0 | any | GOOD, nothing happens |
 * | not registered | 0 | not 0 | any | GOOD, registers sender and those listed |
 * | registered | not its key | any | any | RESERVATION CONFLICT |
 * | registered | its key | any | 1 | INVALID FIELD IN PARAMETER LIST |
 * | registered | its key | 0 | 0 | GOOD, unregisters |
 * | registered | its key | not 0 | 0 | GOOD, changes the key |
 */
export function register(
  state: ReservationState,
  nexus: Nexus,
  sender: Registration | undefined,
  command: ReserveOutBasic,
  settings: ReservationSettings,
): Outcome | Preparation {
  if (command.key !== (sender?.key ?? 0n)) return CONFLICT;
  if (sender === undefined && command.serviceActionKey === 0n) return GOOD;
  if (sender !== undefined && command.transportIds !== null) {
    return refused(Sense.INVALID_FIELD_IN_PARAMETER_LIST, SPEC_I_PT_FIELD);
  }
  const own = nexusesOf(nexus.initiator, nexus, command, settings.targetPorts);
  if (command.serviceActionKey === 0n) return unregister(state, nexus, registered(state, own, command.key), command);
  const blocked = own.some((sibling) => (state.find(nexusKey(sibling))?.key ?? command.key) !== command.key);
  if (blocked) return CONFLICT;
  return withNamedPorts(command.transportIds ?? [], { state, sender: nexus, targetPorts: settings.targetPorts }, (ports) => {
    const listed = ports?.flatMap((port) => nexusesOf(port, nexus, command, settings.targetPorts));
    if (listed === undefined || !areNewcomers(state, nexus.initiator, listed)) {
      return refused(Sense.INVALID_FIELD_IN_PARAMETER_LIST, TRANSPORT_IDS_FIELD);
    }
    return enter(state, [...own, ...listed], command, settings);
  });
}

/**
 * REGISTER AND IGNORE EXISTING KEY. First matching row (SPEC_I_PT = 1 is refused when the parameter list is read):
 *
 * | sender | SERVICE ACTION RESERVATION KEY | |
 * |---|---|---|
 * | not registered | 0 | GOOD, nothing happens |
 * | not registered | not 0 | GOOD, registers |
 * | registered | 0 | GOOD, unregisters |
 * | registered | not 0 | GOOD, changes the key |
 */
export function registerAndIgnoreExistingKey(
  state: ReservationState,
  nexus: Nexus,
  sender: Registration | undefined,
  command: ReserveOutBasic,
  settings: ReservationSettings,
): Outcome {
  if (sender === undefined && command.serviceActionKey === 0n) return GOOD;
  const own = nexusesOf(nexus.initiator, nexus, command, settings.targetPorts);
  if (command.serviceActionKey === 0n) return unregister(state, nexus, registered(state, own, null), command);
  return enter(state, own, command, settings);
}

/** The nexuses of `initiator` that a command from `sender` is about: at the receiving target port, and with ALL_TG_PT at the others. */
function nexusesOf(initiator: TransportId, sender: Nexus, command: ReserveOutBasic, ports: TargetPorts): readonly Nexus[] {
  const received = { initiator, targetPort: sender.targetPort };
  if (!command.allTargetPorts) return [received];
  const others = ports.reachedBy(initiator).filter((port) => port !== sender.targetPort);
  return [received, ...others.map((targetPort) => ({ initiator, targetPort }))];
}

/**
 * True when every listed nexus may be registered by another: it speaks the transport of the sender, so that it can be at the same
 * port; it is not the sender's; and it is not registered.
 */
function areNewcomers(state: ReservationState, sender: TransportId, listed: readonly Nexus[]): boolean {
  return listed.every(
    ({ initiator, targetPort }) =>
      initiator.protocol === sender.protocol && !initiator.equals(sender) && state.find(initiator.keyAt(targetPort)) === undefined,
  );
}

function registered(state: ReservationState, nexuses: readonly Nexus[], key: bigint | null): readonly Registration[] {
  const found: Registration[] = [];
  for (const nexus of nexuses) {
    const registration = state.find(nexusKey(nexus));
    if (registration !== undefined && (key === null || registration.key === key)) found.push(registration);
  }
  return found;
}

/** Gives every one of `nexuses` the new key, all or none. */
function enter(state: ReservationState, nexuses: readonly Nexus[], command: ReserveOutBasic, settings: ReservationSettings): Outcome {
  const newcomers = nexuses.filter((nexus) => state.find(nexusKey(nexus)) === undefined);
  if (!hasRoomFor(newcomers, state.registrantCount, settings)) {
    return refused(Sense.INSUFFICIENT_REGISTRATION_RESOURCES, SERVICE_ACTION_KEY_FIELD);
  }
  const owner = settings.account?.owner;
  for (const nexus of nexuses) state.register(nexus, command.serviceActionKey, command.allTargetPorts, owner);
  state.setAptpl(command.aptpl);
  state.advanceGeneration();
  return GOOD;
}

/** Removes `leaving`, the sender among them. */
function unregister(state: ReservationState, nexus: Nexus, leaving: readonly Registration[], command: ReserveOutBasic): Outcome {
  assert(leaving.length > 0, "a sender that is not registered has nothing to give up");
  const before = state.reservation;
  for (const registration of leaving) state.unregister(registration);
  state.setAptpl(command.aptpl);
  state.advanceGeneration();
  const released = before !== null && state.reservation === null;
  if (!released || !isRegistrantsType(before.type)) return GOOD;
  return goodWith(tellRegistrants(state, nexusKey(nexus), Sense.RESERVATIONS_RELEASED));
}
