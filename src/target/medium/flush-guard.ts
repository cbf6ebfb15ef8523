/**
 * A failed flush of a medium is not forgotten. Linux reports a page that could not be written once, drops it, and lets the next
 * fdatasync(2) succeed: whoever asks again would be told that lost data are safe.
 */

import { isError } from "../../base/errors.js";
import { Errno, SystemCallError } from "../../native/errno.js";
import type { ImageLock } from "../../native/file/image-lock.js";
import type { Cancellation, Medium } from "./medium.js";

/** `medium`, with this difference: from its first failed flush on every other one fails too (EIO), for as long as it is open. */
export class FlushGuard implements Medium {
  readonly sizeBytes: number;
  readonly fd: number | null;
  readonly deallocates: boolean;
  readonly fillsAll: boolean;
  readonly lock: ImageLock | null;
  readonly #medium: Medium;
  #failed = false;
  /** The flush that is under way, and the one that follows it for all who have asked since. */
  #running: Promise<void> | null = null;
  #next: Promise<void> | null = null;

  constructor(medium: Medium) {
    this.sizeBytes = medium.sizeBytes;
    this.fd = medium.fd;
    this.deallocates = medium.deallocates;
    this.fillsAll = medium.fillsAll ?? false;
    this.lock = medium.lock ?? null;
    this.#medium = medium;
  }

  guards(medium: Medium): boolean {
    return this.#medium === medium;
  }

  read(offset: number, into: Uint8Array, cancellation: Cancellation): Promise<void> | null {
    return pendingOf(this.#medium.read(offset, into, cancellation));
  }

  write(offset: number, data: Uint8Array, cancellation: Cancellation): Promise<void> | null {
    return pendingOf(this.#medium.write(offset, data, cancellation));
  }

  deallocate(offset: number, length: number): void {
    this.#medium.deallocate(offset, length);
  }

  /**
   * One at a time: of two that are under way together the kernel tells one alone of a failure, and it need not be the one whose data are
   * lost. The first failure is the system's own error.
   */
  flush(): Promise<void> | null {
    if (this.#failed) return Promise.reject(lostWrites());
    if (this.#next !== null) return this.#next;
    if (this.#running === null) return this.#start();
    this.#next = this.#running.then(
      () => this.#start() ?? undefined,
      () => Promise.reject(lostWrites()),
    );
    return this.#next;
  }

  close(): Promise<void> {
    return this.#medium.close();
  }

  #start(): Promise<void> | null {
    this.#next = null;
    const pending = this.#flushMedium();
    if (pending === null) return null;
    this.#running = pending.then(
      () => {
        this.#running = null;
      },
      (error: unknown) => {
        this.#failed = true;
        throw error;
      },
    );
    return this.#running;
  }

  /** A medium that is done at once throws where another one rejects. */
  #flushMedium(): Promise<void> | null {
    try {
      return pendingOf(this.#medium.flush());
    } catch (error) {
      return Promise.reject(isError(error) ? error : new Error(String(error)));
    }
  }
}

/** The promise of what a medium has begun as a Promise of this realm, which system calls under node:vm do not give; null when it is done. */
function pendingOf(begun: PromiseLike<void> | null | undefined): Promise<void> | null {
  if (begun === null || begun === undefined) return null;
  return begun instanceof Promise ? begun : Promise.resolve(begun);
}

function lostWrites(): SystemCallError {
  return new SystemCallError("fdatasync", Errno.EIO);
}
