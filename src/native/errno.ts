/** Error numbers of Linux: names, texts, and the error object that carries one. */

import { describeErrno } from "../base/errno-text.js";
import type { ErrnoError } from "../base/errors.js";

/** The numbers this library looks at (include/uapi/asm-generic/errno*.h; the architectures of libc.ts all use these). */
export const Errno = Object.freeze({
  EPERM: 1,
  ENOENT: 2,
  ESRCH: 3,
  EINTR: 4,
  EIO: 5,
  EBADF: 9,
  EAGAIN: 11,
  ENOMEM: 12,
  EACCES: 13,
  ENODEV: 19,
  EINVAL: 22,
  ENOTTY: 25,
  ENOSPC: 28,
  EPIPE: 32,
  EDOM: 33,
  ERANGE: 34,
  ENOLCK: 37,
  ENOSYS: 38,
  EBADE: 52,
  ENODATA: 61,
  ENOTSUP: 95,
  ECONNRESET: 104,
  ENOTCONN: 107,
  ECONNREFUSED: 111,
  EREMOTEIO: 121,
  ENOMEDIUM: 123,
  ECANCELED: 125,
});

function describe(errno: number): readonly [name: string, text: string] {
  return describeErrno(errno) ?? [`errno ${errno}`, "unknown error"];
}

/** Name of a positive error number: `ENOENT`; `errno N` for one without a known name. */
export function errnoName(errno: number): string {
  return describe(errno)[0];
}

/** What a positive error number means, in a few words: `no such file or directory`. */
export function errnoText(errno: number): string {
  return describe(errno)[1];
}

/** A system call that failed, in the shape of node's own errors: `code` is the name, `errno` the negative number. */
export class SystemCallError extends Error implements ErrnoError {
  override readonly name = "SystemCallError";
  readonly code: string;
  readonly errno: number;
  readonly syscall: string;

  /** @param errno the positive error number */
  constructor(syscall: string, errno: number) {
    super(`${syscall}: ${errnoText(errno)} (${errnoName(errno)})`);
    this.code = errnoName(errno);
    this.errno = -errno;
    this.syscall = syscall;
  }
}
