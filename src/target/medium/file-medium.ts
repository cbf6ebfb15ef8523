/** A medium in a regular file. */

import { constants, read, write } from "node:fs";
import { open, unlink } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { setImmediate as othersServed } from "node:timers/promises";
import { QomError, isErrnoError } from "../../base/errors.js";
import { unfilledBytes } from "../../base/unfilled-bytes.js";
import { printable } from "../../base/limits.js";
import { missingFolder } from "../../base/missing-folder.js";
import type { Locking } from "../../base/image-access.js";
import { CachedReads } from "../../native/file/cached-reads.js";
import { ImageLock } from "../../native/file/image-lock.js";
import { requireRange } from "./medium.js";
import type { Cancellation, Medium } from "./medium.js";

/** Read and write by the owner only: a disk's content is nobody else's. */
const FILE_MODE = 0o600;

/**
 * Most bytes that are read at once, or written at once where a command has no more, as most commands of a driver. So much is copied from
 * memory in the time of a few commands; an abort waits for one such step.
 */
const STEP_BYTES = 1024 * 1024;

/**
 * The same for a command that writes more, and for all where {@link FileMediumOptions.shortWrites} is set: this bounds how much of an
 * aborted write may still reach the file.
 */
const SHORT_STEP_BYTES = 256 * 1024;

/** Most bytes that are read at once before others have their turn: some milliseconds of copying, for a program that reads without a pause. */
const TURN_BYTES_MAX = 16 * 1024 * 1024;

/** How a file is used as a medium. */
export interface FileMediumOptions {
  /** Every write is done in steps of at most 256 KiB, so that an abort, and what waits for it, waits for no more than that. Default false. */
  readonly shortWrites?: boolean;
  /** Gives the reads that do not wait. Default: those of the kernel, where it has them. */
  readonly cachedReads?: (fd: number) => Pick<CachedReads, "read">;
}

/** Identity of a file beside its name: device and inode. */
export interface MediumIdentity {
  readonly device: bigint;
  readonly inode: bigint;
}

/**
 * Bytes of a file. What the kernel has in memory is read at once, into the caller's memory; everything else goes through node's pool of
 * threads, in steps. An abort takes effect between two steps: of an aborted write the steps done before stay, and the one under way ends
 * before the operation does; of an aborted read nothing arrives any more.
 */
export class FileMedium implements Medium {
  readonly deallocates = false;
  readonly fillsAll = true;
  #lock: ImageLock | null = null;
  #closing: Promise<void> | null = null;
  readonly #cached: Pick<CachedReads, "read">;
  /** Longest write that is one step. */
  readonly #writeBytesMax: number;
  /** Bytes that have been read at once since others had their turn. */
  #turnBytes = 0;
  /** Memory of the last read that went through the pool, for the next one; it goes with the next collection of garbage. */
  #spare: WeakRef<Uint8Array> | null = null;

  private constructor(
    readonly sizeBytes: number,
    readonly identity: MediumIdentity,
    private readonly handle: FileHandle,
    { shortWrites = false, cachedReads = (fd): CachedReads => new CachedReads(fd) }: FileMediumOptions,
  ) {
    this.#cached = cachedReads(handle.fd);
    this.#writeBytesMax = shortWrites ? SHORT_STEP_BYTES : STEP_BYTES;
  }

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
  static async open(filename: string, newSizeBytes: number, options: FileMediumOptions = {}): Promise<FileMedium> {
    try {
      return (await FileMedium.#openExisting(filename, options)) ?? (await FileMedium.#create(filename, newSizeBytes, options));
    } catch (error) {
      if (error instanceof QomError) throw error;
      const missing = isErrnoError(error) && error.code === "ENOENT" ? missingFolder(filename) : undefined;
      throw new QomError("io", `cannot open '${printable(filename)}' as the medium of a logical unit`, {
        context: { option: "filename", value: printable(filename) },
        cause: missing === undefined ? error : new QomError("io", missing),
      });
    }
  }

  static async #openExisting(filename: string, options: FileMediumOptions): Promise<FileMedium | null> {
    let handle: FileHandle;
    try {
      // O_NONBLOCK: a FIFO or a terminal must not make the open wait
      handle = await open(filename, constants.O_RDWR | constants.O_NONBLOCK);
    } catch (error) {
      if (isErrnoError(error) && error.code === "ENOENT") return null;
      throw error;
    }
    return FileMedium.#adopt(filename, handle, options);
  }

