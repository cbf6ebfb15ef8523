/** The command line of `qom-pr persist`: options of sg_persist (sg3_utils), with the same letters and names, and a few of its own. */
import { Command, CommanderError, Option } from "commander";
import { QomError, type QomErrorKind } from "../../base/errors.js";
import { printable } from "../../base/limits.js";
import { didYouMean } from "../../options/nearest.js";
import { packageVersion } from "../../base/package-version.js";
import type { ReserveInAction, ReserveOutAction } from "../../scsi/persistent-reserve.js";
import { RESERVATION_KEY_MAX } from "../../scsi/persistent-reserve.js";

/** Room for data-in, and default of the ALLOCATION LENGTH, as in sg_persist: what a PR helper can carry. */
const ALLOCATION_LENGTH_MAX = 8192;

/** What an option is for: the headings of the help and of docs/cli.md. */
export type OptionGroup = "PERSISTENT RESERVE IN" | "PERSISTENT RESERVE OUT" | "Parameters" | "The way to the disk" | "Output";

/** One option. */
export interface PersistOption {
  /** The letter, if it has one. */
  readonly letter?: string;
  /** The long name, without dashes. */
  readonly name: string;
  /** What stands for its value; an option without one is a flag. */
  readonly value?: string;
  readonly group: OptionGroup;
  readonly text: string;
  /** The service action that the flag chooses. */
  readonly action?: ReserveInAction | ReserveOutAction;
}

/** THE table of options: parser, help and docs/cli.md come from it. */
export const PERSIST_OPTIONS: readonly PersistOption[] = [
  { letter: "i", name: "in", group: "PERSISTENT RESERVE IN", text: "ask the device; the default" },
  { letter: "k", name: "read-keys", group: "PERSISTENT RESERVE IN", text: "the registered keys; the default", action: "read-keys" },
  { letter: "r", name: "read-reservation", group: "PERSISTENT RESERVE IN", text: "the reservation", action: "read-reservation" },
  { letter: "c", name: "report-capabilities", group: "PERSISTENT RESERVE IN", text: "what it supports", action: "report-capabilities" },
  {
    letter: "s",
    name: "read-full-status",
    group: "PERSISTENT RESERVE IN",
    text: "every registrant with its initiator port",
    action: "read-full-status",
  },
  { name: "read-status", group: "PERSISTENT RESERVE IN", text: "the same", action: "read-full-status" },
  { letter: "l", name: "alloc-length", value: "LEN", group: "PERSISTENT RESERVE IN", text: "allocation length, hexadecimal, up to 2000" },
  {
    letter: "m",
    name: "maxlen",
    value: "LEN",
    group: "PERSISTENT RESERVE IN",
    text: "the same in decimal; 0x… or …h is hexadecimal, …k is 1024",
  },
  { letter: "o", name: "out", group: "PERSISTENT RESERVE OUT", text: "change something; every action below needs it" },
  {
    letter: "G",
    name: "register",
    group: "PERSISTENT RESERVE OUT",
    text: "register, change or remove this host's key",
    action: "register",
  },
  {
    letter: "I",
    name: "register-ignore",
    group: "PERSISTENT RESERVE OUT",
    text: "the same, whatever key there was",
    action: "register-and-ignore-existing-key",
  },
  {
    letter: "M",
    name: "register-move",
    group: "PERSISTENT RESERVE OUT",
    text: "register another initiator port and move the reservation to it",
    action: "register-and-move",
  },
  { letter: "R", name: "reserve", group: "PERSISTENT RESERVE OUT", text: "reserve the unit", action: "reserve" },
  { letter: "L", name: "release", group: "PERSISTENT RESERVE OUT", text: "release the reservation", action: "release" },
  { letter: "C", name: "clear", group: "PERSISTENT RESERVE OUT", text: "remove the reservation and all keys", action: "clear" },
  { letter: "P", name: "preempt", group: "PERSISTENT RESERVE OUT", text: "remove the key --param-sark of others", action: "preempt" },
  {
    letter: "A",
    name: "preempt-abort",
    group: "PERSISTENT RESERVE OUT",
    text: "the same, and abort their commands",
    action: "preempt-and-abort",
  },
  {
    letter: "z",
    name: "replace-lost",
    group: "PERSISTENT RESERVE OUT",
    text: "replace a reservation that the device lost",
    action: "replace-lost-reservation",
  },
  { letter: "K", name: "param-rk", value: "KEY", group: "Parameters", text: "RESERVATION KEY, hexadecimal (0)" },
  { letter: "S", name: "param-sark", value: "KEY", group: "Parameters", text: "SERVICE ACTION RESERVATION KEY, hexadecimal (0)" },
  {
    letter: "T",
    name: "prout-type",
    value: "TYPE",
    group: "Parameters",
    text: "1 Write Exclusive, 3 Exclusive Access; 5 and 6 the same, registrants only; 7 and 8, all registrants",
  },
  { letter: "Y", name: "param-alltgpt", group: "Parameters", text: "ALL_TG_PT: register at all target ports" },
  { letter: "Z", name: "param-aptpl", group: "Parameters", text: "APTPL: keep registrations and reservation through power loss" },
  { letter: "X", name: "transport-id", value: "TIDS", group: "Parameters", text: "TransportIDs of further initiator ports: see below" },
  { letter: "U", name: "unreg", group: "Parameters", text: "with --register-move: remove this host's key afterwards" },
  {
    letter: "Q",
    name: "relative-target-port",
    value: "RTPI",
    group: "Parameters",
    text: "with --register-move: the other initiator's target port, hexadecimal (0)",
  },
  { letter: "d", name: "device", value: "DEVICE", group: "The way to the disk", text: "the device, where it is no word of its own" },
  {
    name: "manager",
    value: "TEXT",
    group: "The way to the disk",
    text: "PR manager that sends the command, as in -object (pr-manager-sgio)",
  },
  { name: "object", value: "TEXT", group: "The way to the disk", text: "an object that the manager needs; may be repeated" },
  { name: "name", value: "NAME", group: "The way to the disk", text: "name of this host in initiator names of pr-manager-memory" },
  {
    name: "qmp",
    value: "PATH",
    group: "The way to the disk",
    text: "a machine's QMP socket: DEVICE is one of its devices, by id or QOM path",
  },
  { letter: "n", name: "no-inquiry", group: "The way to the disk", text: "without an INQUIRY before the command" },
  {
    letter: "y",
    name: "readonly",
    group: "The way to the disk",
    text: "open the device read-only; twice: not even if SG_PERSIST_IN_RDONLY is set",
  },
  { name: "json", group: "Output", text: "print one JSON document" },
  {
    letter: "H",
    name: "hex",
    group: "Output",
    text: "print data of PERSISTENT RESERVE IN in hexadecimal; twice, thrice: with less around it",
  },
  { letter: "v", name: "verbose", group: "Output", text: "print CDBs; twice: parameter lists too" },
];

