/**
 * One client of QMP: the greeting, negotiation, commands one after the other, replies and events (QEMU: docs/interop/qmp-spec.txt).
 *
 *     server: {"QMP": {"version": …, "capabilities": []}}
 *     client: {"execute": "qmp_capabilities"}                       server: {"return": {}}
 *     client: {"execute": NAME, "arguments": {…}, "id": ANY}        server: {"return": VALUE, "id": ANY}
 *                                                                   or:     {"error": {"class": CLASS, "desc": TEXT}, "id": ANY}
 *                                                                   server: {"event": NAME, "timestamp": …, "data": {…}}
 *
 * A message is one JSON value, whatever blanks are around it; the server ends its own with CR LF. What a client sends faster than it is
 * answered waits in its socket: a client that does not read its answers gets no more of them, and keeps nobody else waiting.
 */
import { describeError, QomError } from "../base/errors.js";
import { printable } from "../base/limits.js";
import { inSlices } from "../base/slices.js";
import { JsonStream, printingJson, printJson } from "../options/json.js";
import type { JsonItem, JsonPrintOptions } from "../options/json.js";
import { isOptionMap } from "../options/value.js";
import type { OptionMap, PlainValue } from "../options/value.js";
import type { Connection } from "../chardev/connection.js";
import { ClientQueue } from "./client-queue.js";
import type { QmpEvent } from "./events.js";
import type { CommandOutcome, QmpExecutor } from "./executor.js";
import type { MonitorSession } from "./monitors.js";
import { isLong, LIST_SLICE_LENGTH, toPlain } from "./values.js";
import { qmpVersion } from "./version.js";

/**
 * Longest message in characters: twice the digits of the longest SCSI data that a command may carry. A longer one is refused while it
 * comes in and is not kept.
 */
const QMP_MESSAGE_LENGTH_MAX = 4 * 1024 * 1024;

/** Output that a client has not taken, beyond which it is hung up on: events come whether or not it reads them. */
const OUTPUT_BYTES_MAX = 16 * 1024 * 1024;

/** Blanks per level of `pretty=on`, as in QEMU. */
const PRETTY_INDENT = 4;

/** How a session is set up. */
export interface SessionSettings {
  readonly pretty: boolean;
  /** Id of the monitor's object. */
  readonly monitor: string;
  /** Called once, when the session is over. */
  readonly ended: () => void;
}

/** A message from a client that is well-formed. */
interface Request {
  readonly command: string;
  readonly given: OptionMap;
}

/** See the file text. */
export class QmpSession implements MonitorSession {
  readonly #executor: QmpExecutor;
  readonly #connection: Connection;
  readonly #settings: SessionSettings;
  readonly #stream = new JsonStream({ lengthMax: QMP_MESSAGE_LENGTH_MAX });
  readonly #queue: ClientQueue<JsonItem>;
  #negotiated = false;
  #unsubscribe: (() => void) | undefined;

