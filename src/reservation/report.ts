/** PERSISTENT RESERVE IN: what is registered, what is reserved, what the device can do. Changes nothing. */

import { readU16 } from "../scsi/bytes.js";
import { NO_BYTES, ScsiStatus } from "../scsi/command.js";
import type { ScsiResult } from "../scsi/command.js";
import { LU_SCOPE, reserveInAction } from "../scsi/persistent-reserve.js";
import type { ReserveInAction } from "../scsi/persistent-reserve.js";
import { PersistentReserveIn } from "../scsi/persistent-reserve-in.js";
import type { FullStatusEntry } from "../scsi/persistent-reserve-in.js";
import { Sense, senseResult } from "../scsi/sense.js";
import { ALLOCATION_LENGTH_FIELD, SERVICE_ACTION_FIELD } from "./fields.js";
import type { ReservationSettings, TargetPorts } from "./settings.js";
import type { Registration, ReservationState } from "./state.js";

/** ALLOW COMMANDS of REPORT CAPABILITIES: conflict-matrix.ts follows the standard's table to the letter. */
const ALLOW_COMMANDS = 4;

/**
 * Executes a PERSISTENT RESERVE IN. Any nexus may ask, registered or not, and all get the same answer.
 * @param bufferLength size in bytes of the initiator's buffer. One that is smaller than the CDB's ALLOCATION LENGTH contradicts it: the
 *   field says what the application client has allocated (SPC-4 4.2.5.6). The answer is INVALID FIELD IN CDB, as Linux' target has it.
 * @param into memory for the data instead of new one
 */
export function applyReserveIn(
  state: ReservationState,
  cdb: Uint8Array,
  bufferLength: number,
  settings: ReservationSettings,
  into?: Uint8Array,
): ScsiResult {
  const action = reserveInAction((cdb[1] ?? 0) & 0x1f);
  if (action === null) return senseResult(Sense.INVALID_FIELD_IN_CDB, { fieldPointer: SERVICE_ACTION_FIELD });
  const allocationLength = readU16(cdb, ALLOCATION_LENGTH_FIELD.byte);
  if (bufferLength < allocationLength) return senseResult(Sense.INVALID_FIELD_IN_CDB, { fieldPointer: ALLOCATION_LENGTH_FIELD });
  const dataIn = report(action, state, allocationLength, settings, into);
  return { status: ScsiStatus.GOOD, dataIn, residual: bufferLength - dataIn.length, sense: NO_BYTES };
}

function report(
  action: ReserveInAction,
  state: ReservationState,
  lengthMax: number,
  settings: ReservationSettings,
  into: Uint8Array | undefined,
): Uint8Array {
  switch (action) {
    case "read-keys":
      return PersistentReserveIn.encodeKeys(state.generation, keysOf(state), state.registrantCount, lengthMax, into);
    case "read-reservation":
      return PersistentReserveIn.encodeReservation(state.generation, reportedReservation(state), lengthMax, into);
    case "report-capabilities":
      return PersistentReserveIn.encodeCapabilities(capabilities(state, settings), lengthMax, into);
    case "read-full-status": {
      const entries = fullStatus(state, settings.targetPorts);
      return PersistentReserveIn.encodeFullStatus(state.generation, entries, state.registrantCount, lengthMax, into);
    }
  }
}

/** One key for each registration, in order of registration. */
function* keysOf(state: ReservationState): Generator<bigint> {
  for (const registration of state.registrations()) yield registration.key;
}

function reportedReservation(state: ReservationState): Parameters<typeof PersistentReserveIn.encodeReservation>[1] {
  const { reservation } = state;
  return reservation === null ? null : { key: reservation.holder?.key ?? 0n, scope: LU_SCOPE, type: reservation.type };
}

function capabilities(
  state: ReservationState,
  settings: ReservationSettings,
): Parameters<typeof PersistentReserveIn.encodeCapabilities>[0] {
  return {
    replaceLostReservation: false,
    compatibleReservationHandling: settings.compatibleReservationHandling,
    specifyInitiatorPorts: settings.specifyInitiatorPorts,
    allTargetPorts: settings.allTargetPorts,
    persistThroughPowerLoss: settings.persistThroughPowerLoss,
    persistThroughPowerLossActive: state.aptpl,
    allowCommands: ALLOW_COMMANDS,
    types: settings.types,
  };
}

/**
 * One entry for each registration, in order of registration; or a single one with ALL_TG_PT = 1 for those an initiator port made with
 * that bit, as long as all of its nexuses agree in key and in being holder or not.
 */
function* fullStatus(state: ReservationState, ports: TargetPorts): Generator<FullStatusEntry> {
  for (const registration of state.registrations()) {
    const { initiator, targetPort } = registration.nexus;
    const forAllPorts = registration.allTargetPorts && agreeAtAllPorts(state, registration, ports);
    if (forAllPorts && targetPort !== (ports.reachedBy(initiator)[0] ?? targetPort)) continue;
    const holder = state.isHolder(registration);
    yield {
      key: registration.key,
      initiator,
      targetPort: forAllPorts ? 0 : targetPort,
      holder,
      type: holder && state.reservation !== null ? state.reservation.type : 0,
      scope: LU_SCOPE,
      allTargetPorts: forAllPorts,
    };
  }
}

/** True when all nexuses of the initiator port were registered with ALL_TG_PT, have the same key, and are holders or not alike. */
function agreeAtAllPorts(state: ReservationState, registration: Registration, ports: TargetPorts): boolean {
  const { initiator } = registration.nexus;
  return ports.reachedBy(initiator).every((port) => {
    const sibling = state.find(initiator.keyAt(port));
    return sibling?.allTargetPorts === true && sibling.key === registration.key && state.isHolder(sibling) === state.isHolder(registration);
  });
}
