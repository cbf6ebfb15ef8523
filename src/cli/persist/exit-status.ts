/** What became of a command, as one of the exit statuses of sg3_utils (sg3_utils(8), EXIT STATUS) and in words. */
import { ScsiStatus, type ScsiResult } from "../../scsi/command.js";
import { formatSense, parseSense, sameSense, Sense, type SenseCode } from "../../scsi/sense.js";

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
  MISCOMPARE: 14,
  FILE_ERROR: 15,
  LBA_OUT_OF_RANGE: 22,
  RESERVATION_CONFLICT: 24,
  CONDITION_MET: 25,
  BUSY: 26,
  TASK_SET_FULL: 27,
  ACA_ACTIVE: 28,
  TASK_ABORTED: 29,
  CONTRADICTION: 31,
  TIMEOUT: 33,
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

/** A command's outcome. */
export interface Outcome {
  readonly exitStatus: number;
  /** In words, for a line of an error message; also where `exitStatus` is 0. */
  readonly text: string;
}

const BY_STATUS: Readonly<Record<number, Outcome>> = {
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

/** ASC of LOGICAL BLOCK PROTECTION failures, with ABORTED COMMAND. */
const PROTECTION_ASC = 0x10;

/** The outcome of a command whose result is known. */
export function outcomeOf(result: ScsiResult): Outcome {
  const sense = parseSense(result.sense);
  if (result.status === ScsiStatus.CHECK_CONDITION) {
    if (sense === null) return { exitStatus: ExitStatus.OTHER_SENSE, text: "CHECK CONDITION without sense data" };
    return { exitStatus: exitStatusOfSense(sense), text: formatSense(sense) };
  }
  return BY_STATUS[result.status] ?? { exitStatus: ExitStatus.OTHER, text: `SCSI status ${result.status.toString(16)}h` };
}

function exitStatusOfSense(sense: SenseCode): number {
  if (sameSense(sense, Sense.INVALID_COMMAND_OPERATION_CODE)) return ExitStatus.INVALID_OPCODE;
  if (sameSense(sense, Sense.LBA_OUT_OF_RANGE)) return ExitStatus.LBA_OUT_OF_RANGE;
  // What becomes of a host adapter's time-out on its way through a PR helper.
  if (sameSense(sense, Sense.COMMAND_TIMEOUT)) return ExitStatus.TIMEOUT;
  if (sense.key === Sense.IO_ERROR.key && sense.asc === PROTECTION_ASC) return ExitStatus.PROTECTION;
  return BY_SENSE_KEY[sense.key] ?? ExitStatus.OTHER_SENSE;
}

/** The exit status that stands for a positive error number of the operating system. */
export function exitStatusOfErrno(errno: number): number {
  if (errno === ENXIO) return ExitStatus.NOT_READY;
  return ExitStatus.OS_ERROR + (errno < ERRNO_END ? errno : 0);
}
