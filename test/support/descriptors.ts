/** What this process has open, to find out whether something leaks, and how much that may be. */

import { readdirSync, readFileSync, readlinkSync } from "node:fs";

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

/** How many files this process may have open, and each process that it starts: Node raises the soft limit to the hard one. */
export function openFilesLimit(): number {
  const [, limit] = /^Max open files\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8")) ?? [];
  if (limit === undefined) throw new Error("/proc/self/limits does not say how many files may be open");
  return Number(limit);
}
