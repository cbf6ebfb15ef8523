/**
 * What a helper can be watched doing, with `-T`. Where qemu-pr-helper has a point for the same event, it has the same name; of commands
 * that one tells nothing.
 */

import { tracePoint } from "../../base/trace.js";

/** A connection was accepted; `client` is its number in all messages. */
export const acceptTrace = tracePoint<{ readonly client: number }>("qio_channel_socket_accept_complete");

/** The system refused a connection. */
export const acceptFailureTrace = tracePoint<{ readonly errno: string }>("qio_channel_socket_accept_fail");

/** A command goes to the device. */
export const requestTrace = tracePoint<RequestTrace>("pr_helper_request");

/** It is over; `size` is that of the data from the device. */
export const responseTrace = tracePoint<{ readonly client: number; readonly status: number; readonly size: number }>("pr_helper_response");

/** A connection is closed. */
export const closeTrace = tracePoint<{ readonly client: number }>("pr_helper_close");

/** Message of {@link requestTrace}: the CDB, and the length of the parameter list. */
export interface RequestTrace {
  readonly client: number;
  readonly cdb: Uint8Array;
  readonly size: number;
}

/** Names of all points, without the prefix of their channels. */
export const HELPER_TRACE_POINTS: readonly string[] = [acceptTrace, acceptFailureTrace, requestTrace, responseTrace, closeTrace].map(
  (point) => point.name.replace(/^qom-pr:/, ""),
);
