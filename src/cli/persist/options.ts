/** The command line of `qom-pr persist`: options of sg_persist (sg3_utils), with the same letters and names, and a few of its own. */
import { Command, CommanderError, Option } from "commander";
import { QomError } from "../../base/errors.js";
import type { QomErrorKind } from "../../base/errors.js";
import { printable } from "../../base/limits.js";
import { didYouMean } from "../../options/nearest.js";
import { packageVersion } from "../../base/package-version.js";
import { RESERVATION_KEY_MAX } from "../../scsi/persistent-reserve.js";
import type { ReserveInAction, ReserveOutAction } from "../../scsi/persistent-reserve.js";
import { keyOfText } from "./key-text.js";
import { optionFlags, PERSIST_OPTIONS } from "./option-table.js";

/** Room for data-in, and default of the ALLOCATION LENGTH, as in sg_persist: what a PR helper can carry. */
export const ALLOCATION_LENGTH_MAX = 8192;

/** ALLOCATION LENGTH has 16 bits, and a monitor carries as much. */
export const QMP_ALLOCATION_LENGTH_MAX = 0xffff;

/** How long a state folder that another command has is waited for: agents give a command 5 seconds. */
export const WAIT_SECONDS_DEFAULT = 3;

/** An hour: more is a mistake. */
const WAIT_SECONDS_MAX = 3600;

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
  readonly waitSeconds: number | undefined;
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
  return didYouMean(given.replaceAll("_", "-"), names, (name) => `--${name}`) ?? "--help lists the options";
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

/** The full name of a long option that was cut short or has `_` for `-`, as getopt_long understands it. sg_persist tells more for `-hh`; here `-h` tells all. */
function unabbreviated(word: string): string {
  if (/^-hh+$/.test(word)) return "-h";
  const match = /^--([a-z][a-z_-]*)(=.*)?$/s.exec(word);
  const [, written = "", value = ""] = match ?? [];
  const start = written.replaceAll("_", "-");
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
  const [, start] = /^unknown option '--([a-z][a-z_-]*)(?:=.*)?'$/s.exec(problem) ?? [];
  const names = start === undefined ? [] : namesFor(start.replaceAll("_", "-"));
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
    key: keyOption(given, "param-rk"),
    serviceActionKey: keyOption(given, "param-sark"),
    type: Number(hexOption(given, "prout-type", 0xfn) ?? 0n),
    allTargetPorts: given.flag("param-alltgpt"),
    aptpl: given.flag("param-aptpl"),
    transportIds: given.text("transport-id"),
    unregister: given.flag("unreg") || given.flag("param-unreg"),
    relativeTargetPort: numberOf(hexOption(given, "relative-target-port", 0xffffn)),
    manager: given.text("manager"),
    objects: given.texts("object"),
    name: given.text("name"),
    qmp: given.text("qmp"),
    waitSeconds: waitSeconds(given),
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
  const max = BigInt(given.text("qmp") === undefined ? ALLOCATION_LENGTH_MAX : QMP_ALLOCATION_LENGTH_MAX);
  const hex = hexOption(given, "alloc-length", max);
  const text = given.text("maxlen");
  if (text === undefined) return Number(hex ?? BigInt(ALLOCATION_LENGTH_MAX));
  if (hex !== undefined) throw new QomError("conflict", "'--alloc-length' and '--maxlen' mean the same: give one of them");
  return Number(inRange("maxlen", text, anyNumber(text), max));
}

function waitSeconds(given: Given): number | undefined {
  const text = given.text("wait");
  if (text === undefined) return undefined;
  return Number(inRange("wait", text, /^\d{1,9}$/.test(text) ? BigInt(text) : undefined, BigInt(WAIT_SECONDS_MAX)));
}

/** A reservation key; 0 where none is given. */
function keyOption(given: Given, name: string): bigint {
  return keyOfText(name, given.text(name) ?? "") ?? hexOption(given, name, RESERVATION_KEY_MAX) ?? 0n;
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

/** Options whose numbers are decimal; all others are hexadecimal. */
const DECIMAL: readonly string[] = ["maxlen", "wait"];

function inRange(name: string, text: string, value: bigint | undefined, max: bigint): bigint {
  if (value !== undefined && value <= max) return value;
  const what = DECIMAL.includes(name) ? `a number from 0 to ${max}` : `a hexadecimal number from 0 to ${max.toString(16)}`;
  throw new QomError("invalid-value", `option '--${name}' is ${what}, not '${printable(text)}'`, {
    context: { option: name, value: text },
  });
}
