/** Everything that serves a listening socket: memory that is shared, the workers, and what the main thread does for them. */

import type { Clock } from "../../base/clock.js";
import { createEpoll, createWakeup, EpollSet, wakeUp } from "../../native/server/epoll.js";
import { libc as loadLibc } from "../../native/libc.js";
import { isRunnable } from "../../native/process/task.js";
import { loadServerLibc } from "../../native/server/libc.js";
import type { ServerLibc } from "../../native/server/libc.js";
import { pathOfSocket, shutDownConnection } from "../../native/server/unix.js";
import { assert } from "../../base/assert.js";
import { packageVersion } from "../../base/package-version.js";
import { rulesFor } from "../connections/admission.js";
import { allocateClientRegister, ClientRegister } from "../shared/client-register.js";
import { allocateConnectionTable } from "../shared/connection-table.js";
import { Gate } from "./gate.js";
import { LogLevel } from "../log.js";
import type { Log } from "../log.js";
import type { ManagerDesk } from "../managers/manager-desk.js";
import type { ManagerStation } from "../managers/manager-station.js";
import { SG_IO_MANAGER } from "../managers/manager-type.js";
import type { HelperOptions } from "../settings/settings.js";
import type { PidFile } from "../pid-file.js";
import type { Post } from "./posts.js";
import { CLOSE_GRACE_MS, StopDeadline } from "../stop-deadline.js";
import { StalledClients } from "../connections/stalled-clients.js";
import { statusReport } from "./status.js";
import type { StatusReport } from "./status.js";
import { allocateTotals, Totals } from "../shared/totals.js";
import { allocateWorkerControl, WorkerControl } from "../shared/worker-control.js";
import { threadsMaxOf, WorkerPool } from "../workers/worker-pool.js";
import type { WorkerSetup } from "../workers/worker.js";

/** The main thread's part of what is counted. */
const MAIN_THREAD = 0;

/** What a {@link Service} needs. */
export interface ServiceParts {
  readonly options: HelperOptions;
  /** The sockets, one at least, and the pid file, which stay the caller's; the gate has a part of them. */
  readonly posts: readonly Post[];
  readonly pidFile: PidFile | null;
  /** Where traces are written. */
  readonly traceFd: number;
  /** The manager that executes; null for SG_IO on the workers. The service ends it. */
  readonly manager: ManagerStation | null;
  readonly log: Log;
  readonly clock: Clock;
}

/** See the module text. */
export class Service {
  /**
   * Resolves when it was stopped and the last request is answered, or the time for that is over, see {@link Service.isStuck}; rejects when a
   * worker failed.
   */
  readonly ended: Promise<void>;
  readonly #deadline: StopDeadline;
  readonly #parts: ServiceParts;
  readonly #setup: WorkerSetup;
  readonly #register: ClientRegister;
  readonly #control: WorkerControl;
  readonly #gate: Gate;
  readonly #pool: WorkerPool;
  readonly #stalled: StalledClients;
  readonly #managerDesk: ManagerDesk | null;
  readonly #socketPaths: readonly (string | null)[];
  readonly #startedAtMs = Date.now();
  #stuck = false;

