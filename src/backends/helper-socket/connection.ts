/**
 * One connection to a PR helper: handshake, then one exchange at a time (scsi/pr-helper.ts). It does not reconnect or retry, and has no
 * deadline for commands; its user does all that, and learns whether a retry is safe ({@link HelperExchangeError.sent}).
 *
 *     open() -> greeting -> idle <-> exchange in progress -> closed
 *
 * Anything that the protocol does not foresee closes the connection: a response of impossible size, bytes nobody asked for, the end of
 * the stream, a command given up in the middle. There is no other way to be in step with the server again.
 */

import { assert } from "../../base/assert.js";
import type { Clock } from "../../base/clock.js";
import { isErrnoError, QomError } from "../../base/errors.js";
import { printable } from "../../base/limits.js";
import { connectUnixStream } from "../../native/socket/unix-socket.js";
import type { NativeSocket } from "../../native/socket/unix-socket.js";
import { HelperExchangeError } from "./exchange.js";
import type { HelperExchange, HelperExchangeReason } from "./exchange.js";
import { encodeFeatures, FEATURE_WORD_SIZE, NO_FEATURES, ResponseDecoder } from "../../scsi/pr-helper.js";

/** How {@link HelperConnection.open} connects. */
export interface HelperConnectionOptions {
  readonly clock: Clock;
  /** Deadline for connecting and for the server's greeting together, in milliseconds. */
  readonly handshakeTimeoutMs: number;
  /** Gives up connecting; the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** Why the connection ended; null when {@link HelperConnection.close} was called. */
export type CloseListener = (cause: HelperExchangeError | null) => void;

/** Makes the error of an exchange, once it is known whether the request was sent. */
type Failure = (sent: boolean) => HelperExchangeError;

/** A connection to a helper, greeted and ready. Made by {@link HelperConnection.open}. */
export class HelperConnection {
  /** When the greeting was over, on the clock's scale. */
  readonly openedAtMs: number;
  readonly #server: string;
  readonly #socket: NativeSocket;
  readonly #decoder = new ResponseDecoder();
  readonly #listeners: CloseListener[] = [];
  #current: HelperExchange | null = null;
  /** The current exchange waits for the server to take its request. */
  #sending = false;
  /** Why the current exchange fails, if that happened while it waited: said once it is known whether anything was sent. */
  #failure: Failure | null = null;
  #connected = true;
  #used = false;

