/** A SCSI command on an open device of this host, by SG_IO. */
import { resultOfSgIo } from "../native/sg-io/result.js";
import { SG_IO_SENSE_LENGTH_MAX, type SgIoExecutor, type SgIoRequest } from "../native/sg-io/sg-io.js";
import { expectedTransfer } from "../scsi/cdb.js";
import { bareStatus, ScsiStatus, type ScsiCommand, type ScsiResult } from "../scsi/command.js";

/** Deadline of a command that came without one (QEMU: DEFAULT_IO_TIMEOUT, 30 s). */
export const IO_TIMEOUT_MS_DEFAULT = 30_000;

/** Block size that data lengths are computed with while the device's own is unknown. */
const BLOCK_SIZE_BYTES_DEFAULT = 512;

/**
 * Runs a command on an open device of this host. What the system call answers becomes a result, as in sg-io-result.ts.
 * @param fd stays open until the promise settles
 */
export async function runSgIo(sgIo: Pick<SgIoExecutor, "execute">, fd: number, command: ScsiCommand): Promise<ScsiResult> {
  const request = sgIoRequest(command);
  const outcome = await sgIo.execute(fd, request);
  const result = resultOfSgIo(outcome, request.dataInLength ?? 0);
  const { into, signal } = command;
  if (into === undefined || result.dataIn.length === 0) return result;
  // An aborted command may have been answered before, and the initiator's memory be in other use by now.
  if (signal?.aborted === true) return bareStatus(ScsiStatus.TASK_ABORTED);
  into.set(result.dataIn);
  return { ...result, dataIn: into.subarray(0, result.dataIn.length) };
}

function sgIoRequest(command: ScsiCommand): SgIoRequest {
  const { cdb, dataOut, signal } = command;
  const common = {
    cdb,
    timeoutMs: command.timeoutMs ?? IO_TIMEOUT_MS_DEFAULT,
    senseLength: SG_IO_SENSE_LENGTH_MAX,
    ...(signal === undefined ? {} : { signal }),
  };
  if (dataOut !== undefined) return { ...common, dataOut };
  const { direction, bytes } = expectedTransfer(cdb, BLOCK_SIZE_BYTES_DEFAULT);
  const dataInLength = command.allocationLength ?? command.into?.length ?? (direction === "in" ? bytes : 0);
  return dataInLength === 0 ? common : { ...common, dataInLength };
}