/** What the words say, each for itself; whether they go together is asked in request.ts. */
export interface PersistOptions {
  readonly device: string;
  readonly in: boolean;
  readonly out: boolean;
  /** Every service action that was chosen. */
  readonly actions: readonly (ReserveInAction | ReserveOutAction)[];
  readonly allocationLength: number;
  readonly key: bigint;
  readonly serviceActionKey: bigint;
  readonly type: number;
  readonly allTargetPorts: boolean;
  readonly aptpl: boolean;
  readonly transportIds: string | undefined;
  readonly unregister: boolean;
  readonly relativeTargetPort: number | undefined;
  readonly manager: string | undefined;
  readonly objects: readonly string[];
  readonly name: string | undefined;
  readonly qmp: string | undefined;
  readonly inquiry: boolean;
  /** How often `-y` was given. */
  readonly readOnly: number;
  readonly json: boolean;
  /** How often `-H` was given. */
  readonly hex: number;
  /** How often `-v` was given. */
  readonly verbose: number;
}

/** What the command line asks for: a command, or just to print something. */
export type PersistInvocation = { readonly run: PersistOptions } | { readonly print: string };

/**
 * Reads the words behind `persist`. A long name may be abbreviated as long as it is the beginning of one option only.
 * @throws QomError `unknown-name`, `missing`, `invalid-value`, `conflict` (two options that exclude each other)
 */
