/** What became of a command that this process sent to a device of its host. */

import { resultOfErrno, resultOfSgIo } from "../native/sg-io/result.js";
import type { SgIoOutcome } from "../native/sg-io/sg-io.js";
import type { ScsiResult } from "../scsi/command.js";

/** A result, and the error number if the system call failed. */
export interface HostOutcome {
  readonly result: ScsiResult;
  /** A positive error number. */
  readonly errno?: number;
}

/** The outcome of a system call that failed, or was not even made. */
export function failedCall(errno: number): HostOutcome {
  return { result: resultOfErrno(errno), errno };
}

/**
 * The outcome of a call of SG_IO, as in native/sg-io/result.ts.
 * @param bufferBytes size of the initiator's buffer for data-in
 */
export function hostOutcomeOf(outcome: SgIoOutcome, bufferBytes: number): HostOutcome {
  return outcome.errno === undefined ? { result: resultOfSgIo(outcome, bufferBytes) } : failedCall(outcome.errno);
}
