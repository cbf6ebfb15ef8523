/**
 * Memory layouts of the socket calls on 64-bit little-endian Linux (offsets in bytes).
 *
 *     sockaddr_un (110)            iovec (16)               cmsghdr with one descriptor (24)
 *      0  u16  family (AF_UNIX)     0  ptr  base             0  u64  length: 20, without the padding
 *      2  108  path, NUL-padded     8  u64  length           8  i32  level (SOL_SOCKET)
 *                                                           12  i32  type (SCM_RIGHTS)
 *     msghdr (56)                                           16  i32  descriptor
 *      0  ptr  name                                         20   4   padding
 *      8  u32  name length (4 bytes padding)
 *     16  ptr  iovec array
 *     24  u64  number of iovecs
 *     32  ptr  control data
 *     40  u64  length of control data
 *     48  i32  flags (received)
 *
 * musl declares the three u64 counts of msghdr and cmsghdr as u32 with padding; with the padding zero that is the same bytes.
 */

import { QomError } from "../../base/errors.js";
import { printable, UNIX_SOCKET_PATH_BYTES_MAX } from "../../base/limits.js";
import { NativeMemory } from "../memory.js";

// Values of Linux on the architectures of libc.ts; a few others differ.

/** Address family of Unix sockets. */
export const AF_UNIX = 1;
/** Socket type: a stream. */
export const SOCK_STREAM = 1;
/** Flag of a socket type: calls fail with EAGAIN where they would block. */
export const SOCK_NONBLOCK = 0o4000;
/** Flag of a socket type: closed on exec. */
export const SOCK_CLOEXEC = 0o2000000;
/** Flag of a transfer: this one does not block. */
export const MSG_DONTWAIT = 0x40;
/** Flag of a transfer: EPIPE without the signal. */
export const MSG_NOSIGNAL = 0x4000;
/** Level of control data of any socket. */
export const SOL_SOCKET = 1;
/** Type of control data that holds descriptors. */
export const SCM_RIGHTS = 1;

/** Size of sockaddr_un. */
export const SOCKADDR_UN_SIZE = 110;
/** Offset in sockaddr_un: the path. */
export const SOCKADDR_UN_PATH = 2;

/** Size of msghdr. */
export const MSGHDR_SIZE = 56;
/** Offset in msghdr: address of the iovecs. */
export const MSGHDR_IOV = 16;
/** Offset in msghdr: number of iovecs. */
export const MSGHDR_IOV_COUNT = 24;
/** Offset in msghdr: address of the control data. */
export const MSGHDR_CONTROL = 32;
/** Offset in msghdr: length of the control data. */
export const MSGHDR_CONTROL_LENGTH = 40;

/** Offset in msghdr: what recvmsg(2) says of the message. */
export const MSGHDR_FLAGS = 48;

/** Size of iovec. */
export const IOVEC_SIZE = 16;
/** Offset in iovec: length. */
export const IOVEC_LENGTH = 8;

/** Offset in cmsghdr: level. */
export const CMSGHDR_LEVEL = 8;
/** Offset in cmsghdr: type. */
export const CMSGHDR_TYPE = 12;
/** Offset in cmsghdr: the first descriptor. */
export const CMSGHDR_DATA = 16;
/** CMSG_LEN(sizeof(int)) */
const CMSG_LENGTH = 20;
/** CMSG_SPACE(sizeof(int)) */
const CMSG_SPACE = 24;

/**
 * A sockaddr_un for the socket file `path`.
 * @throws QomError `invalid-value` for a path that is empty or contains NUL (the kernel would cut it there), `limit` for one that
 *   has more than {@link UNIX_SOCKET_PATH_BYTES_MAX} bytes in UTF-8
 */
export function unixAddress(path: string): Uint8Array {
  const context = { option: "path", value: printable(path) };
  if (path === "") throw new QomError("invalid-value", "the path of a Unix socket must not be empty", { context });
  if (path.includes("\0")) {
    throw new QomError("invalid-value", `the path of a Unix socket must not contain NUL: '${printable(path)}'`, { context });
  }
  const encoded = new TextEncoder().encode(path);
  if (encoded.length > UNIX_SOCKET_PATH_BYTES_MAX) {
    const message = `the path of a Unix socket may have ${UNIX_SOCKET_PATH_BYTES_MAX} bytes, this one has ${encoded.length}: '${printable(path)}'`;
    throw new QomError("limit", message, { context });
  }
  const address = new Uint8Array(SOCKADDR_UN_SIZE);
  address[0] = AF_UNIX;
  address.set(encoded, SOCKADDR_UN_PATH);
  return address;
}

const IOVEC_AT = MSGHDR_SIZE;
const CONTROL_AT = IOVEC_AT + IOVEC_SIZE;
const DATA_AT = CONTROL_AT + CMSG_SPACE;

/** A msghdr for bytes with one descriptor, made once and filled for each message: msghdr, iovec, control data, payload in one block. */
export class DescriptorMessage {
  /** The msghdr, for sendmsg(2) while this object is reachable. */
  readonly header: Uint8Array;
  /** Most bytes one message takes. */
  readonly capacity: number;
  readonly #memory: NativeMemory;

  constructor(capacity: number) {
    this.#memory = new NativeMemory(DATA_AT + capacity);
    this.header = this.#memory.bytes.subarray(0, MSGHDR_SIZE);
    this.capacity = capacity;
    const { view, address } = this.#memory;
    view.setBigUint64(MSGHDR_IOV, address + BigInt(IOVEC_AT), true);
    view.setBigUint64(MSGHDR_IOV_COUNT, 1n, true);
    view.setBigUint64(MSGHDR_CONTROL, address + BigInt(CONTROL_AT), true);
    view.setBigUint64(MSGHDR_CONTROL_LENGTH, BigInt(CMSG_SPACE), true);
    view.setBigUint64(IOVEC_AT, address + BigInt(DATA_AT), true);
    view.setBigUint64(CONTROL_AT, BigInt(CMSG_LENGTH), true);
    view.setInt32(CONTROL_AT + CMSGHDR_LEVEL, SOL_SOCKET, true);
    view.setInt32(CONTROL_AT + CMSGHDR_TYPE, SCM_RIGHTS, true);
  }

  /** Puts in `descriptor` and as many of `bytes` as fit. */
  fill(bytes: Uint8Array, descriptor: number): void {
    const part = bytes.length > this.capacity ? bytes.subarray(0, this.capacity) : bytes;
    const { view } = this.#memory;
    this.#memory.bytes.set(part, DATA_AT);
    // The upper half of the u64 stays zero: the capacity is far below.
    view.setUint32(IOVEC_AT + IOVEC_LENGTH, part.length, true);
    view.setInt32(CONTROL_AT + CMSGHDR_DATA, descriptor, true);
  }
}
