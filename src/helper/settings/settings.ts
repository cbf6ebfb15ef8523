/** What a helper is to do, however it was said. */

import type { AdmissionOptions } from "../connections/admission.js";
import type { InitiatorSource } from "../managers/initiators.js";
import type { UserLimits } from "../managers/user-limits.js";
import type { HelperTraceOptions } from "../trace/trace-option.js";

/** Each worker takes 8 MB; with this many a helper is as large as a small virtual machine. */
export const WORKERS_MAX = 64;

/** Plain values, which one run of the program leaves to the next as JSON. */
export interface HelperOptions {
  /** Absolute paths of the sockets; none when none was chosen, several only where each is an initiator. */
  readonly sockets: readonly string[];
  /** Absolute path of the pid file, null for none. */
  readonly pidFile: string | null;
  /** Whether to serve in the background. */
  readonly background: boolean;
  /** User id to run as, null for no change. */
  readonly user: number | null;
  /** Group id to run as, null for no change. */
  readonly group: number | null;
  readonly trace: HelperTraceOptions;
  /** Most worker threads, 1 to {@link WORKERS_MAX}. */
  readonly workersMax: number;
  /** One of {@link LogLevel}. */
  readonly logLevel: number;
  /** Objects, one of which is the manager that executes; none for SG_IO on the workers. */
  readonly objects: readonly string[];
  /** What tells initiators apart, for other managers than SG_IO. */
  readonly initiatorFrom: InitiatorSource;
  /** SG_IO on dm-multipath devices is allowed. */
  readonly allowMultipath: boolean;
  readonly admission: AdmissionOptions;
  /** How much of a manager's memory a user may fill, for other managers than SG_IO. */
  readonly userLimits: UserLimits;
  /** How long a client may take over one request, and over taking its answer. */
  readonly requestTimeoutMs: number;
}
