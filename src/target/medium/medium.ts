/** Where the blocks of a logical unit are kept. */

import { AssertionError } from "../../base/assert.js";
import type { ImageLock } from "../../native/file/image-lock.js";

/** What a medium asks before each step: a command that is aborted takes no further one. */
export interface Cancellation {
  readonly aborted: boolean;
}

/**
 * Bytes addressed from 0. Every operation gives null when it is done on return, else a promise of its end; it rejects with the
 * operating system's error. Callers keep within `sizeBytes`.
 *
 * After an abort an operation takes no further step, ends without an error, and leaves the rest of its buffer as it was; the buffer of a
 * read does not change any more from the abort on. A step once begun cannot be taken back: until the promise settles the medium may still
 * change, and data that are written still be read; afterwards not.
 */
export interface Medium {
  /** A multiple of the unit's block size. */
  readonly sizeBytes: number;
  /** Descriptor of the file behind it, or null. */
  readonly fd: number | null;
  /** True when {@link deallocate} makes bytes read as zero; false when it does nothing. */
  readonly deallocates: boolean;
  /**
   * True of a medium that writes every byte of what it is given to read into, unless it fails or is aborted: it is given memory that held
   * something else before. Any other medium is given zeros, or the initiator's memory. Default false.
   */
  readonly fillsAll?: boolean;
  /** Fills `into` from `offset` on. */
  read(offset: number, into: Uint8Array, cancellation: Cancellation): Promise<void> | null;
  /** Writes all of `data` at `offset`. */
  write(offset: number, data: Uint8Array, cancellation: Cancellation): Promise<void> | null;
  /** Gives back the memory of a range where the medium can. */
  deallocate(offset: number, length: number): void;
  /** What was written before survives a crash of the operating system. */
  flush(): Promise<void> | null;
  /** The locks by which other processes are kept from the medium's file; a medium without them is this process's alone. */
  readonly lock?: ImageLock | null;
  /** Releases the medium; nothing may be under way. Idempotent. */
  close(): Promise<void>;
}

/** States that a range lies in a medium. Asked for every block that is moved: no text is made unless it is wrong. */
export function requireRange({ sizeBytes }: Pick<Medium, "sizeBytes">, offset: number, length: number): void {
  if (offset >= 0 && offset + length <= sizeBytes) return;
  throw new AssertionError(`bytes ${offset} to ${offset + length} lie in a medium of ${sizeBytes}`);
}
