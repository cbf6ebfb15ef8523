/** Trace points of virtio-scsi, named as QEMU's (hw/scsi/trace-events). */
import { tracePoint } from "../base/trace.js";
import type { UnitAddress } from "../scsi/virtio-scsi.js";

/** What all of the points about requests tell. Target and LUN are zeros where a request addresses no unit. */
interface VirtioScsiTrace extends UnitAddress {
  readonly tag: bigint;
}

/** A command has come. */
export const commandRequestTrace = tracePoint<VirtioScsiTrace & { readonly opcode: number }>("virtio_scsi_cmd_req");

/** A command is answered; both numbers as in the response. */
export const commandResponseTrace = tracePoint<VirtioScsiTrace & { readonly response: number; readonly status: number }>(
  "virtio_scsi_cmd_resp",
);

/** A task management function has come. */
export const managementRequestTrace = tracePoint<VirtioScsiTrace & { readonly function: number }>("virtio_scsi_tmf_req");

/** A task management function is answered. */
export const managementResponseTrace = tracePoint<VirtioScsiTrace & { readonly response: number }>("virtio_scsi_tmf_resp");

/** The driver is told an event. */
export const eventTrace = tracePoint<UnitAddress & { readonly event: number; readonly reason: number }>("virtio_scsi_event");

/** An address as trace messages have it. */
export function atUnit(address: UnitAddress | null): UnitAddress {
  return { target: address?.target ?? 0, lun: address?.lun ?? 0 };
}
