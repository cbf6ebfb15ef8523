/** The pid file: the number of this process and a line feed, locked while the process lives, removed at its end. */

import { closeSync, ftruncateSync, writeSync } from "node:fs";
import { QomError } from "../base/errors.js";
import { printable } from "../base/limits.js";
import { openLocked } from "../native/file-lock-server.js";
import type { ServerLibc } from "../native/libc-server.js";
import { FileIdentity } from "../native/file-identity.js";

/** A pid file that this process holds. */
export class PidFile {
  readonly #fd: number;
  readonly #file: FileIdentity;

  private constructor(fd: number, file: FileIdentity) {
    this.#fd = fd;
    this.#file = file;
  }

  /**
   * Writes the pid file; one that a dead process left is written over.
   * @throws QomError `in-use` when a live process holds it, `wrong-type` when it is no regular file, `io` when the system refuses
   */
  static create(server: ServerLibc, path: string): PidFile {
    const fd = openLocked(server, path, "pid file");
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

  /**
   * Removes the file and lets go of it.
   * @throws QomError `io` when the file cannot be removed
   */
  remove(): void {
    try {
      this.#file.remove();
    } finally {
      closeSync(this.#fd);
    }
  }
}