  static async #create(filename: string, sizeBytes: number, options: FileMediumOptions): Promise<FileMedium> {
    const handle = await open(filename, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL, FILE_MODE);
    try {
      await handle.truncate(sizeBytes);
    } catch (error) {
      await handle.close();
      await unlink(filename);
      throw error;
    }
    return FileMedium.#adopt(filename, handle, options);
  }

  static async #adopt(filename: string, handle: FileHandle, options: FileMediumOptions): Promise<FileMedium> {
    try {
      const stat = await handle.stat({ bigint: true });
      const context = { option: "filename", value: printable(filename) };
      if (!stat.isFile()) throw new QomError("invalid-value", `'${printable(filename)}' is not a regular file`, { context });
      if (stat.size === 0n) {
        const hint = "remove it to have it created, or give it the size of the disk";
        throw new QomError("invalid-value", `'${printable(filename)}' is empty`, { context, hint });
      }
      return new FileMedium(Number(stat.size), { device: stat.dev, inode: stat.ino }, handle, options);
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  read(offset: number, into: Uint8Array, cancellation: Cancellation): Promise<void> | null {
    requireRange(this, offset, into.length);
    if (into.length > STEP_BYTES || this.#turnBytes >= TURN_BYTES_MAX) return this.#readLong(offset, into, cancellation);
    const done = this.#cached.read(offset, into);
    if (this.#turnBytes === 0 && done > 0) setImmediate(() => (this.#turnBytes = 0));
    this.#turnBytes += done;
    return done === into.length ? null : this.#readByPool(offset + done, into.subarray(done), cancellation);
  }

  write(offset: number, data: Uint8Array, cancellation: Cancellation): Promise<void> | null {
    requireRange(this, offset, data.length);
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

  /** Nothing at once: what is long keeps nobody waiting, an abort of it neither. */
  async #readLong(offset: number, into: Uint8Array, cancellation: Cancellation): Promise<void> {
    for (let at = 0; at < into.length; at += STEP_BYTES) {
      await othersServed();
      if (cancellation.aborted) return;
      const piece = into.subarray(at, at + STEP_BYTES);
      const done = this.#cached.read(offset + at, piece);
      if (done < piece.length) await this.#readByPool(offset + at + done, piece.subarray(done), cancellation);
    }
  }

  /** At most one step. Not straight into the caller's memory: a device does not wait for ever for an aborted command, and gives it back before. */
  async #readByPool(offset: number, into: Uint8Array, cancellation: Cancellation): Promise<void> {
    const step = this.#takeSpare(into.length);
    for (let done = 0; done < into.length;) {
      const bytesRead = await readByPool(this.fd, step, into.length - done, offset + done);
      if (cancellation.aborted) break;
      if (bytesRead === 0) {
        // someone has cut the file short: what is gone reads as a hole does
        into.fill(0, done);
        break;
      }
      into.set(step.subarray(0, bytesRead), done);
      done += bytesRead;
    }
    this.#spare = new WeakRef(step);
  }

  /** Memory for `length` bytes, of any content. */
  #takeSpare(length: number): Uint8Array {
    const spare = this.#spare?.deref();
    this.#spare = null;
    return spare !== undefined && spare.length >= length ? spare : unfilledBytes(length);
  }

  async #write(offset: number, data: Uint8Array, cancellation: Cancellation): Promise<void> {
    const stepBytes = data.length <= this.#writeBytesMax ? data.length : SHORT_STEP_BYTES;
    for (let done = 0; done < data.length && !cancellation.aborted;) {
      done += await writeByPool(this.fd, data, { from: done, length: Math.min(stepBytes, data.length - done), at: offset + done });
    }
  }
}

/** Fills at most `length` bytes from the beginning of `into`; gives their number. FileHandle takes up to 14 % more for a megabyte. */
function readByPool(fd: number, into: Uint8Array, length: number, at: number): Promise<number> {
  return new Promise((resolve, reject) => {
    read(fd, into, 0, length, at, (error, bytesRead) => {
      if (error === null) resolve(bytesRead);
      else reject(error);
    });
  });
}

/** What of the data goes where in the file. */
interface WriteStep {
  readonly from: number;
  readonly length: number;
  readonly at: number;
}

/** The same for a write. */
function writeByPool(fd: number, data: Uint8Array, { from, length, at }: WriteStep): Promise<number> {
  return new Promise((resolve, reject) => {
    write(fd, data, from, length, at, (error, bytesWritten) => {
      if (error === null) resolve(bytesWritten);
      else reject(error);
    });
  });
}
