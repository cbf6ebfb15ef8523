/**
 * The helper daemon. Its main thread takes the socket path, starts the workers and waits for them. Requests reach it only where another
 * manager than pr-manager-sgio executes them.
 */

import { systemClock } from "../base/clock.js";
import { describeError } from "../base/errors.js";
import { runAll } from "../base/run-all.js";
import { libc as loadLibc } from "../native/libc.js";
import { loadServerLibc } from "../native/libc-server.js";
import { Log, LogLevel } from "./log.js";
import { hostManager } from "./manager-host.js";
import type { ManagerHost } from "./manager-host.js";
import type { HelperOptions } from "./options.js";
import { PidFile } from "./pid-file.js";
import { Service } from "./service.js";
import { SOCKET_MODE, SocketFile } from "./socket-file.js";
import { StatusService } from "./status-service.js";

/** What a helper holds beside its service, and gives back at its end. */
interface Holdings {
  readonly socket: SocketFile;
  readonly status: StatusService;
  readonly pidFile: PidFile | null;
  readonly host: ManagerHost | null;
}

/** A running helper. Its descriptors live until the process ends, since its threads use them by number. */
export class Helper {
  /** Resolves when it was stopped and the last request is answered; rejects when a worker failed. */
  readonly ended: Promise<void>;
  readonly #holdings: Holdings;
  readonly #service: Service;
  readonly #log: Log;
  #stopped = false;

  private constructor(options: HelperOptions, holdings: Holdings, log: Log) {
    this.#holdings = holdings;
    this.#log = log;
    this.#service = new Service({ options, listenerFd: holdings.socket.fd, host: holdings.host, log, clock: systemClock });
    holdings.status.serve(() => this.#service.report());
    this.ended = this.#service.ended.finally(() => {
      this.stop();
      this.#attempt(() => holdings.pidFile?.remove());
    });
  }

  /**
   * Listens and serves. The pid file is there before the first client can connect.
   * @throws QomError as {@link hostManager}, {@link SocketFile.create} and {@link PidFile.create}; nothing is left behind then
   */
  static async start(options: HelperOptions): Promise<Helper> {
    const log = new Log(options.logLevel);
    const server = loadServerLibc();
    const undo: (() => Promise<void> | void)[] = [];
    try {
      const warn = (line: string): void => log.write(LogLevel.WARNING, line);
      const host = options.objects.length === 0 ? null : await hostManager(options.objects, warn);
      undo.unshift(() => host?.close());
      const pidFile = options.pidFile === null ? null : PidFile.create(server, options.pidFile);
      undo.unshift(() => pidFile?.remove());
      const socket = await SocketFile.create(loadLibc(), server, options.socket, SOCKET_MODE);
      undo.unshift(() => socket.stop());
      const status = await StatusService.create(loadLibc(), server, options.socket, log);
      undo.unshift(() => status.stop());
      return new Helper(options, { socket, status, pidFile, host }, log);
    } catch (error) {
      await runAll(undo);
      throw error;
    }
  }

  /** Takes no more connections and requests; those in execution are still answered. Idempotent. */
  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#service.stop();
    this.#attempt(() => this.#holdings.socket.stop());
    this.#attempt(() => this.#holdings.status.stop());
  }

  #attempt(action: () => void): void {
    try {
      action();
    } catch (error) {
      this.#log.write(LogLevel.WARNING, describeError(error));
    }
  }
}
