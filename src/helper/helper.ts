/** The helper daemon. Its main thread takes the socket path, starts the workers and waits for them; requests never reach it. */

import { describeError } from "../base/errors.js";
import { createEpoll, createWakeup, EpollSet, wakeUp } from "../native/epoll-server.js";
import { libc as loadLibc } from "../native/libc.js";
import { loadServerLibc } from "../native/libc-server.js";
import type { ServerLibc } from "../native/libc-server.js";
import { allocateConnectionTable } from "./connection-table.js";
import { Log, LogLevel } from "./log.js";
import type { HelperOptions } from "./options.js";
import { SocketFile } from "../native/socket-file-server.js";
import { PidFile } from "./pid-file.js";
import { allocateWorkerControl } from "./worker-control.js";
import { WorkerPool } from "./worker-pool.js";

/** Owner and group may connect: whoever may, can reserve any disk it can open. */
const SOCKET_MODE = 0o660;

/** A running helper. Its descriptors live until the process ends, since its threads use them by number. */
export class Helper {
  /** Resolves when it was stopped and the last request is answered; rejects when a worker failed. */
  readonly ended: Promise<void>;
  readonly #socket: SocketFile;
  readonly #pool: WorkerPool;
  readonly #log: Log;
  #stopped = false;

  private constructor(server: ServerLibc, options: HelperOptions, socket: SocketFile, pidFile: PidFile | null) {
    const epollFd = createEpoll(server);
    const epoll = new EpollSet(server, epollFd);
    const wakeupFd = createWakeup(server);
    epoll.addForAll(wakeupFd);
    epoll.add(socket.fd, "readable");
    this.#socket = socket;
    this.#log = new Log(options.logLevel);
    this.#pool = new WorkerPool({
      setup: {
        epollFd,
        listenerFd: socket.fd,
        control: allocateWorkerControl(),
        connections: allocateConnectionTable(),
        logLevel: options.logLevel,
      },
      workersMax: options.workersMax,
      log: this.#log,
      rearmListener: () => epoll.rearm(socket.fd, "readable"),
      wake: () => wakeUp(server, wakeupFd),
    });
    this.ended = this.#pool.ended.finally(() => {
      this.stop();
      this.#attempt(() => pidFile?.remove());
    });
  }

  /**
   * Listens and serves. The pid file is there before the first client can connect.
   * @throws QomError as {@link SocketFile.create} and {@link PidFile.create}; nothing is left behind then
   */
  static async start(options: HelperOptions): Promise<Helper> {
    const server = loadServerLibc();
    const pidFile = options.pidFile === null ? null : PidFile.create(server, options.pidFile);
    try {
      const socket = await SocketFile.create(loadLibc(), server, options.socket, SOCKET_MODE);
      try {
        return new Helper(server, options, socket, pidFile);
      } catch (error) {
        socket.stop();
        throw error;
      }
    } catch (error) {
      pidFile?.remove();
      throw error;
    }
  }

  /** Takes no more connections and requests; those in execution are still answered. Idempotent. */
  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#pool.stop();
    this.#attempt(() => this.#socket.stop());
  }

  #attempt(action: () => void): void {
    try {
      action();
    } catch (error) {
      this.#log.write(LogLevel.WARNING, describeError(error));
    }
  }
}
