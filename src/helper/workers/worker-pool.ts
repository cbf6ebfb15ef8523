/**
 * The worker threads: one at first, a second as soon as that one serves, and one more whenever all wait for disks, up to a limit. Workers
 * that were idle for a while end. One that does not return from closing a descriptor may be stuck for good: it does not count towards the
 * limit; a second limit counts those.
 *
 * The last idle worker reports to the main thread when it becomes busy too. The main thread then checks every few milliseconds: if no worker
 * runs, all wait for disks, and another one is started. A worker that is ready to run and only lacks a processor does not count as waiting:
 * one more would lack it too. While there is more than one worker, the main thread also checks now and then how many were idle all the time.
 * Otherwise no timer in this process wakes up.
 */

import { Worker } from "node:worker_threads";
import { unreachable } from "../../base/assert.js";
import type { Clock, Timer } from "../../base/clock.js";
import { describeError } from "../../base/errors.js";
import { returnFreeMemory } from "../../native/server/free-memory.js";
import { LogLevel } from "../log.js";
import type { Log } from "../log.js";
import { WorkerControl } from "../shared/worker-control.js";
import { STUCK_CLOSES_MAX } from "./spent-descriptors.js";
import type { NumberedWorkerSetup, WorkerMessage, WorkerSetup } from "./worker.js";
import { startFailure } from "../thread-failure.js";
import { leaveGoneFolder } from "../working-folder.js";

/** Soon after the start, so that one hung disk delays nobody, not even for as long as a thread takes to start. */
const WORKERS_AFTER_START = 2;

/** Between two looks at busy workers: longer than a healthy disk takes for a reservation command. */
const LOOK_EVERY_MS = 10;

/**
 * How long a worker is idle before it goes. It takes some 10 MB, and a hundred milliseconds to start: an emulator that starts or migrates
 * sends all it has to say within seconds, and then often nothing for days.
 */
export const WORKER_IDLE_MS = 20_000;

/**
 * After how many looks the log reports a close. On a busy host a thread may not run for one or two of them, which is harmless and no fault of
 * the file system or disk.
 */
const LOOKS_BEFORE_TOLD = 20;

/** Taking a connection, or starting a worker, is tried again after this time when the system refused it (most often for want of descriptors). */
const RETRY_MS = 1000;

/** A worker keeps little: its own few objects, and buffers outside of the JavaScript heap. Smaller heaps, smaller process. */
const WORKER_HEAP = Object.freeze({ maxOldGenerationSizeMb: 32, maxYoungGenerationSizeMb: 2 });

/** Most threads that a pool of `workersMax` ever has at the same time: for the size of what they share. */
export function threadsMaxOf(workersMax: number): number {
  return workersMax + STUCK_CLOSES_MAX;
}

/** What a pool needs besides the setup of its workers. */
export interface WorkerPoolOptions {
  readonly setup: WorkerSetup;
  /** Most workers there will be, without those that do not come back from closing a descriptor. */
  readonly workersMax: number;
  readonly log: Log;
  readonly clock: Clock;
  /** Whether the thread with that number in the kernel runs, or would if it was given a processor. */
  readonly runs: (task: number) => boolean;
  /** Arms the gate's socket again, which a worker left alone for want of a descriptor. */
  readonly rearmGate: () => void;
  /** Wakes all workers, again and again. */
  readonly wake: () => void;
  /** Wakes one worker, by {@link WorkerSetup.leaveFd}. */
  readonly wakeToLeave: () => void;
  /** A request is the main thread's to execute: that of the connection with this descriptor. */
  readonly execute: (fd: number) => void;
  /** A connection is closed that had requests for the main thread: its session. */
  readonly ended: (session: number) => void;
  /** A worker has left an incomplete request waiting. */
  readonly noteIncomplete: () => void;
  /** A worker failed; the pool is to be stopped. */
  readonly failed: () => void;
}

/** See the module text. */
export class WorkerPool {
  /** Resolves when the last worker has ended; rejects with the first error that one of them did not expect. */
  readonly ended: Promise<void>;
  readonly #options: WorkerPoolOptions;
  readonly #control: WorkerControl;
  /** With their numbers, each of which is a part of the shared memory: one that has ended leaves its to another. */
  readonly #workers = new Map<Worker, number>();
  readonly #timers = new Set<Timer>();
  /** The closes that went on at the last look, and how many looks before, by the worker's number. */
  #closing = new Map<number, { readonly close: number; readonly looks: number }>();
  #starting = 0;
  /** Workers that have ever waited for events. */
  #ready = 0;
  #failure: Error | null = null;
  /** A look for idle workers is pending. */
  #looksForIdle = false;
  #end: () => void = () => {};

  constructor(options: WorkerPoolOptions) {
    this.#options = options;
    this.#control = new WorkerControl(options.setup.control);
    this.ended = new Promise((resolve, reject) => {
      this.#end = () => (this.#failure === null ? resolve() : reject(this.#failure));
    });
    this.#start();
  }

  /** Workers there are. */
  get size(): number {
    return this.#workers.size;
  }

