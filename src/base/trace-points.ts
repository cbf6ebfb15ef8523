/**
 * THE table of trace points: QEMU's names (7.2: scsi/trace-events, hw/scsi/trace-events), what each publishes, and the line that QEMU's log
 * backend prints for it. A message may have more members than the line shows.
 */

/** A command at a PR manager. */
export interface PrManagerExecuteTrace {
  /** Id of the manager. */
  readonly id: string | null;
  /** Identity of the unit. */
  readonly unit: string;
  /** The descriptor that is lent to the manager; null for a unit without one. */
  readonly fd: number | null;
  readonly opcode: number;
  readonly serviceAction: number;
}

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

/** What a point publishes, and its line. */
export interface TraceDefinition<Message extends object> {
  /** The line without the name. */
  readonly format: (message: Message) => string;
}

function point<Message extends object>(format: (message: Message) => string): TraceDefinition<Message> {
  return { format };
}

function byte(value: number): string {
  return `0x${value.toString(16).padStart(2, "0")}`;
}

function atManager({ fd, opcode, serviceAction }: PrManagerExecuteTrace): string {
  return `fd=${fd ?? -1} cmd=${byte(opcode)} service action=${byte(serviceAction)}`;
}

function atDevice({ target, lun, tag }: ScsiRequestTrace): string {
  return `target ${target} lun ${lun} tag ${tag}`;
}

/** QEMU repeats the name in these lines; a tag is shown by its lower 32 bits. */
function atAdapter(name: string, { lun, tag }: VirtioScsiTrace): string {
  return `${name} lun=${lun} tag=0x${BigInt.asUintN(32, tag).toString(16)}`;
}

/** The points by name. */
export const TRACE_POINTS = {
  /** A manager is given a command. */
  pr_manager_execute: point<PrManagerExecuteTrace>(atManager),
  /** The manager has found it well-formed and begins. */
  pr_manager_run: point<PrManagerExecuteTrace>(atManager),
  /** A device is given a command. */
  scsi_req_parsed: point<ScsiRequestParsedTrace>(
    (message) => `${atDevice(message)} command ${message.opcode} dir ${message.direction} length ${message.length}`,
  ),
  /** The same, for one that addresses blocks. */
  scsi_req_parsed_lba: point<ScsiRequestLbaTrace>((message) => `${atDevice(message)} command ${message.opcode} lba ${message.lba}`),
  /** The command is answered. */
  scsi_req_dequeue: point<ScsiRequestEndTrace>(atDevice),
  /** It ended with TASK ABORTED. */
  scsi_req_cancel: point<ScsiRequestEndTrace>(atDevice),
  virtio_scsi_cmd_req: point<VirtioScsiCommandTrace>(
    (message) => `${atAdapter("virtio_scsi_cmd_req", message)} cmd=0x${message.opcode.toString(16)}`,
  ),
  virtio_scsi_cmd_resp: point<VirtioScsiCommandEndTrace>(
    (message) => `${atAdapter("virtio_scsi_cmd_resp", message)} response=${message.response} status=0x${message.status.toString(16)}`,
  ),
  virtio_scsi_tmf_req: point<VirtioScsiTmfTrace>((message) => `${atAdapter("virtio_scsi_tmf_req", message)} subtype=${message.function}`),
  virtio_scsi_tmf_resp: point<VirtioScsiTmfEndTrace>(
    (message) => `${atAdapter("virtio_scsi_tmf_resp", message)} response=${message.response}`,
  ),
  virtio_scsi_event: point<VirtioScsiEventTrace>(
    ({ lun, event, reason }) => `virtio_scsi_event lun=${lun} event=${event} reason=${reason}`,
  ),
} as const;

/** Name of a trace point. */
export type TraceName = keyof typeof TRACE_POINTS;

/** What the point of that name publishes. */
export type TraceMessage<Name extends TraceName> = (typeof TRACE_POINTS)[Name] extends TraceDefinition<infer Message> ? Message : never;
