/**
 * Reads from the page cache alone (preadv2(2) with RWF_NOWAIT), done in the calling thread: they never wait for a disk or for the server of
 * a network file system.
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
  /** preadv2(2). `vectors` is an array of struct iovec; C writes to the memory that they describe until the function returns. */
  preadv2(fd: number, vectors: Uint8Array, count: number, offset: number, flags: number): number;
}

/** off_t is a long on 64-bit Linux. musl has this function since 1.2.5. */
const PROTOTYPES = { preadv2: "long preadv2(int fd, const void *vectors, int count, long offset, int flags)" };

/** Fail with EAGAIN instead of waiting (linux/fs.h). */
const RWF_NOWAIT = 8;

const IOVEC_SIZE = 16;
const LENGTH_AT = 8;

/** The kernel, the file system or a seccomp filter does not support the function or its flag, and never will. */
const UNSUPPORTED: ReadonlySet<number> = new Set([Errno.EPERM, Errno.EINVAL, Errno.ENOSYS, Errno.ENOTSUP]);

const loadFunctions: () => ReadLibc = lazily(() => declareFunctions<ReadLibc>(PROTOTYPES));

/** The function, and memory for the arguments of a call. */
interface Call {
  readonly functions: ReadLibc;
  readonly vector: NativeMemory;
}

/** Cached reads of one open file. Where they are not available they read nothing: the caller has another way to read anyway. */
export class CachedReads {
  readonly #fd: number;
  readonly #load: () => ReadLibc;
  /** Undefined before the first read; null if such reads are not available. */
  #call: Call | null | undefined;

  /**
   * Nothing is loaded before the first read.
   * @param fd open for reading. The caller keeps it, and makes no reads once it is closed
   * @param load returns the function of libc. Default: that of this process
   */
  constructor(fd: number, load: () => ReadLibc = loadFunctions) {
    this.#fd = fd;
    this.#load = load;
  }

  /**
   * Fills `into` with the bytes of the file from `offset` on, as far as they are cached. The kernel writes to `into` only until this
   * returns.
   * @returns the number of bytes read. If it is less than asked for, even 0, that says nothing about the content of the file
   */
  read(offset: number, into: Uint8Array): number {
    const call = this.#call === undefined ? (this.#call = this.#prepare()) : this.#call;
    if (call === null || into.length === 0) return 0;
    const { functions, vector } = call;
    vector.view.setBigUint64(0, addressOf(into), true);
    vector.view.setBigUint64(LENGTH_AT, BigInt(into.length), true);
    const result = functions.preadv2(this.#fd, vector.bytes, 1, offset, RWF_NOWAIT);
    if (result >= 0) {
      // stated after the call, so that `into` is not garbage while the kernel writes to it
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
      // no koffi here, or no such function in libc, for which koffi has its own kind of error
      return null;
    }
  }
}
