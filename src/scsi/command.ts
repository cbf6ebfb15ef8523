/**
 * A SCSI command and its result, as devices, managers and targets hand them to each other.
 */

import { aCount, having, optional, someBytes } from "../base/check.js";
import type { Kind } from "../base/check.js";

/** SAM status codes (SAM-5 5.3.1). */
export const ScsiStatus = {
  GOOD: 0x00,
  CHECK_CONDITION: 0x02,
  CONDITION_MET: 0x04,
  BUSY: 0x08,
  RESERVATION_CONFLICT: 0x18,
  TASK_SET_FULL: 0x28,
  ACA_ACTIVE: 0x30,
  TASK_ABORTED: 0x40,
} as const;

/** A command for a logical unit. */
export interface ScsiCommand {
  /** 1 to 16 bytes. */
  readonly cdb: Uint8Array;
  /** Bytes for the device; together with `allocationLength` or `into` a QomError `conflict`. */
  readonly dataOut?: Uint8Array;
  /** Size in bytes of the initiator's buffer for data-in; by default what the CDB asks for. */
  readonly allocationLength?: number;
  /** Deadline in milliseconds, 1 to 4294967295. */
  readonly timeoutMs?: number;
  /** Ends the command with TASK ABORTED. */
  readonly signal?: AbortSignal;
  /** The caller's memory for data-in: filled instead of allocating; `dataIn` of the result is a view of it. */
  readonly into?: Uint8Array;
}

/** The outcome of a command. A SCSI failure is this, never an exception. */
export interface ScsiResult {
  /** A SAM status code, see {@link ScsiStatus}. */
  readonly status: number;
  /** Data from the device; empty when there is none. */
  readonly dataIn: Uint8Array;
  /** Bytes of the initiator's buffer that data-in left unused; 0 unless GOOD. */
  readonly residual: number;
  /** Sense data, empty when there is none. */
  readonly sense: Uint8Array;
  /**
   * Linux host byte when the transport failed: an HBA maps it to its own response, others take the status and sense data, which follow
   * from it (host-status.ts). A result with a host status never has status GOOD.
   */
  readonly hostStatus?: number;
}

/** A result that is there at once, or the promise of one: a promise costs as much as a short command. */
export type ScsiAnswer = ScsiResult | Promise<ScsiResult>;

/** A {@link ScsiResult}. */
export const aResult: Kind = having("a result, { status, dataIn, residual, sense }", {
  status: aCount,
  dataIn: someBytes,
  residual: aCount,
  sense: someBytes,
  hostStatus: optional(aCount),
});

/** No bytes; shared, since it cannot be written to. */
export const NO_BYTES: Uint8Array = new Uint8Array(0);

/** GOOD without data. `residual` is the size of a data-in buffer that stayed empty. */
export function good(residual = 0): ScsiResult {
  return { status: ScsiStatus.GOOD, dataIn: NO_BYTES, residual, sense: NO_BYTES };
}

/** A status that carries neither data nor sense: RESERVATION CONFLICT, BUSY, TASK ABORTED. */
export function bareStatus(status: number): ScsiResult {
  return { status, dataIn: NO_BYTES, residual: 0, sense: NO_BYTES };
}

/** CHECK CONDITION with `sense`. */
export function checkCondition(sense: Uint8Array): ScsiResult {
  return { status: ScsiStatus.CHECK_CONDITION, dataIn: NO_BYTES, residual: 0, sense };
}
