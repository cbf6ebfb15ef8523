/**
 * From the outcome of SG_IO to a SCSI result, with the same answers as QEMU (scsi/utils.c) wherever it has one. The one difference: a
 * host status that QEMU's table does not know, with a GOOD device status, is an I/O error here, not success. What a host status stands
 * for is in scsi/host-status.ts.
 */

import { bareStatus, checkCondition, NO_BYTES, ScsiStatus } from "../../scsi/command.js";
import type { ScsiResult } from "../../scsi/command.js";
import { HostStatus, normalizeHostStatus } from "../../scsi/host-status.js";
import { Sense, senseResult } from "../../scsi/sense.js";
import type { SenseCode } from "../../scsi/sense.js";
import { Errno } from "../errno.js";
import type { SgIoCompletion, SgIoOutcome } from "./sg-io.js";

/** CHECK CONDITION with this sense, or a status that has none. */
type Answer = SenseCode | number;

/** Error numbers that Linux's SCSI layer gives a meaning of its own, and ECANCELED of the executor. All others are I/O errors. */
const ERRNO_ANSWERS: ReadonlyMap<number, Answer> = new Map<number, Answer>([
  [Errno.EDOM, ScsiStatus.TASK_SET_FULL],
  [Errno.EBADE, ScsiStatus.RESERVATION_CONFLICT],
  [Errno.EREMOTEIO, Sense.INTERNAL_TARGET_FAILURE],
  [Errno.ENOMEM, Sense.INTERNAL_TARGET_FAILURE],
  // since QEMU 11; QEMU 7.2 makes an I/O error of it
  [Errno.ENODEV, Sense.INTERNAL_TARGET_FAILURE],
  [Errno.ENODATA, Sense.UNRECOVERED_READ_ERROR],
  [Errno.ENOMEDIUM, Sense.MEDIUM_NOT_PRESENT],
  [Errno.EINVAL, Sense.INVALID_FIELD_IN_CDB],
  [Errno.ENOSPC, Sense.SPACE_ALLOCATION_FAILED],
  [Errno.ECANCELED, ScsiStatus.TASK_ABORTED],
]);

/** The driver's part of the driver byte; its upper half was a suggestion what to do. */
const DRIVER_MASK = 0x0f;
const DRIVER_TIMEOUT = 0x06;

function resultOf(answer: Answer): ScsiResult {
  return typeof answer === "number" ? bareStatus(answer) : senseResult(answer);
}

/** The SCSI result that stands for a positive error number of a system call. */
export function resultOfErrno(errno: number): ScsiResult {
  return resultOf(ERRNO_ANSWERS.get(errno) ?? Sense.IO_ERROR);
}

/**
 * The SCSI result of an SG_IO call: the call's own failure first, then the host's, then the driver's, then what the device said.
 *
 * @param allocationLength size of the initiator's buffer for data-in, 0 if there is none; what it does not have room for is cut off
 */
export function resultOfSgIo(outcome: SgIoOutcome, allocationLength: number): ScsiResult {
  if (outcome.errno !== undefined) return resultOfErrno(outcome.errno);
  const { hostStatus } = outcome;
  if (hostStatus !== HostStatus.OK) return normalizeHostStatus({ ...deviceFailure(outcome), hostStatus });
  if ((outcome.driverStatus & DRIVER_MASK) === DRIVER_TIMEOUT) return bareStatus(ScsiStatus.BUSY);
  if (outcome.status !== ScsiStatus.GOOD) return deviceFailure(outcome);
  const dataIn = outcome.dataIn.length > allocationLength ? outcome.dataIn.subarray(0, allocationLength) : outcome.dataIn;
  return { status: ScsiStatus.GOOD, dataIn, residual: allocationLength - dataIn.length, sense: NO_BYTES };
}

function deviceFailure(outcome: SgIoCompletion): ScsiResult {
  return outcome.status === ScsiStatus.CHECK_CONDITION ? checkCondition(outcome.sense) : bareStatus(outcome.status);
}
