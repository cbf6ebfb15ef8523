/**
 * The server's side of Unix stream sockets: listening, and the calls on accepted connections. No call here blocks; one that would have to
 * wait fails with EAGAIN. Layouts of the structures: native/socket/layout.ts.
 */

import { QomError } from "../../base/errors.js";
import { printable } from "../../base/limits.js";
import type { Libc } from "../libc.js";
import { succeeded } from "./libc.js";
import type { ServerLibc } from "./libc.js";
import { NativeMemory } from "../memory.js";
import {
  AF_UNIX,
  CMSGHDR_DATA,
  CMSGHDR_LEVEL,
  CMSGHDR_TYPE,
  IOVEC_LENGTH,
  IOVEC_SIZE,
  MSGHDR_CONTROL,
  MSGHDR_CONTROL_LENGTH,
  MSGHDR_FLAGS,
  MSGHDR_IOV,
  MSGHDR_IOV_COUNT,
  MSGHDR_SIZE,
  MSG_NOSIGNAL,
  SCM_RIGHTS,
  SOCKADDR_UN_PATH,
  SOCKADDR_UN_SIZE,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  SOL_SOCKET,
  unixAddress,
} from "../socket/layout.js";

const SHUT_RDWR = 2;
const MSG_CTRUNC = 0x08;
const MSG_CMSG_CLOEXEC = 0x40000000;
const F_DUPFD_CLOEXEC = 1030;
const F_GETFL = 3;
const F_SETFL = 4;
const SO_TYPE = 3;
const SO_ACCEPTCONN = 30;
const SO_DOMAIN = 39;
const O_ACCMODE = 3;
const O_PATH = 0o10000000;

/** Connections that may wait to be accepted; more than this at once find the socket busy (EAGAIN) and try again. */
const LISTEN_BACKLOG = 1024;

/** Room for descriptors in one message: one more than a request may carry, so that too many are seen. The kernel closes the rest. */
const DESCRIPTORS_RECEIVED_MAX = 2;
const DESCRIPTOR_SIZE = 4;

/**
 * Creates the socket file `path`, with permissions as the umask says, and listens on it. The caller owns the descriptor.
 * @throws QomError `io` when the system refuses (the file exists, no such directory), or as {@link unixAddress}
 */
export function listenUnixStream(libc: Libc, server: ServerLibc, path: string): number {
  const address = unixAddress(path);
  const attempted = `listen on '${printable(path)}'`;
  const fd = succeeded(libc.socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), "socket", attempted);
  try {
    succeeded(server.bind(fd, address, SOCKADDR_UN_SIZE), "bind", attempted);
    succeeded(server.listen(fd, LISTEN_BACKLOG), "listen", attempted);
    return fd;
  } catch (error) {
    libc.close(fd);
    throw error;
  }
}

/**
 * Prepares a listening socket that another program made: no call on it blocks from now on.
 * @throws QomError `wrong-type` when `fd` is no Unix stream socket that listens, `io` when it is no socket
 */
export function adoptListener(libc: Libc, server: ServerLibc, fd: number): void {
  const expected = [
    [SO_DOMAIN, AF_UNIX, "is not a Unix socket"],
    [SO_TYPE, SOCK_STREAM, "is not a stream socket"],
    [SO_ACCEPTCONN, 1, "does not listen"],
  ] as const;
  for (const [option, value, wrong] of expected) {
    if (numberOption(server, fd, option) !== value) throw new QomError("wrong-type", `descriptor ${fd} ${wrong}`);
  }
  const flags = succeeded(libc.fcntl(fd, F_GETFL, 0), "fcntl", `use descriptor ${fd}`);
  succeeded(libc.fcntl(fd, F_SETFL, flags | SOCK_NONBLOCK), "fcntl", `use descriptor ${fd}`);
}

function numberOption(server: ServerLibc, fd: number, option: number): number {
  const value = new NativeMemory(Int32Array.BYTES_PER_ELEMENT);
  const length = new NativeMemory(Uint32Array.BYTES_PER_ELEMENT);
  length.view.setUint32(0, value.bytes.length, true);
  succeeded(server.getsockopt(fd, SOL_SOCKET, option, value.bytes, length.bytes), "getsockopt", `use descriptor ${fd} as a socket`);
  return value.view.getInt32(0, true);
}

/** Two connected stream sockets that the caller owns: sending into the one blocks, receiving from the other does not. */
export function connectedPair(libc: Libc, server: ServerLibc): { readonly sender: number; readonly receiver: number } {
  const pair = new NativeMemory(2 * DESCRIPTOR_SIZE);
  const attempted = "connect two sockets";
  succeeded(server.socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.bytes), "socketpair", attempted);
  const [sender, receiver] = [pair.view.getInt32(0, true), pair.view.getInt32(DESCRIPTOR_SIZE, true)];
  succeeded(libc.fcntl(receiver, F_SETFL, SOCK_NONBLOCK), "fcntl", attempted);
  return { sender, receiver };
}

/** Ends listening for all threads at once: from now on connects are refused and accepts fail. The descriptor stays open. */
export function stopListening(server: ServerLibc, fd: number): void {
  succeeded(server.shutdown(fd, SHUT_RDWR), "shutdown", "stop listening");
}

/** The path of the file that a Unix socket was bound to; null for an abstract or unnamed one, and for another kind of socket. */
export function pathOfSocket(server: ServerLibc, fd: number): string | null {
  const address = new NativeMemory(SOCKADDR_UN_SIZE);
  const length = new NativeMemory(4);
  length.view.setUint32(0, SOCKADDR_UN_SIZE, true);
  succeeded(server.getsockname(fd, address.bytes, length.bytes), "getsockname", "tell where the socket is bound");
  const path = address.bytes.subarray(SOCKADDR_UN_PATH, length.view.getUint32(0, true));
  const end = path.indexOf(0);
  const text = new TextDecoder().decode(end < 0 ? path : path.subarray(0, end));
  return address.view.getUint16(0, true) === AF_UNIX && text.startsWith("/") ? text : null;
}

