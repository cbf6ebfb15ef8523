/** `qom-pr run`: a machine from options in QEMU's manner, until a signal ends it. */
import { QomError } from "../base/errors.js";
import { Machine } from "../machine/machine.js";
import type { Output } from "./output.js";
import { runHelp, takeRunWords } from "./run-options.js";
import { parseTraceOptions, startTracing, traceHelp } from "./trace.js";

/** Signals that end a machine in good order: QEMU's. SIGHUP comes when the terminal is closed. */
const END_SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** A running machine says how many devices it has; this is the word that goes with the number. */
function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/**
 * Creates the machine; with `--check` that is all, and with `--json` it is printed. An option that asks for help gets it, and there is no
 * machine. Otherwise it runs until a signal or a monitor ends it.
 * @param argv the arguments of `run`
 * @throws QomError for anything wrong with them
 */
export async function runMachine(argv: readonly string[], output: Output): Promise<void> {
  const { out } = output;
  let running: Machine | undefined;
  // While a monitor's prompt is on the terminal, messages go above it.
  const error = (text: string): void => {
    if (running === undefined || !process.stderr.isTTY) output.error(text);
    else running.abovePrompt(() => output.error(text));
  };
  const own = takeRunWords(argv);
  if (own.help) return out(runHelp());
  if (own.json && !own.check) throw new QomError("conflict", "'--json' goes with '--check' only");
  const traces = parseTraceOptions(own.traces);
  const help = traces.help ? traceHelp() : Machine.help(own.machine);
  if (help !== null) return out(help);
  const tracing = await startTracing(traces, { ...output, error });
  const end = new EndSignal();
  try {
    const notify = (line: string): void => error(`qom-pr: info: ${line}\n`);
    // The document has standard output to itself.
    const stdio = own.json ? { stdio: { input: process.stdin, output: process.stderr } } : {};
    const warn = (line: string): void => error(`qom-pr: warning: ${line}\n`);
    const machine = await Machine.create(own.machine, { notify, warn, wait: !own.check, strict: own.strict, signal: end.signal, ...stdio });
    running = machine;
    for (const warning of machine.warnings) warn(warning);
    if (own.check) {
      if (own.json) out(`${machine.toJson()}\n`);
    } else {
      const say = machine.usesStdio ? error : out;
      say(`machine '${machine.name}' is running with ${plural(machine.scsiDevices.length, "SCSI device")}; SIGINT or SIGTERM ends it\n`);
      await Promise.race([end.came, machine.ended]);
    }
    await machine.close();
    if (machine.usesStdio) leaveUnread();
  } catch (failure) {
    if (!end.signal.aborted || failure !== end.signal.reason) throw failure;
  } finally {
    end.forget();
    await tracing.stop();
  }
}

/** How long a client of a monitor on standard output may take to read the last of it when the machine has ended. */
const LAST_WORDS_MS = 1000;

/** A client that does not read keeps no process alive. */
function leaveUnread(): void {
  setTimeout(() => process.exit(), LAST_WORDS_MS).unref();
}

/** The first signal that asks the program to end. Keeps the process alive until it comes or nobody waits for it any more. */
class EndSignal {
  readonly came: Promise<void>;
  readonly #controller = new AbortController();
  /** Neither a machine without devices nor a signal handler keeps a process alive. */
  readonly #alive = setInterval(() => undefined, 0x7fff_ffff);
  #resolve: () => void = () => undefined;

  constructor() {
    this.came = new Promise((resolve) => (this.#resolve = resolve));
    for (const name of END_SIGNALS) process.on(name, this.#end);
  }

  /** Aborted when the signal comes. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  readonly #end = (): void => {
    this.forget();
    this.#controller.abort();
    this.#resolve();
  };

  forget(): void {
    clearInterval(this.#alive);
    for (const name of END_SIGNALS) process.off(name, this.#end);
  }
}
