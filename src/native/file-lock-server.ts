/**
 * Files that one process at a time holds, by a lock that the kernel drops when its holder ends, however it ends. It is a lock of fcntl(2),
 * as qemu-pr-helper has on its pid file, so that each of the two programs sees the other's; and one of the open file, since that outlasts
 * the execution of another program, and no other descriptor of the file ends it when it is closed.
 *
 *     struct flock: all zero but the type is the whole file
 *      0  i16  type
 *      2  i16  whence
 *      8  i64  start
 *     16  i64  length
 *     24  i32  process, 0 with F_OFD_SETLK
 */

import { closeSync, constants, fstatSync, lstatSync, openSync } from "node:fs";
import { QomError } from "../base/errors.js";
import { printable } from "../base/limits.js";
import { Errno } from "./errno.js";
import { succeeded } from "./libc-server.js";
import type { ServerLibc } from "./libc-server.js";
import { NativeMemory } from "./memory.js";

const F_OFD_SETLK = 37;
const F_WRLCK = 1;
const FLOCK_SIZE = 32;

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
      const locked = server.fcntlLock(fd, F_OFD_SETLK, exclusiveLock());
      if (locked === -Errno.EAGAIN) throw new QomError("in-use", `the ${named} is held by another process`);
      succeeded(locked, "fcntl", `lock the ${named}`);
      if (isAt(path, fd)) return fd;
    } catch (error) {
      closeSync(fd);
      throw error;
    }
    // The last holder removed the file just before letting go of it; what is locked now is not what others will find.
    closeSync(fd);
  }
}

function exclusiveLock(): Uint8Array {
  const { bytes, view } = new NativeMemory(FLOCK_SIZE);
  view.setInt16(0, F_WRLCK, true);
  return bytes;
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