  /** How many workers do something other than closing a descriptor, which no client waits for. */
  get working(): number {
    return [...this.#workers.values()].filter((thread) => this.#control.closeOf(thread) === null).length;
  }

  /** For who does not wait until it has {@link ended}. @throws Error the first that a worker did not expect, if one did */
  throwFailure(): void {
    if (this.#failure !== null) throw this.#failure;
  }

  /** Lets every worker finish and answer the request it has, and then end. */
  stop(): void {
    this.#control.stop();
    this.#options.wake();
    for (const timer of this.#timers) timer.cancel();
  }

  #start(): void {
    leaveGoneFolder();
    const thread = this.#freeNumber();
    const setup: NumberedWorkerSetup = { ...this.#options.setup, thread };
    const worker = new Worker(new URL("./worker-main.js", import.meta.url), {
      workerData: setup,
      resourceLimits: WORKER_HEAP,
    });
    this.#workers.set(worker, thread);
    this.#starting += 1;
    let isReady = false;
    worker.on("message", (message: WorkerMessage) => {
      isReady ||= message === "ready";
      this.#receive(message);
    });
    worker.once("error", (error) => (isReady ? this.#fail(error) : this.#failToStart(error)));
    worker.once("exit", () => {
      this.#workers.delete(worker);
      if (this.#workers.size === 0) this.#end();
      else if (!this.#control.stopping) this.#shrunk();
    });
    this.#options.log.write(LogLevel.CLIENT, `worker ${this.#workers.size} of ${this.#options.workersMax} started`);
  }

  #shrunk(): void {
    returnFreeMemory();
    this.#options.log.write(LogLevel.CLIENT, `a worker has ended; ${this.#workers.size} of at most ${this.#options.workersMax} remain`);
  }

  #freeNumber(): number {
    const taken = new Set(this.#workers.values());
    let number = 1;
    while (taken.has(number)) number += 1;
    return number;
  }

  /** One that never began has left nothing half done: as long as there are others, it is tried again later, if it is still wanted. */
  #failToStart(error: unknown): void {
    if (this.#ready === 0) {
      this.#fail(startFailure(error));
      return;
    }
    this.#options.log.write(LogLevel.WARNING, `cannot start another worker: ${describeError(error)}`);
    this.#after(RETRY_MS, () => (this.#starting -= 1));
  }

  /** One that fails may have left anything half done, so all of them end. */
  #fail(error: unknown): void {
    this.#failure ??= error instanceof Error ? error : new Error(String(error));
    this.#options.failed();
  }

  #receive(message: WorkerMessage): void {
    if (typeof message === "object") {
      if ("execute" in message) this.#options.execute(message.execute);
      else this.#options.ended(message.ended);
      return;
    }
    switch (message) {
      case "ready":
        this.#starting -= 1;
        this.#ready += 1;
        this.#grow();
        break;
      case "saturated":
        this.#watch();
        break;
      case "accept-failed":
        this.#after(RETRY_MS, this.#options.rearmGate);
        break;
      case "incomplete":
        this.#options.noteIncomplete();
        break;
      default:
        unreachable(message);
    }
  }

  /** A worker serves: the second one comes soon after the first; and what there are more of than one are not needed for ever. */
  #grow(): void {
    if (this.#ready < Math.min(WORKERS_AFTER_START, this.#options.workersMax) && !this.#control.stopping) this.#start();
    else returnFreeMemory(); // a start leaves a good deal
    this.#lookForIdle();
  }

  /** Looks after a while, and again as long as there is more than one worker. */
  #lookForIdle(): void {
    if (this.#looksForIdle || this.#workers.size <= 1) return;
    this.#looksForIdle = true;
    this.#after(WORKER_IDLE_MS, () => {
      this.#looksForIdle = false;
      // One that is idle stays, so that a hung disk delays nobody: the last one also when nothing happens.
      const leaving = Math.max(this.#control.takeLeastIdle() - 1, 0);
      this.#control.letLeave(leaving);
      if (leaving > 0) this.#options.wakeToLeave();
      this.#lookForIdle();
    });
  }

  /** Looks once more after a while, until some worker is idle. */
  #watch(): void {
    this.#after(LOOK_EVERY_MS, () => {
      const undecided = this.#noteStuckCloses();
      if (!undecided && !this.#control.saturated && this.#control.rearmSaturation()) return;
      if (this.#control.saturated && this.#starting === 0 && this.#hasRoom() && !this.#someRun()) this.#start();
      this.#watch();
    });
  }

  /** Whether a worker runs, or waits for nothing but a processor. */
  #someRun(): boolean {
    return [...this.#workers.values()].some((thread) => this.#options.runs(this.#control.taskOf(thread)));
  }

  #hasRoom(): boolean {
    const size = this.#workers.size - this.#control.stuck;
    return size < this.#options.workersMax && this.#workers.size < threadsMaxOf(this.#options.workersMax);
  }

  /**
   * A close that goes on since the last look takes long: from then on its worker counts as stuck. True when there is one of which not
   * everything has been said yet.
   */
  #noteStuckCloses(): boolean {
    let undecided = false;
    const before = this.#closing;
    this.#closing = new Map();
    for (const thread of this.#workers.values()) {
      const close = this.#control.closeOf(thread);
      if (close === null) continue;
      const last = before.get(thread);
      const looks = last?.close === close ? last.looks + 1 : 0;
      this.#closing.set(thread, { close, looks });
      undecided ||= looks < LOOKS_BEFORE_TOLD;
      if (looks > 0) this.#control.noteStuck(thread, close);
      const user = looks === LOOKS_BEFORE_TOLD ? this.#control.userOfClose(thread, close) : null;
      if (user === null) continue;
      this.#options.log.write(LogLevel.WARNING, `closing a descriptor of user ${user} is waiting for its file system or disk`);
    }
    return undecided;
  }

  #after(delayMs: number, action: () => void): void {
    if (this.#control.stopping) return;
    const timer = this.#options.clock.after(delayMs, () => {
      this.#timers.delete(timer);
      action();
    });
    this.#timers.add(timer);
  }
}
