/** A device of a running machine, by the command x-scsi-execute of its QMP monitor. */
import { connect } from "node:net";
import type { Socket } from "node:net";
import { errnoOrMessage, QomError } from "../../base/errors.js";
import { missingFolder } from "../../base/missing-folder.js";
import { printable } from "../../base/limits.js";
import { JsonStream, printJson } from "../../options/json.js";
import { isOptionMap } from "../../options/value.js";
import type { OptionMap, PlainValue } from "../../options/value.js";
import { fromHex, toHex } from "../../scsi/bytes.js";
import type { ScsiCommand, ScsiResult } from "../../scsi/command.js";
import { PR_OUT } from "../../scsi/persistent-reserve.js";
import { Sense, senseResult } from "../../scsi/sense.js";
import type { DiskAnswer, PersistDisk } from "./disk.js";

/** Longest message that is taken from the monitor: far more than an answer here has. */
const MESSAGE_LENGTH_MAX = 1024 * 1024;

/** How long the monitor may take to greet and to answer beyond what a SCSI command may take. */
const PATIENCE_MS = 10_000;

/** See the module text. */
export class QmpDisk implements PersistDisk {
  readonly takesInquiry = true;
  /** The machine has said it. */
  readonly warnings: readonly string[] = [];
  readonly #monitor: QmpClient;
  readonly #device: string;
  readonly #readOnly: boolean;

  private constructor(monitor: QmpClient, device: string, readOnly: boolean) {
    this.#monitor = monitor;
    this.#device = device;
    this.#readOnly = readOnly;
  }

  /**
   * @param readOnly PERSISTENT RESERVE OUT is refused as on a device of this host that was opened so
   * @throws QomError `connection` when nobody answers at that path, or somebody who does not speak QMP
   */
  static async open(path: string, device: string, readOnly: boolean): Promise<QmpDisk> {
    return new QmpDisk(await QmpClient.connect(path), device, readOnly);
  }

  /** @throws QomError `invalid-value` for what the machine refuses, such as a device that it does not have; `connection` */
  async execute({ cdb, dataOut, allocationLength, timeoutMs = 0 }: ScsiCommand): Promise<DiskAnswer> {
    if (this.#readOnly && cdb[0] === PR_OUT) return { result: senseResult(Sense.INVALID_COMMAND_OPERATION_CODE) };
    const given: [string, PlainValue][] = [
      ["device", this.#device],
      ["cdb", toHex(cdb)],
    ];
    if (dataOut !== undefined) given.push(["data-out", toHex(dataOut)]);
    if (allocationLength !== undefined) given.push(["allocation-length", allocationLength]);
    if (timeoutMs > 0) given.push(["timeout-ms", timeoutMs]);
    const answer = await this.#monitor.execute("x-scsi-execute", new Map(given), timeoutMs + PATIENCE_MS);
    return { result: resultOf(answer) };
  }

  notesBefore(): readonly string[] {
    return [];
  }

  notesAfter(): Promise<readonly string[]> {
    return Promise.resolve([]);
  }

  close(): Promise<void> {
    this.#monitor.close();
    return Promise.resolve();
  }
}

/** @throws QomError `connection` for an answer that is none */
function resultOf(answer: PlainValue): ScsiResult {
  const members: OptionMap = isOptionMap(answer) ? answer : new Map();
  const bytes = (name: string): Uint8Array | null => {
    const digits = members.get(name);
    return typeof digits === "string" ? fromHex(digits) : null;
  };
  const number = (name: string): number => Number(members.get(name) ?? Number.NaN);
  const [status, dataIn, sense] = [number("status"), bytes("data-in"), bytes("sense")];
  if (!Number.isInteger(status) || dataIn === null || sense === null) {
    throw new QomError("connection", "the monitor's answer to x-scsi-execute is not understood");
  }
  const hostStatus = number("host-status");
  return { status, dataIn, sense, residual: number("residual"), ...(Number.isInteger(hostStatus) ? { hostStatus } : {}) };
}

/** As much of a QMP client as one command at a time needs: events are passed over. */
class QmpClient {
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
