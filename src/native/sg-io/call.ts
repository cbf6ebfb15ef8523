/** The SG_IO call itself, which blocks; for threads that have nothing else to do. */

import { assert } from "../../base/assert.js";
import { NO_BYTES } from "../../scsi/command.js";
import { Errno } from "../errno.js";
import { addressOf, libc } from "../libc.js";
import type { Libc } from "../libc.js";
import { NativeMemory } from "../memory.js";
import { SG_GET_VERSION_NUM, SG_INTERFACE_ID, SG_IO, SG_IO_HDR_SIZE, SgDirection, SgIoHdr } from "./layout.js";
import { SG_IO_CDB_LENGTH_MAX, SG_IO_DATA_BYTES_MAX, SG_IO_SENSE_LENGTH_MAX, SG_IO_TIMEOUT_MS_MAX } from "./sg-io.js";
import type { SgIoOutcome, SgIoRequest, SgVersionOutcome } from "./sg-io.js";

const CDB_AT = SG_IO_HDR_SIZE;
const SENSE_AT = CDB_AT + SG_IO_CDB_LENGTH_MAX;
const MEMORY_SIZE = SENSE_AT + SG_IO_SENSE_LENGTH_MAX;

/** fcntl(2): the lowest free descriptor, closed on exec. */
export const F_DUPFD_CLOEXEC = 1030;

/** What a call transfers, and the memory for data from the device, which is the same one or empty. */
interface Buffers {
  readonly data: Uint8Array;
  readonly dataIn: Uint8Array;
}

