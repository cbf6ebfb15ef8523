/**
 * The connections to one PR helper, and the commands that share them.
 *
 *     submit() ──► queue ──► a connection that is idle ──► done
 *                    ▲            │
 *                    └────────────┘ it ended before the request was sent
 *
 * One connection is kept all the time: when the last one ends, for whatever reason, another one is made (connector.ts). Further ones are
 * made when commands wait for those that are busy. A command fails when five attempts to connect have failed while it waited.
 */

import { assert } from "../../base/assert.js";
import type { Clock } from "../../base/clock.js";
import type { QomError } from "../../base/errors.js";
import { PR_IN } from "../../scsi/persistent-reserve.js";
import { AbortWatch } from "./abort-watch.js";
import { HelperConnection, serverAt } from "./connection.js";
import { ATTEMPT_PAUSE_MS, Connector } from "./connector.js";
import type { Need } from "./connector.js";
import { DeadlineTimer } from "./deadline-timer.js";
import { HelperExchangeError } from "./exchange.js";
import type { HelperExchange, HelperOutcome } from "./exchange.js";
import { FairQueue } from "./fair-queue.js";
import { encodeRequest } from "../../scsi/pr-helper.js";

/** Commands of one disk that may wait: more than its queue has. More is a caller that does not look at its results. */
export const HELPER_COMMANDS_WAITING_MAX = 1024;

/** How often it is tried to send a command, as in QEMU (PR_MAX_RECONNECT_ATTEMPTS). */
const ATTEMPTS_MAX = 5;

/** What a pool works with. The functions are asked anew each time, since properties can be changed. */
export interface HelperPoolOptions {
  readonly clock: Clock;
  /** Most connections at a time. */
  readonly connectionsMax: number;
  /** Path of the helper's socket; asked when there is no connection. */
  readonly path: () => string;
  readonly handshakeTimeoutMs: () => number;
  /** Told when the first connection is there and when the last one has ended, then with the reason. */
  readonly changed: (connected: boolean, cause?: QomError) => void;
}

/** A command for the helper. */
export interface HelperCommand {
  /** Whose command it is: owners take turns. Its descriptor is lent to the helper, and is asked for when the request is sent. */
  readonly owner: { readonly fd: number | null };
  /** 1 to 16 bytes. */
  readonly cdb: Uint8Array;
  /** Parameter list, exactly as long as CDB bytes 7 and 8 say; for PERSISTENT RESERVE OUT only. */
  readonly dataOut?: Uint8Array | undefined;
  /** Size in bytes of the buffer for data. */
  readonly bufferBytes: number;
  /** How long it may wait for its turn, and then for the response, in milliseconds. */
  readonly timeoutMs: number;
  /** Gives the command up: before its turn without a trace, after that by closing the connection. */
  readonly signal?: AbortSignal | undefined;
}

/** The connections to one helper; see the file text. Never throws for anything the helper or the operating system does. */
export class HelperPool {
  readonly #options: HelperPoolOptions;
  readonly #connector: Connector;
  readonly #queue = new FairQueue<object, Job>(HELPER_COMMANDS_WAITING_MAX);
  readonly #deadlines: DeadlineTimer;
  readonly #signals: AbortWatch;
  readonly #connections: HelperConnection[] = [];
  /** Jobs that have a connection. */
  readonly #running = new Set<Job>();
  readonly #closing = new AbortController();
  /** Where the connections that there are go to. */
  #path = "";
  #advancing = false;

