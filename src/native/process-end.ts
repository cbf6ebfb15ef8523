/**
 * Whether a process has ended whose number is still taken. A thread that waits in the kernel, as in close(2) for the server of a FUSE file
 * system, comes to its end only when it is answered, whatever signal it gets; until then the process stays, and with it what its
 * descriptors hold: locks, and sockets that listen for nobody.
 *
 *     /proc/PID/task/THREAD/stat (proc(5)), behind the name in brackets
 *       3  state of the thread: Z and X are those of one that has ended
 *       9  its flags in the kernel (include/linux/sched.h); one bit says that it is on its way there
 *      31  signals that wait for it, a bit for each: SIGKILL waits for those that have to end and cannot yet
 */

import { readdirSync, readFileSync } from "node:fs";

const STATE_FIELD = 3;
const FLAGS_FIELD = 9;
const SIGNALS_FIELD = 31;
const ENDED: readonly string[] = ["Z", "X"];
const PF_EXITING = 0x4;
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
  try {
    const stat = readFileSync(path, "latin1");
    // The name may contain anything.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const field = (number: number): string => fields[number - STATE_FIELD] ?? "";
    if (ENDED.includes(field(STATE_FIELD))) return "ended";
    if ((Number(field(FLAGS_FIELD)) & PF_EXITING) !== 0) return "exiting";
    return (Number(field(SIGNALS_FIELD)) & SIGKILL) === 0 ? "runs" : "killed";
  } catch {
    return "gone";
  }
}
