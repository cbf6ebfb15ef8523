/**
 * SCSI commands through the operating system: `ioctl(SG_IO)`, version 3 of the interface of the Linux sg driver (scsi/sg.h).
 *
 * The call blocks its thread until the device has answered, so {@link SgIoExecutor} makes it on threads of its own: never on the event
 * loop, and never on libuv's pool, where a few dead disks would stop all file access of the process.
 */

import { HOST_TRANSFER_BYTES_MAX, TIMEOUT_MS_MAX } from "../../scsi/unit.js";

/** Longest CDB. There are longer ones (operation code 7Fh), which no device here sends. */
export const SG_IO_CDB_LENGTH_MAX = 16;

/** Room for sense data: SPC allows 252 bytes, and `mx_sb_len` is one byte. */
export const SG_IO_SENSE_LENGTH_MAX = 252;

/** Data of one command. Linux takes less from most disks. */
export const SG_IO_DATA_BYTES_MAX = HOST_TRANSFER_BYTES_MAX;

/** `timeout` of the interface is 32 bits of milliseconds. */
export const SG_IO_TIMEOUT_MS_MAX = TIMEOUT_MS_MAX;

/** One command for {@link SgIoExecutor}. */
export interface SgIoRequest {
  /** 1 to {@link SG_IO_CDB_LENGTH_MAX} bytes, else the outcome is EINVAL. */
  readonly cdb: Uint8Array;
  /** Data for the device, up to {@link SG_IO_DATA_BYTES_MAX} bytes, else EINVAL; not together with `dataInLength`. */
  readonly dataOut?: Uint8Array;
  /** Size in bytes of the buffer for data from the device, up to {@link SG_IO_DATA_BYTES_MAX}, else EINVAL. */
  readonly dataInLength?: number;
  /** The kernel's deadline, 1 to {@link SG_IO_TIMEOUT_MS_MAX}; Linux makes it 7 s if it is shorter. */
  readonly timeoutMs: number;
  /** Most bytes of sense data wanted, 0 to {@link SG_IO_SENSE_LENGTH_MAX}. */
  readonly senseLength: number;
  /** Ends the wait: the outcome is ECANCELED. A command that already went to the kernel still runs to its end there. */
  readonly signal?: AbortSignal;
}

/** The call failed: nothing is known of the command. */
export interface SgIoFailure {
  /** A positive error number of Linux, see Errno of errno.ts. */
  readonly errno: number;
}

/** The call succeeded, which says nothing yet about the command; result.ts makes a ScsiResult of it. */
export interface SgIoCompletion {
  readonly errno?: undefined;
  /** SAM status byte of the device. */
  readonly status: number;
  /** Linux host byte (DID_*): 0 when the transport worked. */
  readonly hostStatus: number;
  /** Linux driver byte (DRIVER_*). */
  readonly driverStatus: number;
  /** Bytes of the data buffer that were not transferred, 0 to its size. */
  readonly residual: number;
  /** Sense data as the device sent it; empty when there is none. */
  readonly sense: Uint8Array;
  /** Data from the device, without the residual. */
  readonly dataIn: Uint8Array;
}

/** What became of an {@link SgIoRequest}. */
export type SgIoOutcome = SgIoFailure | SgIoCompletion;

/** Answer of `ioctl(SG_GET_VERSION_NUM)`: 30536 stands for version 3.5.36. */
export type SgVersionOutcome = SgIoFailure | { readonly errno?: undefined; readonly version: number };

/** Runs SCSI commands of real devices. */
export interface SgIoExecutor {
  /**
   * Runs one command on the device that `fd` refers to. `fd` must stay open, and the buffers of `request` unchanged, until the promise
   * settles; from then on the executor needs neither, even where a command that was given up still runs in the kernel.
   *
   * Outcomes of its own: ECANCELED when the signal or {@link close} ended it, EDOM (which stands for TASK SET FULL) when too many
   * commands are waiting.
   *
   * @throws QomError `unsupported` where there are no system calls; `io` when the thread died, which only a bug can do
   * @throws AssertionError for a caller's mistake: both data directions, or a timeout or sense length out of range
   */
  execute(fd: number, request: SgIoRequest): Promise<SgIoOutcome>;
  /**
   * Version of the SG_IO interface of the device, which also tells whether it has one. Not on the event loop either: a multipath device
   * without a path makes even this call wait.
   */
  sgVersion(fd: number): Promise<SgVersionOutcome>;
  /** Ends everything: what is waiting or running settles with ECANCELED, as does whatever comes later. Idempotent. */
  close(): Promise<void>;
}

/** Injection token of {@link SgIoExecutor}. */
export const SgIoExecutor: unique symbol = Symbol("SgIoExecutor");
