/**
 * One client of the human monitor: a prompt, lines one after the other, their answers (QEMU: monitor/hmp.c). On a terminal there are
 * history and completion; elsewhere what is typed is neither echoed nor edited.
 */
import { clearLine, createInterface, cursorTo } from "node:readline";
import type { Interface } from "node:readline";
import { describeError, QomError } from "../../base/errors.js";
import { packageVersion } from "../../base/package-version.js";
import type { Connection } from "../../chardev/connection.js";
import { ClientQueue } from "../client-queue.js";
import { parseLine } from "./command.js";
import type { HumanContext } from "./command.js";
import { HUMAN_COMMANDS } from "./commands.js";
import { complete } from "./completion.js";
import type { Completions } from "./completion.js";
import type { MonitorSession } from "../monitors.js";

/** QEMU's, which scripts wait for. */
const PROMPT = "(qemu) ";

/** Longest line in bytes: a parameter list of 8192 bytes in digits, several times over. A client that sends a longer one is hung up on. */
const LINE_BYTES_MAX = 64 * 1024;

/** Lines that are remembered. */
const HISTORY_LENGTH_MAX = 200;

/** What ends a line; a terminal in raw mode sends CR for its Enter key. */
const [LF, CR] = [0x0a, 0x0d];

/** How a session is set up. */
export interface HumanSettings {
  /** Lines can be edited if it is a terminal. */
  readonly edits: boolean;
  /** Called once, when the session is over. */
  readonly ended: () => void;
}

/** See the file text. */
export class HumanSession implements MonitorSession {
  readonly #connection: Connection;
  readonly #context: HumanContext;
  readonly #lines: Interface;
  readonly #terminal: boolean;
  readonly #history: string[] = [];
  readonly #queue: ClientQueue<string>;
  /** The prompt is on the terminal, followed by what has been typed. */
  #prompted = false;
  /** Bytes of the line that is not complete yet. */
  #lineBytes = 0;

  /** Greets the client and serves it from now on. */
  constructor(context: Pick<HumanContext, "executor" | "host">, connection: Connection, settings: HumanSettings) {
    this.#connection = connection;
    this.#context = { ...context, commands: HUMAN_COMMANDS, history: this.#history };
    this.#queue = new ClientQueue<string>(connection, {
      answer: (line) => this.#serve(line),
      read: (go) => void (go ? this.#lines.resume() : this.#lines.pause()),
      release: () => this.#release(),
      ended: settings.ended,
    });
    const { input, output } = connection;
    this.#terminal = settings.edits && "isTTY" in output && output.isTTY === true;
    input.on("data", this.#onData);
    this.#lines = createInterface({
      input,
      output,
      terminal: this.#terminal,
      prompt: PROMPT,
      historySize: HISTORY_LENGTH_MAX,
      completer: (line: string, tell: (error: null, completions: [string[], string]) => void) => this.#complete(line, tell),
    });
    this.#lines.on("line", this.#onLine);
    this.#lines.on("close", this.#onEnd);
    // It passes on errors of the input, and nobody who listens would be the end of the process.
    this.#lines.on("error", () => this.#queue.over());
    // On a terminal Ctrl-C reaches nobody else.
    this.#lines.on("SIGINT", () => this.#onLine("quit"));
    this.#print([`qom-pr ${packageVersion()} monitor - type 'help' for more information`]);
    this.#prompt();
  }

  /** See {@link ClientQueue.close}. */
  close(hangUp: (send: Promise<void>) => Promise<void>): Promise<void> {
    return this.#queue.close(hangUp);
  }

  readonly #onData = (chunk: Uint8Array | string): void => {
    const bytes = typeof chunk === "string" ? Buffer.from(chunk) : chunk;
    const end = Math.max(bytes.lastIndexOf(LF), bytes.lastIndexOf(CR));
    this.#lineBytes = end < 0 ? this.#lineBytes + bytes.length : bytes.length - end - 1;
    if (this.#lineBytes > LINE_BYTES_MAX) this.#queue.over();
  };

  /** See {@link MonitorSession.abovePrompt}. */
  abovePrompt(print: () => void): void {
    if (!this.#terminal || !this.#prompted || !this.#queue.isReading) return print();
    const { output } = this.#connection;
    cursorTo(output, 0);
    clearLine(output, 0);
    print();
    this.#lines.prompt(true);
  }

  readonly #onLine = (line: string): void => {
    this.#prompted = false;
    this.#queue.take([line]);
  };

  readonly #onEnd = (): void => this.#queue.endOfInput();

  async #serve(line: string): Promise<void> {
    const { lines, last } = await this.#answer(line);
    this.#print(lines);
    if (!last) this.#prompt();
  }

  async #answer(line: string): Promise<{ readonly lines: readonly string[]; readonly last: boolean }> {
    const understood = parseLine(line, this.#context.commands);
    if (understood.kind === "nothing") return { lines: [], last: false };
    this.#remember(line.trim());
    if (understood.kind === "problem") return { lines: understood.lines, last: false };
    const { command, values } = understood;
    try {
      return { lines: await command.run(values, this.#context), last: command.last === true };
    } catch (error) {
      // The client sees a fault of a command's implementation; neither the session nor the machine ends.
      return { lines: [`Error: ${error instanceof QomError ? describeError(error) : String(error)}`], last: false };
    }
  }

  #remember(line: string): void {
    if (this.#history.at(-1) !== line) this.#history.push(line);
    if (this.#history.length > HISTORY_LENGTH_MAX) this.#history.shift();
  }

  #complete(line: string, tell: (error: null, completions: [string[], string]) => void): void {
    const nothing: Completions = [[], line];
    complete(line, this.#context).then(
      ([candidates, typed]) => tell(null, [candidates, typed]),
      () => tell(null, [[...nothing[0]], line]),
    );
  }

  #print(lines: readonly string[]): void {
    if (this.#queue.isOver || lines.length === 0) return;
    // A terminal in raw mode and QEMU's own monitor have CR LF.
    this.#connection.output.write(`${lines.join("\r\n")}\r\n`);
  }

  #prompt(): void {
    if (!this.#queue.isOpen) return;
    this.#prompted = true;
    if (this.#terminal && this.#queue.isReading) this.#lines.prompt();
    else this.#connection.output.write(PROMPT);
  }

  #release(): void {
    this.#connection.input.off("data", this.#onData);
    this.#lines.off("close", this.#onEnd);
    this.#lines.close();
  }
}
