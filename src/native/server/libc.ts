/** The functions of libc that only a server needs. Results, errors and buffers are as in libc.ts. */

import { QomError } from "../../base/errors.js";
import { declareFunctions } from "../libc.js";
import { SystemCallError } from "../errno.js";

/** The functions, with C's meaning of their arguments. */
export interface ServerLibc {
  /** bind(2). `address` holds a sockaddr of `length` bytes. */
  bind(fd: number, address: Uint8Array, length: number): number;
  /** listen(2). */
  listen(fd: number, backlog: number): number;
  /** socketpair(2). `pair` has room for two i32, which the caller owns. */
  socketpair(domain: number, type: number, protocol: number, pair: Uint8Array): number;
  /** accept4(2) without the peer's address. The caller owns the descriptor it returns. */
  accept4(fd: number, address: null, length: null, flags: number): number;
  /** getsockname(2). `length` holds the room in `address`, and then how much there was to write. */
  getsockname(fd: number, address: Uint8Array, length: Uint8Array): number;
  /** getsockopt(2). `length` holds the size of `value`, and then how much of it was written. */
  getsockopt(fd: number, level: number, option: number, value: Uint8Array, length: Uint8Array): number;
  /** shutdown(2). */
  shutdown(fd: number, how: number): number;
  /** recv(2). */
  recv(fd: number, bytes: Uint8Array, length: number, flags: number): number;
  /** send(2). */
  send(fd: number, bytes: Uint8Array, length: number, flags: number): number;
  /** recvmsg(2). `message` is a msghdr. The caller owns the descriptors it brings. */
  recvmsg(fd: number, message: Uint8Array, flags: number): number;
  /** epoll_create1(2). The caller owns the descriptor it returns. */
  epoll_create1(flags: number): number;
  /** epoll_ctl(2). `event` is a struct epoll_event. */
  epoll_ctl(epollFd: number, operation: number, fd: number, event: Uint8Array): number;
  /** epoll_wait(2). `events` has room for `eventsMax` structures. Blocks. */
  epoll_wait(epollFd: number, events: Uint8Array, eventsMax: number, timeoutMs: number): number;
  /** eventfd(2). The caller owns the descriptor it returns. */
  eventfd(initial: number, flags: number): number;
  /** eventfd_write(3): adds to the counter. */
  eventfd_write(fd: number, value: number): number;
}

const PROTOTYPES: Readonly<Record<keyof ServerLibc, string>> = {
  bind: "int bind(int fd, const void *address, uint32_t length)",
  listen: "int listen(int fd, int backlog)",
  socketpair: "int socketpair(int domain, int type, int protocol, void *pair)",
  accept4: "int accept4(int fd, void *address, void *length, int flags)",
  getsockname: "int getsockname(int fd, void *address, void *length)",
  getsockopt: "int getsockopt(int fd, int level, int option, void *value, void *length)",
  shutdown: "int shutdown(int fd, int how)",
  recv: "long recv(int fd, void *bytes, size_t length, int flags)",
  send: "long send(int fd, const void *bytes, size_t length, int flags)",
  recvmsg: "long recvmsg(int fd, void *message, int flags)",
  epoll_create1: "int epoll_create1(int flags)",
  epoll_ctl: "int epoll_ctl(int epollFd, int operation, int fd, void *event)",
  epoll_wait: "int epoll_wait(int epollFd, void *events, int eventsMax, int timeoutMs)",
  eventfd: "int eventfd(unsigned int initial, int flags)",
  eventfd_write: "int eventfd_write(int fd, uint64_t value)",
};

/**
 * Loads the functions; a caller keeps what it gets, since each call loads anew.
 * @throws QomError `unsupported` as libc() of libc.ts
 */
export function loadServerLibc(): ServerLibc {
  return declareFunctions<ServerLibc>(PROTOTYPES);
}

/**
 * Passes on the result of a call that fails only when the system refuses.
 * @param attempted completes "cannot ...": `listen on '/run/x.sock'`
 * @throws QomError `io`, its cause a SystemCallError
 */
export function succeeded(result: number, syscall: string, attempted: string): number {
  if (result >= 0) return result;
  throw new QomError("io", `cannot ${attempted}`, { cause: new SystemCallError(syscall, -result) });
}