  constructor(parts: ServiceParts) {
    const { options, posts, pidFile, manager, log, clock } = parts;
    const listeners = posts.map(({ listener }) => listener);
    packageVersion(); // reports tell it, and by then it may not be there to be read
    const [libc, server] = [loadLibc(), loadServerLibc()];
    const epollFd = createEpoll(server);
    const epoll = new EpollSet(server, epollFd);
    const [wakeupFd, leaveFd] = [createWakeup(server), createWakeup(server)];
    epoll.addForAll(wakeupFd);
    epoll.add(leaveFd, "readable");
    this.#parts = parts;
    this.#socketPaths = listeners.map(({ fd }) => pathOfSocket(server, fd));
    const trace = { points: options.trace.points, fd: parts.traceFd };
    const control = allocateWorkerControl(1 + threadsMaxOf(options.workersMax));
    const { workersMax, logLevel } = options;
    this.#gate = new Gate({ ...{ libc, server, listeners, pidFile, workersMax, control, log, logLevel, trace } });
    const gateFd = this.#gate.receiverFd;
    epoll.add(gateFd, "readable");
    this.#setup = setupOf(options, {
      ...{ epollFd, gateFd, leaveFd, control },
      handOver: manager !== null,
      trace,
      admission: rulesFor(options.admission, this.#gate.connectionsMax),
    });
    const { connections } = this.#setup;
    const register = new ClientRegister(this.#setup.register);
    const totals = new Totals(this.#setup.totals, MAIN_THREAD);
    this.#register = register;
    this.#control = new WorkerControl(this.#setup.control);
    this.#stalled = new StalledClients({
      ...{ clock, register, connections, totals, log },
      control: this.#control,
      timeoutMs: options.requestTimeoutMs,
      shutDown: (fd) => shutDownConnection(server, fd),
    });
    const socketNames = posts.map(({ name }) => name);
    this.#managerDesk = manager?.createDesk({ options, socketNames, libc, server, epoll, connections, register, totals, log }) ?? null;
    this.#pool = new WorkerPool({
      setup: this.#setup,
      workersMax: options.workersMax,
      ...{ log, clock },
      runs: isRunnable,
      rearmGate: () => epoll.rearm(gateFd, "readable"),
      wake: () => wakeUp(server, wakeupFd),
      wakeToLeave: () => {
        wakeUp(server, leaveFd);
        epoll.rearm(leaveFd, "readable");
      },
      execute: (fd) => this.#execute(fd),
      ended: (session) => this.#managerDesk?.ended(session),
      noteIncomplete: () => this.#stalled.watch(),
      failed: () => this.stop(),
    });
    this.#deadline = new StopDeadline({ clock, isOver: () => this.#pool.working === 0 && (this.#managerDesk?.busy ?? 0) === 0 });
    this.ended = Promise.race([this.#end(server), this.#deadline.reached.then(() => this.#abandon(server)), this.#gate.failed]);
  }

  /** Whether it has ended with threads that wait for something which may never come. */
  get isStuck(): boolean {
    return this.#stuck;
  }

  /** Lets clients in. */
  open(): void {
    this.#gate.open();
  }

  /** Takes no more requests; those in execution are still answered. */
  stop(): void {
    this.#gate.close();
    this.#stalled.stop();
    this.#pool.stop();
    this.#deadline.start();
  }

  /** What `--status` prints when it is asked beside the socket with that index. */
  report(index: number): StatusReport {
    const { options, manager } = this.#parts;
    const sources = {
      socket: this.#socketPaths[index] ?? null,
      socketOf: (listener: number) => this.#socketPaths[listener] ?? null,
      register: this.#register,
      totals: this.#setup.totals,
      startedAtMs: this.#startedAtMs,
      manager: manager?.host.manager.typeName ?? SG_IO_MANAGER,
      users: () => this.#managerDesk?.users ?? [],
      isConnected: () => manager?.host.manager.connected ?? true,
      workers: () => ({ running: this.#pool.size, idle: this.#control.idle, max: options.workersMax }),
    };
    return statusReport(sources, Date.now());
  }

  #execute(fd: number): void {
    assert(this.#managerDesk !== null, "workers hand requests over only where a manager executes them");
    this.#managerDesk.execute(fd);
  }

  async #end(server: ServerLibc): Promise<void> {
    try {
      await this.#pool.ended;
    } finally {
      try {
        await this.#managerDesk?.close();
      } finally {
        this.#deadline.cancel();
        this.#shutDownConnections(server);
      }
    }
  }

  /** Tells every client that nothing comes any more: as long as a descriptor cannot be closed, the end of the process closes no other. */
  #shutDownConnections(server: ServerLibc): void {
    for (const { fd } of this.#register.clients()) shutDownConnection(server, fd);
  }

  async #abandon(server: ServerLibc): Promise<void> {
    this.#stuck = true;
    this.#shutDownConnections(server);
    // Even if a thread hangs, a state folder is closed properly; but that may hang too.
    if (this.#managerDesk !== null) await Promise.race([this.#managerDesk.close(), this.#afterGrace()]);
    this.#parts.log.write(LogLevel.WARNING, `${this.#pool.size} threads still wait for a disk or a file system`);
    this.#pool.throwFailure();
  }

  #afterGrace(): Promise<void> {
    return new Promise((resolve) => void this.#parts.clock.after(CLOSE_GRACE_MS, resolve));
  }
}

function setupOf(
  options: HelperOptions,
  own: Pick<WorkerSetup, "epollFd" | "gateFd" | "leaveFd" | "control" | "handOver" | "trace" | "admission">,
): WorkerSetup {
  return {
    ...own,
    connections: allocateConnectionTable(),
    register: allocateClientRegister(),
    totals: allocateTotals(1 + threadsMaxOf(options.workersMax)),
    logLevel: options.logLevel,
    byProcess: own.handOver && options.initiatorFrom === "pid",
    allowMultipath: options.allowMultipath,
  };
}
