/** As much of a QMP client as one command at a time needs: events are passed over. */
import { connect } from "node:net";
import type { Socket } from "node:net";
import { errnoOrMessage, QomError } from "../base/errors.js";
import { printable } from "../base/limits.js";
import { missingFolder } from "../base/missing-folder.js";
import { JsonStream, printJson } from "../options/json.js";
import { isOptionMap } from "../options/value.js";
import type { OptionMap, PlainValue } from "../options/value.js";

/** Longest message that is taken from the monitor: far more than a command returns that a program sends. */
const MESSAGE_LENGTH_MAX = 1024 * 1024;

/** How long a monitor may take to greet, and to answer beyond what the command itself takes. */
export const PATIENCE_MS = 10_000;

/** See the module text. */
export class QmpClient {
  readonly #socket: Socket;
  readonly #path: string;
  readonly #stream = new JsonStream({ lengthMax: MESSAGE_LENGTH_MAX });
  readonly #messages: OptionMap[] = [];
  #failure: QomError | undefined;
  #wake: () => void = () => undefined;

  private constructor(socket: Socket, path: string) {
    this.#socket = socket;
    this.#path = path;
    socket.on("data", (chunk) => this.#take(chunk));
    socket.on("error", (error) => this.#fail(missingFolder(path) ?? errnoOrMessage(error)));
    socket.on("close", () => this.#fail("the connection ended"));
  }

  /**
   * Connects to the Unix socket at `path` and negotiates.
   * @throws QomError `connection` when nobody answers there, or somebody who does not speak QMP
   */
  static async connect(path: string): Promise<QmpClient> {
    const client = new QmpClient(connect(path), path);
    try {
      await client.#next((message) => message.has("QMP"), PATIENCE_MS);
      await client.execute("qmp_capabilities", new Map(), PATIENCE_MS);
      return client;
    } catch (error) {
      client.close();
      throw error;
    }
  }

  /**
   * Runs a command and gives what it returns.
   * @param patienceMs how long the answer may take, in milliseconds
   * @throws QomError `invalid-value` for what the machine refuses; `connection`
   */
  async execute(command: string, given: OptionMap, patienceMs: number): Promise<PlainValue> {
    const message: OptionMap = new Map<string, PlainValue>([
      ["execute", command],
      ["arguments", given],
    ]);
    this.#socket.write(`${printJson(message)}\n`);
    const answer = await this.#next((each) => each.has("return") || each.has("error"), patienceMs);
    const error = answer.get("error");
    if (error === undefined || !isOptionMap(error)) return answer.get("return") ?? null;
    throw new QomError("invalid-value", `QMP ${command}: ${printable(descriptionOf(error))}`, { context: { value: command } });
  }

  /** Hangs up. */
  close(): void {
    this.#socket.destroy();
  }

  /** The next message that fits; all others are passed over. */
  async #next(fits: (message: OptionMap) => boolean, patienceMs: number): Promise<OptionMap> {
    const timer = setTimeout(() => this.#fail(`no answer within ${patienceMs / 1000} s`), patienceMs);
    try {
      for (;;) {
        const message = this.#messages.shift();
        if (message !== undefined && fits(message)) return message;
        if (message === undefined && this.#failure !== undefined) throw this.#failure;
        if (message === undefined) await new Promise<void>((resolve) => (this.#wake = resolve));
      }
    } finally {
      clearTimeout(timer);
    }
  }

  #take(chunk: Uint8Array): void {
    for (const item of this.#stream.push(chunk)) {
      if (item.kind === "error") this.#fail("what comes back is not JSON");
      else if (isOptionMap(item.value)) this.#messages.push(item.value);
    }
    this.#wake();
  }

  #fail(reason: string): void {
    this.#failure ??= new QomError("connection", `QMP at '${printable(this.#path)}': ${printable(reason)}`, {
      context: { value: this.#path },
    });
    this.#wake();
  }
}

function descriptionOf(error: OptionMap): string {
  const description = error.get("desc");
  return typeof description === "string" ? description : "failed";
}
