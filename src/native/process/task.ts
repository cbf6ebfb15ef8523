/** Threads of this process by the numbers that the kernel gives them, and what each of them is doing (proc(5)). */

import { readlinkSync } from "node:fs";
import { basename } from "node:path";
import { readProcessStat } from "./stat.js";

/** Number of the calling thread. @throws Error where there is no /proc */
export function callingTask(): number {
  return Number(basename(readlinkSync("/proc/thread-self")));
}

/**
 * Whether a thread of this process runs, or would if it was given a processor: it waits for no disk, file or lock. False when there is no
 * such thread.
 */
export function isRunnable(task: number): boolean {
  return readProcessStat(`/proc/self/task/${task}/stat`)?.state === "R";
}
