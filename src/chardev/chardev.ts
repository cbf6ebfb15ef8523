/** A character device at work: it listens or connects, and hands its connections to the monitor on it. */
import { connect, createServer } from "node:net";
import type { Server, Socket } from "node:net";
import type { Readable, Writable } from "node:stream";
import { errnoOrMessage, isErrnoError, QomError } from "../base/errors.js";
import { printable } from "../base/limits.js";
import { missingFolder } from "../base/missing-folder.js";
import { libc } from "../native/libc.js";
import { loadServerLibc } from "../native/server/libc.js";
import { Listener } from "../native/server/listener.js";
import { descriptorInUse, inheritedSocket, isInheritedSocket } from "./inherited.js";
import { socketConnection, stdioConnection } from "./connection.js";
import type { Connection } from "./connection.js";
import { formatAddress } from "./spec.js";
import type { ChardevSpec, SocketAddress } from "./spec.js";

/** Only the owner may connect: a monitor opens files and ends the machine. */
const SOCKET_MODE = 0o600;

/**
 * Clients of one server at a time: each may keep some megabytes here (see monitor/session.ts), and hardly anybody wants more. A client
 * beyond them is hung up on.
 */
const CLIENTS_MAX = 64;

/** What a monitor does with a connection. */
export type ConnectionHandler = (connection: Connection) => void;

/** A device that is open. Connections that come before {@link start} wait for it. */
export interface Chardev {
  /** Hands over the connections that wait, and all that come. */
  start(handler: ConnectionHandler): void;
  /** Those that come wait again until it is started anew. */
  pause(): void;
  /** Takes no more connections, and removes the socket file. Those that were handed over stay. Idempotent. */
  close(): void;
}

/** What a device may be given besides its options. */
export interface ChardevSurroundings {
  readonly stdio: { readonly input: Readable; readonly output: Writable };
  /** False: a server with `wait=on` does not wait. */
  readonly wait: boolean;
  /** Ends waiting. */
  readonly signal: AbortSignal | undefined;
  /** Told, in one line, what the user may want to know. */
  readonly notify: (line: string) => void;
  /** Told, in one line, what is probably not meant. */
  readonly warn: (line: string) => void;
  /** The command line is another program's: where no socket can be made at a path, the device has no client. */
  readonly borrowed?: boolean;
}

/**
 * Opens a device; one with `wait=on` when somebody has connected.
 * @throws QomError `connection` when nobody listens where it connects to, `in-use` or `wrong-type` for a path that another has, `io`
 */
export async function openChardev(spec: ChardevSpec, surroundings: ChardevSurroundings): Promise<Chardev> {
  if (spec.kind === "stdio") return new Single(stdioConnection(surroundings.stdio.input, surroundings.stdio.output));
  if (spec.address.kind === "fd" && !isInheritedSocket(spec.address.fd)) {
    return absent(`descriptor ${spec.address.fd} is not open here: the monitor on it has no client`, surroundings);
  }
  if (!spec.server) return connected(spec, surroundings);
  const server = await listen(spec.address, surroundings);
  if (!(server instanceof SocketServer)) return server;
  if (!spec.wait || !surroundings.wait) return server;
  try {
    surroundings.notify(`waiting for a connection on ${formatAddress(spec.address)}`);
    await server.firstConnection(surroundings.signal);
    return server;
  } catch (error) {
    server.close();
    throw error;
  }
}

/** A device that connects; one that QEMU would try to connect again and again may have nobody to connect to. */
async function connected(
  { address, optional }: ChardevSpec & { readonly kind: "socket" },
  surroundings: ChardevSurroundings,
): Promise<Chardev> {
  try {
    return new Single(await connectTo(address));
  } catch (error) {
    if (optional !== true || !(error instanceof QomError)) throw error;
    return absent(`${error.message}; it is not tried again`, surroundings);
  }
}

async function listen(address: SocketAddress, surroundings: ChardevSurroundings): Promise<Chardev> {
  try {
    return await SocketServer.listen(address, surroundings.notify);
  } catch (error) {
    if (surroundings.borrowed !== true || address.kind !== "unix" || !(error instanceof QomError)) throw error;
    return absent(`${error.message}; the monitor on it has no client`, surroundings);
  }
}

function absent(line: string, { warn }: ChardevSurroundings): Chardev {
  warn(line);
  return { start: () => undefined, pause: () => undefined, close: () => undefined };
}

/** A device with one connection, which is there from the start. */
class Single implements Chardev {
  #connection: Connection | undefined;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  start(handler: ConnectionHandler): void {
    const connection = this.#connection;
    this.#connection = undefined;
    if (connection !== undefined) handler(connection);
  }

  pause(): void {
    // there is no other connection
  }

  close(): void {
    this.#connection?.destroy();
    this.#connection = undefined;
  }
}

