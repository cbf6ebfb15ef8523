/**
 * The file beside a folder's lock that the holder keeps locked in the kernel for as long as it has the folder: `lock.held`. The kernel drops
 * that lock however its process ends, and knows neither namespaces nor who may see whom, so that a file that can be locked has no holder.
 *
 * The file contains a name, made with it. Whoever holds the file writes that name into the lock of the folder: a lock with another name is
 * of another file, which somebody removed by hand, and its holder may still have it.
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
  /** What is in the file. */
  readonly name: string;
  /** Whether the file is new, so that no lock can have its name. */
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
   * Locks the file `path`, which is made if it is missing.
   * @returns null where files cannot be locked: no native code, or a file system without locks
   * @throws QomError `in-use` when another process has it, or this one a second time; `io`, `wrong-type` as {@link openLocked}
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

  /** Lets go of the file and removes it. */
  release(): void {
    try {
      this.#file.remove();
    } finally {
      closeSync(this.#fd);
    }
  }

  /** Lets go of the file and leaves things as they were. */
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

/** Null when the file is empty, or its maker was killed before it had written. */
function readName(fd: number): string | null {
  const bytes = Buffer.alloc(NAME_LENGTH + 1);
  const text = bytes.toString("latin1", 0, readSync(fd, bytes, 0, bytes.length, 0));
  return NAME.test(text) ? text : null;
}

/** The name reaches the disk, so that a lock which a power failure left behind is known to be one. */
function writeName(fd: number): string {
  const name = uniqueName();
  ftruncateSync(fd, 0);
  writeSync(fd, name, 0);
  fsyncSync(fd);
  return name;
}
