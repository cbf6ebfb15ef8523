/**
 * A socket to listen on: systemd's, or one with a file: taking a path without taking it from anybody, and giving it back.
 *
 * A path may hold the socket of a process that was killed, which has to go, or of one that is alive, which must stay; only connecting
 * tells them apart. A lock file next to it keeps two processes that start at the same moment from each taking the other's fresh socket
 * for a dead one. One that was killed and still has a thread in the kernel listens as far as connecting can tell (native/process/end.ts).
 */

import { closeSync, existsSync, lstatSync, rmSync, unlinkSync } from "node:fs";
import { errnoOrMessage, isErrnoError, QomError } from "../../base/errors.js";
import { printable } from "../../base/limits.js";
import { requireFolder } from "../../base/missing-folder.js";
import { openLocked } from "../file/open-locked.js";
import type { Libc } from "../libc.js";
import { Errno } from "../errno.js";
import { succeeded } from "./libc.js";
import type { ServerLibc } from "./libc.js";
import { PeerCredentialsReader } from "./peer-credentials.js";
import { hasEndedWithDescriptors } from "../process/end.js";
import { AF_UNIX, SOCK_CLOEXEC, SOCK_NONBLOCK, SOCK_STREAM, SOCKADDR_UN_SIZE, unixAddress } from "../socket/layout.js";
import { adoptListener, listenUnixStream, stopListening } from "./unix.js";
import { FileIdentity } from "../file/identity.js";
import type { FileIdentityRecord } from "../file/identity.js";

const ALL_PERMISSIONS = 0o777;

/** A listening socket in the hands of another run of the program. */
export interface ListenerHandover {
  readonly fd: number;
  /** Its file, null when it is another program's. */
  readonly file: FileIdentityRecord | null;
}

/** A listening socket. */
export class Listener {
  /** The listening descriptor. */
  readonly fd: number;
  readonly #server: ServerLibc;
  /** Null for a socket that systemd made and keeps: the next process is going to listen on it, so it is left as it is. */
  readonly #file: FileIdentity | null;
  #stopped = false;
  #left = false;

  private constructor(server: ServerLibc, fd: number, file: FileIdentity | null) {
    this.fd = fd;
    this.#server = server;
    this.#file = file;
  }

  /**
   * Creates the socket file and listens. A socket that nobody listens on is replaced; anything else at `path` is left alone.
   * @param mode permissions of the file, whatever the umask: who may connect
   * @throws QomError `in-use` when a process listens at `path` or is about to, `wrong-type` when it is no socket, `io` when the system
   *   refuses, `limit` when the path is too long for a socket
   */
  static async create(libc: Libc, server: ServerLibc, path: string, mode: number): Promise<Listener> {
    unixAddress(path); // what is wrong with the path itself comes first
    requireFolder(path, "socket");
    const lockPath = `${path}.lock`;
    const lock = openLock(libc, path, lockPath);
    try {
      removeStale(libc, server, path);
      return new Listener(server, listenWithMode(libc, server, path, mode), FileIdentity.of(path));
    } finally {
      rmSync(lockPath, { force: true });
      closeSync(lock);
    }
  }

  /**
   * Takes over a listening socket that systemd made.
   * @throws QomError `wrong-type` when it is none that can be used
   */
  static adopt(libc: Libc, server: ServerLibc, fd: number): Listener {
    try {
      adoptListener(libc, server, fd);
    } catch (cause) {
      throw new QomError("wrong-type", "the socket passed by LISTEN_FDS cannot be used", { cause });
    }
    return new Listener(server, fd, null);
  }

  /** Goes on with a listener of another run of the program. @throws QomError as adoptListener of unix.ts */
  static resume(libc: Libc, server: ServerLibc, { fd, file }: ListenerHandover): Listener {
    adoptListener(libc, server, fd);
    return new Listener(server, fd, file === null ? null : FileIdentity.from(file));
  }

  /** Whether it is this program's, and not systemd's, which goes on listening. */
  get isOwn(): boolean {
    return this.#file !== null;
  }

  /** What another run of the program needs for {@link resume}. */
  get handover(): ListenerHandover {
    return { fd: this.fd, file: this.#file?.record ?? null };
  }

  /** Leaves the descriptor to a thread that has a copy of its own, by which it stops listening: here it is closed. */
  leaveDescriptor(): void {
    closeSync(this.fd);
    this.#left = true;
  }

  /**
   * Refuses connections from now on and removes the file, unless the path has another one by now, or the socket is systemd's. The
   * descriptor stays open. Idempotent.
   * @throws QomError `io` when the file cannot be removed
   */
  stop(): void {
    if (this.#file === null || this.#stopped) return;
    this.#stopped = true;
    if (!this.#left) stopListening(this.#server, this.fd);
    this.#file.remove();
  }

  /**
   * Removes the file alone, for who has closed the descriptor himself.
   * @throws QomError `io` when the file cannot be removed
   */
  removeFile(): void {
    this.#stopped = true;
    this.#file?.remove();
  }
}

/** Where there is no lock file, what keeps it from being made keeps the socket too, and that is what was asked for. */
function openLock(libc: Libc, path: string, lockPath: string): number {
  try {
    return openLocked(libc, lockPath, "lock file");
  } catch (error) {
    const cause: unknown = error instanceof QomError ? error.cause : undefined;
    if (!isErrnoError(cause) || existsSync(lockPath)) throw error;
    throw new QomError("io", `cannot make the socket '${printable(path)}': ${errnoOrMessage(cause)}`);
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

function removeStale(libc: Libc, server: ServerLibc, path: string): void {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return;
  if (!stats.isSocket()) throw new QomError("wrong-type", `'${printable(path)}' exists and is not a socket`);
  if (answers(libc, server, path)) throw new QomError("in-use", `another process listens on '${printable(path)}'`);
  try {
    unlinkSync(path);
  } catch (cause) {
    throw new QomError("io", `cannot replace the abandoned socket '${printable(path)}'`, { cause });
  }
}

/** Whether a process listens on the socket at `path`, and not merely what is left of one that was killed. */
function answers(libc: Libc, server: ServerLibc, path: string): boolean {
  const attempted = `tell whether a process listens on '${printable(path)}'`;
  const fd = succeeded(libc.socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), "socket", attempted);
  try {
    const result = libc.connect(fd, unixAddress(path), SOCKADDR_UN_SIZE);
    if (result === -Errno.ECONNREFUSED) return false;
    succeeded(result, "connect", attempted);
    return !hasEndedWithDescriptors(new PeerCredentialsReader(server).read(fd).pid);
  } finally {
    libc.close(fd);
  }
}