export function parsePersistOptions(argv: readonly string[]): PersistInvocation {
  let output = "";
  const command = describeCommand().configureOutput({ writeOut: (text) => (output += text), writeErr: () => undefined });
  try {
    command.parse(argv.map(unabbreviated), { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return { print: output };
    const problem = error.message.replace(/^error: /, "").replaceAll(/\s*\n\s*/g, " ");
    const kind = KINDS[error.code] ?? "invalid-value";
    const ambiguous = ambiguity(problem);
    if (ambiguous !== undefined) throw new QomError(kind, ambiguous);
    throw new QomError(kind, problem, kind === "unknown-name" ? { hint: suggestion(problem) } : {});
  }
  return { run: checked(new Given(command)) };
}

/** For an option that does not exist: the long name that was probably meant, also where it was given with one dash. */
function suggestion(problem: string): string {
  const [, given = ""] = /unknown option '--?([^'=]*)/.exec(problem) ?? [];
  const names = PERSIST_OPTIONS.map(({ name }) => name);
  return didYouMean(given, names, (name) => `--${name}`) ?? "--help lists the options";
}

const KINDS: Readonly<Record<string, QomErrorKind>> = {
  "commander.unknownOption": "unknown-name",
  "commander.optionMissingArgument": "missing",
};

/** What is said of TransportIDs below the table of options. */
const TRANSPORT_IDS_TEXT = `
TIDS is one TransportID, or '-' or 'file=NAME' for one on each line of a file:
  sas,5000c50005b32001  fcp,10000000c9f3a571  iqn.2026-11.org.example:a[,i,0x123456789abc]
  srp,<32 digits>  sbp,<16 digits>  spi,<address>,<port>  sop,<routing id>  or its bytes in hexadecimal: 6,0,0,0,50,0,…
`;

function describeCommand(): Command {
  const command = new Command("qom-pr persist")
    .usage("[OPTIONS] DEVICE")
    .description("Sends one PERSISTENT RESERVE IN or OUT command and prints the answer. Options and exit statuses are those of sg_persist.")
    .argument("[DEVICE]", "device node or file; with --qmp a device of the machine")
    .helpOption("-h, --help", "print this text")
    .version(`qom-pr persist ${packageVersion()}`, "-V, --version", "print the version")
    .addHelpText("after", TRANSPORT_IDS_TEXT)
    .allowExcessArguments(false)
    .showSuggestionAfterError(false)
    .exitOverride();
  for (const row of PERSIST_OPTIONS) {
    const option = new Option(
      optionFlags(row, (value) => `<${value}>`),
      row.text,
    ).helpGroup(`${row.group}:`);
    if (row.action !== undefined || COUNTED.includes(row.name))
      option.argParser((_value: string, count: number | undefined) => (count ?? 0) + 1);
    if (row.name === "object") option.argParser((text: string, texts: readonly string[] | undefined) => [...(texts ?? []), text]);
    command.addOption(option);
  }
  return command;
}

/** Flags that mean more when they are repeated; a service action that is repeated is one too many. */
const COUNTED: readonly string[] = ["readonly", "hex", "verbose"];

/** `-K, --param-rk <KEY>`, as it stands in help texts. */
export function optionFlags({ letter, name, value }: PersistOption, showValue: (value: string) => string): string {
  return `${letter === undefined ? "" : `-${letter}, `}--${name}${value === undefined ? "" : ` ${showValue(value)}`}`;
}

/** The full name of a long option that was cut short, as getopt_long understands it. sg_persist tells more for `-hh`; here `-h` tells all. */
function unabbreviated(word: string): string {
  if (/^-hh+$/.test(word)) return "-h";
  const match = /^--([a-z][a-z-]*)(=.*)?$/s.exec(word);
  const [, start = "", value = ""] = match ?? [];
  const [first, second] = match === null ? [] : namesFor(start);
  return first === undefined || second !== undefined ? word : `--${first}${value}`;
}

/** The long names that begin with `start`; only itself if that is one. */
function namesFor(start: string): readonly string[] {
  const names = [...PERSIST_OPTIONS.map(({ name }) => name), "help", "version"];
  return names.includes(start) ? [start] : names.filter((name) => name.startsWith(start));
}

/** What is wrong with an unknown option that is the beginning of several; undefined for any other problem. */
function ambiguity(problem: string): string | undefined {
  const [, start] = /^unknown option '--([a-z][a-z-]*)(?:=.*)?'$/s.exec(problem) ?? [];
  const names = start === undefined ? [] : namesFor(start);
  return names.length < 2 ? undefined : `option '--${start}' is ambiguous: it may be ${names.map((name) => `--${name}`).join(", ")}`;
}

/** What commander understood, by the names of the table. */
class Given {
  readonly #options: Readonly<Record<string, unknown>>;
  readonly word: string | undefined;

