/** Trace points of a command at a device: scsi_req_parsed, scsi_req_parsed_lba, scsi_req_dequeue, scsi_req_cancel. */
import { tracePoint } from "../../base/trace.js";
import { blockAccess, expectedTransfer } from "../../scsi/cdb.js";
import { ScsiStatus } from "../../scsi/command.js";
import type { ScsiAnswer, ScsiCommand, ScsiResult } from "../../scsi/command.js";
import type { ScsiAddress } from "../bus/scsi-bus.js";

const parsedTrace = tracePoint("scsi_req_parsed");
const lbaTrace = tracePoint("scsi_req_parsed_lba");
const dequeueTrace = tracePoint("scsi_req_dequeue");
const cancelTrace = tracePoint("scsi_req_cancel");

/** As the trace has it. */
const DIRECTIONS = { none: 0, in: 1, out: 2 } as const;

/** Whether anybody listens to one of the points. */
export function requestsTraced(): boolean {
  return dequeueTrace.enabled || parsedTrace.enabled || lbaTrace.enabled || cancelTrace.enabled;
}

/** The device that a traced command is for. */
export interface TracedDevice {
  describe(): string;
  readonly address: ScsiAddress;
  /** As far as the device has told it. */
  readonly blockSizeBytes: number;
}

/** Numbers the traced commands of one device. */
export class RequestTraces {
  #tag = 0;

  /** Runs a command, and tells of its beginning and its end. */
  async run(device: TracedDevice, { cdb }: ScsiCommand, send: () => ScsiAnswer): Promise<ScsiResult> {
    this.#tag += 1;
    const { target, lun } = device.address;
    const request = { device: device.describe(), target, lun, tag: this.#tag, opcode: cdb[0] ?? 0 };
    const { direction, bytes } = expectedTransfer(cdb, device.blockSizeBytes);
    parsedTrace.publish({ ...request, direction: DIRECTIONS[direction], length: bytes });
    const blocks = blockAccess(cdb);
    if (blocks !== null) lbaTrace.publish({ ...request, lba: blocks.lba });
    const result = await send();
    const end = { ...request, status: result.status };
    if (result.status === ScsiStatus.TASK_ABORTED) cancelTrace.publish(end);
    dequeueTrace.publish(end);
    return result;
  }
}
