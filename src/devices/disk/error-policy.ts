/**
 * What becomes of an error of the block path: which errors a guest is told of in any case, and which are for `rerror` and `werror` to decide
 * (QEMU 11: scsi_handle_rw_error in hw/scsi/scsi-disk.c, scsi/utils.c, blk_get_error_action; seen by running 11.1).
 */
import { ScsiStatus } from "../../scsi/command.js";
import type { ScsiResult } from "../../scsi/command.js";
import { HostStatus } from "../../scsi/host-status.js";
import { parseSense, sameSense, Sense } from "../../scsi/sense.js";
import type { SenseCode } from "../../scsi/sense.js";
import type { BlockError, ErrorAction } from "../device.js";

/** What can be done about an error (QAPI: BlockdevOnError); `auto` is `report` of reads and `enospc` of writes. */
export const ERROR_POLICIES = ["report", "ignore", "enospc", "stop", "auto"] as const;

/** One of {@link ERROR_POLICIES}. */
export type ErrorPolicy = (typeof ERROR_POLICIES)[number];

const blockError = (reason: string, noSpace = false): BlockError => Object.freeze({ reason, noSpace });

const NO_SPACE = blockError("No space left on device", true);
const NO_DEVICE = blockError("No such device");
const INVALID = blockError("Invalid argument");
const INPUT_OUTPUT = blockError("Input/output error");
const NO_MEDIUM = blockError("No medium found");
const PERMISSION = blockError("Permission denied");

/** Keys whose codes say more; of the others the guest is told of those below, and the rest is an error. */
const KEYS_WITH_CODES: ReadonlySet<number> = new Set([0x2, 0x5, 0x7]);

/** NO SENSE, RECOVERED ERROR, UNIT ATTENTION, ABORTED COMMAND: the guest sends the command again. */
const KEYS_FOR_GUEST: ReadonlySet<number> = new Set([0x0, 0x1, 0x6, 0xb]);

/** By ASC and ASCQ: null for what the guest can do something about; all that is not here is EIO. */
const CODES: ReadonlyMap<number, BlockError | null> = new Map([
  ...[0x1a00, 0x2000, 0x2400, 0x2500, 0x2600, 0x2104, 0x2105, 0x2106, 0x550e, 0x0401, 0x0402].map((code) => [code, null] as const),
  ...[0x2100, 0x2707].map((code) => [code, NO_SPACE] as const),
  ...[0x3a00, 0x3a01, 0x3a02].map((code) => [code, NO_MEDIUM] as const),
  [0x2700, PERMISSION],
]);

/**
 * The error of a result; null for what goes to the guest whatever the policy: success, a RESERVATION CONFLICT, and what the guest itself can
 * do something about.
 * @param ofHost the result of a failed system call is among the possible ones: they all have one sense code
 */
export function blockErrorOf({ status, sense, hostStatus }: ScsiResult, ofHost: boolean): BlockError | null {
  if (status === ScsiStatus.GOOD || status === ScsiStatus.RESERVATION_CONFLICT) return null;
  if (hostStatus !== undefined) return hostStatus === HostStatus.NEXUS_FAILURE ? null : NO_DEVICE;
  if (status !== ScsiStatus.CHECK_CONDITION) return INVALID;
  const code = parseSense(sense);
  return code === null ? null : errorOfSense(code, ofHost);
}

function errorOfSense(code: SenseCode, ofHost: boolean): BlockError | null {
  if (ofHost && sameSense(code, Sense.IO_ERROR)) return INPUT_OUTPUT;
  if (KEYS_FOR_GUEST.has(code.key)) return null;
  if (!KEYS_WITH_CODES.has(code.key)) return INPUT_OUTPUT;
  const known = CODES.get((code.asc << 8) | code.ascq);
  return known === undefined ? INPUT_OUTPUT : known;
}

/** What a policy does about an error. */
export function actionOf(policy: ErrorPolicy, operation: "read" | "write", { noSpace }: BlockError): ErrorAction {
  const settled = policy === "auto" ? (operation === "read" ? "report" : "enospc") : policy;
  if (settled !== "enospc") return settled;
  return noSpace ? "stop" : "report";
}

/** Whether a device with these policies may stop the machine: monitors tell how its last error went then. */
export function mayStop(rerror: ErrorPolicy, werror: ErrorPolicy): boolean {
  return rerror === "stop" || werror === "stop" || werror === "enospc" || werror === "auto";
}
