/** What an initiator is told when the operating system fails a medium. */

import { isErrnoError } from "../../base/errors.js";
import type { ScsiResult } from "../../scsi/command.js";
import { Sense, senseResult } from "../../scsi/sense.js";
import type { SenseCode } from "../../scsi/sense.js";

/** Errno names that mean "no room": the answer is the one of a thinly provisioned disk that has run out of blocks. */
const NO_SPACE: ReadonlySet<string> = new Set(["ENOSPC", "EDQUOT", "EFBIG"]);

function failureCode(errno: string, systemCall: string): SenseCode {
  if (NO_SPACE.has(errno)) return Sense.SPACE_ALLOCATION_FAILED;
  if (errno !== "EIO") return Sense.INTERNAL_TARGET_FAILURE;
  return systemCall === "read" ? Sense.UNRECOVERED_READ_ERROR : Sense.WRITE_ERROR;
}

/** CHECK CONDITION for a failed system call of a medium; null when `error` is something else, that is, a mistake of this library. */
export function mediumFailure(error: unknown): ScsiResult | null {
  return isErrnoError(error) ? senseResult(failureCode(error.code, error.syscall)) : null;
}
