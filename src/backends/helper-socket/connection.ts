/**
 * One connection to a PR helper: handshake, then exchanges one at a time (protocol.ts). It does not reconnect and does not retry; it
 * tells whoever does whether that is safe ({@link HelperExchangeError.sent}).
 *
 *     open() -> greeting -> idle <-> exchange in progress -> closed
 *
 * Anything that the protocol does not foresee closes the connection: a response of impossible size, bytes nobody asked for, the end of
 * the stream, a timeout, a command given up in the middle. There is no other way to be in step with the server again.
 */

import { assert } from "../../base/assert.js";
import type { Clock, Timer } from "../../base/clock.js";
import { isErrnoError, QomError } from "../../base/errors.js";
import { printable } from "../../base/limits.js";
import { connectUnixStream } from "../../native/unix-socket.js";
import type { NativeSocket } from "../../native/unix-socket.js";
import { PR_IN } from "../../scsi/persistent-reserve.js";
import { encodeFeatures, encodeRequest, FEATURE_WORD_SIZE, NO_FEATURES, ResponseDecoder } from "./protocol.js";
import type { HelperResponse } from "./protocol.js";

/** Exchanges that may wait for their turn: the queues of a few disks. More is a caller that does not look at its results. */
export const HELPER_EXCHANGES_WAITING_MAX = 1024;

/** How {@link HelperConnection.open} connects. */
export interface HelperConnectionOptions {
  readonly clock: Clock;
  /** Deadline for connecting and for the server's greeting together, in milliseconds. */
  readonly handshakeTimeoutMs: number;
  /** Deadline for one exchange, from the moment it is its turn, in milliseconds. Without it a silent server is waited for. */
  readonly commandTimeoutMs?: number;
  /** Gives up connecting; the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** One PERSISTENT RESERVE command for the helper. */
export interface HelperRequest {
  /** 1 to 16 bytes. */
  readonly cdb: Uint8Array;
  /** Parameter list, exactly as long as CDB bytes 7 and 8 say; for PERSISTENT RESERVE OUT only. */
  readonly dataOut?: Uint8Array;
  /** Size in bytes of the buffer for data; a response with more breaks the protocol. */
  readonly allocationLength: number;
  /** Deadline instead of the connection's, in milliseconds. */
  readonly timeoutMs?: number;
  /** Gives the command up: before its turn without a trace, after that by closing the connection. */
  readonly signal?: AbortSignal;
}

/**
 * Why an exchange failed.
 *
 * | reason | connection |
 * |---|---|
 * | `closed` | the server ended it, or it was closed here |
 * | `protocol` | the server broke the protocol; closed |
 * | `timeout` | no answer in time; closed |
 * | `aborted` | the signal gave the command up; closed if it was its turn, else still good |
 * | `refused` | the operating system did not take the descriptor or the message (errno in `cause`); still good |
 * | `busy` | too many exchanges are waiting; still good |
 */
export type HelperExchangeReason = "closed" | "protocol" | "timeout" | "aborted" | "refused" | "busy";

/** What {@link HelperConnection.exchange} rejects with when there is no response. */
export class HelperExchangeError extends QomError {
  readonly reason: HelperExchangeReason;
  /** Whether the server may have seen the request. Only if not may the command be sent again. */
  readonly sent: boolean;

  constructor(reason: HelperExchangeReason, sent: boolean, message: string, cause?: unknown) {
    super("connection", message, cause === undefined ? {} : { cause });
    this.reason = reason;
    this.sent = sent;
  }
}

/** Why the connection ended; null when {@link HelperConnection.close} was called. */
export type CloseListener = (cause: HelperExchangeError | null) => void;

/** An exchange from the call to its end. */
interface Exchange {
  readonly fd: number;
  readonly request: Uint8Array;
  readonly dataMax: number;
  readonly timeoutMs: number | undefined;
  readonly resolve: (response: HelperResponse) => void;
  readonly reject: (error: HelperExchangeError) => void;
  /** `sending` from its turn until it is known whether anything was sent. */
  state: "waiting" | "sending" | "sent";
  /** Why it fails, if that happened while `sending`: said once `sent` is known. */
  failure: ((sent: boolean) => HelperExchangeError) | null;
}

/** A connection to a helper, greeted and ready. Made by {@link HelperConnection.open}. */
export class HelperConnection {
  readonly #server: string;
  readonly #socket: NativeSocket;
  readonly #clock: Clock;
  readonly #commandTimeoutMs: number | undefined;
  readonly #decoder = new ResponseDecoder();
  readonly #waiting: Exchange[] = [];
  readonly #listeners: CloseListener[] = [];
  #current: Exchange | null = null;
  #deadline: Timer | null = null;
  #connected = true;

