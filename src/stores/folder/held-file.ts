/**
 * The file `lock.held` next to a folder's lock, which the holder keeps locked in the kernel for as long as it has the folder. The kernel
 * drops this lock however the process ends, and it works across namespaces and hidden processes: if the file can be locked, it has no
 * holder.
 *
 * The file contains a name, generated when it was created. The holder of the file writes that name into the lock of the folder. A lock with
 * another name belongs to another file, which somebody removed by hand, and whose holder may still be running.
 */

import { closeSync, fsyncSync, ftruncateSync, readSync, writeSync } from "node:fs";
import { uniqueName } from "../../base/crypto.js";
import { QomError } from "../../base/errors.js";
import { SystemCallError } from "../../native/errno.js";
import { FileIdentity } from "../../native/file/identity.js";
import { openLocked } from "../../native/file/open-locked.js";
import { libc } from "../../native/libc.js";

const NAME = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const NAME_LENGTH = 36;

/** See the module text. */
export class HeldFile {
  /** Content of the file. */
  readonly name: string;
  /** True for a new file, whose name no lock can have yet. */
  readonly #isNew: boolean;
  readonly #fd: number;
  readonly #file: FileIdentity;

  private constructor(path: string, fd: number) {
    this.#fd = fd;
    this.#file = FileIdentity.of(path);
    const found = readName(fd);
    this.#isNew = found === null;
    this.name = found ?? writeName(fd);
  }

  /**
   * Locks the file `path`, which is created if it is missing.
   * @returns null where files cannot be locked: without native code, or on a file system without locks
   * @throws QomError `in-use` if another process has it, or this one already; `io`, `wrong-type` as {@link openLocked}
   */
  static acquire(path: string): HeldFile | null {
    const fd = openWhereLockable(path);
    if (fd === null) return null;
    try {
      return new HeldFile(path, fd);
    } catch (error) {
      closeSync(fd);
      throw error instanceof QomError ? error : new QomError("io", "cannot write the file of the lock", { cause: error });
    }
  }

  /** Removes and unlocks the file. */
  release(): void {
    try {
      this.#file.remove();
    } finally {
      closeSync(this.#fd);
    }
  }

  /** Unlocks the file, and removes it if it was not there before. */
  giveBack(): void {
    if (this.#isNew) this.release();
    else closeSync(this.#fd);
  }
}

function openWhereLockable(path: string): number | null {
  try {
    return openLocked(libc(), path, "lock file");
  } catch (error) {
    const noLocks = error instanceof QomError && error.cause instanceof SystemCallError && error.cause.syscall === "fcntl";
    if (noLocks || (error instanceof QomError && error.kind === "unsupported")) return null;
    throw error;
  }
}

/** Null if the file is empty, or its creator was killed before it had written the name. */
function readName(fd: number): string | null {
  const bytes = Buffer.alloc(NAME_LENGTH + 1);
  const text = bytes.toString("latin1", 0, readSync(fd, bytes, 0, bytes.length, 0));
  return NAME.test(text) ? text : null;
}

/** The name is synced to the disk, so that a lock that survives a power failure can be recognised as stale. */
function writeName(fd: number): string {
  const name = uniqueName();
  ftruncateSync(fd, 0);
  writeSync(fd, name, 0);
  fsyncSync(fd);
  return name;
}
