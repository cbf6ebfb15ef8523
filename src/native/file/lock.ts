/**
 * Locks on ranges of a file's bytes that belong to the open file description (fcntl_locking(2), F_OFD_SETLK): they outlast an execve(2),
 * no close of another descriptor of the same file ends them, and the kernel drops them once the last descriptor of the description is
 * closed, however its process ended. A descriptor that another process was sent (SCM_RIGHTS) is of the same description and holds them too.
 *
 *     struct flock
 *      0  i16  type
 *      2  i16  whence, 0: from the file's beginning
 *      8  i64  start
 *     16  i64  length, 0: to the end, however far the file grows
 *     24  i32  process, 0 with open file descriptions
 */

import { QomError } from "../../base/errors.js";
import { Errno, SystemCallError } from "../errno.js";
import type { Libc } from "../libc.js";
import { NativeMemory } from "../memory.js";

const F_OFD_GETLK = 36;
const F_OFD_SETLK = 37;
const F_RDLCK = 0;
const F_WRLCK = 1;
const F_UNLCK = 2;
const FLOCK_SIZE = 32;

/** Bytes of a file; none of them need exist. */
export interface ByteRange {
  readonly start: number;
  /** In bytes; 0 reaches to the end of the file, however far it grows. */
  readonly length: number;
}

/** The whole file. */
export const WHOLE_FILE: ByteRange = { start: 0, length: 0 };

/** Several can hold a shared lock on a byte, one alone an exclusive one, as F_RDLCK and F_WRLCK. */
export type FileLockKind = "shared" | "exclusive";

/**
 * Locks a range, without waiting. A lock that the description already has there is replaced.
 * @param fd open for reading for a shared lock, for writing for an exclusive one
 * @returns false when another description holds a lock that conflicts
 * @throws QomError `io` when the system refuses, its cause a SystemCallError (a file system without locks: ENOLCK, EOPNOTSUPP)
 */
export function lockRange(libc: Libc, fd: number, kind: FileLockKind, range: ByteRange): boolean {
  return setLock(libc, fd, typeOf(kind), range);
}

/**
 * Gives a range back; nothing happens where the description holds nothing.
 * @throws QomError `io` as {@link lockRange}
 */
export function unlockRange(libc: Libc, fd: number, range: ByteRange): void {
  setLock(libc, fd, F_UNLCK, range);
}

/**
 * True when a lock of that kind would be refused now, because of another description. Nothing is locked.
 * @throws QomError `io` as {@link lockRange}
 */
export function isRangeHeldByOthers(libc: Libc, fd: number, kind: FileLockKind, range: ByteRange): boolean {
  const lock = flock(typeOf(kind), range);
  const result = libc.fcntlLock(fd, F_OFD_GETLK, lock.bytes);
  if (result < 0) throw refused(-result, "look at a lock");
  return lock.view.getInt16(0, true) !== F_UNLCK;
}

function setLock(libc: Libc, fd: number, type: number, range: ByteRange): boolean {
  const result = libc.fcntlLock(fd, F_OFD_SETLK, flock(type, range).bytes);
  if (result === -Errno.EAGAIN || result === -Errno.EACCES) return false;
  if (result < 0) throw refused(-result, "set a lock");
  return true;
}

function typeOf(kind: FileLockKind): number {
  return kind === "shared" ? F_RDLCK : F_WRLCK;
}

function flock(type: number, { start, length }: ByteRange): NativeMemory {
  const memory = new NativeMemory(FLOCK_SIZE);
  memory.view.setInt16(0, type, true);
  memory.view.setBigInt64(8, BigInt(start), true);
  memory.view.setBigInt64(16, BigInt(length), true);
  return memory;
}

function refused(errno: number, attempted: string): QomError {
  return new QomError("io", `cannot ${attempted} on the file`, { cause: new SystemCallError("fcntl", errno) });
}
