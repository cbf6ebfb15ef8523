/** The command line of a machine: which words are options, and what each of them says. */
import { QomError } from "../base/errors.js";
import { printable } from "../base/limits.js";
import { allAtOnce } from "../base/slices.js";
import { parseOption } from "../options/arguments.js";
import { didYouMean } from "../options/nearest.js";
import { atOption } from "../options/option-error.js";
import type { ParsedOptions } from "../options/value.js";
import type { QemuVersion } from "../qemu/compat.js";
import { foreignOption, foreignOptions, REFUSED_OPTIONS } from "../qemu/kinds.js";
import { compatVersionOf } from "./compat.js";
import { isImageWord, programLength } from "./line-words.js";
import { MONITORING } from "./monitoring.js";
import type { GivenMonitoring, MonitoringArgument } from "./monitoring.js";
import { machineNameOf } from "./name.js";

/** Options whose text is in one of the option languages. */
const STRUCTURED = ["object", "blockdev", "drive", "device"] as const;

/** An option in one of the option languages. */
export type StructuredArgument = (typeof STRUCTURED)[number];

/** One option with what it says. */
export interface GivenOption {
  readonly argument: StructuredArgument;
  /** The text as it was given, for error messages. */
  readonly text: string;
  readonly parsed: ParsedOptions;
}

/** An option that QEMU has and this library has not. */
export interface ForeignOption {
  /** Without its dash. */
  readonly name: string;
  /** Null for one that takes none. */
  readonly text: string | null;
}

/** A machine's whole command line. */
export interface CommandLine {
  readonly name: string | undefined;
  /** The machine is not to run before it is told to. */
  readonly stopped: boolean;
  /** The QEMU whose answers are wanted; undefined when the line does not say. */
  readonly compat: QemuVersion | undefined;
  readonly options: readonly GivenOption[];
  readonly monitoring: readonly GivenMonitoring[];
  readonly foreign: readonly ForeignOption[];
  /** One line each. */
  readonly warnings: readonly string[];
}

/** Options that take no text. */
const FLAGS: readonly string[] = ["S"];

/** The option that a word without one stands for. */
const IMAGE_OPTION = "hda";

/** Of programs alone, which take it out of the line. */
const TRACE = "trace";

const ALL: readonly string[] = [...STRUCTURED, ...MONITORING, "name", "compat", ...FLAGS];

/**
 * Parses `["-object", "…", "-device", "…"]`; one dash and two are the same, as in QEMU.
 * @param strict refuse options that QEMU has and this library has not
 * @throws QomError `unknown-name` (with the nearest option as hint), `missing` (an option without its text), or as the text's grammar
 */
export function parseArguments(argv: readonly string[], strict = false): CommandLine {
  return allAtOnce(parsingArguments(argv, strict));
}

/** The same as work that can be interrupted (base/slices.ts) between two options. */
export function* parsingArguments(argv: readonly string[], strict = false): Generator<void, CommandLine> {
  const line: GrowingLine = { name: undefined, stopped: false, compat: undefined, options: [], monitoring: [], foreign: [], warnings: [] };
  let at = programLength(argv);
  while (at < argv.length) {
    const word = argv[at] ?? "";
    const option = optionAt(word, strict);
    const text = option.kind === "image" ? word : argv[at + 1];
    const isAlone = option.kind === "flag" || option.kind === "stopped" || option.kind === "image";
    at += isAlone ? 1 : 2;
    if (!isAlone && text === undefined) throw needsValue(word, option.name);
    take(line, option, text ?? "", strict);
    yield;
  }
  return line;
}

/**
 * How many words the option `word` takes, itself included, for a program that has options of its own besides these; null for a word that is
 * none of them.
 */
export function optionLength(word: string): 1 | 2 | null {
  const name = nameOf(word);
  if (name === undefined) return isImageWord(word) ? 1 : null;
  if (FLAGS.includes(name)) return 1;
  if (ALL.includes(name) || REFUSED_OPTIONS.has(name)) return 2;
  const foreign = foreignOption(name);
  if (foreign === null) return null;
  return foreign === "flag" ? 1 : 2;
}

