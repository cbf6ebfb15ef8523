/**
 * A worker thread: takes one event at a time from the epoll instance that all workers share, and does everything about it by itself, the
 * ioctl included. While it is stuck in a system call, the others serve the rest.
 */

import { describeError } from "../base/errors.js";
import { EpollSet } from "../native/epoll-server.js";
import { Errno, errnoName, errnoText } from "../native/errno.js";
import { libc as loadLibc } from "../native/libc.js";
import type { Libc } from "../native/libc.js";
import { loadServerLibc } from "../native/libc-server.js";
import type { ServerLibc } from "../native/libc-server.js";
import { blockSignals } from "../native/signals-server.js";
import { acceptConnection } from "../native/unix-server.js";
import { Connection, CONNECTION_DESCRIPTOR_LIMIT, hasSlot, NO_DESCRIPTOR } from "./connection-table.js";
import { Exchange } from "./exchange.js";
import { Log, LogLevel } from "./log.js";
import { RequestRunner } from "./request-runner.js";
import { acceptFailureTrace, acceptTrace, closeTrace } from "./trace-points.js";
import { printTraces } from "./trace-printer.js";
import type { TraceOutput } from "./trace-printer.js";
import { WorkerControl } from "./worker-control.js";

/** What a worker is started with: descriptors of the process, and memory that all its threads share. */
export interface WorkerSetup {
  /** The epoll instance, which holds the listener and the wake-up descriptor. */
  readonly epollFd: number;
  readonly listenerFd: number;
  readonly control: SharedArrayBuffer;
  readonly connections: SharedArrayBuffer;
  /** One of {@link LogLevel}. */
  readonly logLevel: number;
  readonly trace: TraceOutput;
}

/**
 * What a worker tells the main thread: that it starts waiting for events, that no worker is idle, or that connections cannot be accepted
 * now and the listener is left unarmed.
 */
export type WorkerMessage = "ready" | "saturated" | "accept-failed";

/** One worker, in the thread it was created on. */
export class HelperWorker {
  readonly #setup: WorkerSetup;
  readonly #tell: (message: WorkerMessage) => void;
  readonly #libc: Libc;
  readonly #server: ServerLibc;
  readonly #epoll: EpollSet;
  readonly #control: WorkerControl;
  readonly #exchange: Exchange;
  readonly #log: Log;

  constructor(setup: WorkerSetup, tell: (message: WorkerMessage) => void) {
    this.#setup = setup;
    this.#tell = tell;
    this.#libc = loadLibc();
    this.#server = loadServerLibc();
    this.#epoll = new EpollSet(this.#server, setup.epollFd);
    this.#control = new WorkerControl(setup.control);
    this.#log = new Log(setup.logLevel);
    this.#exchange = new Exchange(this.#libc, this.#server, new RequestRunner(this.#libc), this.#log);
  }

  /** Serves, until it is asked to stop. Blocks the thread. */
  run(): void {
    blockSignals(this.#server);
    printTraces(this.#setup.trace);
    this.#tell("ready");
    for (;;) {
      this.#control.becomeIdle();
      const fd = this.#epoll.wait();
      if (this.#control.becomeBusy()) this.#tell("saturated");
      if (this.#control.stopping) return;
      if (fd === this.#setup.listenerFd) this.#accept();
      else this.#serve(new Connection(this.#setup.connections, fd));
    }
  }

  #accept(): void {
    const fd = acceptConnection(this.#server, this.#setup.listenerFd);
    if (isAcceptRefused(fd)) {
      if (this.#control.stopping) return;
      acceptFailureTrace.publish({ errno: errnoName(-fd) });
      this.#log.write(LogLevel.WARNING, `cannot accept a connection: ${errnoText(-fd)} (${errnoName(-fd)})`);
      this.#tell("accept-failed");
      return;
    }
    this.#epoll.rearm(this.#setup.listenerFd, "readable");
    if (fd >= 0) this.#welcome(fd);
  }

  #welcome(fd: number): void {
    if (!hasSlot(fd)) {
      this.#libc.close(fd);
      this.#log.write(LogLevel.WARNING, `connection refused: descriptors are used up to ${CONNECTION_DESCRIPTOR_LIMIT}`);
      return;
    }
    const connection = new Connection(this.#setup.connections, fd);
    connection.open();
    acceptTrace.publish({ client: fd });
    this.#log.write(LogLevel.CLIENT, `client ${fd} connected`);
    try {
      if (this.#exchange.greet(connection)) this.#epoll.add(fd, "readable");
      else this.#close(connection);
    } catch (error) {
      this.#log.write(LogLevel.WARNING, `client ${fd} dropped: ${describeError(error)}`);
      this.#close(connection);
    }
  }

  #serve(connection: Connection): void {
    const next = this.#exchange.advance(connection);
    if (next === "close") this.#close(connection);
    else this.#epoll.rearm(connection.fd, next);
  }

  #close(connection: Connection): void {
    const { fd, descriptor } = connection;
    if (descriptor !== NO_DESCRIPTOR) this.#libc.close(descriptor);
    closeTrace.publish({ client: fd });
    this.#log.write(LogLevel.CLIENT, `client ${fd} gone`);
    // From here on the number, and so the slot, may belong to another worker's new connection.
    this.#libc.close(fd);
  }
}

/** Whether an accept failed for want of something that may be there later; otherwise the connection is merely gone already. */
function isAcceptRefused(result: number): boolean {
  return result < 0 && result !== -Errno.EAGAIN && result !== -Errno.EINTR;
}
