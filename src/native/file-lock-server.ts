/** Files that one process at a time holds, by a lock of flock(2): the kernel drops it when its holder ends, however it ends. */

import { closeSync, constants, fstatSync, lstatSync, openSync } from "node:fs";
import { QomError } from "../base/errors.js";
import { printable } from "../base/limits.js";
import { Errno } from "./errno.js";
import { succeeded } from "./libc-server.js";
import type { ServerLibc } from "./libc-server.js";

const LOCK_EX = 2;
const LOCK_NB = 4;

/** No symbolic link is followed and no FIFO waited for: the path may lie where others can put things. */
const OPEN_FLAGS = constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** Only the owner can open the file, since whoever can, can lock it. */
const OWNER_ONLY = 0o600;

/**
 * Opens the regular file `path`, creating it if there is none, and locks it. The caller owns the descriptor; closing it unlocks.
 * @param purpose names the file in messages: `pid file`
 * @throws QomError `in-use` when another process has the lock, `wrong-type` when it is no regular file, `io` when the system refuses
 */
export function openLocked(server: ServerLibc, path: string, purpose: string): number {
  const named = `${purpose} '${printable(path)}'`;
  for (;;) {
    const fd = open(path, named);
    try {
      if (!fstatSync(fd).isFile()) throw new QomError("wrong-type", `the ${named} is not a regular file`);
      const locked = server.flock(fd, LOCK_EX | LOCK_NB);
      if (locked === -Errno.EAGAIN) throw new QomError("in-use", `the ${named} is held by another process`);
      succeeded(locked, "flock", `lock the ${named}`);
      if (isAt(path, fd)) return fd;
    } catch (error) {
      closeSync(fd);
      throw error;
    }
    // The last holder removed the file just before letting go of it; what is locked now is not what others will find.
    closeSync(fd);
  }
}

function open(path: string, named: string): number {
  try {
    return openSync(path, OPEN_FLAGS, OWNER_ONLY);
  } catch (cause) {
    throw new QomError("io", `cannot open the ${named}`, { cause });
  }
}

function isAt(path: string, fd: number): boolean {
  const held = fstatSync(fd, { bigint: true });
  const found = lstatSync(path, { bigint: true, throwIfNoEntry: false });
  return found?.dev === held.dev && found.ino === held.ino;
}
