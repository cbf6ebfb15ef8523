/** `qom-pr run`: a machine from options in QEMU's manner, until a signal ends it. */
import { Machine } from "../machine/machine.js";

/** Where the program writes. */
export interface Output {
  readonly out: (text: string) => void;
  readonly error: (text: string) => void;
}

/** Signals that end a machine in good order. */
const END_SIGNALS = ["SIGINT", "SIGTERM"] as const;

/** A running machine says how many devices it has; this is the word that goes with the number. */
function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/**
 * Creates the machine; with `--check` that is all. An option that asks for help gets it, and there is no machine. Otherwise it runs until SIGINT or SIGTERM.
 * @param argv the words behind `run`
 * @throws QomError for anything wrong with them
 */
export async function runMachine(argv: readonly string[], { out, error }: Output): Promise<void> {
  const { check, rest } = takeCheck(argv);
  const options = rest;
  const help = Machine.help(options);
  if (help !== null) return out(help);
  const end = new EndSignal();
  try {
    const notify = (line: string): void => error(`qom-pr: info: ${line}\n`);
    const machine = await Machine.create(options, { notify, wait: !check, signal: end.signal });
    for (const warning of machine.warnings) error(`qom-pr: warning: ${warning}\n`);
    if (!check) {
      const say = machine.usesStdio ? error : out;
      say(`machine '${machine.name}' is running with ${plural(machine.scsiDevices.length, "SCSI device")}; SIGINT or SIGTERM ends it\n`);
      await Promise.race([end.came, machine.ended]);
    }
    await machine.close();
  } catch (failure) {
    if (!end.signal.aborted || failure !== end.signal.reason) throw failure;
  } finally {
    end.forget();
  }
}

/** Takes `--check` out of the places where an option may stand; behind an option it is that option's text. */
function takeCheck(argv: readonly string[]): { readonly check: boolean; readonly rest: readonly string[] } {
  const rest: string[] = [];
  let check = false;
  let at = 0;
  while (at < argv.length) {
    const isCheck = argv[at] === "--check";
    if (!isCheck) rest.push(...argv.slice(at, at + 2));
    check ||= isCheck;
    at += isCheck ? 1 : 2;
  }
  return { check, rest };
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
