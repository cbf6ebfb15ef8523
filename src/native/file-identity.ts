/** Files this process made, to be removed by it: only if the path still leads to the same file. */

import { lstatSync, unlinkSync } from "node:fs";
import { QomError } from "../base/errors.js";
import { printable } from "../base/limits.js";

/** A path and the file that was there at one moment. */
export class FileIdentity {
  readonly #path: string;
  readonly #device: bigint;
  readonly #inode: bigint;

  private constructor(path: string, device: bigint, inode: bigint) {
    this.#path = path;
    this.#device = device;
    this.#inode = inode;
  }

  /** What is at `path` now, which must exist; a symbolic link is itself. */
  static of(path: string): FileIdentity {
    const { dev, ino } = lstatSync(path, { bigint: true });
    return new FileIdentity(path, dev, ino);
  }

  /**
   * Removes the file; does nothing if it is gone, or another file has taken its path.
   * @throws QomError `io` when the system refuses
   */
  remove(): void {
    try {
      const now = lstatSync(this.#path, { bigint: true, throwIfNoEntry: false });
      if (now?.dev === this.#device && now.ino === this.#inode) unlinkSync(this.#path);
    } catch (cause) {
      throw new QomError("io", `cannot remove '${printable(this.#path)}'`, { cause });
    }
  }
}
