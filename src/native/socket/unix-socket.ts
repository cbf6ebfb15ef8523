/**
 * Client end of a Unix stream socket that can send a file descriptor along with bytes.
 *
 * Node's net.Socket does everything but that: it reads, writes and watches the connection. The one message with a descriptor goes out
 * by sendmsg(2) on the same connection, without blocking.
 */

import { statSync } from "node:fs";
import type { Stats } from "node:fs";
import { Socket } from "node:net";
import type { ConnectOpts, OnReadOpts, SocketConstructorOpts } from "node:net";
import { assert } from "../../base/assert.js";
import { systemClock } from "../../base/clock.js";
import type { Clock } from "../../base/clock.js";
import { QomError } from "../../base/errors.js";
import { missingFolder } from "../../base/missing-folder.js";
import { printable } from "../../base/limits.js";
import { Errno, errnoText, SystemCallError } from "../errno.js";
import { libc } from "../libc.js";
import {
  AF_UNIX,
  DescriptorMessage,
  MSG_DONTWAIT,
  MSG_NOSIGNAL,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  SOCKADDR_UN_SIZE,
  unixAddress,
} from "./layout.js";

/** Bytes that go out in the same system call as the descriptor; the rest of a longer message follows by plain writes. */
const MESSAGE_BYTES_MAX = 16 * 1024;

/** Bytes taken in one read. A longer message comes in several. */
const READ_BYTES_MAX = 16 * 1024;

/** A busy peer is asked again after 1 ms, then after twice as long each time, up to this: often enough, and next to no load. */
const RETRY_DELAY_MAX_MS = 64;

/** How {@link connectUnixStream} waits. */
export interface ConnectOptions {
  /** For waiting until a busy peer takes a connection or a message; the real clock by default. */
  readonly clock?: Clock;
  /** Gives up: the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

/**
 * Connects to the stream socket at `path`, without blocking. While the listener's backlog is full it waits; `signal` ends that.
 *
 * @throws QomError `connection` when the socket cannot be reached, with path and reason in its message; `invalid-value` or `limit`
 *   for the path itself, as {@link unixAddress}; `unsupported` where there are no system calls
 */
export async function connectUnixStream(path: string, options: ConnectOptions = {}): Promise<NativeSocket> {
  const clock = options.clock ?? systemClock;
  const address = unixAddress(path);
  const fd = libc().socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) throw connectionError(path, errnoText(-fd));
  try {
    for (let delayMs = 1; ; delayMs = longer(delayMs)) {
      options.signal?.throwIfAborted();
      const errno = -libc().connect(fd, address, SOCKADDR_UN_SIZE);
      if (errno === 0) return new NativeSocket(fd, clock);
      if (!isBusy(errno)) throw connectionError(path, whyNot(path, errno));
      await wait(clock, delayMs, options.signal);
    }
  } catch (error) {
    libc().close(fd);
    throw error;
  }
}

function connectionError(path: string, reason: string): QomError {
  const message = `cannot connect to the Unix socket '${printable(path)}': ${reason}`;
  return new QomError("connection", message, { context: { option: "path", value: printable(path) } });
}

/** The reason in words. Linux answers ECONNREFUSED for a socket nobody listens on and for a file that is no socket alike. */
function whyNot(path: string, errno: number): string {
  if (errno === Errno.ENOENT) return missingFolder(path) ?? errnoText(errno);
  if (errno !== Errno.ECONNREFUSED) return errnoText(errno);
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined || stats.isSocket()) return "no process listens on it";
  return `it is ${fileKind(stats)}, not a socket`;
}

function fileKind(stats: Stats): string {
  if (stats.isFile()) return "a regular file";
  if (stats.isDirectory()) return "a directory";
  return stats.isFIFO() ? "a FIFO" : "a device";
}

/** Whether the same call may succeed later: the peer's queue is full, or a signal came in between. */
function isBusy(errno: number): boolean {
  return errno === Errno.EAGAIN || errno === Errno.EINTR;
}

function longer(delayMs: number): number {
  return Math.min(2 * delayMs, RETRY_DELAY_MAX_MS);
}

/** Resolves after `delayMs`, or as soon as `signal` is aborted. */
function wait(clock: Clock, delayMs: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const finish = (): void => {
      timer.cancel();
      signal?.removeEventListener("abort", finish);
      resolve();
    };
    const timer = clock.after(delayMs, finish);
    signal?.addEventListener("abort", finish, { once: true });
    if (signal?.aborted === true) finish();
  });
}

/** What takes the bytes that arrive. They are valid during the call only: the memory is used again. */
export type Receiver = (bytes: Uint8Array) => void;

