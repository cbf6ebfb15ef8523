/** Threads that the system does not let start, most often because the process may have too few descriptors. */

import { isErrnoError, QomError } from "../base/errors.js";

/** Node's code for a thread that did not come as far as its first line. */
const INIT_FAILED = "ERR_WORKER_INIT_FAILED";

/** Whether the error is the system's, and not one of node or of this program. */
export function isSystemError(error: unknown): boolean {
  return isErrnoError(error) && typeof error.errno === "number";
}

/** The error to report for a thread that failed while it started: one line if the system refused something, else the error itself. */
export function startFailure(error: unknown): unknown {
  const refused = isSystemError(error) || (isErrnoError(error) && error.code === INIT_FAILED);
  return refused ? new QomError("io", "cannot start a thread", { cause: error }) : error;
}
