/** A client of QMP for tests: messages in order of arrival. */
import { once } from "node:events";
import { connect } from "node:net";
import type { NetConnectOpts, Socket } from "node:net";

/** A message of a server. */
export interface Message {
  readonly QMP?: unknown;
  readonly return?: unknown;
  readonly error?: { readonly class: string; readonly desc: string };
  readonly event?: string;
  readonly data?: Readonly<Record<string, unknown>>;
  readonly timestamp?: { readonly seconds: number; readonly microseconds: number };
  readonly id?: unknown;
}

/** See the file text. */
export class QmpClient {
  readonly socket: Socket;
  readonly #messages: Message[] = [];
  #rest = "";
  #ended = false;
  #wake: () => void = () => undefined;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.setEncoding("utf8");
    socket.on("error", () => undefined);
    socket.on("data", (text: string) => {
      const lines = (this.#rest + text).split("\r\n");
      this.#rest = lines.pop() ?? "";
      for (const line of lines) this.#messages.push(JSON.parse(line) as Message); // servers send these
      this.#wake();
    });
    socket.on("close", () => {
      this.#ended = true;
      this.#wake();
    });
  }

  /** Connects; the greeting is the first message. */
  static async connect(where: NetConnectOpts): Promise<QmpClient> {
    const socket = connect(where);
    await once(socket, "connect");
    return new QmpClient(socket);
  }

  /** Connects, reads the greeting and negotiates. */
  static async ready(where: NetConnectOpts): Promise<QmpClient> {
    const client = await QmpClient.connect(where);
    await client.next();
    await client.run("qmp_capabilities");
    return client;
  }

  send(message: object | string): void {
    this.socket.write(typeof message === "string" ? message : JSON.stringify(message));
  }

  /** The next message; undefined when the server has hung up. */
  async next(): Promise<Message | undefined> {
    while (this.#messages.length === 0 && !this.#ended) await new Promise<void>((resolve) => (this.#wake = resolve));
    return this.#messages.shift();
  }

  /** The next event of that name; what comes before it is dropped. */
  async event(name: string): Promise<Message> {
    for (;;) {
      const message = await this.next();
      if (message === undefined) throw new Error(`the server hung up before the event ${name}`);
      if (message.event === name) return message;
    }
  }

  /** Sends a command and gives its `return`; events before it are dropped. */
  async run(execute: string, args?: object): Promise<unknown> {
    const answer = await this.answer({ execute, ...(args === undefined ? {} : { arguments: args }) });
    if (answer.error !== undefined) throw new Error(`${execute}: ${answer.error.desc}`);
    return answer.return;
  }

  /** Sends a message and gives the next one that is no event. */
  async answer(message: object | string): Promise<Message> {
    this.send(message);
    for (;;) {
      const answer = await this.next();
      if (answer === undefined) throw new Error("the server hung up before it answered");
      if (answer.event === undefined) return answer;
    }
  }

  async close(): Promise<void> {
    if (this.socket.destroyed) return;
    const closed = once(this.socket, "close");
    this.socket.destroy();
    await closed;
  }
}
