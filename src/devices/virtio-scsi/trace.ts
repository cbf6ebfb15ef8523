/** Trace points of virtio-scsi (QEMU 7.2: hw/scsi/trace-events). */
import { tracePoint } from "../../base/trace.js";
import type { TraceDefinition } from "../../base/trace.js";
import type { UnitAddress } from "../../scsi/virtio-scsi.js";

/** A request of a virtio-scsi driver. */
interface VirtioScsiTrace {
  readonly target: number;
  readonly lun: number;
  readonly tag: bigint;
}

/** A command in a request queue. */
export interface VirtioScsiCommandTrace extends VirtioScsiTrace {
  readonly opcode: number;
}

/** The answer to a command. */
export interface VirtioScsiCommandEndTrace extends VirtioScsiTrace {
  readonly response: number;
  readonly status: number;
}

/** A task management function in the control queue. */
export interface VirtioScsiTmfTrace extends VirtioScsiTrace {
  readonly function: number;
}

/** The answer to it. */
export interface VirtioScsiTmfEndTrace extends VirtioScsiTrace {
  readonly response: number;
}

/** An event for the driver. */
export interface VirtioScsiEventTrace {
  readonly lun: number;
  readonly event: number;
  readonly reason: number;
}

/** A command has come. */
export const commandRequestTrace = tracePoint<VirtioScsiCommandTrace>("virtio_scsi_cmd_req");

/** A command is answered; both numbers as in the response. */
export const commandResponseTrace = tracePoint<VirtioScsiCommandEndTrace>("virtio_scsi_cmd_resp");

/** A task management function has come. */
export const managementRequestTrace = tracePoint<VirtioScsiTmfTrace>("virtio_scsi_tmf_req");

/** A task management function is answered. */
export const managementResponseTrace = tracePoint<VirtioScsiTmfEndTrace>("virtio_scsi_tmf_resp");

/** The driver is told an event. */
export const eventTrace = tracePoint<VirtioScsiEventTrace>("virtio_scsi_event");

function line<Message extends object>(format: (message: Message) => string): TraceDefinition<Message> {
  return { format };
}

/** QEMU repeats the name in these lines; a tag is shown by its lower 32 bits. */
function atAdapter(name: string, { lun, tag }: VirtioScsiTrace): string {
  return `${name} lun=${lun} tag=0x${BigInt.asUintN(32, tag).toString(16)}`;
}

/** The points by name. */
export const VIRTIO_SCSI_TRACES = {
  virtio_scsi_cmd_req: line<VirtioScsiCommandTrace>(
    (message) => `${atAdapter("virtio_scsi_cmd_req", message)} cmd=0x${message.opcode.toString(16)}`,
  ),
  virtio_scsi_cmd_resp: line<VirtioScsiCommandEndTrace>(
    (message) => `${atAdapter("virtio_scsi_cmd_resp", message)} response=${message.response} status=0x${message.status.toString(16)}`,
  ),
  virtio_scsi_tmf_req: line<VirtioScsiTmfTrace>((message) => `${atAdapter("virtio_scsi_tmf_req", message)} subtype=${message.function}`),
  virtio_scsi_tmf_resp: line<VirtioScsiTmfEndTrace>(
    (message) => `${atAdapter("virtio_scsi_tmf_resp", message)} response=${message.response}`,
  ),
  virtio_scsi_event: line<VirtioScsiEventTrace>(({ lun, event, reason }) => `virtio_scsi_event lun=${lun} event=${event} reason=${reason}`),
} as const;

/** An address as messages have it: zeros where a request addresses no unit, and for an event that is about none. */
export function atUnit(address: UnitAddress | null): UnitAddress {
  return { target: address?.target ?? 0, lun: address?.lun ?? 0 };
}
