/** Trace points of virtio-scsi; what they publish is said in base/trace-points.ts. */
import { tracePoint } from "../../base/trace.js";
import type { UnitAddress } from "../../scsi/virtio-scsi.js";

/** A command has come. */
export const commandRequestTrace = tracePoint("virtio_scsi_cmd_req");

/** A command is answered; both numbers as in the response. */
export const commandResponseTrace = tracePoint("virtio_scsi_cmd_resp");

/** A task management function has come. */
export const managementRequestTrace = tracePoint("virtio_scsi_tmf_req");

/** A task management function is answered. */
export const managementResponseTrace = tracePoint("virtio_scsi_tmf_resp");

/** The driver is told an event. */
export const eventTrace = tracePoint("virtio_scsi_event");

/** An address as messages have it: zeros where a request addresses no unit, and for an event that is about none. */
export function atUnit(address: UnitAddress | null): UnitAddress {
  return { target: address?.target ?? 0, lun: address?.lun ?? 0 };
}