function cannot(what: string, address: SocketAddress, cause: unknown): QomError {
  if (address.kind === "fd" && isErrnoError(cause) && cause.code === "EEXIST") return descriptorInUse(address.fd);
  const missing = address.kind === "unix" ? missingFolder(address.path) : undefined;
  const reason = missing ?? (cause instanceof Error ? errnoOrMessage(cause) : String(cause));
  return new QomError("connection", `cannot ${what} ${printable(formatAddress(address))}: ${reason}`);
}

/** Where node connects to or listens on. */
function endpoint(
  address: Exclude<SocketAddress, { readonly kind: "fd" }>,
): { readonly path: string } | { readonly host?: string; readonly port: number } {
  if (address.kind === "unix") return { path: address.path };
  return address.host === "" ? { port: address.port } : { host: address.host, port: address.port };
}

function connectTo(address: SocketAddress): Promise<Connection> {
  if (address.kind === "fd") return Promise.resolve(socketConnection(inheritedSocket(address.fd)));
  return new Promise((resolve, reject) => {
    const socket = connect({ ...endpoint(address), noDelay: true, allowHalfOpen: true });
    // It stays, though nobody hears of it any more: a peer that resets the connection before a monitor has it is no failure of this process.
    socket.on("error", (cause) => reject(cannot("connect to", address, cause)));
    socket.once("connect", () => resolve(socketConnection(socket)));
  });
}

/** A listening socket, for any number of clients at once. */
class SocketServer implements Chardev {
  readonly #server: Server;
  /** Of a Unix socket. */
  readonly #file: Listener | undefined;
  readonly #waiting: Socket[] = [];
  #handler: ConnectionHandler | undefined;
  #onConnection: (() => void) | undefined;
  /** The last client could not be accepted, and that was said. */
  #refused = false;
  #closed = false;

  private constructor(server: Server, file: Listener | undefined, refused: (cause: Error) => void) {
    this.#server = server;
    this.#file = file;
    server.maxConnections = CLIENTS_MAX;
    server.on("connection", (socket) => this.#accept(socket));
    // Of accept(2): for want of memory or descriptors, which may be there for the next client.
    server.on("error", (cause) => {
      if (!this.#refused) refused(cause);
      this.#refused = true;
    });
  }

  static async listen(address: SocketAddress, notify: ChardevSurroundings["notify"]): Promise<SocketServer> {
    const refused = (cause: Error): void => notify(cannot("accept a connection on", address, cause).message);
    const server = createServer({ allowHalfOpen: true, noDelay: true });
    if (address.kind !== "unix") {
      await listening(server, address.kind === "fd" ? { fd: address.fd } : endpoint(address), address);
      return new SocketServer(server, undefined, refused);
    }
    const file = await Listener.create(libc(), loadServerLibc(), address.path, SOCKET_MODE);
    try {
      // From here on the descriptor is the server's.
      await listening(server, { fd: file.fd }, address);
      return new SocketServer(server, file, refused);
    } catch (error) {
      file.stop();
      throw error;
    }
  }

  /** Resolves when somebody has connected. @throws what `signal` was aborted with */
  async firstConnection(signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted();
    if (this.#waiting.length > 0) return;
    await new Promise<void>((resolve, reject) => {
      const aborted = (): void => reject(signal?.reason);
      signal?.addEventListener("abort", aborted, { once: true });
      this.#onConnection = (): void => {
        signal?.removeEventListener("abort", aborted);
        resolve();
      };
    });
  }

  start(handler: ConnectionHandler): void {
    this.#handler = handler;
    for (const socket of this.#waiting.splice(0)) handler(socketConnection(socket));
  }

  pause(): void {
    this.#handler = undefined;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const socket of this.#waiting.splice(0)) socket.destroy();
    try {
      this.#file?.stop();
    } finally {
      this.#server.close();
    }
  }

  #accept(socket: Socket): void {
    // A client that resets its connection before anybody reads it is no failure of this process.
    socket.on("error", () => undefined);
    this.#refused = false;
    if (this.#handler === undefined) this.#waiting.push(socket);
    else this.#handler(socketConnection(socket));
    this.#onConnection?.();
  }
}

function listening(server: Server, options: object, address: SocketAddress): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = (cause: Error): void => reject(cannot("listen on", address, cause));
    server.once("error", failed);
    server.listen(options, () => {
      server.off("error", failed);
      resolve();
    });
  });
}
