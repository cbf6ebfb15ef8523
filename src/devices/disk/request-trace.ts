/** Trace points of a command at a device (QEMU 7.2: hw/scsi/trace-events). */
import { tracePoint } from "../../base/trace.js";
import type { TraceDefinition } from "../../base/trace.js";
import { blockAccess, expectedTransfer } from "../../scsi/cdb.js";
import { ScsiStatus } from "../../scsi/command.js";
import type { ScsiAnswer, ScsiCommand, ScsiResult } from "../../scsi/command.js";
import type { ScsiAddress } from "../bus/scsi-bus.js";

/** A command at a device. */
export interface ScsiRequestTrace {
  /** How messages call the device: `device 'disk0'`. */
  readonly device: string;
  readonly target: number;
  readonly lun: number;
  /** Counts the traced commands of the device: below its bus a command has no other tag. */
  readonly tag: number;
  readonly opcode: number;
}

/** A command at a device, taken apart. */
export interface ScsiRequestParsedTrace extends ScsiRequestTrace {
  /** 0 none, 1 from the device, 2 to the device. */
  readonly direction: 0 | 1 | 2;
  /** Bytes of data that the CDB announces. */
  readonly length: number;
}

/** A command that addresses blocks. */
export interface ScsiRequestLbaTrace extends ScsiRequestTrace {
  readonly lba: number;
}

/** A command that is answered. */
export interface ScsiRequestEndTrace extends ScsiRequestTrace {
  readonly status: number;
}

/** A device is given a command. */
const parsedTrace = tracePoint<ScsiRequestParsedTrace>("scsi_req_parsed");
/** The same, for one that addresses blocks. */
const lbaTrace = tracePoint<ScsiRequestLbaTrace>("scsi_req_parsed_lba");
/** The command is answered. */
const dequeueTrace = tracePoint<ScsiRequestEndTrace>("scsi_req_dequeue");
/** It ended with TASK ABORTED. */
const cancelTrace = tracePoint<ScsiRequestEndTrace>("scsi_req_cancel");

function atDevice({ target, lun, tag }: ScsiRequestTrace): string {
  return `target ${target} lun ${lun} tag ${tag}`;
}

const PARSED: TraceDefinition<ScsiRequestParsedTrace> = {
  format: (message) => `${atDevice(message)} command ${message.opcode} dir ${message.direction} length ${message.length}`,
};
const LBA: TraceDefinition<ScsiRequestLbaTrace> = {
  format: (message) => `${atDevice(message)} command ${message.opcode} lba ${message.lba}`,
};
const END: TraceDefinition<ScsiRequestEndTrace> = { format: atDevice };

/** The points by name. */
export const SCSI_REQUEST_TRACES = {
  scsi_req_parsed: PARSED,
  scsi_req_parsed_lba: LBA,
  scsi_req_dequeue: END,
  scsi_req_cancel: END,
} as const;

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
