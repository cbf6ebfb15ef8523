/**
 * REGISTER AND MOVE (SPC-5 5.14, Registering and moving the reservation): the holder hands the reservation to another nexus, which need
 * not be there.
 */

import { nexusKey } from "../scsi/nexus.js";
import type { ReserveOutMove } from "../scsi/reserve-out-request.js";
import { Sense } from "../scsi/sense.js";
import type { TransportId } from "../scsi/transport-id.js";
import type { Outcome, Preparation } from "./effects.js";
import { DESTINATION_FIELD, SERVICE_ACTION_FIELD, SERVICE_ACTION_KEY_FIELD, TARGET_PORT_FIELD } from "./fields.js";
import { withNamedPorts } from "./initiator-ports.js";
import { CONFLICT, GOOD, refused } from "./outcomes.js";
import { hasRoomFor } from "./settings.js";
import type { ReservationSettings } from "./settings.js";
import type { Registration, ReservationState } from "./state.js";

/**
 * REGISTER AND MOVE from a nexus registered with the key it named. First matching row:
 *
 * | condition | |
 * |---|---|
 * | SERVICE ACTION RESERVATION KEY = 0 | INVALID FIELD IN PARAMETER LIST |
 * | the device has no such target port | INVALID FIELD IN PARAMETER LIST |
 * | the TransportID is an iSCSI name without ISID, and not exactly one port of that name is known | INVALID FIELD IN PARAMETER LIST |
 * | the TransportID is of another transport than the sender's | INVALID FIELD IN PARAMETER LIST |
 * | the TransportID is the sender's initiator port, at whatever target port | INVALID FIELD IN PARAMETER LIST |
 * | no reservation | INVALID FIELD IN CDB |
 * | the sender is not the one holder, or the type is All Registrants | RESERVATION CONFLICT |
 * | no room for the destination's registration | INSUFFICIENT REGISTRATION RESOURCES |
 * | else | GOOD: the destination has the new key and the reservation, type unchanged; UNREG = 1 ends the sender's registration |
 *
 * Nobody is told.
 */
export function registerAndMove(
  state: ReservationState,
  sender: Registration,
  command: ReserveOutMove,
  settings: ReservationSettings,
): Outcome | Preparation {
  if (command.serviceActionKey === 0n) return refused(Sense.INVALID_FIELD_IN_PARAMETER_LIST, SERVICE_ACTION_KEY_FIELD);
  if (!settings.targetPorts.has(command.relativeTargetPort)) return refused(Sense.INVALID_FIELD_IN_PARAMETER_LIST, TARGET_PORT_FIELD);
  const from = { state, sender: sender.nexus, targetPorts: settings.targetPorts };
  return withNamedPorts([command.transportId], from, (ports) => moveTo(ports ?? [], state, sender, command, settings));
}

/** The same to the port that was named. */
function moveTo(
  [initiator, ...others]: readonly TransportId[],
  state: ReservationState,
  sender: Registration,
  command: ReserveOutMove,
  settings: ReservationSettings,
): Outcome {
  const own = sender.nexus.initiator;
  if (initiator === undefined || others.length > 0 || initiator.protocol !== own.protocol || initiator.equals(own)) {
    return refused(Sense.INVALID_FIELD_IN_PARAMETER_LIST, DESTINATION_FIELD);
  }
  const { reservation } = state;
  if (reservation === null) return refused(Sense.INVALID_FIELD_IN_CDB, SERVICE_ACTION_FIELD);
  if (reservation.holder !== sender) return CONFLICT;
  const nexus = { initiator, targetPort: command.relativeTargetPort };
  const grows = state.find(nexusKey(nexus)) === undefined && !command.unregister;
  if (grows && !hasRoomFor([nexus], state.registrantCount, settings)) {
    return refused(Sense.INSUFFICIENT_REGISTRATION_RESOURCES, DESTINATION_FIELD);
  }
  const destination = state.register(nexus, command.serviceActionKey, false, settings.account?.owner);
  state.reserve(reservation.type, destination);
  if (command.unregister) state.unregister(sender);
  state.setAptpl(command.aptpl);
  state.advanceGeneration();
  return GOOD;
}
