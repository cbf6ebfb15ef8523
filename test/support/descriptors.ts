/** What this process has open, to find out whether something leaks. */

import { readdirSync, readlinkSync } from "node:fs";

/** What the open descriptors refer to, sorted; the one that reads the list is not in it. */
export function openDescriptors(): string[] {
  const targets: string[] = [];
  for (const fd of readdirSync("/proc/self/fd")) {
    try {
      targets.push(readlinkSync(`/proc/self/fd/${fd}`).replace(/\[\d+\]$/, ""));
    } catch {
      // the descriptor that listed the folder is closed by now
    }
  }
  return targets.toSorted();
}