/** A connected Unix stream socket; made by {@link connectUnixStream}. It owns its descriptor, through `stream`. */
export class NativeSocket {
  /**
   * For plain writes and events, except `data`: see {@link receive}. It does nothing on `error`, for which "close" follows.
   */
  readonly stream: Socket;
  readonly #fd: number;
  readonly #clock: Clock;
  readonly #message = new DescriptorMessage(MESSAGE_BYTES_MAX);
  readonly #closed = new AbortController();
  #receiver: Receiver;
  #sending = false;

  /** Takes over the connected descriptor `fd`; when the constructor throws, it still is the caller's. */
  constructor(fd: number, clock: Clock = systemClock) {
    this.#fd = fd;
    this.#clock = clock;
    this.#receiver = () => this.close();
    // The types of node 20 know onread only where net.connect() passes it on to this constructor.
    const options: SocketConstructorOpts & ConnectOpts = { fd, readable: true, writable: true, onread: this.#readIntoOneBuffer() };
    this.stream = new Socket(options);
    // An error without a listener would end the process.
    this.stream.on("error", () => {});
    this.stream.once("close", () => this.#closed.abort());
  }

  /**
   * Hands what arrives to `receiver`, in place of the one before. To be called in the same turn of the event loop in which the socket was
   * made; bytes that nobody takes close it.
   */
  receive(receiver: Receiver): void {
    this.#receiver = receiver;
  }

  /** Node makes a new buffer of 64 KiB for each read otherwise, which is a good part of the time of a short answer. */
  #readIntoOneBuffer(): OnReadOpts {
    const memory = new Uint8Array(READ_BYTES_MAX);
    let read = memory.subarray(0, 0);
    return {
      buffer: memory,
      callback: (length) => {
        // Answers mostly have the size of the one before, and a view of them is dear.
        if (read.length !== length) read = memory.subarray(0, length);
        this.#receiver(read);
        return true;
      },
    };
  }

  /**
   * Sends `bytes`, and a duplicate of the descriptor `fd` with the first of them. Waits while the peer's queue is full.
   *
   * Resolves once bytes and descriptor are on their way; what did not fit follows as a plain write, and if that fails the stream
   * closes. Rejects only when nothing at all was sent, and leaves the connection as it is. `bytes` may be reused afterwards.
   *
   * One call at a time, and none while a plain write is unfinished: both would reorder bytes.
   *
   * @param bytes at least one
   * @throws SystemCallError with the errno of sendmsg(2): `EBADF` when `fd` is not open, `EPIPE` when the peer or this end is closed
   */
  async sendWithDescriptor(bytes: Uint8Array, fd: number): Promise<void> {
    assert(bytes.length > 0, "a descriptor travels with at least one byte");
    assert(!this.#sending && this.stream.writableLength === 0, "nothing else is being sent on this socket");
    this.#sending = true;
    try {
      let sent = this.#trySend(bytes, fd);
      for (let delayMs = 1; sent < 0; delayMs = longer(delayMs)) {
        if (!isBusy(-sent)) throw new SystemCallError("sendmsg", -sent);
        await wait(this.#clock, delayMs, this.#closed.signal);
        sent = this.#trySend(bytes, fd);
      }
      // A copy, since the stream keeps what it cannot write at once.
      if (sent < bytes.length) this.stream.write(bytes.slice(sent));
    } finally {
      this.#sending = false;
    }
  }

  /**
   * What {@link sendWithDescriptor} does, without a promise, if the peer takes the message at once: the way of a request to a peer that waits
   * for one.
   *
   * @returns false when nothing was sent, for whatever reason: {@link sendWithDescriptor} waits or says why
   */
  sendAtOnce(bytes: Uint8Array, fd: number): boolean {
    assert(bytes.length > 0, "a descriptor travels with at least one byte");
    assert(!this.#sending && this.stream.writableLength === 0, "nothing else is being sent on this socket");
    const sent = this.#trySend(bytes, fd);
    if (sent < 0) return false;
    // A copy, since the stream keeps what it cannot write at once.
    if (sent < bytes.length) this.stream.write(bytes.slice(sent));
    return true;
  }

  /** Number of bytes sent, or minus errno. */
  #trySend(bytes: Uint8Array, fd: number): number {
    // The stream closes the descriptor when it is destroyed, and the number may be another file's right after that.
    if (this.stream.destroyed) return -Errno.EPIPE;
    this.#message.fill(bytes, fd);
    return libc().sendmsg(this.#fd, this.#message.header, MSG_NOSIGNAL | MSG_DONTWAIT);
  }

  /** Closes the connection at once and drops what was not yet sent. Idempotent. */
  close(): void {
    this.stream.destroy();
  }
}
