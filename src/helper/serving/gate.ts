/**
 * The gate: one thread that accepts connections and hands them to the workers, and that has the listening socket and the lock of the pid file
 * to itself, in a descriptor table of its own (native/server/descriptor-table.ts). Whatever clients lend never gets there. So a helper that is
 * killed gives up both at once, even while one of its workers waits for a file system that never answers.
 */

import { readdirSync, readFileSync } from "node:fs";
import { Worker } from "node:worker_threads";
import { QomError } from "../../base/errors.js";
import { createWakeup, wakeUp } from "../../native/server/epoll.js";
import { errnoName } from "../../native/errno.js";
import type { Libc } from "../../native/libc.js";
import type { ServerLibc } from "../../native/server/libc.js";
import type { Listener } from "../../native/server/listener.js";
import { connectedPair, shutDownConnection } from "../../native/server/unix.js";
import { LogLevel } from "../log.js";
import type { Log } from "../log.js";
import type { PidFile } from "../pid-file.js";
import type { TraceOutput } from "../trace/trace-printer.js";
import { startFailure } from "../thread-failure.js";
import { leaveGoneFolder } from "../working-folder.js";

/** What a thread of node has open for itself. */
const DESCRIPTORS_PER_THREAD = 4;

/** For files that are open for a moment: of /proc, of sysfs, those of a manager. */
const DESCRIPTORS_FOR_FILES = 32;

/** For the gate and two workers while they start: five each in Node 24 and 26, and files that they load. */
const DESCRIPTORS_TO_START = 24;

/** With fewer the helper would be of no use, however few descriptors it may have. */
const CONNECTIONS_AT_LEAST = 8;

/** What the thread of the gate is started with. */
export interface GateSetup {
  /** The listening sockets, and whether listening ends with this helper. */
  readonly listeners: readonly { readonly fd: number; readonly stops: boolean }[];
  /** Null when there is no pid file. */
  readonly lockFd: number | null;
  /** Connections go into this socket. */
  readonly senderFd: number;
  /** Readable when it is to end. */
  readonly wakeupFd: number;
  readonly connectionsMax: number;
  /** Memory of the {@link WorkerControl}. */
  readonly control: SharedArrayBuffer;
  /** One word: not 0 when the main thread has closed what it left to the gate. */
  readonly left: SharedArrayBuffer;
  /** One of {@link LogLevel}. */
  readonly logLevel: number;
  readonly trace: TraceOutput;
}

/** What the gate tells the main thread, once: 0 when it has a table of its own, or minus the errno. */
export type GateMessage = number;

/** What a {@link Gate} needs. */
export interface GateParts {
  readonly libc: Libc;
  readonly server: ServerLibc;
  /** At most as many as a byte can number. */
  readonly listeners: readonly Listener[];
  readonly pidFile: PidFile | null;
  readonly workersMax: number;
  readonly control: SharedArrayBuffer;
  readonly log: Log;
  readonly logLevel: number;
  readonly trace: TraceOutput;
}

/** See the module text. */
export class Gate {
  /** Connections come out of this socket, one with each byte, which says which of the listening sockets it came to. */
  readonly receiverFd: number;
  /** How many it lets in at the same time. */
  readonly connectionsMax: number;
  /** Rejects when the thread fails; otherwise pending. */
  readonly failed: Promise<never>;
  readonly #parts: GateParts;
  readonly #senderFd: number;
  readonly #wakeupFd: number;
  #fail: (error: unknown) => void = () => {};

  /** @throws QomError `limit` when the process may have too few descriptors for its threads */
  constructor(parts: GateParts) {
    const { libc, server, workersMax } = parts;
    this.#parts = parts;
    const limit = openFilesMax();
    const open = readdirSync("/proc/self/fd").length;
    checkDescriptors(limit, open);
    ({ sender: this.#senderFd, receiver: this.receiverFd } = connectedPair(libc, server));
    this.#wakeupFd = createWakeup(server);
    this.connectionsMax = connectionsFor(limit, open, workersMax);
    this.failed = new Promise((_resolve, reject) => (this.#fail = reject));
  }

  /** Lets clients in. */
  open(): void {
    leaveGoneFolder();
    const { listeners, pidFile, control, logLevel, trace } = this.#parts;
    const left = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
    const setup: GateSetup = {
      ...{ control, left, logLevel, trace },
      listeners: listeners.map(({ fd, isOwn }) => ({ fd, stops: isOwn })),
      lockFd: pidFile?.lockFd ?? null,
      senderFd: this.#senderFd,
      wakeupFd: this.#wakeupFd,
      connectionsMax: this.connectionsMax,
    };
    const thread = new Worker(new URL("./gate-main.js", import.meta.url), { workerData: setup, resourceLimits: GATE_HEAP });
    let began = false;
    thread.once("message", (message: GateMessage) => {
      began = true;
      this.#leave(message, new Int32Array(left));
    });
    thread.once("error", (error) => this.#fail(began ? error : startFailure(error)));
  }

  /** Accepts no more connections. */
  close(): void {
    const { server } = this.#parts;
    wakeUp(server, this.#wakeupFd);
    // It may be waiting for workers to take what it sent.
    shutDownConnection(server, this.receiverFd);
  }

  #leave(result: GateMessage, left: Int32Array): void {
    const { listeners, pidFile, log } = this.#parts;
    if (result === 0) {
      for (const listener of listeners) listener.leaveDescriptor();
      pidFile?.leaveLock();
    } else {
      const why = `a thread cannot get its own descriptor table (${errnoName(-result)})`;
      log.write(LogLevel.WARNING, `${why}: if it is killed while a disk or file system hangs, the socket stays taken until that answers`);
    }
    Atomics.store(left, 0, 1);
    Atomics.notify(left, 0);
  }
}

/** It keeps next to nothing. */
const GATE_HEAP = Object.freeze({ maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 1 });

/**
 * How many connections are let in at the same time, so that there is a descriptor left for the request of each, besides what the program
 * itself needs; further ones wait in the kernel's queue.
 * @param limit descriptors that the process may have
 * @param open those it has before the first client
 */
export function connectionsFor(limit: number, open: number, workersMax: number): number {
  const forClients = limit - open - DESCRIPTORS_FOR_FILES - workersMax * DESCRIPTORS_PER_THREAD;
  return Math.max(Math.floor(forClients / 2), CONNECTIONS_AT_LEAST);
}

/**
 * What runs out later would be met by any of the threads, wherever it is at that moment.
 * @throws QomError `limit`
 */
function checkDescriptors(limit: number, open: number): void {
  if (limit - open >= DESCRIPTORS_TO_START) return;
  const room = `the helper may have ${limit} (RLIMIT_NOFILE), ${open} of them are open, and its threads need ${DESCRIPTORS_TO_START}`;
  throw new QomError("limit", `too many open files: ${room}`);
}

/** The soft limit of proc_pid_limits(5); without one, or where it cannot be read, it is no limit. */
function openFilesMax(): number {
  try {
    return Number(/^Max open files +([0-9]+)/m.exec(readFileSync("/proc/self/limits", "latin1"))?.[1] ?? Infinity);
  } catch {
    return Infinity;
  }
}