  constructor(command: Command) {
    this.#options = command.opts<Record<string, unknown>>();
    this.word = command.args[0];
  }

  flag(name: string): boolean {
    return this.#value(name) === true;
  }

  count(name: string): number {
    const value = this.#value(name);
    return typeof value === "number" ? value : 0;
  }

  text(name: string): string | undefined {
    const value = this.#value(name);
    return typeof value === "string" ? value : undefined;
  }

  texts(name: string): readonly string[] {
    const value = this.#value(name);
    return Array.isArray(value) ? value.map(String) : [];
  }

  /** commander takes `--no-x` as the negation of an option `x`. */
  #value(name: string): unknown {
    return this.#options[name.replaceAll(/-([a-z])/g, (_match, letter: string) => letter.toUpperCase())];
  }
}

function checked(given: Given): PersistOptions {
  const device = given.text("device") ?? given.word;
  if (device === undefined) throw new QomError("missing", "no DEVICE is given");
  if (given.text("device") !== undefined && given.word !== undefined) {
    throw new QomError("invalid-value", `too many devices: '${printable(device)}' and '${printable(given.word)}'`);
  }
  return {
    device,
    in: given.flag("in"),
    out: given.flag("out"),
    actions: PERSIST_OPTIONS.flatMap(({ name, action }) =>
      action === undefined ? [] : Array.from({ length: given.count(name) }, () => action),
    ),
    allocationLength: allocationLength(given),
    key: hexOption(given, "param-rk", RESERVATION_KEY_MAX) ?? 0n,
    serviceActionKey: hexOption(given, "param-sark", RESERVATION_KEY_MAX) ?? 0n,
    type: Number(hexOption(given, "prout-type", 0xfn) ?? 0n),
    allTargetPorts: given.flag("param-alltgpt"),
    aptpl: given.flag("param-aptpl"),
    transportIds: given.text("transport-id"),
    unregister: given.flag("unreg"),
    relativeTargetPort: numberOf(hexOption(given, "relative-target-port", 0xffffn)),
    manager: given.text("manager"),
    objects: given.texts("object"),
    name: given.text("name"),
    qmp: given.text("qmp"),
    inquiry: given.flag("inquiry"),
    readOnly: given.count("readonly"),
    json: given.flag("json"),
    hex: given.count("hex"),
    verbose: given.count("verbose"),
  };
}

function numberOf(value: bigint | undefined): number | undefined {
  return value === undefined ? undefined : Number(value);
}

function allocationLength(given: Given): number {
  const hex = hexOption(given, "alloc-length", BigInt(ALLOCATION_LENGTH_MAX));
  const text = given.text("maxlen");
  if (text === undefined) return Number(hex ?? BigInt(ALLOCATION_LENGTH_MAX));
  if (hex !== undefined) throw new QomError("conflict", "'--alloc-length' and '--maxlen' mean the same: give one of them");
  return Number(inRange("maxlen", text, anyNumber(text), BigInt(ALLOCATION_LENGTH_MAX)));
}

/** Digits of base 16, with `0x` or `h` if the user likes. */
function hexOption(given: Given, name: string, max: bigint): bigint | undefined {
  const text = given.text(name);
  if (text === undefined) return undefined;
  const [, digits] = /^(?:0x)?([0-9a-f]+)h?$/i.exec(text) ?? [];
  return inRange(name, text, digits === undefined ? undefined : BigInt(`0x${digits}`), max);
}

/** sg3_utils' numbers: decimal, `0x10`, `10h`, `2k`. */
function anyNumber(text: string): bigint | undefined {
  const [, hex, hexWithSuffix, decimal, kilo] = /^(?:0x([0-9a-f]+)|([0-9a-f]+)h|([0-9]+)(k)?)$/i.exec(text) ?? [];
  const digits = hex ?? hexWithSuffix;
  if (digits !== undefined) return BigInt(`0x${digits}`);
  return decimal === undefined ? undefined : BigInt(decimal) * (kilo === undefined ? 1n : 1024n);
}

function inRange(name: string, text: string, value: bigint | undefined, max: bigint): bigint {
  if (value !== undefined && value <= max) return value;
  const what = name === "maxlen" ? `a number from 0 to ${max}` : `a hexadecimal number from 0 to ${max.toString(16)}`;
  throw new QomError("invalid-value", `option '--${name}' is ${what}, not '${printable(text)}'`, {
    context: { option: name, value: text },
  });
}