  private constructor(path: string, socket: NativeSocket, openedAtMs: number) {
    this.openedAtMs = openedAtMs;
    this.#server = serverAt(path);
    this.#socket = socket;
    const { stream } = socket;
    socket.receive((bytes) => this.#receive(bytes));
    stream.once("error", (cause) => this.#drop("closed", this.#endText(), cause));
    // "close" would wait until the server has taken what is still to be written.
    stream.once("end", () => this.#drop("closed", this.#endText()));
    stream.once("close", () => this.#drop("closed", this.#endText()));
  }

  /**
   * Connects to the helper at `path` and exchanges feature words. What the server offers does not matter, since nothing is wanted. Does
   * not keep the process alive meanwhile.
   * @throws QomError as {@link connectUnixStream}; `connection` when the greeting does not come in time, is cut off or too long
   */
  static async open(path: string, options: HelperConnectionOptions): Promise<HelperConnection> {
    const { clock, handshakeTimeoutMs, signal } = options;
    signal?.throwIfAborted();
    const giveUp = new AbortController();
    const cancel = (): void => giveUp.abort(signal?.reason);
    const late = (): void => giveUp.abort(new QomError("connection", `${serverAt(path)} did not greet within ${handshakeTimeoutMs} ms`));
    const timer = clock.after(handshakeTimeoutMs, late, { background: true });
    signal?.addEventListener("abort", cancel, { once: true });
    try {
      const socket = await connectUnixStream(path, { clock, signal: giveUp.signal });
      // Only an exchange keeps the process alive.
      socket.stream.unref();
      await greet(path, socket, giveUp.signal);
      giveUp.signal.throwIfAborted();
      return new HelperConnection(path, socket, clock.nowMs());
    } finally {
      timer.cancel();
      signal?.removeEventListener("abort", cancel);
    }
  }

  /** False once the connection has ended for whatever reason; true says that no end was seen yet. */
  get connected(): boolean {
    return this.#connected;
  }

  /** Whether any request was ever sent. */
  get used(): boolean {
    return this.#used;
  }

  /** Whether {@link start} may be called. */
  get idle(): boolean {
    return this.#current === null && this.#connected;
  }

  /** Calls `listener` once, when the connection ends: before the exchange in progress, if there is one, is told. */
  onClose(listener: CloseListener): void {
    this.#listeners.push(listener);
  }

  /**
   * Sends one command together with the descriptor, on an idle connection; the exchange is told of the outcome, which may be before this
   * returns.
   */
  start(exchange: HelperExchange): void {
    assert(this.idle, "a connection has one exchange at a time");
    const { request, dataMax, fd } = exchange;
    this.#current = exchange;
    this.#socket.stream.ref();
    this.#decoder.start(dataMax);
    if (this.#socket.sendAtOnce(request, fd)) this.#used = true;
    else void this.#sendLater(exchange);
  }

  /**
   * Gives up the exchange in progress, which fails with `reason`, and so the connection; `text` completes a sentence about the helper.
   * Does nothing when the exchange has failed already and is only not told yet.
   */
  giveUp(reason: "timeout" | "aborted", text: string): void {
    this.#drop(reason, text);
  }

  /** Closes the connection at once; an exchange in progress fails with `closed`. Idempotent. */
  close(): void {
    this.#end((sent) => new HelperExchangeError("closed", sent, `the connection to ${this.#server} was closed`), null);
  }

  /** The server does not take the request now, or never will. */
  async #sendLater(exchange: HelperExchange): Promise<void> {
    this.#sending = true;
    const cause = await this.#socket.sendWithDescriptor(exchange.request, exchange.fd).then(
      () => null,
      (error: unknown) => error,
    );
    this.#sending = false;
    if (cause === null) this.#used = true;
    if (this.#failure !== null) exchange.settle(this.#failure(cause === null));
    else if (cause !== null) this.#sendFailed(exchange, cause);
  }

  /** Nothing was sent. */
  #sendFailed(exchange: HelperExchange, cause: unknown): void {
    const ended = isErrnoError(cause) && CONNECTION_ENDED.includes(cause.code);
    this.#finish();
    if (ended) this.#drop("closed", "has closed the connection", cause);
    const text = ended ? `${this.#server} has closed the connection` : `cannot send a descriptor to ${this.#server}`;
    exchange.settle(new HelperExchangeError(ended ? "closed" : "refused", false, text, cause));
  }

  #receive(bytes: Uint8Array): void {
    const exchange = this.#current;
    if (exchange === null || this.#sending) return this.#drop("protocol", `sent ${bytes.length} bytes that nobody asked for`);
    const decoded = this.#decoder.push(bytes);
    if (decoded.kind === "incomplete") return;
    if (decoded.kind === "violation") return this.#drop("protocol", `sent ${decoded.text}`);
    if (this.#socket.stream.writableLength > 0) return this.#drop("protocol", "answered before it had the whole request");
    this.#finish();
    exchange.settle(decoded.response);
  }

  #endText(): string {
    return `closed the connection ${this.#current === null ? "while it was idle" : `after ${this.#decoder.progress}`}`;
  }

  /** Ends the connection for something the server did or did not do; `text` completes a sentence about it. */
  #drop(reason: HelperExchangeReason, text: string, cause?: unknown): void {
    const failure = (sent: boolean): HelperExchangeError => new HelperExchangeError(reason, sent, `${this.#server} ${text}`, cause);
    this.#end(failure, failure(false));
  }

  /** Ends the connection: the exchange in progress fails with `failure`. */
  #end(failure: Failure, cause: HelperExchangeError | null): void {
    if (!this.#connected) return;
    this.#connected = false;
    const exchange = this.#current;
    this.#finish();
    this.#socket.close();
    for (const listener of this.#listeners.splice(0)) listener(cause);
    // Closing ends the attempt to send, and that tells whether anything went out.
    if (this.#sending) this.#failure = failure;
    else exchange?.settle(failure(true));
  }

  #finish(): void {
    this.#current = null;
    this.#socket.stream.unref();
  }
}

/** Errors of sendmsg(2) that say something about the connection, not about what was to be sent. */
const CONNECTION_ENDED: readonly string[] = ["EPIPE", "ECONNRESET", "ENOTCONN"];

/** The helper in an error text. */
export function serverAt(path: string): string {
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