  constructor(options: HelperPoolOptions) {
    this.#options = options;
    this.#deadlines = new DeadlineTimer(options.clock, (nowMs) => this.#endLate(nowMs));
    this.#signals = new AbortWatch((signal) => {
      for (const job of this.#jobs()) if (job.command.signal === signal) job.giveUp("aborted");
    });
    this.#connector = new Connector({
      clock: options.clock,
      need: () => this.#need(),
      open: () => this.#open(),
      openTimeoutMs: options.handshakeTimeoutMs,
      opened: (connection) => this.#opened(connection),
      failed: (error) => this.#attemptFailed(error),
    });
  }

  /** Whether there is a connection. */
  get connected(): boolean {
    return this.#connections.length > 0;
  }

  /**
   * Makes the first connection, in one attempt.
   * @throws QomError as {@link HelperConnection.open}; the pool is of no use then
   */
  async start(): Promise<void> {
    // The attempt itself does not keep the process alive, and here somebody waits.
    const hold = this.#options.clock.after(this.#options.handshakeTimeoutMs(), () => undefined);
    try {
      this.#opened(await this.#open());
    } finally {
      hold.cancel();
    }
  }

  /**
   * Runs a command; `done` is called once, with the response or the reason why there is none, perhaps before this returns.
   * @throws AssertionError for a caller's mistake: a length that cannot be, or a `dataOut` that is not as long as the CDB says
   */
  submit(command: HelperCommand, done: (outcome: HelperOutcome) => void): void {
    if (this.#closing.signal.aborted) return done(this.#closed());
    const job = new Job(command, this, done);
    const idle = this.#queue.size === 0 ? this.#idle() : undefined;
    if (idle === undefined && !this.#queue.push(job)) {
      return done(new HelperExchangeError("busy", false, `too many commands wait for ${serverAt(this.#path)}`));
    }
    if (command.signal !== undefined) this.#signals.add(command.signal);
    if (idle !== undefined) return this.#run(job, idle);
    this.#setDeadline(job);
    this.#connector.hurry();
  }

  /** Closes everything; commands that wait or run fail with `aborted`. Nobody is told of the change. Idempotent. */
  close(): void {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort(this.#closed());
    this.#connector.close();
    for (const connection of this.#connections.splice(0)) connection.close();
    for (const job of this.#queue.items()) this.#endWaiting(job, this.#closed());
    this.#deadlines.cancel();
    this.#signals.close();
  }

  /** For its jobs: one has come back from its connection. */
  settled(job: Job, outcome: HelperOutcome): void {
    job.connection = null;
    this.#running.delete(job);
    const again = outcome instanceof HelperExchangeError && outcome.reason === "closed" && !outcome.sent;
    if (outcome instanceof HelperExchangeError && this.#closing.signal.aborted) this.#end(job, this.#closed());
    else if (!again) this.#end(job, outcome);
    else if (!this.#attemptUsed(job, outcome)) this.#queue.putBack(job);
    this.#advance();
  }

  /** For its jobs: one that waits is given up. */
  withdrawn(job: Job, error: HelperExchangeError): void {
    this.#endWaiting(job, error);
    this.#connector.adjust();
  }

  #need(): Need {
    if (this.#queue.size > 0 && this.#connections.length < this.#options.connectionsMax) return "urgent";
    return this.connected ? "none" : "standby";
  }

  #open(): Promise<HelperConnection> {
    // All connections go to the same helper, even if the property has changed meanwhile.
    if (!this.connected) this.#path = this.#options.path();
    const { clock } = this.#options;
    const handshakeTimeoutMs = this.#options.handshakeTimeoutMs();
    return HelperConnection.open(this.#path, { clock, handshakeTimeoutMs, signal: this.#closing.signal });
  }

  #opened(connection: HelperConnection): void {
    this.#connections.push(connection);
    connection.onClose((cause) => this.#lost(connection, cause));
    if (this.#connections.length === 1) this.#options.changed(true);
    this.#advance();
  }

  /** A connection has ended by itself. */
  #lost(connection: HelperConnection, cause: HelperExchangeError | null): void {
    if (cause === null) return;
    this.#connections.splice(this.#connections.indexOf(connection), 1);
    const youngest = this.#options.clock.nowMs() - ATTEMPT_PAUSE_MS;
    // A helper that greets and hangs up is none.
    if (!connection.used && connection.openedAtMs > youngest) this.#connector.wasted(cause);
    else this.#connector.worked();
    if (!this.connected) this.#options.changed(false, cause);
    this.#advance();
  }

  #attemptFailed(error: QomError): void {
    // With another connection there the commands wait for that one.
    if (this.connected) return;
    for (const job of this.#queue.items()) if (this.#attemptUsed(job, error)) this.#queue.remove(job);
  }

  /** Counts an attempt to send a job; true when it was the last one, and the job has failed. */
  #attemptUsed(job: Job, cause: QomError): boolean {
    job.attempts += 1;
    if (job.attempts < ATTEMPTS_MAX) return false;
    this.#end(job, new HelperExchangeError("unreachable", false, `${serverAt(this.#path)} could not be reached`, cause));
    return true;
  }

  #idle(): HelperConnection | undefined {
    return this.#connections.find(({ idle }) => idle);
  }

  /** Gives those that wait what is free. */
  #advance(): void {
    // A command may fail before start() returns; the loop that called it goes on then.
    if (this.#advancing) return;
    this.#advancing = true;
    try {
      for (let idle = this.#idle(); idle !== undefined; idle = this.#idle()) {
        const job = this.#queue.shift();
        if (job === undefined) break;
        this.#run(job, idle);
      }
    } finally {
      this.#advancing = false;
    }
    this.#connector.adjust();
  }

  #run(job: Job, connection: HelperConnection): void {
    job.connection = connection;
    this.#running.add(job);
    this.#setDeadline(job);
    connection.start(job);
  }

  #setDeadline(job: Job): void {
    const nowMs = this.#options.clock.nowMs();
    job.deadlineMs = nowMs + job.command.timeoutMs;
    this.#deadlines.checkAt(job.deadlineMs, nowMs);
  }

  /** Gives up what is late, and gives the next deadline. */
  #endLate(nowMs: number): number {
    for (const job of this.#jobs()) if (job.deadlineMs <= nowMs) job.giveUp("timeout");
    return this.#jobs().reduce((next, { deadlineMs }) => (deadlineMs > nowMs ? Math.min(next, deadlineMs) : next), Infinity);
  }

  #jobs(): readonly Job[] {
    return [...this.#running, ...this.#queue.items()];
  }

  #endWaiting(job: Job, error: HelperExchangeError): void {
    this.#queue.remove(job);
    this.#end(job, error);
  }

  #end(job: Job, outcome: HelperOutcome): void {
    job.ended = true;
    if (job.command.signal !== undefined) this.#signals.delete(job.command.signal);
    job.done(outcome);
  }

  #closed(): HelperExchangeError {
    return new HelperExchangeError("aborted", true, `the connection to ${serverAt(this.#path)} was closed`);
  }
}

