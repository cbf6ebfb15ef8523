/**
 * Whether a process has ended whose number is still taken. A thread that waits in the kernel, as in close(2) for the server of a FUSE file
 * system, comes to its end only when it is answered, whatever signal it gets; until then the process stays, and with it all that its
 * descriptors hold: locks, and sockets that listen for nobody. Its first thread is a zombie by then.
 */

import { readFileSync } from "node:fs";

/** States of /proc/PID/stat (proc(5)): zombie, and dead. */
const ENDED: readonly string[] = ["Z", "X"];

/** Whether the process `pid` was ended and will run no more of its program. False when that is not known: it is none, or may not be seen. */
export function hasEnded(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    // Behind the name in brackets, which may contain anything.
    return ENDED.includes(stat.charAt(stat.lastIndexOf(")") + 2));
  } catch {
    return false;
  }
}
