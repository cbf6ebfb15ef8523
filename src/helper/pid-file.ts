/** The pid file: the number of this process and a line feed, locked while the process lives, removed at its end. */

import { closeSync, ftruncateSync, writeSync } from "node:fs";
import { QomError } from "../base/errors.js";
import { printable } from "../base/limits.js";
import { openLocked } from "../native/file-lock-server.js";
import type { Libc } from "../native/libc.js";
import { FileIdentity } from "../native/file-identity.js";
import type { FileIdentityRecord } from "../native/file-identity.js";

/** A pid file in the hands of another run of the program. */
export interface PidFileHandover {
  readonly fd: number;
  readonly file: FileIdentityRecord;
}

/** A pid file that this process holds. */
export class PidFile {
  /** Its descriptor; open, it is the lock. */
  readonly fd: number;
  readonly #file: FileIdentity;
  #removed = false;

  private constructor(fd: number, file: FileIdentity) {
    this.fd = fd;
    this.#file = file;
  }

  /**
   * Writes the pid file; one that a dead process left is written over.
   * @throws QomError `in-use` when a live process holds it, `wrong-type` when it is no regular file, `io` when the system refuses
   */
  static create(libc: Libc, path: string): PidFile {
    const fd = openLocked(libc, path, "pid file");
    const pidFile = new PidFile(fd, FileIdentity.of(path));
    try {
      ftruncateSync(fd);
      writeSync(fd, `${process.pid}\n`);
      return pidFile;
    } catch (cause) {
      pidFile.remove();
      throw new QomError("io", `cannot write the pid file '${printable(path)}'`, { cause });
    }
  }

  /** Goes on with the pid file that another run of the program in this process holds. */
  static resume({ fd, file }: PidFileHandover): PidFile {
    return new PidFile(fd, FileIdentity.from(file));
  }

  /** What another run of the program needs for {@link resume}. */
  get handover(): PidFileHandover {
    return { fd: this.fd, file: this.#file.record };
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
    }
  }
}
