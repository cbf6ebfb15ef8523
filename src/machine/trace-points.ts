/**
 * THE table of a machine's trace points: QEMU's names (7.2: scsi/trace-events, hw/scsi/trace-events), what each publishes, and the line that
 * QEMU's log backend prints for it. A message may have more members than the line shows. Each room says which points it has.
 */
import { onTrace } from "../base/trace.js";
import type { TraceDefinition } from "../base/trace.js";
import { SCSI_REQUEST_TRACES } from "../devices/disk/request-trace.js";
import { VIRTIO_SCSI_TRACES } from "../devices/virtio-scsi/trace.js";
import { PR_MANAGER_TRACES } from "../pr-manager/trace.js";

/** The points by name. */
export const TRACE_POINTS = { ...PR_MANAGER_TRACES, ...SCSI_REQUEST_TRACES, ...VIRTIO_SCSI_TRACES } as const;

/** Name of a trace point. */
export type TraceName = keyof typeof TRACE_POINTS;

/** What the point of that name publishes. */
export type TraceMessage<Name extends TraceName> = (typeof TRACE_POINTS)[Name] extends TraceDefinition<infer Message> ? Message : never;

/** Names of all points, sorted. */
export function traceNames(): readonly TraceName[] {
  // Object.keys forgets the type of a table's keys.
  return (Object.keys(TRACE_POINTS) as TraceName[]).toSorted();
}

/**
 * Calls `listener` with a line for every message of the point, as QEMU's log backend prints it: `NAME TEXT`. The returned function ends
 * that. Points are the process's, not a machine's.
 */
export function onTraceLine(name: TraceName, listener: (line: string) => void): () => void {
  // The message is of the point's own type: nobody else publishes on its channel.
  const format = TRACE_POINTS[name].format as (message: unknown) => string;
  return onTrace(name, (message) => listener(`${name} ${format(message)}`));
}
