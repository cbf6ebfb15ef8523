/**
 * Linux host bytes: how the transport failed a command (DID_* of scsi/scsi_status.h). The one place that says which status and sense
 * data go with each of them, with the same answers as QEMU (scsi_sense_from_host_status in scsi/utils.c) wherever it has one.
 */

import { bareStatus, ScsiStatus } from "./command.js";
import type { ScsiResult } from "./command.js";
import { Sense, senseResult } from "./sense.js";
import type { SenseCode } from "./sense.js";

/** Host bytes that mean something here, by Linux' names without DID_. */
export const HostStatus = Object.freeze({
  OK: 0x00,
  NO_CONNECT: 0x01,
  BUS_BUSY: 0x02,
  TIME_OUT: 0x03,
  BAD_TARGET: 0x04,
  ABORT: 0x05,
  RESET: 0x08,
  TRANSPORT_DISRUPTED: 0x0e,
  TARGET_FAILURE: 0x10,
  NEXUS_FAILURE: 0x11,
  ALLOC_FAILURE: 0x12,
  MEDIUM_ERROR: 0x13,
});

/** CHECK CONDITION with this sense, or a status that has none. */
const ANSWERS: ReadonlyMap<number, SenseCode | number> = new Map<number, SenseCode | number>([
  [HostStatus.NO_CONNECT, Sense.LUN_NOT_RESPONDING],
  [HostStatus.BUS_BUSY, ScsiStatus.BUSY],
  [HostStatus.TIME_OUT, Sense.COMMAND_TIMEOUT],
  [HostStatus.BAD_TARGET, Sense.LUN_COMMUNICATION_FAILURE],
  [HostStatus.ABORT, Sense.COMMAND_ABORTED],
  [HostStatus.RESET, Sense.POWER_ON_OR_RESET],
  [HostStatus.TRANSPORT_DISRUPTED, Sense.TRANSPORT_NEXUS_LOSS],
  [HostStatus.TARGET_FAILURE, Sense.INTERNAL_TARGET_FAILURE],
  [HostStatus.NEXUS_FAILURE, ScsiStatus.RESERVATION_CONFLICT],
  [HostStatus.ALLOC_FAILURE, Sense.SPACE_ALLOCATION_FAILED],
  [HostStatus.MEDIUM_ERROR, Sense.UNRECOVERED_READ_ERROR],
]);

/** Statuses of commands that have done what they should. */
const SUCCESSES: ReadonlySet<number> = new Set([ScsiStatus.GOOD, ScsiStatus.CONDITION_MET]);

function resultOf(answer: SenseCode | number): ScsiResult {
  return typeof answer === "number" ? bareStatus(answer) : senseResult(answer);
}

/** The result of a command that the transport failed with `hostStatus`, which is not OK. */
export function hostFailure(hostStatus: number): ScsiResult {
  return { ...resultOf(ANSWERS.get(hostStatus) ?? Sense.IO_ERROR), hostStatus };
}

/**
 * `result` with the status and the sense data that go with its host status; one without a host status stays as it is. With a host status
 * that the table does not know, a failure that the device itself reported counts, and anything else is an I/O error (0B/00/06): a result
 * with a host status never has status GOOD.
 */
export function normalizeHostStatus(result: ScsiResult): ScsiResult {
  const { hostStatus } = result;
  if (hostStatus === undefined) return result;
  if (hostStatus === HostStatus.OK) {
    const { hostStatus: _, ...rest } = result;
    return rest;
  }
  if (ANSWERS.has(hostStatus) || SUCCESSES.has(result.status)) return hostFailure(hostStatus);
  return result;
}