/** Ends an accepted connection in both directions, whoever waits for it. The descriptor stays open. Harmless when the peer has gone. */
export function shutDownConnection(server: ServerLibc, fd: number): void {
  server.shutdown(fd, SHUT_RDWR);
}

/** The next connection, non-blocking, closed on exec, owned by the caller; or minus the errno. */
export function acceptConnection(server: ServerLibc, listenerFd: number): number {
  return server.accept4(listenerFd, null, null, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

/** Receives up to `bytes.length` bytes: their number, 0 at the end of the stream, or minus the errno. The kernel closes descriptors sent along. */
export function receiveBytes(server: ServerLibc, fd: number, bytes: Uint8Array): number {
  return server.recv(fd, bytes, bytes.length, 0);
}

/** Sends what fits of `bytes` without waiting: the number of bytes, or minus the errno. Raises no SIGPIPE. */
export function sendBytes(server: ServerLibc, fd: number, bytes: Uint8Array): number {
  return server.send(fd, bytes, bytes.length, MSG_NOSIGNAL);
}

/** Why this process could not open one more descriptor, by duplicating the socket `fd` for a moment: a positive errno, or 0 when it can. */
export function whyNoDescriptor(libc: Libc, fd: number): number {
  const duplicate = libc.fcntl(fd, F_DUPFD_CLOEXEC, 0);
  if (duplicate < 0) return -duplicate;
  libc.close(duplicate);
  return 0;
}

/** How `fd` was opened: O_RDONLY, O_WRONLY, O_RDWR, or 3 for neither reading nor writing; or minus the errno. */
export function accessModeOf(libc: Libc, fd: number): number {
  const flags = libc.fcntl(fd, F_GETFL, 0);
  return flags < 0 ? flags : flags & O_ACCMODE;
}

/** Whether `fd` was opened with O_PATH: it names a file that its owner may not even be allowed to read. */
export function isPathDescriptor(libc: Libc, fd: number): boolean {
  const flags = libc.fcntl(fd, F_GETFL, 0);
  return flags >= 0 && (flags & O_PATH) !== 0;
}

const IOVEC_AT = MSGHDR_SIZE;
const CONTROL_AT = IOVEC_AT + IOVEC_SIZE;
const CONTROL_SIZE = CMSGHDR_DATA + DESCRIPTORS_RECEIVED_MAX * DESCRIPTOR_SIZE;
const DATA_AT = CONTROL_AT + CONTROL_SIZE;

/** Receives bytes with descriptors, through a msghdr that is made once: msghdr, iovec, control data, payload in one block. */
export class DescriptorReceiver {
  readonly #server: ServerLibc;
  readonly #memory: NativeMemory;
  readonly #header: Uint8Array;
  /** Most bytes one call receives. */
  readonly capacity: number;
  #truncated = false;

  constructor(server: ServerLibc, capacity: number) {
    this.#server = server;
    this.#memory = new NativeMemory(DATA_AT + capacity);
    this.#header = this.#memory.bytes.subarray(0, MSGHDR_SIZE);
    this.capacity = capacity;
    const { view, address } = this.#memory;
    view.setBigUint64(MSGHDR_IOV, address + BigInt(IOVEC_AT), true);
    view.setBigUint64(MSGHDR_IOV_COUNT, 1n, true);
    view.setBigUint64(MSGHDR_CONTROL, address + BigInt(CONTROL_AT), true);
    view.setBigUint64(IOVEC_AT, address + BigInt(DATA_AT), true);
  }

  /**
   * As {@link receiveBytes}, but descriptors that come along are appended to `descriptors`, closed on exec and owned by the caller: at
   * most {@link DESCRIPTORS_RECEIVED_MAX} of them, and fewer than were sent when this process may open no more.
   */
  receive(fd: number, bytes: Uint8Array, descriptors: number[]): number {
    const { view } = this.#memory;
    // The upper halves of these u64 are zero, and the kernel leaves them so.
    view.setUint32(IOVEC_AT + IOVEC_LENGTH, Math.min(bytes.length, this.capacity), true);
    view.setUint32(MSGHDR_CONTROL_LENGTH, CONTROL_SIZE, true);
    const count = this.#server.recvmsg(fd, this.#header, MSG_CMSG_CLOEXEC);
    if (count > 0) bytes.set(this.#memory.bytes.subarray(DATA_AT, DATA_AT + count));
    this.#truncated = count >= 0 && (view.getInt32(MSGHDR_FLAGS, true) & MSG_CTRUNC) !== 0;
    if (count >= 0) this.#collect(descriptors);
    return count;
  }

  /** Whether more descriptors came with the last message than it brought: there were too many, or this process may open no more. */
  get truncated(): boolean {
    return this.#truncated;
  }

  #collect(descriptors: number[]): void {
    const { view } = this.#memory;
    if (view.getUint32(MSGHDR_CONTROL_LENGTH, true) < CMSGHDR_DATA) return;
    if (view.getInt32(CONTROL_AT + CMSGHDR_LEVEL, true) !== SOL_SOCKET) return;
    if (view.getInt32(CONTROL_AT + CMSGHDR_TYPE, true) !== SCM_RIGHTS) return;
    const length = view.getUint32(CONTROL_AT, true);
    for (let at = CMSGHDR_DATA; at + DESCRIPTOR_SIZE <= length; at += DESCRIPTOR_SIZE) {
      descriptors.push(view.getInt32(CONTROL_AT + at, true));
    }
  }
}
