/** The helper daemon. Its main thread starts the workers and waits for them; requests never reach it. */

import { describeError } from "../base/errors.js";
import { createEpoll, createWakeup, EpollSet, wakeUp } from "../native/epoll-server.js";
import { loadServerLibc } from "../native/libc-server.js";
import { allocateConnectionTable } from "./connection-table.js";
import type { Listener } from "./listener.js";
import { Log, LogLevel, STANDARD_ERROR } from "./log.js";
import type { HelperOptions } from "./options.js";
import type { PidFile } from "./pid-file.js";
import { allocateWorkerControl } from "./worker-control.js";
import { WorkerPool } from "./worker-pool.js";

/** What a helper has from outside. */
export interface Station {
  readonly listener: Listener;
  /** Null when none is wanted. */
  readonly pidFile: PidFile | null;
  /** Descriptor of the file for traces, null for standard error. */
  readonly traceFd: number | null;
}

/** A running helper. Its descriptors live until the process ends, since its threads use them by number. */
export class Helper {
  /** Resolves when it was stopped and the last request is answered; rejects when a worker failed. */
  readonly ended: Promise<void>;
  readonly #listener: Listener;
  readonly #pool: WorkerPool;
  readonly #log: Log;
  #stopped = false;

  /**
   * Starts the threads, which serve.
   * @param station is the helper's from now on, and is given up at the end
   */
  constructor(options: HelperOptions, { listener, pidFile, traceFd }: Station) {
    const server = loadServerLibc();
    const epollFd = createEpoll(server);
    const epoll = new EpollSet(server, epollFd);
    const wakeupFd = createWakeup(server);
    epoll.addForAll(wakeupFd);
    epoll.add(listener.fd, "readable");
    this.#listener = listener;
    this.#log = new Log(options.logLevel);
    this.#pool = new WorkerPool({
      setup: {
        epollFd,
        listenerFd: listener.fd,
        control: allocateWorkerControl(),
        connections: allocateConnectionTable(),
        logLevel: options.logLevel,
        trace: { points: options.trace.points, fd: traceFd ?? STANDARD_ERROR },
      },
      workersMax: options.workersMax,
      log: this.#log,
      rearmListener: () => epoll.rearm(listener.fd, "readable"),
      wake: () => wakeUp(server, wakeupFd),
    });
    this.ended = this.#pool.ended.finally(() => {
      this.stop();
      this.#attempt(() => pidFile?.remove());
    });
  }

  /** Takes no more connections and requests; those in execution are still answered. Idempotent. */
  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#pool.stop();
    this.#attempt(() => this.#listener.stop());
  }

  #attempt(action: () => void): void {
    try {
      action();
    } catch (error) {
      this.#log.write(LogLevel.WARNING, describeError(error));
    }
  }
}
