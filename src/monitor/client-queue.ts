/**
 * What both kinds of monitor have in common: what a client asks for is answered one after the other, and others' in
 * between; a client that does not read its answers is not read either; and how a session ends, from either side.
 */
import { setImmediate as othersServed } from "node:timers/promises";
import { drained, onLost } from "../chardev/connection.js";
import type { Connection } from "../chardev/connection.js";

/** Requests of one client that wait while one runs, as in QEMU (QMP_REQ_QUEUE_LEN_MAX); then it is not read. One chunk may bring more. */
const QUEUE_LENGTH_MAX = 8;

/** What a kind of monitor does with its client. */
export interface ClientService<Item> {
  /** Answers a request; never rejects. */
  readonly answer: (item: Item) => Promise<void>;
  /** Begins or ceases to read from the client. */
  readonly read: (go: boolean) => void;
  /** Nothing more is read, and no event sent: called after the last request of the client, or when it is gone; perhaps twice. */
  readonly release: () => void;
  /** The session is over: called once. */
  readonly ended: () => void;
}

/** See the file text. */
export class ClientQueue<Item> {
  readonly #connection: Connection;
  readonly #service: ClientService<Item>;
  readonly #queue: Item[] = [];
  #state: "open" | "closing" | "over" = "open";
  /** The client has said that it sends no more. */
  #inputEnded = false;
  #serving: Promise<void> | undefined;

  constructor(connection: Connection, service: ClientService<Item>) {
    this.#connection = connection;
    this.#service = service;
    onLost(connection, () => this.over());
  }

  /** Whether nobody has begun to end the session. */
  get isOpen(): boolean {
    return this.#state === "open";
  }

  /** Whether more requests may come. */
  get isReading(): boolean {
    return this.isOpen && !this.#inputEnded;
  }

  /** Whether the client is gone, so that nothing can be sent to it. */
  get isOver(): boolean {
    return this.#state === "over";
  }

  /** Requests that came in. */
  take(items: readonly Item[]): void {
    if (this.#state !== "open") return;
    for (const item of items) this.#queue.push(item);
    if (this.#queue.length >= QUEUE_LENGTH_MAX) this.#service.read(false);
    if (this.#queue.length > 0) this.#serving ??= this.#serve();
  }

  /** The client sends no more: it is hung up on when it has its answers. */
  endOfInput(): void {
    this.#inputEnded = true;
    if (this.#serving === undefined) this.#hangUp();
  }

  /** Takes no more requests, and ends the session when the one that runs is answered and all is sent, as long as `hangUp` has patience. */
  async close(hangUp: (send: Promise<void>) => Promise<void>): Promise<void> {
    if (this.#state !== "open") return;
    this.#state = "closing";
    this.#queue.length = 0;
    await hangUp(this.#finish());
    this.over();
  }

  /** Ends the session at once. */
  over(): void {
    if (this.#state === "over") return;
    this.#state = "over";
    this.#queue.length = 0;
    this.#service.release();
    this.#connection.destroy();
    this.#service.ended();
  }

  async #finish(): Promise<void> {
    await this.#serving;
    await new Promise<void>((resolve) => this.#connection.output.write("", () => resolve()));
  }

  async #serve(): Promise<void> {
    for (let item = this.#queue.shift(); item !== undefined; item = this.#queue.shift()) {
      await this.#service.answer(item);
      await drained(this.#connection.output);
      if (this.#queue.length > 0) await othersServed();
      if (this.isReading && this.#queue.length < QUEUE_LENGTH_MAX) this.#service.read(true);
    }
    // At once, and not when the promise settles: a request that comes in between would find nobody who serves it.
    this.#serving = undefined;
    if (this.#inputEnded) this.#hangUp();
  }

  /** The client has what it asked for, and asks no more. */
  #hangUp(): void {
    if (this.#state !== "open") return;
    this.#service.release();
    this.#connection.end();
  }
}
