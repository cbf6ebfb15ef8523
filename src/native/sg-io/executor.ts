/** The SG_IO executor: a bounded set of worker threads, started when they are first needed. */

import { fileURLToPath } from "node:url";
import type { Worker } from "node:worker_threads";
import { assert, present } from "../../base/assert.js";
import { QomError } from "../../base/errors.js";
import { Errno } from "../errno.js";
import { koffiPath, libc } from "../libc.js";
import { checkSgIoRequest, F_DUPFD_CLOEXEC } from "./call.js";
import type { SgIoExecutor, SgIoOutcome, SgIoRequest, SgVersionOutcome } from "./sg-io.js";

/** Threads by default: commands that run at the same time. Each costs some megabytes, and is started when all others are busy. */
const SG_IO_THREADS_DEFAULT = 16;

/** Commands of one descriptor that run at the same time: a disk that answers needs no more, and a disk that hangs takes no more. */
export const SG_IO_THREADS_PER_DESCRIPTOR = 4;

/** Most threads: as many as QEMU's thread pool has. */
export const SG_IO_THREADS_MAX = 64;

/** Commands that may wait for a thread: some queues full of a few disks. More is a caller that does not look at its results. */
export const SG_IO_WAITING_MAX = 1024;

/** What a thread is asked to do: an SG_IO command, or, without `request`, SG_GET_VERSION_NUM. It answers with a {@link SgIoReply}. */
export interface SgIoJob {
  readonly fd: number;
  readonly request: SgIoRequest | null;
}

/** Answer to a {@link SgIoJob}. */
export type SgIoReply = SgIoOutcome | SgVersionOutcome;

/** First message of a thread, when it has loaded everything. */
export type SgIoReady = "ready";

const CANCELED: SgIoReply = Object.freeze({ errno: Errno.ECANCELED });
const TOO_MANY: SgIoReply = Object.freeze({ errno: Errno.EDOM });

/** A job that someone waits for; settling it again has no effect. */
interface PendingCall {
  readonly job: SgIoJob;
  readonly settle: (reply: SgIoReply) => void;
  readonly fail: (error: QomError) => void;
}

/** A worker thread with at most one call. */
class Thread {
  readonly #worker = startWorker();
  #current: PendingCall | null = null;
  /** Our own duplicate of the call's descriptor: the caller may close its one while a call that was given up still runs. */
  #fd = -1;
  #error: unknown;
  /** Until then the thread must not be ended, nor the process exit: koffi 3.3.4 could abort the process. */
  readonly #loaded: Promise<void>;
  #isLoaded = false;
  /** Whether somebody waits for the call, so that the process must stay alive. */
  #isAwaited = false;

  /**
   * @param onIdle called whenever a call is done
   * @param onExit called when the thread is gone
   */
  constructor(onIdle: () => void, onExit: () => void) {
    let loaded = (): void => {};
    this.#loaded = new Promise((resolve) => (loaded = resolve));
    this.#worker.on("message", (reply: SgIoReply | SgIoReady) => {
      if (reply === "ready") {
        this.#isLoaded = true;
        this.#await(this.#isAwaited);
        loaded();
        return;
      }
      this.#release()?.settle(reply);
      onIdle();
    });
    this.#worker.on("error", (error) => (this.#error = error));
    this.#worker.once("exit", () => {
      loaded();
      this.#release()?.fail(new QomError("io", "an SG_IO thread died in the middle of a command", { cause: this.#error }));
      onExit();
    });
  }

  /** Descriptor of the caller whose call this thread has, given up or not; null while it has none. */
  get descriptor(): number | null {
    return this.#current?.job.fd ?? null;
  }

  get busy(): boolean {
    return this.#current !== null;
  }

  /** Starts `call`, for which `fd` was duplicated; the thread owns that from now on. */
  start(call: PendingCall, fd: number): void {
    assert(!this.busy, "a thread has one call at a time");
    this.#current = call;
    this.#fd = fd;
    this.#await(true);
    const { message, transfer } = messageOf({ fd, request: call.job.request });
    this.#worker.postMessage(message, transfer);
  }

  /** Lets the process exit although the current call, if it is `call`, is still running. */
  abandon(call: PendingCall): void {
    if (this.#current === call) this.#await(false);
  }

  /**
   * Ends the thread as soon as the kernel lets go of it; its call is given up. Waits for a thread to finish loading, but not for a call.
   */
  async end(): Promise<void> {
    this.#current?.settle(CANCELED);
    await this.#loaded;
    const ended = this.#worker.terminate();
    if (this.#current === null) {
      await ended;
      return;
    }
    this.#await(false);
  }

  #await(isAwaited: boolean): void {
    this.#isAwaited = isAwaited;
    if (isAwaited || !this.#isLoaded) this.#worker.ref();
    else this.#worker.unref();
  }

  #release(): PendingCall | null {
    const call = this.#current;
    if (call === null) return null;
    this.#current = null;
    libc().close(this.#fd);
    this.#await(false);
    return call;
  }
}

/** The code of worker.js with everything that it imports, inserted when this file is bundled. */
declare const BUNDLED_WORKER: string | undefined;

/**
 * A thread that runs worker.js. It must not read files through libuv's pool, as an import would: SG_IO is needed most when the pool is
 * stuck on a dead disk. A bundle, possibly an embedder's, contains the code; otherwise the file is loaded by require(), if Node can load
 * modules that way.
 */