/** A {@link CommandLine} that is being read. */
interface GrowingLine {
  name: string | undefined;
  stopped: boolean;
  compat: QemuVersion | undefined;
  readonly options: GivenOption[];
  readonly monitoring: GivenMonitoring[];
  readonly foreign: ForeignOption[];
  readonly warnings: string[];
}

function take(line: GrowingLine, option: KnownOption, text: string, strict: boolean): void {
  switch (option.kind) {
    case "flag":
      line.foreign.push({ name: option.name, text: null });
      break;
    case "foreign":
    case "image":
      line.foreign.push({ name: option.name, text });
      break;
    case "stopped":
      line.stopped = true;
      break;
    case "name": {
      const { name, warning } = machineNameOf(text, strict);
      line.name = name;
      if (warning !== undefined) line.warnings.push(warning);
      break;
    }
    case "compat":
      line.compat = compatVersionOf(text) ?? line.compat;
      break;
    case "monitoring":
      line.monitoring.push({ argument: option.name, text });
      break;
    case "structured":
      line.options.push({ argument: option.name, text, parsed: parsedOption(option.name, text) });
  }
}

function needsValue(word: string, argument: string): QomError {
  return new QomError("missing", `option '${printable(word)}' needs a value`, { context: { argument } });
}

/** Parses the option's text; a QomError from that gets the option and its text in front of its message. */
function parsedOption(argument: StructuredArgument, text: string): ParsedOptions {
  try {
    return parseOption(argument, text);
  } catch (error) {
    throw atOption(argument, text, error);
  }
}

/** An option, by who takes care of it. */
type KnownOption =
  | { readonly kind: "structured"; readonly name: StructuredArgument }
  | { readonly kind: "monitoring"; readonly name: MonitoringArgument }
  | { readonly kind: "name" | "compat" | "stopped" | "foreign" | "flag" | "image"; readonly name: string };

function optionAt(word: string, strict: boolean): KnownOption {
  const name = nameOf(word);
  if (name === undefined) {
    if (strict || !isImageWord(word)) throw unknownOption(word, ALL);
    return { kind: "image", name: IMAGE_OPTION };
  }
  const structured = STRUCTURED.find((argument) => argument === name);
  if (structured !== undefined) return { kind: "structured", name: structured };
  const monitoring = MONITORING.find((argument) => argument === name);
  if (monitoring !== undefined) return { kind: "monitoring", name: monitoring };
  if (name === "name" || name === "compat") return { kind: name, name };
  if (name === "S") return { kind: "stopped", name };
  const refusal = REFUSED_OPTIONS.get(name);
  if (refusal !== undefined && !strict) throw new QomError("unsupported", refusal, { context: { argument: name } });
  const foreign = strict ? null : name === TRACE ? "text" : foreignOption(name);
  if (foreign === null) throw unknownOption(word, ALL);
  return { kind: foreign === "flag" ? "flag" : "foreign", name };
}

function nameOf(word: string): string | undefined {
  const [, name] = /^--?(?!-)(.+)$/s.exec(word) ?? [];
  return name;
}

/**
 * The error for a word in the place of an option that is not one.
 * @param known the options that there are, without their dash
 */
export function unknownOption(word: string, known: readonly string[]): QomError {
  const name = nameOf(word);
  const context = { value: word };
  const list = `options are ${known.map((option) => `-${option}`).join(", ")}`;
  const nearest = (names: readonly string[]): string | undefined => didYouMean(name ?? word, names, (option) => `-${option}`);
  const hint = nearest(known) ?? nearest(foreignOptions()) ?? list;
  if (name !== undefined) return new QomError("unknown-name", `unknown option '${printable(word)}'`, { context, hint });
  const parameter = /^[A-Za-z][\w.-]*=/.test(word);
  return new QomError("unknown-name", `'${printable(word)}' is not an option`, {
    context,
    hint: parameter ? "the parameters of an option are one word: separate them by commas, without blanks" : hint,
  });
}
