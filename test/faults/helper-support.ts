/** What the faults need of a helper: requests of any length, a C client, and what the kernel says of a process. */

import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { compileC } from "../support/c-compiler.js";

/** Soak counts are for finding what is rare, once in a while. */
export const SOAK = process.env["SOAK"] === "1";

const CLIENT_SOURCE = fileURLToPath(new URL("../../../bench/client.c", import.meta.url));

/** Compiles bench/client.c to `program`. @throws Error as {@link compileC} */
export function compileClient(program: string): void {
  compileC(CLIENT_SOURCE, program, ["-pthread"]);
}

/** Memory of a process that is its own, in KiB: without files that are mapped. */
export function anonymousMemory(pid: number): number {
  return Number(/^RssAnon:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);
}

/** Memory of a process, in KiB. */
export function residentMemory(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);
}

/** How many descriptors a process has open. */
export function descriptorCount(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

/** The limit of open files under which a process can open so many more: below the highest that it has open, some numbers may be free. */
export function limitThatLeaves(free: number, pid: number): number {
  const taken = new Set(readdirSync(`/proc/${pid}/fd`).map(Number));
  let limit = 0;
  for (let left = free; left > 0; limit += 1) if (!taken.has(limit)) left -= 1;
  return limit;
}

/** How often the threads of a process have given up the processor to wait. */
export function voluntarySwitches(pid: number): number {
  return readdirSync(`/proc/${pid}/task`)
    .map((thread) => readFileSync(`/proc/${pid}/task/${thread}/status`, "utf8"))
    .reduce((sum, status) => sum + Number(/^voluntary_ctxt_switches:\s+(\d+)$/m.exec(status)?.[1]), 0);
}
