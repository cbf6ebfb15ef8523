/** `qom-pr run`: a machine from options in QEMU's manner, until a signal ends it. */
import { QomError } from "../base/errors.js";
import { Machine } from "../machine/machine.js";
import { END_SIGNALS, runInBackground, takeReady } from "./background.js";
import { messagePrefix } from "./message-form.js";
import type { Output } from "./output.js";
import { runHelp, takeRunWords } from "./run-options.js";
import type { RunWords } from "./run-options.js";
import { parseTraceOptions, startTracing, traceHelp } from "./trace.js";
import type { TraceSettings } from "./trace.js";

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
  const ready = takeReady();
  const own = takeRunWords(argv);
  if (own.help) return output.out(runHelp());
  if (own.json && !own.check) throw new QomError("conflict", "'--json' goes with '--check' only");
  output.beginMessages?.(messagePrefix(own.messages, own.machine));
  const traces = parseTraceOptions(own.traces);
  const help = traces.help ? traceHelp() : Machine.help(own.machine);
  if (help !== null) return output.out(help);
  if (own.daemonize && !own.check && ready === null) {
    process.exitCode = await runInBackground(own.machine, { error: (text) => void process.stderr.write(text) });
    return;
  }
  let running: Machine | undefined;
  // While a monitor's prompt is on the terminal, messages go above it.
  const error = (text: string): void => {
    if (running === undefined || !process.stderr.isTTY) output.error(text);
    else running.abovePrompt(() => output.error(text));
  };
  const pidFile = own.pidFile === null || own.check ? null : await createPidFile(own.pidFile);
  const end = new EndSignal();
  try {
    await whileTracing(traces, { ...output, error }, async () => {
      running = await makeMachine(own, error, end.signal);
      await keep(running, own, { out: output.out, error }, { came: end.came, ready });
      await running.close();
      if (running.usesStdio) leaveUnread();
    });
  } catch (failure) {
    if (!end.signal.aborted || failure !== end.signal.reason) throw failure;
  } finally {
    end.forget();
    pidFile?.remove();
  }
}

async function whileTracing(traces: TraceSettings, output: Output, action: () => Promise<void>): Promise<void> {
  const tracing = await startTracing(traces, output);
  try {
    await action();
  } finally {
    await tracing.stop();
  }
}

async function createPidFile(path: string): Promise<{ remove(): void }> {
  const [{ PidFile }, { libc }] = await Promise.all([import("../helper/pid-file.js"), import("../native/libc.js")]);
  return PidFile.create(libc(), path);
}

/** @param error prints */
async function makeMachine(own: RunWords, error: Output["error"], signal: AbortSignal): Promise<Machine> {
  const notify = (line: string): void => error(`qom-pr: info: ${line}\n`);
  const warn = (line: string): void => error(`qom-pr: warning: ${line}\n`);
  // The document has standard output to itself.
  const stdio = own.json ? { stdio: { input: process.stdin, output: process.stderr } } : {};
  const machine = await Machine.create(own.machine, { notify, warn, wait: !own.check, strict: own.strict, signal, ...stdio });
  for (const warning of machine.warnings) warn(warning);
  return machine;
}

/** Keeps the machine until something ends it; with `--check` that is at once. */
async function keep(
  machine: Machine,
  own: RunWords,
  { out, error }: Pick<Output, "out" | "error">,
  { came, ready }: { readonly came: Promise<void>; readonly ready: (() => void) | null },
): Promise<void> {
  if (own.check) {
    if (own.json) out(`${machine.toJson()}\n`);
    return;
  }
  if (own.daemonize && machine.usesStdio) {
    await machine.close();
    throw new QomError("conflict", "'-daemonize' leaves no standard input and output for a monitor");
  }
  const say = machine.usesStdio ? error : out;
  const devices = plural(machine.scsiDevices.length, "SCSI device");
  const state = machine.status === "running" ? `is running with ${devices}` : `waits for 'cont' with ${devices}`;
  say(`machine '${machine.name}' ${state}; SIGINT or SIGTERM ends it\n`);
  ready?.();
  await Promise.race([came, machine.ended]);
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
