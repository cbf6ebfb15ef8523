/** A process that stands still: a peer that is there and says nothing. */

import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";

/** Between two looks at the process; the look decides, not the pause. */
const POLL_INTERVAL_MS = 1;

/**
 * Stops a process, and resolves when each of its threads stands still: kill() returns before, and a thread that did not get the signal
 * itself may serve one more request meanwhile. SIGCONT lets it go on.
 * @throws Error when there is no such process, or it has ended
 */
export async function stopProcess(pid: number): Promise<void> {
  process.kill(pid, "SIGSTOP");
  for (let states = threadStates(pid); !states.every((state) => state === "T"); states = threadStates(pid)) {
    if (states.includes("Z")) throw new Error(`process ${pid} has ended`);
    await pause(POLL_INTERVAL_MS);
  }
}

/** The states of the threads, as a letter each; proc(5). */
function threadStates(pid: number): string[] {
  const folder = `/proc/${pid}/task`;
  return readdirSync(folder).map((thread) => {
    try {
      return /^State:\s+(\S)/m.exec(readFileSync(`${folder}/${thread}/status`, "utf8"))?.[1] ?? "";
    } catch {
      return ""; // it ended in between
    }
  });
}
