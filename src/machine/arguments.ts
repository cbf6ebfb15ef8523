/** The command line of a machine: which words are options, and what each of them says. */
import { QomError } from "../base/errors.js";
import { printable } from "../base/limits.js";
import { allAtOnce } from "../base/slices.js";
import { parseChardev, parseMon, parseMonitorDevice } from "../chardev/spec.js";
import type { ChardevSpec, MonitorSpec } from "../chardev/spec.js";
import { checkMonitorOptions } from "../monitor/monitors.js";
import type { MonitorOptions } from "../monitor/monitors.js";
import { parseOption } from "../options/arguments.js";
import { atOption, atText } from "../options/option-error.js";
import { didYouMean } from "../options/nearest.js";
import type { ParsedOptions } from "../options/value.js";
import { machineName } from "./name.js";

/** Options whose text is in one of the option languages. */
const STRUCTURED = ["object", "blockdev", "drive", "device"] as const;

/** An option in one of the option languages. */
export type StructuredArgument = (typeof STRUCTURED)[number];

/** Options that say which monitors there are. */
const MONITORING = ["chardev", "mon", "monitor", "qmp", "qmp-pretty"] as const;

type MonitoringArgument = (typeof MONITORING)[number];

/** One option with what it says. */
export interface GivenOption {
  readonly argument: StructuredArgument;
  /** The text as it was given, for error messages. */
  readonly text: string;
  readonly parsed: ParsedOptions;
}

/** A machine's whole command line. */
export interface MachineArguments {
  readonly name: string | undefined;
  readonly options: readonly GivenOption[];
  readonly monitoring: MonitorOptions;
  /** By character device: the error of opening it, with the option that asked for it in its message. */
  readonly blame: (spec: ChardevSpec, error: unknown) => unknown;
}

const ALL: readonly string[] = [...STRUCTURED, ...MONITORING, "name"];

/**
 * Parses `["-object", "…", "-device", "…"]`; one dash and two are the same, as in QEMU.
 * @throws QomError `unknown-name` (with the nearest option as hint), `missing` (an option without its text), or as the text's grammar
 */
export function parseArguments(argv: readonly string[]): MachineArguments {
  return allAtOnce(parsingArguments(argv));
}

/** The same as work that can be interrupted (base/slices.ts) between two options. */
export function* parsingArguments(argv: readonly string[]): Generator<void, MachineArguments> {
  let name: string | undefined;
  const options: GivenOption[] = [];
  const chardevs = new Map<string, ChardevSpec>();
  const monitors: MonitorSpec[] = [];
  const monitoring = { chardevs, monitors };
  const sources = new Map<ChardevSpec | MonitorSpec, { readonly argument: MonitoringArgument; readonly text: string }>();
  for (let at = 0; at < argv.length; at += 2) {
    const word = argv[at] ?? "";
    const argument = optionName(word);
    const text = argv[at + 1];
    if (text === undefined) throw new QomError("missing", `option '${printable(word)}' needs a value`, { context: { argument } });
    if (argument === "name") name = machineName(text);
    else if (isMonitoring(argument)) {
      for (const spec of inArgument(argument, text, () => addMonitoring(monitoring, argument, text))) sources.set(spec, { argument, text });
    } else options.push({ argument, text, parsed: inArgument(argument, text, () => parseOption(argument, text)) });
    yield;
  }
  const blame = (spec: ChardevSpec | MonitorSpec, error: unknown): unknown => {
    const source = sources.get(spec);
    return source === undefined ? error : atArgument(source.argument, source.text, error);
  };
  checkMonitorOptions(monitoring, blame);
  return { name, options, monitoring, blame };
}

function isMonitoring(argument: StructuredArgument | MonitoringArgument): argument is MonitoringArgument {
  return MONITORING.some((known) => known === argument);
}

/** Takes note of the option, and gives the character device and the monitor that it asks for. */
function addMonitoring(
  { chardevs, monitors }: { readonly chardevs: Map<string, ChardevSpec>; readonly monitors: MonitorSpec[] },
  argument: MonitoringArgument,
  text: string,
): readonly (ChardevSpec | MonitorSpec)[] {
  if (argument === "mon") {
    const monitor = parseMon(text);
    monitors.push(monitor);
    return [monitor];
  }
  if (argument === "chardev") {
    const { id, spec } = parseChardev(text);
    if (chardevs.has(id))
      throw new QomError("duplicate", `a character device '${id}' exists already`, { context: { option: "id", value: id } });
    chardevs.set(id, spec);
    return [spec];
  }
  if (argument !== "monitor" || text !== "none") {
    // QEMU has a human monitor unless told otherwise; a machine here has none by default.
    const chardev = parseMonitorDevice(text);
    const monitor: MonitorSpec = {
      chardev,
      mode: argument === "monitor" ? "readline" : "control",
      pretty: argument === "qmp-pretty",
    };
    monitors.push(monitor);
    return typeof chardev === "string" ? [monitor] : [chardev, monitor];
  }
  return [];
}

/** Runs `action`; a QomError from it gets the option and its text in front of its message. */
function inArgument<T>(argument: StructuredArgument | MonitoringArgument, text: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw atArgument(argument, text, error);
  }
}

/** The error with its message opened by the option that it is about: `-qmp unix:x: …`. */
function atArgument(argument: StructuredArgument | MonitoringArgument, text: string, error: unknown): unknown {
  return isMonitoring(argument) ? atText(argument, text, error) : atOption(argument, text, error);
}

function optionName(word: string): StructuredArgument | MonitoringArgument | "name" {
  const name = /^--?(?=[^-])/.test(word) ? word.replace(/^--?/, "") : undefined;
  const known = [...STRUCTURED, ...MONITORING].find((argument) => argument === name);
  if (known !== undefined) return known;
  if (name === "name") return "name";
  throw unknownOption(word, ALL);
}

/**
 * The error for a word in the place of an option that is not one.
 * @param known the options that there are, without their dash
 */
export function unknownOption(word: string, known: readonly string[]): QomError {
  const name = /^--?(?=[^-])/.test(word) ? word.replace(/^--?/, "") : undefined;
  const context = { value: word };
  const list = `options are ${known.map((option) => `-${option}`).join(", ")}`;
  const hint = didYouMean(name ?? word, known, (option) => `-${option}`) ?? list;
  if (name !== undefined) return new QomError("unknown-name", `unknown option '${printable(word)}'`, { context, hint });
  const parameter = /^[A-Za-z][\w.-]*=/.test(word);
  return new QomError("unknown-name", `'${printable(word)}' is not an option`, {
    context,
    hint: parameter ? "the parameters of an option are one word: separate them by commas, without blanks" : hint,
  });
}
