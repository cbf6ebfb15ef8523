/** What became of a command, as one of the exit statuses of sg3_utils (sg3_utils(8), EXIT STATUS) and in words. */
import { ScsiStatus } from "../../scsi/command.js";
import type { ScsiResult } from "../../scsi/command.js";
import { formatSense, parseSense, sameSense, Sense } from "../../scsi/sense.js";
import type { SenseCode } from "../../scsi/sense.js";

/** Exit statuses that this program has a use for. */
export const ExitStatus = Object.freeze({
  SUCCESS: 0,
  SYNTAX: 1,
  NOT_READY: 2,
  MEDIUM_OR_HARDWARE: 3,
  ILLEGAL_REQUEST: 5,
  UNIT_ATTENTION: 6,
  DATA_PROTECT: 7,
  INVALID_OPCODE: 9,
  COPY_ABORTED: 10,
  ABORTED_COMMAND: 11,
  STANDBY: 12,
  UNAVAILABLE: 13,
  MISCOMPARE: 14,
  FILE_ERROR: 15,
  PARAMETER_LIST: 19,
  LBA_OUT_OF_RANGE: 22,
  RESERVATION_CONFLICT: 24,
  CONDITION_MET: 25,
  BUSY: 26,
  TASK_SET_FULL: 27,
  ACA_ACTIVE: 28,
  TASK_ABORTED: 29,
  CONTRADICTION: 31,
  TIMEOUT: 33,
  TRANSPORT: 35,
  PROTECTION: 40,
  OS_ERROR: 50,
  MALFORMED: 97,
  OTHER_SENSE: 98,
  OTHER: 99,
});

/** Error numbers from this on do not fit between OS_ERROR and what follows. */
const ERRNO_END = 47;

/** ENXIO, no such device or address: the device is not ready, as sg3_utils sees it. */
const ENXIO = 6;

/** Linux host bytes in words: DID_* of scsi/scsi_status.h. */
const HOST_STATUS_NAMES: ReadonlyMap<number, string> = new Map([
  [0x01, "no connection"],
  [0x02, "bus busy"],
  [0x03, "time-out"],
  [0x04, "bad target"],
  [0x05, "aborted"],
  [0x06, "parity error"],
  [0x07, "error of the host adapter"],
  [0x08, "reset"],
  [0x0e, "transport disrupted"],
  [0x0f, "transport failed fast"],
  [0x10, "target failure"],
  [0x11, "reservation conflict on the nexus"],
  [0x12, "space allocation failed"],
  [0x13, "medium error"],
  [0x14, "transport marginal"],
]);

/** A command's outcome. */
export interface ExitOutcome {
  readonly exitStatus: number;
  /** In words, for a line of an error message; also where `exitStatus` is 0. */
  readonly text: string;
}

const BY_STATUS: Readonly<Record<number, ExitOutcome>> = {
  [ScsiStatus.GOOD]: { exitStatus: ExitStatus.SUCCESS, text: "Good" },
  [ScsiStatus.CONDITION_MET]: { exitStatus: ExitStatus.CONDITION_MET, text: "Condition met" },
  [ScsiStatus.BUSY]: { exitStatus: ExitStatus.BUSY, text: "Busy" },
  [ScsiStatus.RESERVATION_CONFLICT]: { exitStatus: ExitStatus.RESERVATION_CONFLICT, text: "Reservation conflict" },
  [ScsiStatus.TASK_SET_FULL]: { exitStatus: ExitStatus.TASK_SET_FULL, text: "Task set full" },
  [ScsiStatus.ACA_ACTIVE]: { exitStatus: ExitStatus.ACA_ACTIVE, text: "ACA active" },
  [ScsiStatus.TASK_ABORTED]: { exitStatus: ExitStatus.TASK_ABORTED, text: "Task aborted" },
};