  private constructor(path: string, socket: NativeSocket, options: HelperConnectionOptions) {
    this.#server = serverAt(path);
    this.#socket = socket;
    this.#clock = options.clock;
    this.#commandTimeoutMs = options.commandTimeoutMs;
    const { stream } = socket;
    socket.receive((bytes) => this.#receive(bytes));
    stream.once("error", (cause) => this.#drop("closed", this.#endText(), cause));
    // "close" would wait until the server has taken what is still to be written.
    stream.once("end", () => this.#drop("closed", this.#endText()));
    stream.once("close", () => this.#drop("closed", this.#endText()));
    // Only an exchange keeps the process alive.
    stream.unref();
  }

  /**
   * Connects to the helper at `path` and exchanges feature words. What the server offers does not matter, since nothing is wanted.
   * @throws QomError as {@link connectUnixStream}; `connection` when the greeting does not come in time, is cut off or too long
   */
  static async open(path: string, options: HelperConnectionOptions): Promise<HelperConnection> {
    const { clock, handshakeTimeoutMs, signal } = options;
    signal?.throwIfAborted();
    const giveUp = new AbortController();
    const cancel = (): void => giveUp.abort(signal?.reason);
    const timer = clock.after(handshakeTimeoutMs, () => {
      giveUp.abort(new QomError("connection", `${serverAt(path)} did not greet within ${handshakeTimeoutMs} ms`));
    });
    signal?.addEventListener("abort", cancel, { once: true });
    try {
      const socket = await connectUnixStream(path, { clock, signal: giveUp.signal });
      await greet(path, socket, giveUp.signal);
      giveUp.signal.throwIfAborted();
      return new HelperConnection(path, socket, options);
    } finally {
      timer.cancel();
      signal?.removeEventListener("abort", cancel);
    }
  }

  /** False once the connection has ended for whatever reason; true says that no end was seen yet. */
  get connected(): boolean {
    return this.#connected;
  }

  /** Calls `listener` once, when the connection ends. */
  onClose(listener: CloseListener): void {
    this.#listeners.push(listener);
  }

  /**
   * Sends one command together with the descriptor `fd`, and waits for the response. Exchanges take turns in the order of the calls.
   * `fd` stays the caller's and must be open until the promise settles.
   * @throws HelperExchangeError
   * @throws AssertionError for a caller's mistake: a length that cannot be, or a `dataOut` that is not as long as the CDB says
   */
  async exchange(fd: number, request: HelperRequest): Promise<HelperResponse> {
    const { cdb, dataOut, allocationLength, signal } = request;
    assert(Number.isSafeInteger(allocationLength) && allocationLength >= 0, "a buffer has a size");
    const bytes = encodeRequest(cdb, dataOut);
    const dataMax = cdb[0] === PR_IN ? allocationLength : 0;
    if (!this.#connected) throw new HelperExchangeError("closed", false, `the connection to ${this.#server} is closed`);
    if (signal?.aborted === true) throw this.#aborted(false);
    if (this.#waiting.length >= HELPER_EXCHANGES_WAITING_MAX) {
      throw new HelperExchangeError("busy", false, `too many commands wait for ${this.#server}`);
    }
    const timeoutMs = request.timeoutMs ?? this.#commandTimeoutMs;
    let cancel = (): void => {};
    const response = new Promise<HelperResponse>((resolve, reject) => {
      const exchange: Exchange = { fd, request: bytes, dataMax, timeoutMs, resolve, reject, state: "waiting", failure: null };
      cancel = () => this.#cancel(exchange);
      this.#waiting.push(exchange);
    });
    signal?.addEventListener("abort", cancel, { once: true });
    this.#next();
    try {
      return await response;
    } finally {
      signal?.removeEventListener("abort", cancel);
    }
  }

  /** Closes the connection at once; exchanges that wait or run fail with `closed`. Idempotent. */
  close(): void {
    this.#end((sent) => new HelperExchangeError("closed", sent, `the connection to ${this.#server} was closed`), null);
  }

  /** Starts the next exchange, if none is in progress. */
  #next(): void {
    if (this.#current !== null) return;
    const exchange = this.#waiting.shift();
    if (exchange === undefined) {
      this.#socket.stream.unref();
      return;
    }
    this.#current = exchange;
    this.#socket.stream.ref();
    const { timeoutMs } = exchange;
    if (timeoutMs !== undefined) {
      this.#deadline = this.#clock.after(timeoutMs, () => this.#drop("timeout", `did not answer within ${timeoutMs} ms`));
    }
    void this.#send(exchange);
  }

  async #send(exchange: Exchange): Promise<void> {
    exchange.state = "sending";
    this.#decoder.start(exchange.dataMax);
    const cause = await this.#socket.sendWithDescriptor(exchange.request, exchange.fd).then(
      () => null,
      (error: unknown) => error,
    );
    if (exchange.failure !== null) {
      exchange.reject(exchange.failure(cause === null));
    } else if (cause === null) {
      exchange.state = "sent";
    } else {
      this.#sendFailed(exchange, cause);
    }
  }

  /** Nothing was sent. */
  #sendFailed(exchange: Exchange, cause: unknown): void {
    const ended = isErrnoError(cause) && CONNECTION_ENDED.includes(cause.code);
    const reason = ended ? "closed" : "refused";
    const text = ended ? `${this.#server} has closed the connection` : `cannot send a descriptor to ${this.#server}`;
    exchange.reject(new HelperExchangeError(reason, false, text, cause));
    this.#finish();
    if (ended) this.#drop("closed", "has closed the connection", cause);
    else this.#next();
  }

  #receive(bytes: Uint8Array): void {
    const exchange = this.#current;
    if (exchange?.state !== "sent") return this.#drop("protocol", `sent ${bytes.length} bytes that nobody asked for`);
    const decoded = this.#decoder.push(bytes);
    if (decoded.kind === "incomplete") return;
    if (decoded.kind === "violation") return this.#drop("protocol", `sent ${decoded.text}`);
    if (this.#socket.stream.writableLength > 0) return this.#drop("protocol", "answered before it had the whole request");
    this.#finish();
    exchange.resolve(decoded.response);
    this.#next();
  }

  #cancel(exchange: Exchange): void {
    const at = this.#waiting.indexOf(exchange);
    if (at >= 0) {
      this.#waiting.splice(at, 1);
      exchange.reject(this.#aborted(false));
    } else if (exchange === this.#current) {
      const failure = (sent: boolean): HelperExchangeError => this.#aborted(sent);
      this.#end(failure, failure(true));
    }
  }

  #aborted(sent: boolean): HelperExchangeError {
    return new HelperExchangeError("aborted", sent, `a command to ${this.#server} was given up`);
  }

  #endText(): string {
    return `closed the connection ${this.#current === null ? "while it was idle" : `after ${this.#decoder.progress}`}`;
  }

  /** Ends the connection for something the server did or did not do; `text` completes a sentence about it. */
  #drop(reason: HelperExchangeReason, text: string, cause?: unknown): void {
    const failure = (sent: boolean): HelperExchangeError => new HelperExchangeError(reason, sent, `${this.#server} ${text}`, cause);
    this.#end(failure, failure(false));
  }

