/** Traces as lines of text: the name of the point, then `key=value`, byte arrays in hexadecimal digits. */

import { subscribe } from "node:diagnostics_channel";
import { writeSync } from "node:fs";
import { inspect } from "node:util";
import { tracePoint } from "../../base/trace.js";
import { toHex } from "../../scsi/bytes.js";

/** What one thread prints, and where to. */
export interface TraceOutput {
  /** Names of points. */
  readonly points: readonly string[];
  /** Descriptor that is written to. */
  readonly fd: number;
}

/** Prints what happens at the points from now on, in the calling thread: each has channels of its own. */
export function printTraces({ points, fd }: TraceOutput): void {
  for (const point of points) {
    subscribe(tracePoint(point).name, (message) => {
      try {
        writeSync(fd, `${point}${describeMessage(message)}\n`);
      } catch {
        // nobody reads it any more; tracing never stops the service
      }
    });
  }
}

function describeMessage(message: unknown): string {
  if (typeof message !== "object" || message === null) return "";
  return Object.entries(message)
    .map(([key, value]) => ` ${key}=${describeValue(value)}`)
    .join("");
}

function describeValue(value: unknown): string {
  if (value instanceof Uint8Array) return toHex(value);
  return typeof value === "string" ? value : inspect(value, { breakLength: Infinity });
}
