/**
 * The socket file: taking a path without taking it from anybody, and giving it back.
 *
 * A path may hold the socket of a process that was killed, which has to go, or of one that is alive, which must stay; only connecting
 * tells them apart. A lock file next to it keeps two processes that start at the same moment from each taking the other's fresh socket
 * for a dead one.
 */

import { closeSync, lstatSync, rmSync, unlinkSync } from "node:fs";
import { connect } from "node:net";
import { isErrnoError, QomError } from "../base/errors.js";
import { printable } from "../base/limits.js";
import { openLocked } from "./file-lock-server.js";
import type { Libc } from "./libc.js";
import type { ServerLibc } from "./libc-server.js";
import { unixAddress } from "./socket-layout.js";
import { listenUnixStream, stopListening } from "./unix-server.js";
import { FileIdentity } from "./file-identity.js";

const ALL_PERMISSIONS = 0o777;

/** A listening socket and its file. */
export class SocketFile {
  /** The listening descriptor. */
  readonly fd: number;
  readonly #server: ServerLibc;
  readonly #file: FileIdentity;

  private constructor(server: ServerLibc, path: string, fd: number) {
    this.fd = fd;
    this.#server = server;
    this.#file = FileIdentity.of(path);
  }

  /**
   * Creates the socket file and listens. A socket that nobody listens on is replaced; anything else at `path` is left alone.
   * @param mode permissions of the file, whatever the umask: who may connect
   * @throws QomError `in-use` when a process listens at `path` or is about to, `wrong-type` when it is no socket, `io` when the system
   *   refuses, `limit` when the path is too long for a socket
   */
  static async create(libc: Libc, server: ServerLibc, path: string, mode: number): Promise<SocketFile> {
    unixAddress(path); // what is wrong with the path itself comes first
    const lockPath = `${path}.lock`;
    const lock = openLocked(server, lockPath, "lock file");
    try {
      await removeStale(path);
      return new SocketFile(server, path, listenWithMode(libc, server, path, mode));
    } finally {
      rmSync(lockPath, { force: true });
      closeSync(lock);
    }
  }

  /**
   * Refuses connections from now on and removes the file, unless the path has another one by now. The descriptor stays open.
   * @throws QomError `io` when the file cannot be removed
   */
  stop(): void {
    stopListening(this.#server, this.fd);
    this.#file.remove();
  }
}

function listenWithMode(libc: Libc, server: ServerLibc, path: string, mode: number): number {
  // By the umask, since a file that is created first and restricted afterwards is open to all in between.
  const umask = process.umask(ALL_PERMISSIONS & ~mode);
  try {
    return listenUnixStream(libc, server, path);
  } finally {
    process.umask(umask);
  }
}

async function removeStale(path: string): Promise<void> {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return;
  if (!stats.isSocket()) throw new QomError("wrong-type", `'${printable(path)}' exists and is not a socket`);
  if (await answers(path)) throw new QomError("in-use", `another process listens on '${printable(path)}'`);
  try {
    unlinkSync(path);
  } catch (cause) {
    throw new QomError("io", `cannot replace the abandoned socket '${printable(path)}'`, { cause });
  }
}

/** Whether a process listens on the socket at `path`. */
function answers(path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", (cause) => {
      if (isErrnoError(cause) && cause.code === "ECONNREFUSED") resolve(false);
      else reject(new QomError("io", `cannot tell whether a process listens on '${printable(path)}'`, { cause }));
    });
  });
}
