/** A medium in a regular file. */

import { constants } from "node:fs";
import { open, unlink } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { assert } from "../../base/assert.js";
import { QomError, isErrnoError } from "../../base/errors.js";
import { printable } from "../../base/limits.js";
import { missingFolder } from "../../base/missing-folder.js";
import type { Locking } from "../../base/image-access.js";
import { ImageLock } from "../../native/file/image-lock.js";
import type { Cancellation, Medium } from "./medium.js";

/** Read and write by the owner only: a disk's content is nobody else's. */
const FILE_MODE = 0o600;

/**
 * Largest single read or write. Between two of them an aborted command stops, so this bounds how long an abort has to wait and how
 * much of an aborted write may still reach the file.
 */
const STEP_BYTES = 256 * 1024;

/** Identity of a file beside its name: device and inode. */
export interface FileIdentity {
  readonly device: bigint;
  readonly inode: bigint;
}

/**
 * Bytes of a file, read and written in steps of at most 256 KiB. An abort takes effect between two steps: of an aborted write the
 * steps done before stay, and the one under way ends before the operation does; of an aborted read nothing arrives any more.
 */
export class FileMedium implements Medium {
  readonly deallocates = false;
  #lock: ImageLock | null = null;
  #closing: Promise<void> | null = null;

  private constructor(
    readonly sizeBytes: number,
    readonly identity: FileIdentity,
    private readonly handle: FileHandle,
  ) {}

  get lock(): ImageLock | null {
    return this.#lock;
  }

  get fd(): number {
    return this.handle.fd;
  }

  /**
   * Opens `filename` for reading and writing; its length is the medium's size. A missing file is created sparse with `newSizeBytes`.
   * @throws QomError `io` when the operating system refuses, `invalid-value` when it is no regular file or empty.
   */
  static async open(filename: string, newSizeBytes: number): Promise<FileMedium> {
    try {
      return (await FileMedium.#openExisting(filename)) ?? (await FileMedium.#create(filename, newSizeBytes));
    } catch (error) {
      if (error instanceof QomError) throw error;
      const missing = isErrnoError(error) && error.code === "ENOENT" ? missingFolder(filename) : undefined;
      throw new QomError("io", `cannot open '${printable(filename)}' as the medium of a logical unit`, {
        context: { option: "filename", value: printable(filename) },
        cause: missing === undefined ? error : new QomError("io", missing),
      });
    }
  }

  static async #openExisting(filename: string): Promise<FileMedium | null> {
    let handle: FileHandle;
    try {
      // O_NONBLOCK: a FIFO or a terminal must not make the open wait
      handle = await open(filename, constants.O_RDWR | constants.O_NONBLOCK);
    } catch (error) {
      if (isErrnoError(error) && error.code === "ENOENT") return null;
      throw error;
    }
    return FileMedium.#adopt(filename, handle);
  }

  static async #create(filename: string, sizeBytes: number): Promise<FileMedium> {
    const handle = await open(filename, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL, FILE_MODE);
    try {
      await handle.truncate(sizeBytes);
    } catch (error) {
      await handle.close();
      await unlink(filename);
      throw error;
    }
    return FileMedium.#adopt(filename, handle);
  }

  static async #adopt(filename: string, handle: FileHandle): Promise<FileMedium> {
    try {
      const stat = await handle.stat({ bigint: true });
      const context = { option: "filename", value: printable(filename) };
      if (!stat.isFile()) throw new QomError("invalid-value", `'${printable(filename)}' is not a regular file`, { context });
      if (stat.size === 0n) {
        const hint = "remove it to have it created, or give it the size of the disk";
        throw new QomError("invalid-value", `'${printable(filename)}' is empty`, { context, hint });
      }
      return new FileMedium(Number(stat.size), { device: stat.dev, inode: stat.ino }, handle);
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  read(offset: number, into: Uint8Array, cancellation: Cancellation): Promise<void> | null {
    this.#checkRange(offset, into.length);
    return into.length === 0 ? null : this.#read(offset, into, cancellation);
  }

  write(offset: number, data: Uint8Array, cancellation: Cancellation): Promise<void> | null {
    this.#checkRange(offset, data.length);
    return data.length === 0 ? null : this.#write(offset, data, cancellation);
  }

  /** Does nothing: node cannot punch holes, and zeros written instead would take the space that was to be given back. */
  deallocate(): void {}

  flush(): Promise<void> {
    return this.handle.datasync();
  }

  /**
   * From now on the file has a {@link lock}; nothing is locked by this call.
   * @param filename what the user calls the file
   * @param warn told, in one line, why `auto` goes on without locks
   * @throws QomError `unsupported` when `locking` is `on` and there are none
   */
  useLocks(filename: string, locking: Locking, warn: (line: string) => void): void {
    this.#lock = new ImageLock({ fd: this.fd, filename, locking, warn });
  }

  close(): Promise<void> {
    this.#lock?.end();
    this.#closing ??= this.handle.close();
    return this.#closing;
  }

  async #read(offset: number, into: Uint8Array, cancellation: Cancellation): Promise<void> {
    // Not straight into the caller's memory: a device does not wait for ever for a step of an aborted command, and gives it back before.
    const step = new Uint8Array(Math.min(STEP_BYTES, into.length));
    for (let done = 0; done < into.length;) {
      const { bytesRead } = await this.handle.read(step, 0, Math.min(step.length, into.length - done), offset + done);
      if (cancellation.aborted) return;
      if (bytesRead === 0) {
        // someone has cut the file short: what is gone reads as a hole does
        into.fill(0, done);
        return;
      }
      into.set(step.subarray(0, bytesRead), done);
      done += bytesRead;
    }
  }

  async #write(offset: number, data: Uint8Array, cancellation: Cancellation): Promise<void> {
    for (let done = 0; done < data.length && !cancellation.aborted;) {
      const { bytesWritten } = await this.handle.write(data, done, Math.min(STEP_BYTES, data.length - done), offset + done);
      done += bytesWritten;
    }
  }

  #checkRange(offset: number, length: number): void {
    assert(offset >= 0 && offset + length <= this.sizeBytes, `bytes ${offset} to ${offset + length} lie in a medium of ${this.sizeBytes}`);
  }
}
