/** Files this process made, to be removed by it: only if the path still leads to the same file. */

import { lstatSync, unlinkSync } from "node:fs";
import { QomError } from "../../base/errors.js";
import { printable } from "../../base/limits.js";

/** Plain form of a {@link FileIdentity}: numbers in decimal digits, since they have 64 bits. */
export interface FileIdentityRecord {
  readonly path: string;
  readonly device: string;
  readonly inode: string;
}

/** A path and the file that was there at one moment. */
export class FileIdentity {
  /** The plain form, for {@link FileIdentity.from}. */
  readonly record: FileIdentityRecord;

  private constructor(record: FileIdentityRecord) {
    this.record = record;
  }

  /** What is at `path` now, which must exist; a symbolic link is itself. */
  static of(path: string): FileIdentity {
    const { dev, ino } = lstatSync(path, { bigint: true });
    return new FileIdentity({ path, device: String(dev), inode: String(ino) });
  }

  /** The identity that another run of the program found out. */
  static from(record: FileIdentityRecord): FileIdentity {
    return new FileIdentity(record);
  }

  /**
   * Removes the file; does nothing if it is gone, or another file has taken its path.
   * @throws QomError `io` when the system refuses
   */
  remove(): void {
    const { path, device, inode } = this.record;
    try {
      const now = lstatSync(path, { bigint: true, throwIfNoEntry: false });
      if (now !== undefined && String(now.dev) === device && String(now.ino) === inode) unlinkSync(path);
    } catch (cause) {
      throw new QomError("io", `cannot remove '${printable(path)}'`, { cause });
    }
  }
}
