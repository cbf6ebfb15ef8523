/** Trace points of virtio-scsi, named as QEMU's (hw/scsi/trace-events). */
import { tracePoint } from "../base/trace.js";
import type { UnitAddress } from "../scsi/virtio-scsi.js";

/** What all of them tell. */
interface Addressed {
  /** Null where the LUN field addresses no unit, and for an event that is about none. */
  readonly address: UnitAddress | null;
}

/** A command has come. */
export const commandRequestTrace = tracePoint<Addressed & { readonly tag: bigint; readonly opcode: number }>("virtio_scsi_cmd_req");

/** A command is answered; both numbers as in the response. */
export const commandResponseTrace = tracePoint<Addressed & { readonly tag: bigint; readonly response: number; readonly status: number }>(
  "virtio_scsi_cmd_resp",
);

/** A task management function has come. */
export const managementRequestTrace = tracePoint<Addressed & { readonly tag: bigint; readonly function: number }>("virtio_scsi_tmf_req");

/** A task management function is answered. */
export const managementResponseTrace = tracePoint<Addressed & { readonly tag: bigint; readonly response: number }>("virtio_scsi_tmf_resp");

/** The driver is told an event. */
export const eventTrace = tracePoint<Addressed & { readonly event: number; readonly reason: number }>("virtio_scsi_event");