function startWorker(): Worker {
  // Not by an import: most programs with this file never start a thread.
  const threads = process.getBuiltinModule("node:worker_threads");
  const options = { name: "sg-io", execArgv: [] };
  if (typeof BUNDLED_WORKER === "string") {
    return new threads.Worker(`const WORKER_BASE = ${JSON.stringify(koffiPath())};${BUNDLED_WORKER}`, { ...options, eval: true });
  }
  const program = new URL("./worker.js", import.meta.url);
  if (!process.features.require_module) return new threads.Worker(program, options);
  return new threads.Worker(`require(${JSON.stringify(fileURLToPath(program))})`, { ...options, eval: true });
}

/** A job as it goes to a thread: its bytes copied (a view would take all of its buffer along) and handed over. */
function messageOf(job: SgIoJob): { message: SgIoJob; transfer: ArrayBuffer[] } {
  if (job.request === null) return { message: job, transfer: [] };
  const { cdb, dataOut, dataInLength, timeoutMs, senseLength } = job.request;
  const data = dataOut === undefined ? null : new Uint8Array(dataOut);
  const request = {
    cdb: new Uint8Array(cdb),
    ...(data === null ? {} : { dataOut: data }),
    ...(dataInLength === undefined ? {} : { dataInLength }),
    timeoutMs,
    senseLength,
  };
  return { message: { fd: job.fd, request }, transfer: data === null ? [] : [data.buffer] };
}

/** The {@link SgIoExecutor} of production. An idle one does not keep the process alive; a command in progress does. */
export class ThreadedSgIoExecutor implements SgIoExecutor {
  readonly #threadsMax: number;
  readonly #threads = new Set<Thread>();
  readonly #waiting: PendingCall[] = [];
  #closed: Promise<void> | null = null;

  /** @param threads commands that may run at the same time, 1 to {@link SG_IO_THREADS_MAX} */
  constructor(threads: number = SG_IO_THREADS_DEFAULT) {
    assert(Number.isInteger(threads) && threads >= 1 && threads <= SG_IO_THREADS_MAX, `an executor has 1 to ${SG_IO_THREADS_MAX} threads`);
    this.#threadsMax = threads;
  }

  async execute(fd: number, request: SgIoRequest): Promise<SgIoOutcome> {
    const invalid = checkSgIoRequest(request);
    if (invalid !== 0) return { errno: invalid };
    const reply = await this.#run({ fd, request }, request.signal);
    assert(!("version" in reply), "an SG_IO command is answered with its outcome");
    return reply;
  }

  async sgVersion(fd: number): Promise<SgVersionOutcome> {
    const reply = await this.#run({ fd, request: null });
    assert(!("status" in reply), "the question for the version is answered with it");
    return reply;
  }

  close(): Promise<void> {
    this.#closed ??= this.#end();
    return this.#closed;
  }

  async #end(): Promise<void> {
    for (const call of this.#waiting.splice(0)) call.settle(CANCELED);
    await Promise.all([...this.#threads].map((thread) => thread.end()));
  }

  async #run(job: SgIoJob, signal?: AbortSignal): Promise<SgIoReply> {
    libc();
    if (this.#closed !== null || signal?.aborted === true) return CANCELED;
    if (this.#waiting.length >= SG_IO_WAITING_MAX) return TOO_MANY;
    let cancel = (): void => {};
    const reply = new Promise<SgIoReply>((settle, fail) => {
      const call = { job, settle, fail };
      cancel = () => this.#cancel(call);
      this.#waiting.push(call);
    });
    signal?.addEventListener("abort", cancel, { once: true });
    this.#dispatch();
    try {
      return await reply;
    } finally {
      signal?.removeEventListener("abort", cancel);
    }
  }

  #cancel(call: PendingCall): void {
    const at = this.#waiting.indexOf(call);
    if (at >= 0) this.#waiting.splice(at, 1);
    for (const thread of this.#threads) thread.abandon(call);
    call.settle(CANCELED);
  }

  /** Gives waiting calls to threads that have none. */
  #dispatch(): void {
    while (this.#closed === null) {
      const at = this.#nextCall();
      const thread = at < 0 ? null : this.#idleThread();
      if (thread === null) return;
      const call = present(this.#waiting.splice(at, 1)[0], "a call waits");
      const fd = libc().fcntl(call.job.fd, F_DUPFD_CLOEXEC, 0);
      if (fd < 0) call.settle({ errno: -fd });
      else thread.start(call, fd);
    }
  }

  /** Index of the first waiting call whose descriptor has not got all the threads it may have; -1 if there is none. */
  #nextCall(): number {
    if (this.#waiting.length === 0) return -1;
    const running = new Map<number, number>();
    for (const { descriptor } of this.#threads) if (descriptor !== null) running.set(descriptor, (running.get(descriptor) ?? 0) + 1);
    return this.#waiting.findIndex(({ job }) => (running.get(job.fd) ?? 0) < SG_IO_THREADS_PER_DESCRIPTOR);
  }

  #idleThread(): Thread | null {
    for (const thread of this.#threads) if (!thread.busy) return thread;
    if (this.#threads.size >= this.#threadsMax) return null;
    const thread: Thread = new Thread(
      () => this.#dispatch(),
      () => {
        this.#threads.delete(thread);
        this.#dispatch();
      },
    );
    this.#threads.add(thread);
    return thread;
  }
}
