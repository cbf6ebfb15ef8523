/** The command line of `qom-pr persist`: options of sg_persist (sg3_utils), with the same letters and names, and a few of its own. */
import { QomError } from "../../base/errors.js";
import { printable } from "../../base/limits.js";
import { packageVersion } from "../../base/package-version.js";
import { readOptions } from "../../options/getopt.js";
import type { GetoptHabits, OptionNames } from "../../options/getopt.js";
import { RESERVATION_KEY_MAX } from "../../scsi/persistent-reserve.js";
import type { ReserveInAction, ReserveOutAction } from "../../scsi/persistent-reserve.js";
import { keyOfText } from "./key-text.js";
import { angled, persistHelp } from "./help.js";
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
export type PersistInvocation =
  | { readonly run: PersistOptions }
  | { readonly print: string }
  /** Perhaps what this text of `--manager` asks for; else the options. */
  | { readonly managerHelp: string; readonly options: () => PersistOptions };

/** A text of `--manager` that may ask for help: only the parser of objects knows, which a command does without. */
const MAY_ASK_FOR_HELP = /(?:^|,)(?:help|\?)(?:,|$)/;

/**
 * Reads the arguments of `persist`. A long name may be abbreviated, see {@link OptionNames.own}.
 * @throws QomError `unknown-name`, `ambiguous`, `missing`, `invalid-value`, `conflict` (two options that exclude each other)
 */
export function parsePersistOptions(argv: readonly string[]): PersistInvocation {
  const given = new Given();
  for (const word of readOptions(argv, WORDS, HABITS)) {
    if ("operand" in word) given.words.push(word.operand);
    else if (word.option.long === "help") return { print: persistHelp() };
    else if (word.option.long === "version") return { print: `qom-pr persist ${packageVersion()}\n` };
    else given.take(word.option.long, word.value);
  }
  const manager = given.text("manager") ?? "";
  if (MAY_ASK_FOR_HELP.test(manager)) return { managerHelp: manager, options: () => checked(given) };
  return { run: checked(given) };
}

/** All options as getopt knows them. */
const WORDS: readonly OptionNames[] = [
  ...PERSIST_OPTIONS.map(({ letter, name, value, own }) => ({
    long: name,
    ...(own === undefined ? {} : { own }),
    ...(letter === undefined ? {} : { short: letter }),
    ...(value === undefined ? {} : { argument: value }),
  })),
  { long: "help", short: "h" },
  { long: "version", short: "V" },
];

/** sg_persist takes `_` for `-` in long names. */
const HABITS: GetoptHabits = {
  listed: "--help lists the options",
  underscores: true,
  repeatsValue: true,
  ambiguous: (name, names) => `option '--${name}' is ambiguous: it may be ${names.join(", ")}`,
  missing: ({ short, long, argument = "" }) =>
    `option '${optionFlags({ name: long, ...(short === undefined ? {} : { letter: short }), value: argument }, angled)}' argument missing`,
};

/** What was given, by the names of the table. */
class Given {
  /** Words that are not options. */
  readonly words: string[] = [];
  readonly #values = new Map<string, string[]>();

  take(name: string, value: string): void {
    this.#values.set(name, [...this.texts(name), value]);
  }

  flag(name: string): boolean {
    return this.#values.has(name);
  }

  count(name: string): number {
    return this.texts(name).length;
  }

  /** The last one counts. */
  text(name: string): string | undefined {
    return this.texts(name).at(-1);
  }

  texts(name: string): readonly string[] {
    return this.#values.get(name) ?? [];
  }
}

function checked(given: Given): PersistOptions {
  const [word, ...others] = given.words;
  const device = given.text("device") ?? word;
  if (others.length > 0) throw new QomError("invalid-value", `too many arguments: one DEVICE is expected, not ${given.words.length}`);
  if (device === undefined) throw new QomError("missing", "no DEVICE is given");
  if (given.flag("device") && word !== undefined) {
    throw new QomError("invalid-value", `too many devices: '${printable(device)}' and '${printable(word)}'`);
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
    inquiry: !given.flag("no-inquiry"),
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
