/**
 * Whether a process has ended whose number is still taken. A thread that waits in the kernel, as in close(2) for the server of a FUSE file
 * system, comes to its end only when it is answered, whatever signal it gets; until then the process stays, and with it what its
 * descriptors hold: locks, and sockets that listen for nobody.
 */

import { readdirSync } from "node:fs";
import { readProcessStat } from "./stat.js";

const ENDED: readonly string[] = ["Z", "X"];

/** On its way to its end. */
const PF_EXITING = 0x4;

/** It waits for threads that have to end and cannot yet. */
const SIGKILL = 1 << 8;

/** What is left of a thread; `gone` is also one that may not be seen. */
type ThreadState = "runs" | "killed" | "exiting" | "ended" | "gone";

/** Whether the process `pid` was ended and will run no more of its program. False when that is not known: it is none, or may not be seen. */
export function hasEnded(pid: number): boolean {
  const first = stateOf(`/proc/${pid}/stat`);
  return (first === "exiting" || first === "ended") && !threadsOf(pid).includes("runs");
}

/**
 * Whether the process `pid` has ended, and has its descriptors still. One that has none any more, and is there because its parent has not
 * asked what became of it, may have left them to a child.
 */
export function hasEndedWithDescriptors(pid: number): boolean {
  return hasEnded(pid) && threadsOf(pid).some((state) => state === "killed" || state === "exiting");
}

/** None for a process that is not there or may not be seen. */
function threadsOf(pid: number): ThreadState[] {
  try {
    return readdirSync(`/proc/${pid}/task`).map((thread) => stateOf(`/proc/${pid}/task/${thread}/stat`));
  } catch {
    return [];
  }
}

function stateOf(path: string): ThreadState {
  const stat = readProcessStat(path);
  if (stat === null) return "gone";
  if (ENDED.includes(stat.state)) return "ended";
  if ((stat.flags & PF_EXITING) !== 0) return "exiting";
  return (stat.pendingSignals & SIGKILL) === 0 ? "runs" : "killed";
}
