/**
 * The descriptor table of a thread (unshare(2), CLONE_FILES). The threads of a process share one, and it lives until the last of them has
 * ended: one that waits in close(2) keeps open whatever the process had open, although the process was killed. A thread that has left the
 * common table has numbers of its own, which no other thread can use.
 */

import { readdirSync, readlinkSync } from "node:fs";
import { declareFunctions } from "../libc.js";
import type { Libc } from "../libc.js";

interface TableFunctions {
  /** unshare(2). */
  readonly unshare: (flags: number) => number;
}

const CLONE_FILES = 0x400;

/** What node's own threads wake one another with, and the standard descriptors. */
const OF_NODE = /^(?:anon_inode:|pipe:)/;
const STANDARD_DESCRIPTOR_MAX = 2;

/**
 * Gives the calling thread a table of its own, with its copies of `kept`, of what node needs and of the standard descriptors.
 * @returns 0, or minus the errno when the system refuses; then the thread shares the table as before
 */
export function leaveCommonTable(libc: Libc, kept: readonly number[]): number {
  const { unshare } = declareFunctions<TableFunctions>({ unshare: "int unshare(int flags)" });
  const result = unshare(CLONE_FILES);
  if (result < 0) return result;
  const own = "/proc/thread-self/fd";
  for (const fd of readdirSync(own).map(Number)) {
    if (fd <= STANDARD_DESCRIPTOR_MAX || kept.includes(fd)) continue;
    const target = targetOf(`${own}/${fd}`);
    if (target !== null && !OF_NODE.test(target)) libc.close(fd);
  }
  return 0;
}

/** Null for the descriptor that listed the folder, which is closed. */
function targetOf(path: string): string | null {
  try {
    return readlinkSync(path);
  } catch {
    return null;
  }
}