/** By sense key, where the additional sense code does not matter; a key that is not here has OTHER_SENSE. */
const BY_SENSE_KEY: Readonly<Record<number, number>> = {
  // NO SENSE and RECOVERED ERROR: the command did what it should.
  0x0: ExitStatus.SUCCESS,
  0x1: ExitStatus.SUCCESS,
  0x2: ExitStatus.NOT_READY,
  0x3: ExitStatus.MEDIUM_OR_HARDWARE,
  0x4: ExitStatus.MEDIUM_OR_HARDWARE,
  0x5: ExitStatus.ILLEGAL_REQUEST,
  0x6: ExitStatus.UNIT_ATTENTION,
  0x7: ExitStatus.DATA_PROTECT,
  0x8: ExitStatus.MEDIUM_OR_HARDWARE,
  0xa: ExitStatus.COPY_ABORTED,
  0xb: ExitStatus.ABORTED_COMMAND,
  0xe: ExitStatus.MISCOMPARE,
};

/** By additional sense code, where it says more than the sense key. */
const BY_SENSE: readonly (readonly [SenseCode, number])[] = [
  // LOGICAL UNIT NOT ACCESSIBLE, TARGET PORT IN STANDBY STATE, and UNAVAILABLE.
  [{ key: 0x2, asc: 0x04, ascq: 0x0b }, ExitStatus.STANDBY],
  [{ key: 0x2, asc: 0x04, ascq: 0x0c }, ExitStatus.UNAVAILABLE],
  [Sense.INVALID_COMMAND_OPERATION_CODE, ExitStatus.INVALID_OPCODE],
  [Sense.LBA_OUT_OF_RANGE, ExitStatus.LBA_OUT_OF_RANGE],
  [Sense.INVALID_FIELD_IN_PARAMETER_LIST, ExitStatus.PARAMETER_LIST],
  // What becomes of a host adapter's time-out on its way through a PR helper.
  [Sense.COMMAND_TIMEOUT, ExitStatus.TIMEOUT],
];

/** ASC of LOGICAL BLOCK PROTECTION failures, with ABORTED COMMAND. */
const PROTECTION_ASC = 0x10;

/**
 * The outcome of a command whose result is known. Where the transport failed nothing that came with it counts: whether the device has run
 * the command is not known, so that the status must be none that tells a caller to send it again.
 */
export function exitOutcomeOf(result: ScsiResult): ExitOutcome {
  const { hostStatus = 0 } = result;
  if (hostStatus !== 0) {
    const name = HOST_STATUS_NAMES.get(hostStatus);
    const number = `host status ${hostStatus.toString(16).padStart(2, "0")}h`;
    return { exitStatus: ExitStatus.TRANSPORT, text: `the transport failed: ${number}${name === undefined ? "" : ` (${name})`}` };
  }
  const sense = parseSense(result.sense);
  if (result.status === ScsiStatus.CHECK_CONDITION) {
    if (sense === null) return { exitStatus: ExitStatus.OTHER_SENSE, text: "CHECK CONDITION without sense data" };
    return { exitStatus: exitStatusOfSense(sense), text: formatSense(sense) };
  }
  return BY_STATUS[result.status] ?? { exitStatus: ExitStatus.OTHER, text: `SCSI status ${result.status.toString(16)}h` };
}

function exitStatusOfSense(sense: SenseCode): number {
  const found = BY_SENSE.find(([code]) => sameSense(sense, code));
  if (found !== undefined) return found[1];
  if (sense.key === Sense.IO_ERROR.key && sense.asc === PROTECTION_ASC) return ExitStatus.PROTECTION;
  return BY_SENSE_KEY[sense.key] ?? ExitStatus.OTHER_SENSE;
}

/** The exit status that stands for a positive error number of the operating system. */
export function exitStatusOfErrno(errno: number): number {
  if (errno === ENXIO) return ExitStatus.NOT_READY;
  return ExitStatus.OS_ERROR + (errno < ERRNO_END ? errno : 0);
}
