/** Execution of a request: one `ioctl(SG_IO)` on the descriptor that came with it, on the calling thread. */

import { constants } from "node:fs";
import { DATA_SIZE_MAX, SENSE_SIZE, transferLengthOf } from "../../scsi/pr-helper.js";
import type { Libc } from "../../native/libc.js";
import { NativeMemory } from "../../native/memory.js";
import { SgIoCaller } from "../../native/sg-io/call.js";
import { Errno } from "../../native/errno.js";
import { resultOfErrno, resultOfSgIo } from "../../native/sg-io/result.js";
import { accessModeOf } from "../../native/server/unix.js";
import { good } from "../../scsi/command.js";
import type { ScsiResult } from "../../scsi/command.js";
import { PR_OUT } from "../../scsi/persistent-reserve.js";
import { Sense, senseResult } from "../../scsi/sense.js";

/**
 * The kernel's deadline. qemu-pr-helper says 1 ms, which block devices raise to 7 s; a SCSI generic node takes it as it is, and would
 * give up on a command that is going on.
 */
export const SG_IO_TIMEOUT_MS = 7000;

/** Runs requests, one at a time, on the thread it was created on. */
export class RequestRunner {
  readonly #libc: Libc;
  readonly #caller = new SgIoCaller();
  /** Made once: the data of the last request is gone when the next one begins. */
  readonly #dataIn = new NativeMemory(DATA_SIZE_MAX);

  constructor(libc: Libc) {
    this.#libc = libc;
  }

  /** Answers a request to clean up, of which there is never anything here: who may not write to a disk has nothing to say about it. */
  cleanUp(descriptor: number): ScsiResult {
    const readOnly = accessModeOf(this.#libc, descriptor) === constants.O_RDONLY;
    return readOnly ? senseResult(Sense.INVALID_COMMAND_OPERATION_CODE) : good();
  }

  /**
   * Runs one request and blocks until it is over. Every failure is a result; its data are good until the next call.
   * @param descriptor of the device; stays the caller's
   * @param isDevice whether it is one: other files have no SG_IO, and some would have their file system wait for ever instead of saying so
   * @param cdb of PERSISTENT RESERVE IN or OUT
   * @param parameterList of PERSISTENT RESERVE OUT
   */
  run(descriptor: number, isDevice: boolean, cdb: Uint8Array, parameterList: Uint8Array): ScsiResult {
    const out = cdb[0] === PR_OUT;
    // SG_IO itself does not ask how a device was opened, and who could not open it for writing shall not change its reservations.
    if (out && accessModeOf(this.#libc, descriptor) === constants.O_RDONLY) return senseResult(Sense.INVALID_COMMAND_OPERATION_CODE);
    if (!isDevice) return resultOfErrno(Errno.ENOTTY);
    if (out) {
      const request = { cdb, timeoutMs: SG_IO_TIMEOUT_MS, senseLength: SENSE_SIZE, dataOut: parameterList };
      return resultOfSgIo(this.#caller.execute(descriptor, request), 0);
    }
    // A device that says it sent more than it did shall not give away what the buffer had before.
    this.#dataIn.bytes.fill(0);
    // Always the whole buffer: a device that sends more than it was asked for then has room for it.
    const request = { cdb, timeoutMs: SG_IO_TIMEOUT_MS, senseLength: SENSE_SIZE, dataInLength: DATA_SIZE_MAX };
    return resultOfSgIo(this.#caller.execute(descriptor, request, this.#dataIn), transferLengthOf(cdb));
  }
}
