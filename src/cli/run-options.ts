/** THE table of the options of `qom-pr run`; the help and docs/cli.md come from it. */
import { QomError } from "../base/errors.js";
import { optionLength, unknownOption } from "../machine/arguments.js";
import { programLength } from "../machine/line-words.js";
import { HELP_WIDTH, wrap } from "./table.js";

/** One option. */
interface RunOption {
  /** The name, without dashes. */
  readonly name: string;
  /** What stands for its text; an option without one is a flag. */
  readonly value?: string;
  readonly text: string;
  /** Not for the machine but for the program. */
  readonly own?: true;
}

/** All rows. */
export const RUN_OPTIONS: readonly RunOption[] = [
  { name: "object", value: "TYPE,id=ID[,...]", text: "an object, such as a PR manager; `-object help` lists the types" },
  { name: "blockdev", value: "DRIVER,node-name=NAME[,...]", text: "a block node; `-blockdev help` lists the drivers" },
  { name: "drive", value: "if=none,id=ID[,...]", text: "a block node, the older way" },
  { name: "device", value: "TYPE[,id=ID][,...]", text: "a device; `-device help` lists the types, `-device TYPE,help` the properties" },
  { name: "name", value: "NAME", text: "the machine's name, part of default initiator names" },
  {
    name: "compat",
    value: "qemu=VERSION",
    text: "whose answers are given where versions of QEMU differ: 11.1 (the default) or 7.2; QEMU's own keys have no effect",
  },
  { name: "S", text: "do not run before `cont` in a monitor: commands of the guest wait" },
  { name: "qmp", value: "DEV", text: "a QMP monitor; DEV is unix:PATH[,server=on][,wait=off], tcp:HOST:PORT[,...], stdio or chardev:ID" },
  { name: "qmp-pretty", value: "DEV", text: "the same with indented output" },
  { name: "monitor", value: "DEV", text: "a monitor for people; DEV as for -qmp, or none" },
  { name: "chardev", value: "BACKEND,id=ID[,...]", text: "a connection for a monitor; BACKEND is socket or stdio" },
  { name: "mon", value: "ID[,mode=control]", text: "a monitor on a -chardev" },
  {
    name: "trace",
    value: "[enable=]PATTERN[,...]",
    text: "print trace points to file=FILE or stderr; events=FILE has patterns; `-trace help` lists them",
    own: true,
  },
  { name: "msg", value: "[timestamp=on][,guest-name=on]", text: "begin messages with the time, and with the machine's name", own: true },
  { name: "pidfile", value: "FILE", text: "write the number of the process into FILE, which no other process may have locked", own: true },
  { name: "daemonize", text: "go to the background when the machine stands and its monitors listen", own: true },
  { name: "no-shutdown", text: "without effect: there is no guest that could shut its machine down", own: true },
  { name: "strict", text: "refuse options and devices of QEMU that there are not here, instead of leaving them out", own: true },
  { name: "check", text: "only make the machine, to check its options", own: true },
  { name: "json", text: "with --check: print the machine as JSON", own: true },
];

/** An option with what stands for its text; the program's own flags are written with two dashes, as everywhere in the documents. */
export function runOptionUsage({ name, value, own }: RunOption): string {
  if (value !== undefined) return `-${name} ${value}`;
  return own === true ? `--${name}` : `-${name}`;
}

const TEXT_COLUMN = 10;

/** The text of `qom-pr run --help`. */
export function runHelp(): string {
  const rows = RUN_OPTIONS.flatMap((option) => [`  ${runOptionUsage(option)}`, ...wrapped(option.text.replaceAll("`", "'"))]);
  return [
    "Usage: qom-pr run OPTIONS...",
    "",
    "Makes a machine from QEMU-style options and keeps it until SIGINT, SIGTERM,",
    "SIGHUP or 'quit' in a monitor.",
    "",
    "Options (one dash and two are the same):",
    ...rows,
    "  -h, --help",
    ...wrapped("print this text"),
    "",
    "Example: a disk whose reservations are simulated, and a monitor to try it",
    "  qom-pr run -monitor stdio -object pr-manager-memory,id=pr0 \\",
    "    -blockdev sim-lun,node-name=hd,wwn=naa.5000000000000001,pr-manager=pr0 \\",
    "    -device virtio-scsi -device scsi-block,drive=hd,id=disk0",
    "",
    "Then type 'info block', 'scsi disk0 00', 'help' or 'quit'.",
    "",
  ].join("\n");
}

function wrapped(text: string): readonly string[] {
  return wrap(text, HELP_WIDTH - TEXT_COLUMN).map((line) => " ".repeat(TEXT_COLUMN) + line);
}

/** The words of `run`, by whom they are for. */
export interface RunWords {
  readonly help: boolean;
  readonly check: boolean;
  readonly json: boolean;
  readonly strict: boolean;
  readonly daemonize: boolean;
  /** Path of `-pidfile`; the last one counts. */
  readonly pidFile: string | null;
  /** Texts of `-trace`. */
  readonly traces: readonly string[];
  /** Texts of `-msg`. */
  readonly messages: readonly string[];
  readonly machine: readonly string[];
}

/**
 * Takes out the program's own options where an option may stand; a word that follows an option is that option's text.
 * @throws QomError `unknown-name` for what is no option; `missing` for an option of the program without its text
 */
export function takeRunWords(argv: readonly string[]): RunWords {
  const machine: string[] = [];
  const flags = new Set<string>();
  const texts = new Map<string, string[]>();
  const strict = argv.some((word) => /^--?strict$/.test(word));
  let at = 0;
  while (at < argv.length) {
    if (machine.length === 0) at += programLength(argv, at);
    if (at === argv.length) break;
    const [word = "", text] = argv.slice(at, at + 2);
    if (/^--?(?:h|help)$/.test(word)) return runWords([], new Set(["help"]), new Map());
    const option = RUN_OPTIONS.find(({ name }) => word === `-${name}` || word === `--${name}`);
    if (option?.own !== true) {
      const length = option === undefined ? foreignLength(word, strict) : option.value === undefined ? 1 : 2;
      machine.push(...argv.slice(at, at + length));
      at += length;
    } else if (option.value === undefined) {
      flags.add(option.name);
      at += 1;
    } else {
      if (text === undefined) throw new QomError("missing", `option '${word}' needs a value`, { context: { argument: option.name } });
      texts.set(option.name, [...(texts.get(option.name) ?? []), text]);
      at += 2;
    }
  }
  return runWords(machine, flags, texts);
}

/** How many words an option takes that is none of `run`. @throws QomError `unknown-name` */
function foreignLength(word: string, strict: boolean): 1 | 2 {
  const length = strict ? null : optionLength(word);
  if (length !== null) return length;
  throw unknownOption(
    word,
    RUN_OPTIONS.map(({ name }) => name),
  );
}

function runWords(machine: readonly string[], flags: ReadonlySet<string>, texts: ReadonlyMap<string, readonly string[]>): RunWords {
  return {
    help: flags.has("help"),
    check: flags.has("check"),
    json: flags.has("json"),
    strict: flags.has("strict"),
    daemonize: flags.has("daemonize"),
    pidFile: texts.get("pidfile")?.at(-1) ?? null,
    traces: texts.get("trace") ?? [],
    messages: texts.get("msg") ?? [],
    machine,
  };
}