/** A command on its way. */
class Job implements HelperExchange {
  readonly command: HelperCommand;
  readonly request: Uint8Array;
  readonly dataMax: number;
  readonly done: (outcome: HelperOutcome) => void;
  readonly #pool: HelperPool;
  /** The connection whose exchange it is; null while it waits. */
  connection: HelperConnection | null = null;
  attempts = 0;
  /** On the clock's scale: of its wait, then of its response. */
  deadlineMs = 0;
  ended = false;

  constructor(command: HelperCommand, pool: HelperPool, done: (outcome: HelperOutcome) => void) {
    const { cdb, dataOut, bufferBytes } = command;
    assert(Number.isSafeInteger(bufferBytes) && bufferBytes >= 0, "a buffer has a size");
    this.command = command;
    // Now, since the caller's memory is the caller's again by the time it is sent.
    this.request = encodeRequest(cdb, dataOut);
    this.dataMax = cdb[0] === PR_IN ? bufferBytes : 0;
    this.#pool = pool;
    this.done = done;
  }

  get owner(): HelperCommand["owner"] {
    return this.command.owner;
  }
  get fd(): number {
    return this.command.owner.fd ?? NO_DESCRIPTOR;
  }

  settle(outcome: HelperOutcome): void {
    this.#pool.settled(this, outcome);
  }

  /** Ends it, unless that has happened. */
  giveUp(reason: "aborted" | "timeout"): void {
    if (this.ended) return;
    const { timeoutMs } = this.command;
    if (this.connection !== null) {
      this.connection.giveUp(reason, reason === "aborted" ? "was not waited for any longer" : `did not answer within ${timeoutMs} ms`);
    } else {
      const text = reason === "aborted" ? "a command was given up before its turn" : `a command waited ${timeoutMs} ms for its turn`;
      this.#pool.withdrawn(this, new HelperExchangeError(reason, false, text));
    }
  }
}

/** What no descriptor is: sending it fails with EBADF, as sending one that was closed meanwhile does. */
const NO_DESCRIPTOR = -1;
