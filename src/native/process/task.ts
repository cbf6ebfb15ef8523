/** Threads of this process by their kernel ids, and whether they are running (proc(5)). */

import { readlinkSync } from "node:fs";
import { basename } from "node:path";
import { readProcessStat } from "./stat.js";

/** Kernel id of the calling thread. @throws Error without /proc */
export function callingTask(): number {
  return Number(basename(readlinkSync("/proc/thread-self")));
}

/**
 * Whether a thread of this process is running or ready to run, so that it is not waiting for a disk, a file or a lock. False if there is no
 * such thread.
 */
export function isRunnable(task: number): boolean {
  return readProcessStat(`/proc/self/task/${task}/stat`)?.state === "R";
}
