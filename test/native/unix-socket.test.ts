import { expect } from "chai";
import { closeSync, fstatSync, mkdirSync, openSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import type { Server } from "node:net";
import { once } from "node:events";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { systemClock } from "#src/base/clock.js";
import { SystemCallError } from "#src/native/errno.js";
import { declareFunctions, libc } from "#src/native/libc.js";
import { NativeMemory } from "#src/native/memory.js";
import * as layout from "#src/native/socket/layout.js";
import { connectUnixStream, NativeSocket } from "#src/native/socket/unix-socket.js";
import { makeFolder, removeFolder } from "../support/folder.js";
import { failure, refusal } from "../support/refusal.js";
import { openDescriptors } from "../support/descriptors.js";
import { ManualClock } from "../support/manual-clock.js";

interface PeerFunctions {
  socketpair(domain: number, type: number, protocol: number, pair: Uint8Array): number;
  setsockopt(fd: number, level: number, option: number, value: Uint8Array, length: number): number;
  bind(fd: number, address: Uint8Array, length: number): number;
  listen(fd: number, backlog: number): number;
  accept(fd: number, address: null, length: null): number;
  recvmsg(fd: number, message: Uint8Array, flags: number): number;
  write(fd: number, bytes: Uint8Array, length: number): number;
}

const SO_SNDBUF = 7;
const SOCK_DGRAM = 2;
const CMSG_SPACE = 24;

function peerFunctions(): PeerFunctions {
  return declareFunctions<PeerFunctions>({
    socketpair: "int socketpair(int domain, int type, int protocol, void *pair)",
    setsockopt: "int setsockopt(int fd, int level, int option, const void *value, uint32_t length)",
    bind: "int bind(int fd, const void *address, uint32_t length)",
    listen: "int listen(int fd, int backlog)",
    accept: "int accept(int fd, void *address, void *length)",
    recvmsg: "long recvmsg(int fd, void *message, int flags)",
    write: "long write(int fd, const void *bytes, size_t length)",
  });
}

/** The other end of a NativeSocket, by system calls alone. */
class Peer {
  readonly socket: NativeSocket;
  readonly fd: number;
  readonly #near: number;
  readonly #calls = peerFunctions();

  constructor(clock = systemClock) {
    const pair = new Int32Array(2);
    const type = layout.SOCK_STREAM | layout.SOCK_CLOEXEC | layout.SOCK_NONBLOCK;
    expect(this.#calls.socketpair(layout.AF_UNIX, type, 0, new Uint8Array(pair.buffer))).to.equal(0);
    [this.#near, this.fd] = [pair[0] ?? -1, pair[1] ?? -1];
    this.socket = new NativeSocket(this.#near, clock);
  }

  /** Makes the queue towards the peer as small as it can be. */
  shrink(): void {
    const value = new Uint8Array(4);
    expect(this.#calls.setsockopt(this.#near, layout.SOL_SOCKET, SO_SNDBUF, value, 4)).to.equal(0);
  }

  /** Fills the queue towards the peer; the number of bytes in it. */
  fill(): number {
    const block = new Uint8Array(100);
    let length = 0;
    for (let count = 0; count >= 0; length += Math.max(count, 0)) count = this.#calls.write(this.#near, block, block.length);
    return length;
  }

  /** One recvmsg: the bytes, and the descriptors that came along; null when there is nothing. */
  receive(room = 65536): { bytes: Uint8Array; descriptors: number[] } | null {
    const data = new NativeMemory(room);
    const iovec = new NativeMemory(layout.IOVEC_SIZE);
    const control = new NativeMemory(64);
    const message = new NativeMemory(layout.MSGHDR_SIZE);
    iovec.view.setBigUint64(0, data.address, true);
    iovec.view.setBigUint64(layout.IOVEC_LENGTH, BigInt(room), true);
    message.view.setBigUint64(layout.MSGHDR_IOV, iovec.address, true);
    message.view.setBigUint64(layout.MSGHDR_IOV_COUNT, 1n, true);
    message.view.setBigUint64(layout.MSGHDR_CONTROL, control.address, true);
    message.view.setBigUint64(layout.MSGHDR_CONTROL_LENGTH, 64n, true);
    const length = this.#calls.recvmsg(this.fd, message.bytes, layout.MSG_DONTWAIT);
    if (length < 0) return null;
    const controlLength = Number(message.view.getBigUint64(layout.MSGHDR_CONTROL_LENGTH, true));
    const descriptors = [];
    for (let at = layout.CMSGHDR_DATA; at + 4 <= controlLength; at += CMSG_SPACE) descriptors.push(control.view.getInt32(at, true));
    expect(iovec.bytes).to.have.length(layout.IOVEC_SIZE);
    return { bytes: data.bytes.slice(0, length), descriptors };
  }

  close(): void {
    libc().close(this.fd);
    this.socket.close();
  }
}

describe("native: Unix socket", () => {
  let folder = "";
  let servers: Server[] = [];

  beforeEach(() => {
    folder = makeFolder();
  });

  afterEach(async () => {
    await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
    servers = [];
    removeFolder(folder);
  });

  async function listen(path: string): Promise<Server> {
    const server = createServer((client) => client.resume());
    servers.push(server);
    await once(server.listen(path), "listening");
    return server;
  }

  describe("connecting", () => {
    it("reaches a server, and reads and writes like any socket", async () => {
      const server = await listen(join(folder, "s"));
      server.on("connection", (client) => client.pipe(client));
      const socket = await connectUnixStream(join(folder, "s"));
      const bytes = Uint8Array.from({ length: 100_000 }, (_, i) => i % 251);
      const received: Uint8Array[] = [];
      socket.receive((part) => received.push(part.slice()));
      socket.stream.end(bytes);
      await once(socket.stream, "end");
      expect(Buffer.concat(received).equals(bytes)).to.equal(true);
      await once(socket.stream, "close");
    });

    it("closes when it is told something and nobody listens", async () => {
      const server = await listen(join(folder, "s"));
      server.on("connection", (client) => client.write("hello"));
      const { stream } = await connectUnixStream(join(folder, "s"));
      await once(stream, "close");
    });

    it("says of every path what is wrong with it, in words", async () => {
      writeFileSync(join(folder, "file"), "");
      mkdirSync(join(folder, "folder"));
      const calls = peerFunctions();
      const datagram = libc().socket(layout.AF_UNIX, SOCK_DGRAM, 0);
      expect(calls.bind(datagram, layout.unixAddress(join(folder, "datagram")), layout.SOCKADDR_UN_SIZE)).to.equal(0);
      const dead = libc().socket(layout.AF_UNIX, layout.SOCK_STREAM, 0);
      expect(calls.bind(dead, layout.unixAddress(join(folder, "dead")), layout.SOCKADDR_UN_SIZE)).to.equal(0);
      libc().close(dead);
      const cases = [
        [join(folder, "nothing"), "no such file or directory"],
        [join(folder, "file", "below"), "not a directory"],
        [join(folder, "file"), "it is a regular file, not a socket"],
        [join(folder, "folder"), "it is a directory, not a socket"],
        ["/dev/null", "it is a device, not a socket"],
        [join(folder, "dead"), "no process listens on it"],
        [join(folder, "datagram"), "protocol wrong type for socket"],
      ] as const;
      const before = openDescriptors();
      for (const [path, text] of cases) {
        const error = await refusal(() => connectUnixStream(path));
        expect(error.kind).to.equal("connection");
        expect(error.message).to.equal(`cannot connect to the Unix socket '${path}': ${text}`);
        expect(error.context).to.deep.equal({ option: "path", value: path });
      }
      expect(openDescriptors()).to.deep.equal(before);
      libc().close(datagram);
    });

    it("takes 107 bytes of path, in UTF-8, and refuses more", async () => {
      const path = join(folder, "é".repeat(53));
      const fitting = `${folder}/${"x".repeat(106 - Buffer.byteLength(folder))}`;
      expect(Buffer.byteLength(fitting)).to.equal(107);
      await listen(fitting);
      (await connectUnixStream(fitting)).close();
      const long = await refusal(() => connectUnixStream(`${fitting}y`));
      expect(long.kind).to.equal("limit");
      expect(long.message).to.include("108");
      expect((await refusal(() => connectUnixStream(path))).kind).to.equal("limit");
    });

    it("refuses an empty path and one with NUL, which would mean other sockets", async () => {
      expect((await refusal(() => connectUnixStream(""))).kind).to.equal("invalid-value");
      const error = await refusal(() => connectUnixStream(`${folder}/a\0b`));
      expect(error.kind).to.equal("invalid-value");
      expect(error.message).to.include("\\u0000");
    });

    it("waits without blocking while the backlog is full, and gives up when told to", async () => {
      const calls = peerFunctions();
      const path = join(folder, "busy");
      const listener = libc().socket(layout.AF_UNIX, layout.SOCK_STREAM, 0);
      expect(calls.bind(listener, layout.unixAddress(path), layout.SOCKADDR_UN_SIZE)).to.equal(0);
      expect(calls.listen(listener, 0)).to.equal(0);
      const first = await connectUnixStream(path);
      const before = openDescriptors();

      const clock = new ManualClock();
      let connected = false;
      const second = connectUnixStream(path, { clock }).then((socket) => {
        connected = true;
        return socket;
      });
      clock.advance(1);
      await nextTurn();
      expect(connected).to.equal(false);
      expect(clock.timers).to.equal(1);

      const giveUp = new AbortController();
      const third = failure(connectUnixStream(path, { clock, signal: giveUp.signal }));
      giveUp.abort(new Error("enough"));
      expect(await third).to.have.property("message", "enough");

      const accepted = calls.accept(listener, null, null);
      clock.advance(1000);
      (await second).close();
      expect(clock.timers).to.equal(0);
      libc().close(accepted);
      expect(openDescriptors()).to.deep.equal(before);
      first.close();
      libc().close(listener);
    });
  });

  describe("sending a descriptor", () => {
    let fd = -1;
    let peer: Peer;
    const clock = new ManualClock();

    beforeEach(() => {
      fd = openSync(process.execPath, "r");
      peer = new Peer(clock);
    });

    afterEach(() => {
      closeSync(fd);
      peer.close();
    });

    it("delivers bytes and a duplicate together", async () => {
      const bytes = Uint8Array.from({ length: 16 }, (_, i) => i + 1);
      for (let round = 0; round < 3; round += 1) {
        await peer.socket.sendWithDescriptor(bytes, fd);
        const received = peer.receive();
        expect(received?.bytes).to.deep.equal(bytes);
        expect(received?.descriptors).to.have.length(1);
        const [copy = -1] = received?.descriptors ?? [];
        expect(copy).not.to.equal(fd);
        expect(fstatSync(copy).ino).to.equal(fstatSync(fd).ino);
        closeSync(copy);
      }
    });

    it("waits while the peer's queue is full, without blocking", async () => {
      const length = peer.fill();
      let sent = false;
      const sending = peer.socket.sendWithDescriptor(new Uint8Array(16), fd).then(() => (sent = true));
      clock.advance(500);
      await nextTurn();
      expect(sent).to.equal(false);
      for (let left = length; left > 0;) left -= peer.receive()?.bytes.length ?? 0;
      clock.advance(64);
      await sending;
      const received = peer.receive();
      expect(received?.bytes).to.have.length(16);
      expect(received?.descriptors).to.have.length(1);
      for (const copy of received?.descriptors ?? []) closeSync(copy);
    });

    it("sends what does not fit afterwards, in order and without the descriptor", async () => {
      peer.shrink();
      const bytes = Uint8Array.from({ length: 100_000 }, (_, i) => (i * 7) % 251);
      await peer.socket.sendWithDescriptor(bytes, fd);
      const parts: Uint8Array[] = [];
      const descriptors: number[] = [];
      for (let left = bytes.length; left > 0; await nextTurn()) {
        const received = peer.receive(1000);
        if (received === null) continue;
        left -= received.bytes.length;
        parts.push(received.bytes);
        descriptors.push(...received.descriptors);
        if (parts.length === 1) expect(descriptors).to.have.length(1);
      }
      expect(Buffer.concat(parts).equals(bytes)).to.equal(true);
      expect(descriptors).to.have.length(1);
      for (const copy of descriptors) closeSync(copy);
    });

    it("leaves the connection as it is when the descriptor is none", async () => {
      const error = await failure(peer.socket.sendWithDescriptor(new Uint8Array(16), 99_999));
      expect(error).to.be.instanceOf(SystemCallError).with.property("code", "EBADF");
      expect(peer.receive()).to.equal(null);
      await peer.socket.sendWithDescriptor(new Uint8Array(16), fd);
      for (const copy of peer.receive()?.descriptors ?? []) closeSync(copy);
    });

    it("sends nothing on a closed socket, whose number may be another file's by now", async () => {
      peer.socket.close();
      const reused = openSync("/dev/null", "r+");
      const error = await failure(peer.socket.sendWithDescriptor(new Uint8Array(16), fd));
      expect(error).to.be.instanceOf(SystemCallError).with.property("code", "EPIPE");
      closeSync(reused);
    });

    it("fails when the peer is gone, and when it is closed while it waits", async () => {
      peer.fill();
      const waiting = failure(peer.socket.sendWithDescriptor(new Uint8Array(16), fd));
      peer.socket.close();
      expect(await waiting).to.have.property("code", "EPIPE");
      const other = new Peer();
      libc().close(other.fd);
      expect(await failure(other.socket.sendWithDescriptor(new Uint8Array(16), fd))).to.have.property("code", "EPIPE");
      other.socket.close();
    });

    it("leaks no descriptor", async () => {
      const before = openDescriptors();
      for (let round = 0; round < 50; round += 1) {
        const other = new Peer();
        await other.socket.sendWithDescriptor(new Uint8Array(16), fd);
        await failure(other.socket.sendWithDescriptor(new Uint8Array(16), -1));
        other.close();
      }
      expect(openDescriptors()).to.deep.equal(before);
    });
  });
});
