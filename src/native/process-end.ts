/**
 * Whether a process has ended whose number is still taken. A thread that waits in the kernel, as in close(2) for the server of a FUSE file
 * system, comes to its end only when it is answered, whatever signal it gets; until then the process stays, and with it what its
 * descriptors hold: locks, and sockets that listen for nobody.
 *
 *     /proc/PID/stat (proc(5)), behind the name in brackets
 *       3  state of the first thread: Z and X are those of one that has ended
 *       9  its flags in the kernel (include/linux/sched.h); one bit says that it is on its way there
 */

import { readFileSync } from "node:fs";

const STATE_FIELD = 3;
const FLAGS_FIELD = 9;
const ENDED: readonly string[] = ["Z", "X"];
const PF_EXITING = 0x4;

/** Whether the process `pid` was ended and will run no more of its program. False when that is not known: it is none, or may not be seen. */
export function hasEnded(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    // The name may contain anything.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const field = (number: number): string => fields[number - STATE_FIELD] ?? "";
    return ENDED.includes(field(STATE_FIELD)) || (Number(field(FLAGS_FIELD)) & PF_EXITING) !== 0;
  } catch {
    return false;
  }
}
