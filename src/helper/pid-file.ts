/**
 * The pid file: the number of this process and a line feed, locked while the process lives, removed at its end. The lock has a descriptor of
 * its own, so that another thread can have it.
 */

import { closeSync, constants, ftruncateSync, openSync, writeSync } from "node:fs";
import { QomError } from "../base/errors.js";
import { printable } from "../base/limits.js";
import { openLocked } from "../native/file/open-locked.js";
import type { Libc } from "../native/libc.js";
import { FileIdentity } from "../native/file/identity.js";
import type { FileIdentityRecord } from "../native/file/identity.js";

/** A pid file in the hands of another run of the program. */
export interface PidFileHandover {
  readonly fd: number;
  readonly lockFd: number;
  readonly file: FileIdentityRecord;
}

/** A pid file that this process holds. */
export class PidFile {
  /** A descriptor of the file. */
  readonly fd: number;
  /** Another one; open, it is the lock. */
  readonly lockFd: number;
  readonly #file: FileIdentity;
  #removed = false;
  #lockLeft = false;

  private constructor({ fd, lockFd, file }: PidFileHandover) {
    this.fd = fd;
    this.lockFd = lockFd;
    this.#file = FileIdentity.from(file);
  }

  /**
   * Writes the pid file; one that a dead process left is written over.
   * @throws QomError `in-use` when a live process holds it, `wrong-type` when it is not a regular file, `io` when the system refuses
   */
  static create(libc: Libc, path: string): PidFile {
    const lockFd = openLocked(libc, path, "pid file");
    let pidFile;
    try {
      const fd = openSync(path, constants.O_RDWR | constants.O_NOFOLLOW);
      pidFile = new PidFile({ fd, lockFd, file: FileIdentity.of(path).record });
      ftruncateSync(fd);
      writeSync(fd, `${process.pid}\n`);
      return pidFile;
    } catch (cause) {
      if (pidFile === undefined) closeSync(lockFd);
      pidFile?.remove();
      throw new QomError("io", `cannot write the pid file '${printable(path)}'`, { cause });
    }
  }

  /** Goes on with the pid file that another run of the program in this process holds. */
  static resume(handover: PidFileHandover): PidFile {
    return new PidFile(handover);
  }

  /** What another run of the program needs for {@link resume}. */
  get handover(): PidFileHandover {
    return { fd: this.fd, lockFd: this.lockFd, file: this.#file.record };
  }

  /** Leaves the lock to the gate, which has a copy of its descriptor, and closes the one here. */
  leaveLock(): void {
    if (this.#removed) return;
    closeSync(this.lockFd);
    this.#lockLeft = true;
  }

  /**
   * Removes the file and lets go of it. A file that may not be removed is at least emptied, so that it names no process.
   * Idempotent.
   * @throws QomError `io` when the file cannot be removed
   */
  remove(): void {
    if (this.#removed) return;
    this.#removed = true;
    try {
      ftruncateSync(this.fd);
      this.#file.remove();
    } finally {
      closeSync(this.fd);
      if (!this.#lockLeft) closeSync(this.lockFd);
    }
  }
}
