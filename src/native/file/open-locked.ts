/**
 * Files that one process at a time holds, by a lock that the kernel drops when its holder ends, however it ends. It is a lock of fcntl(2),
 * as qemu-pr-helper has on its pid file, so that each of the two programs sees the other's; and one of the open file, since that outlasts
 * the execution of another program, and no other descriptor of the file ends it when it is closed.
 */

import { closeSync, constants, fstatSync, lstatSync, openSync } from "node:fs";
import { QomError } from "../../base/errors.js";
import { printable } from "../../base/limits.js";
import { requireFolder } from "../../base/missing-folder.js";
import { lockRange, WHOLE_FILE } from "./lock.js";
import type { Libc } from "../libc.js";

/** No symbolic link is followed and no FIFO waited for: the path may lie where others can put things. */
const OPEN_FLAGS = constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** Only the owner can open the file, since whoever can, can lock it. */
const OWNER_ONLY = 0o600;

/**
 * Opens the regular file `path`, creating it if there is none, and locks it. The caller owns the descriptor; closing it unlocks.
 * @param purpose names the file in messages: `pid file`
 * @throws QomError `in-use` when another process has the lock, `wrong-type` when it is no regular file, `io` when the system refuses
 */
export function openLocked(libc: Libc, path: string, purpose: string): number {
  const named = `${purpose} '${printable(path)}'`;
  requireFolder(path, purpose);
  for (;;) {
    const fd = open(path, named);
    try {
      if (!fstatSync(fd).isFile()) throw new QomError("wrong-type", `the ${named} is not a regular file`);
      if (!lockRange(libc, fd, "exclusive", WHOLE_FILE)) throw new QomError("in-use", `the ${named} is held by another process`);
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