  /** Ends the connection: the exchange in progress fails with `failure`, and those that wait because of it. */
  #end(failure: (sent: boolean) => HelperExchangeError, cause: HelperExchangeError | null): void {
    if (!this.#connected) return;
    this.#connected = false;
    const exchange = this.#current;
    this.#finish();
    this.#socket.close();
    // Closing ends the attempt to send, and that tells whether anything went out.
    if (exchange?.state === "sending") exchange.failure = failure;
    else exchange?.reject(failure(true));
    const tooLate = `the connection to ${this.#server} ended before it was this command's turn`;
    for (const { reject } of this.#waiting.splice(0)) reject(new HelperExchangeError("closed", false, tooLate, cause ?? undefined));
    for (const listener of this.#listeners.splice(0)) listener(cause);
  }

  #finish(): void {
    this.#current = null;
    this.#deadline?.cancel();
    this.#deadline = null;
  }
}

/** Errors of sendmsg(2) that say something about the connection, not about what was to be sent. */
const CONNECTION_ENDED: readonly string[] = ["EPIPE", "ECONNRESET", "ENOTCONN"];

function serverAt(path: string): string {
  return `the PR helper at '${printable(path)}'`;
}

/**
 * Waits for the server's feature word and answers it. Closes the socket when that does not work, and when `signal` is aborted; then it
 * just returns.
 */
function greet(path: string, socket: NativeSocket, signal: AbortSignal): Promise<void> {
  const { stream } = socket;
  return new Promise((resolve, reject) => {
    let received = 0;
    const release = (): void => {
      stream.off("end", onEnd).off("close", onEnd);
      signal.removeEventListener("abort", onAbort);
    };
    const fail = (text: string): void => {
      release();
      socket.close();
      reject(new QomError("connection", `${serverAt(path)} ${text}`));
    };
    const onEnd = (): void => fail(`closed the connection after ${received} of ${FEATURE_WORD_SIZE} bytes of its greeting`);
    const onAbort = (): void => {
      release();
      socket.close();
      resolve();
    };
    stream.on("end", onEnd).on("close", onEnd);
    signal.addEventListener("abort", onAbort, { once: true });
    if (signal.aborted) return onAbort();
    socket.receive((bytes) => {
      received += bytes.length;
      if (received > FEATURE_WORD_SIZE) return fail("sent more than a greeting");
      if (received < FEATURE_WORD_SIZE) return;
      stream.write(encodeFeatures(NO_FEATURES), (error) => {
        if (error !== null && error !== undefined) return;
        release();
        resolve();
      });
    });
  });
}
