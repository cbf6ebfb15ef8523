/**
 * Locks by which programs that use one disk image keep out of each other's way: those of QEMU, on the very bytes that QEMU has them on, so
 * that it and this library refuse each other (QEMU: block/file-posix.c, raw_apply_lock_bytes and raw_check_lock_bytes; seen in
 * /proc/locks of 7.2).
 *
 *     byte 100 + n   the holder uses permission n
 *     byte 200 + n   the holder does not let others use permission n
 *     n = 0 consistent read, 1 write, 2 write unchanged, 3 resize
 *
 * All of them are shared locks of the open file, on bytes that need not exist. To use n, nobody else may hold 200 + n; not to let others
 * use n, nobody else may hold 100 + n. Whoever begins takes its own bytes first and looks at those of others then: two that begin at
 * once are never let through both, though both may be refused.
 */

import { isErrnoError, QomError } from "../../base/errors.js";
import type { ImageAccess, Locking } from "../../base/image-access.js";
import { printable } from "../../base/limits.js";
import { isRangeHeldByOthers, lockRange, unlockRange } from "./lock.js";
import type { ByteRange } from "./lock.js";
import { libc } from "../libc.js";
import type { Libc } from "../libc.js";

/** How an image is locked. */
export interface ImageLockOptions {
  /** Open for reading at least. Locks belong to what it refers to, not to its number: a descriptor that was lent to another process has them too. */
  readonly fd: number;
  /** What the user calls the image. */
  readonly filename: string;
  readonly locking: Locking;
  /** Told, in one line, why `auto` goes on without locks. */
  readonly warn: (line: string) => void;
  /** Gives the functions of libc. Default: those of this process. */
  readonly load?: () => Libc;
}

const USED = 100;
const NOT_SHARED = 200;
const CONSISTENT_READ = 0;
const WRITE = 1;

/** The other side of a byte: who holds one keeps out who holds the other. */
function oppositeOf(byte: number): number {
  return byte < NOT_SHARED ? byte - USED + NOT_SHARED : byte - NOT_SHARED + USED;
}

function bytesOf({ writes, sharesWrites }: ImageAccess): readonly number[] {
  return [USED + CONSISTENT_READ, ...(writes ? [USED + WRITE] : []), ...(sharesWrites ? [] : [NOT_SHARED + WRITE])];
}

function rangeOf(byte: number): ByteRange {
  return { start: byte, length: 1 };
}

/** The locks of one open image, for all its users together: what one of them uses is used, what one does not share is not shared. */
export class ImageLock {
  readonly #options: ImageLockOptions;
  /** Null where there are no locks, and after the end. */
  #libc: Libc | null = null;
  readonly #claims = new Set<ImageAccess>();
  readonly #held = new Set<number>();

  /**
   * Nothing is locked yet. Closing all descriptors of the open file ends its locks.
   * @throws QomError `unsupported` when `locking` is `on` and the system has no such locks, or not on that file
   */
  constructor(options: ImageLockOptions) {
    this.#options = options;
    if (options.locking === "off") return;
    this.#attempt(() => {
      const functions = (options.load ?? libc)();
      isRangeHeldByOthers(functions, options.fd, "exclusive", rangeOf(USED));
      this.#libc = functions;
    });
  }

  /**
   * Looks whether a user could be added now; nothing is held afterwards.
   * @throws QomError as {@link claim}
   */
  check(access: ImageAccess): void {
    const functions = this.#libc;
    if (functions !== null) this.#attempt(() => this.#probe(functions, bytesOf(access)));
  }

  /**
   * Adds a user; the function given ends that.
   * @throws QomError `in-use` when another process, or another open file of this one, does not go together with it; `unsupported` as above
   */
  claim(access: ImageAccess): () => void {
    const functions = this.#libc;
    if (functions === null) return () => undefined;
    this.#attempt(() => this.#take(functions, bytesOf(access)));
    // One object for each user, whatever the caller does with its own.
    const claim = { ...access };
    this.#claims.add(claim);
    return () => {
      if (!this.#claims.delete(claim)) return;
      const wanted = new Set([...this.#claims].flatMap(bytesOf));
      this.#unlock(
        functions,
        [...this.#held].filter((byte) => !wanted.has(byte)),
      );
    };
  }

  /**
   * Gives everything back, as is to be done before the file is closed: the number of its descriptor may be another file's afterwards, and
   * to another process that was lent a descriptor the file stays open.
   */
  end(): void {
    this.#claims.clear();
    if (this.#libc !== null) this.#unlock(this.#libc, [...this.#held]);
    this.#libc = null;
  }

  #take(functions: Libc, bytes: readonly number[]): void {
    const { fd } = this.#options;
    const taken = bytes.filter((byte) => !this.#held.has(byte));
    try {
      for (const byte of taken) {
        if (!lockRange(functions, fd, "shared", rangeOf(byte))) throw this.#inUse();
        this.#held.add(byte);
      }
      this.#probe(functions, bytes);
    } catch (error) {
      this.#unlock(functions, taken);
      throw error;
    }
  }

  #probe(functions: Libc, bytes: readonly number[]): void {
    for (const byte of bytes) {
      if (isRangeHeldByOthers(functions, this.#options.fd, "exclusive", rangeOf(oppositeOf(byte)))) throw this.#inUse();
    }
  }

  #unlock(functions: Libc, bytes: readonly number[]): void {
    for (const byte of bytes) {
      this.#held.delete(byte);
      try {
        unlockRange(functions, this.#options.fd, rangeOf(byte));
      } catch (error) {
        // What cannot be given back now ends with the open file; there is nobody who could do more.
        if (!(error instanceof QomError)) throw error;
      }
    }
  }

  /** Does what needs the system; with `auto` it is left undone when the system cannot. */
  #attempt(action: () => void): void {
    try {
      action();
    } catch (error) {
      if (!(error instanceof QomError) || error.kind === "in-use") throw error;
      const reason = `image locks are not available${reasonOf(error, this.#options.filename)}`;
      if (this.#options.locking === "auto") {
        this.#options.warn(`${reason}: another process that opens the same image will not be noticed`);
        return;
      }
      throw new QomError("unsupported", `${reason}, and 'locking=on' needs them`, {
        context: { option: "locking", value: "on" },
        hint: "locking=auto continues without them, locking=off does not ask for them",
      });
    }
  }

  #inUse(): QomError {
    const filename = printable(this.#options.filename);
    return new QomError("in-use", `'${filename}' is in use by another process, or by another node or fabric of this one`, {
      context: { option: "filename", value: filename },
      hint: "to allow this, set share-rw=on on every device that uses it, in both processes; locking=off uses it without locks",
    });
  }
}

/** A platform without locks is one story however many images there are; a file system is told with its file. */
function reasonOf(error: QomError, filename: string): string {
  return isErrnoError(error.cause) ? ` for '${printable(filename)}' (${error.cause.message})` : ` here (${error.message})`;
}
