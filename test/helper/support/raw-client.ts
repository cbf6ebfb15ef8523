/** A client that keeps no rule of the protocol by itself: any bytes, any number of descriptors with them. */

import { Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { encodeFeatures, FEATURE_WORD_SIZE, NO_FEATURES, RESPONSE_HEADER_SIZE } from "#src/scsi/pr-helper.js";
import { libc } from "#src/native/libc.js";
import { NativeMemory } from "#src/native/memory.js";
import { Errno, SystemCallError } from "#src/native/errno.js";
import * as layout from "#src/native/socket/layout.js";

const SIOCOUTQ = 0x5411;
const FIONREAD = 0x541b;
const DESCRIPTOR_SIZE = 4;

/** How a server ended a connection. */
export type End = "eof" | "reset";

/** See the file's text. */
export class RawClient {
  /** Connects, and agrees on no features. */
  static async greeted(path: string): Promise<RawClient> {
    const client = new RawClient(path);
    await client.read(FEATURE_WORD_SIZE);
    client.send(encodeFeatures(NO_FEATURES));
    return client;
  }

  readonly #fd: number;
  readonly #stream: Socket;
  /** Fulfilled when the server has closed the connection. */
  readonly ended: Promise<End>;
  #received = Buffer.alloc(0);
  #wake: () => void = () => {};
  #end: End | null = null;

  constructor(path: string) {
    this.#fd = libc().socket(layout.AF_UNIX, layout.SOCK_STREAM | layout.SOCK_CLOEXEC, 0);
    const connected = libc().connect(this.#fd, layout.unixAddress(path), layout.SOCKADDR_UN_SIZE);
    if (connected < 0) {
      libc().close(this.#fd);
      throw new SystemCallError("connect", -connected);
    }
    this.#stream = new Socket({ fd: this.#fd, readable: true, writable: true, allowHalfOpen: true });
    this.ended = new Promise((resolve) => {
      const end = (how: End) => () => {
        this.#end ??= how;
        this.#wake();
        resolve(this.#end);
      };
      this.#stream.once("end", end("eof")).once("error", end("reset"));
    });
    this.#stream.on("data", (chunk: Buffer) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      this.#wake();
    });
  }

  /** Sends `bytes` in one message, with `descriptors`. Throws SystemCallError (EPIPE) when the server has closed the connection. */
  send(bytes: Uint8Array, descriptors: readonly number[] = []): void {
    const iovAt = layout.MSGHDR_SIZE;
    const controlAt = iovAt + layout.IOVEC_SIZE;
    const controlLength = descriptors.length === 0 ? 0 : layout.CMSGHDR_DATA + DESCRIPTOR_SIZE * descriptors.length;
    const dataAt = controlAt + 8 * Math.ceil(controlLength / 8);
    const memory = new NativeMemory(dataAt + bytes.length);
    const { view, address } = memory;
    memory.bytes.set(bytes, dataAt);
    view.setBigUint64(layout.MSGHDR_IOV, address + BigInt(iovAt), true);
    view.setBigUint64(layout.MSGHDR_IOV_COUNT, 1n, true);
    view.setBigUint64(iovAt, address + BigInt(dataAt), true);
    view.setBigUint64(iovAt + layout.IOVEC_LENGTH, BigInt(bytes.length), true);
    if (controlLength > 0) {
      view.setBigUint64(layout.MSGHDR_CONTROL, address + BigInt(controlAt), true);
      view.setBigUint64(layout.MSGHDR_CONTROL_LENGTH, BigInt(dataAt - controlAt), true);
      view.setBigUint64(controlAt, BigInt(controlLength), true);
      view.setInt32(controlAt + layout.CMSGHDR_LEVEL, layout.SOL_SOCKET, true);
      view.setInt32(controlAt + layout.CMSGHDR_TYPE, layout.SCM_RIGHTS, true);
      descriptors.forEach((fd, i) => view.setInt32(controlAt + layout.CMSGHDR_DATA + DESCRIPTOR_SIZE * i, fd, true));
    }
    // A stream that failed has closed the descriptor.
    if (this.#stream.destroyed) throw new SystemCallError("sendmsg", Errno.EPIPE);
    const sent = libc().sendmsg(this.#fd, memory.bytes, layout.MSG_NOSIGNAL);
    if (sent !== bytes.length) throw new SystemCallError("sendmsg", -sent);
  }

  /** How many bytes have arrived that {@link read} has not returned. */
  get arrived(): number {
    return this.#count(FIONREAD) + this.#stream.readableLength + this.#received.length;
  }

  /** Waits until the server has taken all that was sent, so that what is sent next reaches it by itself. */
  async drained(): Promise<void> {
    while (!this.#stream.destroyed && this.#count(SIOCOUTQ) > 0) await delay(1);
  }

  #count(request: number): number {
    const count = new NativeMemory(4);
    const result = libc().ioctl(this.#fd, request, count.bytes);
    if (result < 0) throw new SystemCallError("ioctl", -result);
    return count.view.getInt32(0, true);
  }

  /** The next `length` bytes; fewer only when the server closed the connection. */
  async read(length: number): Promise<Buffer> {
    while (this.#received.length < length && this.#end === null) {
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    const bytes = this.#received.subarray(0, length);
    this.#received = this.#received.subarray(length);
    return bytes;
  }

  /** One answer: its header, and its data if the header says there are any. */
  async readAnswer(): Promise<Buffer> {
    const header = await this.read(RESPONSE_HEADER_SIZE);
    return header.length < RESPONSE_HEADER_SIZE ? header : Buffer.concat([header, await this.read(header.readInt32BE(4))]);
  }

  /** Stops and starts reading from the connection. */
  pause(): void {
    this.#stream.pause();
  }
  resume(): void {
    this.#stream.resume();
  }

  /** Sends no more, and says so to the server. */
  finish(): void {
    this.#stream.end();
  }

  /** Everything that has not been read, up to the end of the connection, and how it ended. */
  async readToEnd(): Promise<{ readonly bytes: Buffer; readonly end: End }> {
    const end = await this.ended;
    return { bytes: await this.read(this.#received.length), end };
  }

  close(): void {
    this.#stream.destroy();
  }
}
