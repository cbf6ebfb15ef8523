/**
 * Reads of what the kernel has in memory (preadv2(2) with RWF_NOWAIT), done in the calling thread: they wait neither for a disk nor for the
 * server of a network file system.
 *
 *     struct iovec
 *      0  u64  address
 *      8  u64  length
 */

import { assert } from "../../base/assert.js";
import { lazily } from "../../base/lazily.js";
import { Errno } from "../errno.js";
import { addressOf, declareFunctions } from "../libc.js";
import { NativeMemory } from "../memory.js";

interface ReadLibc {
  /** preadv2(2). `vectors` is an array of struct iovec; C writes to the memory that they name until the function returns. */
  preadv2(fd: number, vectors: Uint8Array, count: number, offset: number, flags: number): number;
}

/** off_t is a long on 64-bit Linux. musl before 1.2.5 has no such function. */
const PROTOTYPES = { preadv2: "long preadv2(int fd, const void *vectors, int count, long offset, int flags)" };

/** Fail with EAGAIN rather than wait (linux/fs.h). */
const RWF_NOWAIT = 8;

const IOVEC_SIZE = 16;
const LENGTH_AT = 8;

/** The kernel, the file system or a seccomp filter does not know the function or its flag, and will not the next time. */
const UNSUPPORTED: ReadonlySet<number> = new Set([Errno.EPERM, Errno.EINVAL, Errno.ENOSYS, Errno.ENOTSUP]);

const loadFunctions: () => ReadLibc = lazily(() => declareFunctions<ReadLibc>(PROTOTYPES));

/** The functions, and memory for the argument of one call. */
interface Call {
  readonly functions: ReadLibc;
  readonly vector: NativeMemory;
}

/** Such reads of one open file. Where they cannot be had it reads nothing, and that is all: the caller has another way in any case. */
export class CachedReads {
  readonly #fd: number;
  readonly #load: () => ReadLibc;
  /** Undefined before the first read, null where there are none. */
  #call: Call | null | undefined;

  /**
   * Nothing is loaded before the first read.
   * @param fd open for reading; it stays the caller's, who reads no more once it is closed
   * @param load gives the function of libc. Default: that of this process
   */
  constructor(fd: number, load: () => ReadLibc = loadFunctions) {
    this.#fd = fd;
    this.#load = load;
  }

  /**
   * Fills `into` with the bytes of the file from `offset` on, as far as they are in memory. `into` stays the caller's: the kernel has
   * written to it when this returns and does not afterwards.
   * @returns the number of bytes read; fewer than asked for, 0 among them, say nothing of what the file holds there
   */
  read(offset: number, into: Uint8Array): number {
    const call = this.#call === undefined ? (this.#call = this.#prepare()) : this.#call;
    if (call === null || into.length === 0) return 0;
    const { functions, vector } = call;
    vector.view.setBigUint64(0, addressOf(into), true);
    vector.view.setBigUint64(LENGTH_AT, BigInt(into.length), true);
    const result = functions.preadv2(this.#fd, vector.bytes, 1, offset, RWF_NOWAIT);
    if (result >= 0) {
      // Said after the call, so that nobody takes `into` for unused while the kernel writes to it.
      assert(result <= into.length, "the kernel keeps within the memory it is given");
      return result;
    }
    if (UNSUPPORTED.has(-result)) this.#call = null;
    return 0;
  }

  #prepare(): Call | null {
    try {
      return { functions: this.#load(), vector: new NativeMemory(IOVEC_SIZE) };
    } catch {
      // No koffi here, or no such function in libc, which koffi reports by an error of its own.
      return null;
    }
  }
}