/** Checks what does not depend on the device: 0, or the errno that a request of this shape fails with. */
export function checkSgIoRequest(request: SgIoRequest): number {
  const { cdb, dataOut, dataInLength = 0, timeoutMs, senseLength } = request;
  assert(dataOut === undefined || request.dataInLength === undefined, "an SG_IO request has one direction of data");
  assert(isCount(dataInLength), "an SG_IO buffer has a size");
  assert(isCount(timeoutMs) && timeoutMs >= 1 && timeoutMs <= SG_IO_TIMEOUT_MS_MAX, "an SG_IO timeout is 32 bits of milliseconds");
  assert(isCount(senseLength) && senseLength <= SG_IO_SENSE_LENGTH_MAX, "sense data of SG_IO has at most 252 bytes");
  if (cdb.length < 1 || cdb.length > SG_IO_CDB_LENGTH_MAX) return Errno.EINVAL;
  if (dataInLength > SG_IO_DATA_BYTES_MAX || (dataOut?.length ?? 0) > SG_IO_DATA_BYTES_MAX) return Errno.EINVAL;
  return 0;
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

/** Makes SG_IO calls, one at a time, on the thread it was created on. */
export class SgIoCaller {
  /** Header, CDB and sense data of the call in progress. */
  readonly #memory = new NativeMemory(MEMORY_SIZE);
  readonly #cdbAddress = this.#memory.address + BigInt(CDB_AT);
  readonly #senseAddress = this.#memory.address + BigInt(SENSE_AT);
  readonly #ioctl: Libc["ioctl"];

  /** @param ioctl the system call; a test may have another */
  constructor(ioctl: Libc["ioctl"] = (fd, request, argument) => libc().ioctl(fd, request, argument)) {
    this.#ioctl = ioctl;
  }

  /**
   * Runs one command and blocks until it is over. `fd` stays the caller's; `request.signal` is not looked at. `sense` of the outcome is
   * memory of its own, and so is `dataIn` unless the caller lends some.
   * @param lent memory of the caller for data from the device, exactly `dataInLength` bytes; `dataIn` of the outcome lies in it
   * @throws AssertionError as {@link SgIoExecutor.execute}
   */
  execute(fd: number, request: SgIoRequest, lent?: NativeMemory): SgIoOutcome {
    const invalid = checkSgIoRequest(request);
    if (invalid !== 0) return { errno: invalid };
    const buffers = this.#prepare(request, lent);
    return this.#outcome(this.#ioctl(fd, SG_IO, this.#memory.bytes), buffers);
  }

  /**
   * The same for a call that is made elsewhere: `make` gets the structure, which holds all that C needs until the promise is settled, as
   * do the buffers of `request`.
   */
  async executeBy(make: (request: number, argument: Uint8Array) => Promise<number>, request: SgIoRequest): Promise<SgIoOutcome> {
    const invalid = checkSgIoRequest(request);
    if (invalid !== 0) return { errno: invalid };
    const buffers = this.#prepare(request, undefined);
    return this.#outcome(await make(SG_IO, this.#memory.bytes), buffers);
  }

  /** Asks for the version of the interface; may block on a multipath device. */
  version(fd: number): SgVersionOutcome {
    const answer = new NativeMemory(4);
    const result = this.#ioctl(fd, SG_GET_VERSION_NUM, answer.bytes);
    return result < 0 ? { errno: -result } : { version: answer.view.getInt32(0, true) };
  }

  #prepare(request: SgIoRequest, lent: NativeMemory | undefined): Buffers {
    const dataInLength = request.dataInLength ?? 0;
    assert(lent === undefined || lent.bytes.length === dataInLength, "memory for data from the device has the size of the request");
    const dataIn = lent?.bytes ?? new Uint8Array(dataInLength);
    const data = request.dataOut ?? dataIn;
    this.#fill(request, data, data === lent?.bytes ? lent.address : addressOf(data));
    return { data, dataIn };
  }

  #outcome(result: number, { data, dataIn }: Buffers): SgIoOutcome {
    return result < 0 ? { errno: -result } : this.#completion(data, dataIn);
  }

  #fill(request: SgIoRequest, data: Uint8Array, dataAddress: bigint): void {
    const { bytes, view } = this.#memory;
    bytes.fill(0);
    bytes.set(request.cdb, CDB_AT);
    view.setInt32(SgIoHdr.INTERFACE_ID, SG_INTERFACE_ID, true);
    view.setInt32(SgIoHdr.DXFER_DIRECTION, direction(request), true);
    view.setUint8(SgIoHdr.CMD_LEN, request.cdb.length);
    view.setUint8(SgIoHdr.MX_SB_LEN, request.senseLength);
    view.setUint32(SgIoHdr.DXFER_LEN, data.length, true);
    view.setBigUint64(SgIoHdr.DXFERP, data.length === 0 ? 0n : dataAddress, true);
    view.setBigUint64(SgIoHdr.CMDP, this.#cdbAddress, true);
    view.setBigUint64(SgIoHdr.SBP, this.#senseAddress, true);
    view.setUint32(SgIoHdr.TIMEOUT, request.timeoutMs, true);
  }

  #completion(data: Uint8Array, dataIn: Uint8Array): SgIoOutcome {
    const { bytes, view } = this.#memory;
    const senseLength = view.getUint8(SgIoHdr.SB_LEN_WR);
    // Drivers have reported residuals below zero and beyond the buffer.
    const residual = Math.min(Math.max(view.getInt32(SgIoHdr.RESID, true), 0), data.length);
    return {
      status: view.getUint8(SgIoHdr.STATUS),
      hostStatus: view.getUint16(SgIoHdr.HOST_STATUS, true),
      driverStatus: view.getUint16(SgIoHdr.DRIVER_STATUS, true),
      residual,
      sense: senseLength === 0 ? NO_BYTES : bytes.slice(SENSE_AT, SENSE_AT + senseLength),
      dataIn: dataIn.subarray(0, Math.max(dataIn.length - residual, 0)),
    };
  }
}

function direction(request: SgIoRequest): number {
  if ((request.dataOut?.length ?? 0) > 0) return SgDirection.TO_DEVICE;
  return (request.dataInLength ?? 0) > 0 ? SgDirection.FROM_DEVICE : SgDirection.NONE;
}
