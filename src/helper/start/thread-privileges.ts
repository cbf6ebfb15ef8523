/** What each thread of this process may do, as the kernel tells it in /proc/self/task/N/status (proc(5)). */

import { readdirSync, readFileSync } from "node:fs";
import { present } from "../../base/assert.js";
import { isErrnoError } from "../../base/errors.js";

/** Bits of capabilities(7) in the sets of a thread. */
export const Capability = Object.freeze({
  SETGID: 1n << 6n,
  SETUID: 1n << 7n,
  SETPCAP: 1n << 8n,
  SYS_RAWIO: 1n << 17n,
});

/** Privileges of one thread. */
export interface ThreadPrivileges {
  readonly thread: number;
  /** Real, effective, saved and file system id. */
  readonly users: readonly number[];
  readonly groups: readonly number[];
  readonly supplementaryGroups: readonly number[];
  readonly inheritable: bigint;
  readonly permitted: bigint;
  readonly effective: bigint;
  readonly bounding: bigint;
  readonly ambient: bigint;
  readonly noNewPrivileges: boolean;
}

/** Every thread that there is now, the main thread first. */
export function threadPrivileges(): ThreadPrivileges[] {
  return readdirSync("/proc/self/task")
    .map(Number)
    .toSorted((a, b) => Number(b === process.pid) - Number(a === process.pid) || a - b)
    .flatMap((thread) => {
      const status = readStatus(thread);
      return status === null ? [] : [parseThreadStatus(thread, status)];
    });
}

/** Null when the thread has ended meanwhile. */
function readStatus(thread: number): string | null {
  try {
    return readFileSync(`/proc/self/task/${thread}/status`, "utf8");
  } catch (error) {
    if (isErrnoError(error) && (error.code === "ENOENT" || error.code === "ESRCH")) return null;
    throw error;
  }
}

/** The privileges in the text of a `status` file. */
function parseThreadStatus(thread: number, status: string): ThreadPrivileges {
  const fields = new Map<string, string>();
  for (const line of status.split("\n")) {
    const [name = "", value = ""] = line.split(":\t");
    fields.set(name, value.trim());
  }
  const field = (name: string): string => present(fields.get(name), `the kernel tells ${name} of a thread`);
  const numbers = (name: string): number[] => (field(name).match(/\d+/g) ?? []).map(Number);
  const set = (name: string): bigint => BigInt(`0x${field(name)}`);
  return {
    thread,
    users: numbers("Uid"),
    groups: numbers("Gid"),
    supplementaryGroups: numbers("Groups"),
    inheritable: set("CapInh"),
    permitted: set("CapPrm"),
    effective: set("CapEff"),
    bounding: set("CapBnd"),
    ambient: set("CapAmb"),
    noNewPrivileges: field("NoNewPrivs") === "1",
  };
}