  /** Greets the client and serves it from now on. */
  constructor(executor: QmpExecutor, connection: Connection, settings: SessionSettings) {
    this.#executor = executor;
    this.#connection = connection;
    this.#settings = settings;
    const { input } = connection;
    this.#queue = new ClientQueue<JsonItem>(connection, {
      answer: (item) => this.#answer(item),
      read: (go) => void (go ? input.resume() : input.pause()),
      release: () => this.#release(),
      ended: settings.ended,
    });
    input.on("data", this.#onData);
    input.on("end", this.#onEnd);
    this.#write(new Map<string, PlainValue>([["QMP", toPlain({ version: qmpVersion(executor.answers), capabilities: [] })]]));
    input.resume();
  }

  /** See {@link ClientQueue.close}. */
  close(hangUp: (send: Promise<void>) => Promise<void>): Promise<void> {
    return this.#queue.close(hangUp);
  }

  readonly #onData = (chunk: Uint8Array | string): void => this.#queue.take(this.#stream.push(chunk));

  readonly #onEnd = (): void => {
    this.#queue.take(this.#stream.end());
    this.#queue.endOfInput();
  };

  async #answer(item: JsonItem): Promise<void> {
    const id = item.kind === "value" && isOptionMap(item.value) ? item.value.get("id") : undefined;
    let outcome: CommandOutcome | undefined;
    try {
      if (item.kind === "error") throw item.error;
      outcome = await this.#run(request(item.value));
      await this.#reply("return", outcome.value, id);
    } catch (error) {
      outcome = undefined;
      await this.#reply("error", errorValue(error), id);
    }
    outcome?.afterReply();
  }

  async #run({ command, given }: Request): Promise<CommandOutcome> {
    if (this.#negotiated) return this.#executor.run(command, given, this.#settings.monitor);
    if (command !== "qmp_capabilities") {
      throw new QomError("unknown-name", `expecting capabilities negotiation with 'qmp_capabilities', not '${printable(command)}'`, {
        qmpClass: "CommandNotFound",
      });
    }
    const outcome = this.#executor.negotiate(given);
    this.#negotiated = true;
    this.#unsubscribe = this.#executor.onEvent(this.#onEvent);
    return outcome;
  }

  readonly #onEvent = (event: QmpEvent): void => {
    const { data } = event;
    this.#write(toPlain(Object.keys(data).length === 0 ? { ...event, data: undefined } : event));
    if (this.#connection.output.writableLength > OUTPUT_BYTES_MAX) this.#queue.over();
  };

  /** Written on return, unless the value is long: events may go out before that one, as at any time. */
  #reply(kind: "return" | "error", value: PlainValue, id: PlainValue | undefined): Promise<void> | undefined {
    const members: [string, PlainValue][] = [[kind, value]];
    if (id !== undefined) members.push(["id", id]);
    const message = new Map(members);
    return isLong(value) ? this.#writeLong(message) : this.#write(message);
  }

  #write(message: PlainValue): undefined {
    if (!this.#queue.isOver) this.#send(printJson(message, this.#layout));
  }

  async #writeLong(message: PlainValue): Promise<void> {
    const text = await inSlices(printingJson(message, this.#layout), LIST_SLICE_LENGTH);
    if (!this.#queue.isOver) this.#send(text);
  }

  get #layout(): JsonPrintOptions {
    return this.#settings.pretty ? { indent: PRETTY_INDENT } : {};
  }

  #send(text: string): void {
    this.#connection.output.write(`${text}\r\n`);
  }

  #release(): void {
    this.#unsubscribe?.();
    this.#unsubscribe = undefined;
    this.#connection.input.off("data", this.#onData);
    this.#connection.input.off("end", this.#onEnd);
  }
}

/**
 * A message as a request.
 * @throws QomError for one that is not
 */
function request(value: PlainValue): Request {
  if (!isOptionMap(value)) throw new QomError("invalid-value", "a QMP message is a JSON object");
  for (const name of value.keys()) {
    if (name === "execute" || name === "arguments" || name === "id") continue;
    throw new QomError("unknown-name", `QMP message member '${printable(name)}' is unexpected`, { context: { option: printable(name) } });
  }
  const command = value.get("execute");
  if (command === undefined) throw new QomError("missing", "QMP message lacks member 'execute'", { context: { option: "execute" } });
  if (typeof command !== "string") {
    throw new QomError("invalid-value", "QMP message member 'execute' must be a string", { context: { option: "execute" } });
  }
  const given = value.has("arguments") ? (value.get("arguments") ?? null) : new Map<string, PlainValue>();
  if (isOptionMap(given)) return { command, given };
  throw new QomError("invalid-value", "QMP message member 'arguments' must be an object", { context: { option: "arguments" } });
}

/** The answer's `error`. The client sees a fault of a command's implementation too; neither the session nor the machine ends. */
function errorValue(error: unknown): PlainValue {
  const qmpClass = error instanceof QomError ? error.qmpClass : "GenericError";
  return new Map([
    ["class", qmpClass],
    ["desc", describeError(error)],
  ]);
}
