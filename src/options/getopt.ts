/**
 * The grammar of a command line as getopt_long(3) of glibc reads it, which is what qemu-pr-helper uses: `-k PATH`, `-kPATH`, `-vvk PATH`,
 * `--socket PATH`, `--socket=PATH`, long names cut short as far as they stay clear, and words in between that are no options.
 */

import { QomError } from "../base/errors.js";
import { printable } from "../base/limits.js";
import { didYouMean } from "./nearest.js";

/** How an option is written. */
export interface OptionNames {
  /** Without the dashes. */
  readonly long: string;
  /** One letter, if there is one. */
  readonly short?: string;
  /** What its argument is called in messages, if it takes one. */
  readonly argument?: string;
  /**
   * Set for an option that qemu-pr-helper does not have. It never makes an abbreviation unclear: one that means an option of
   * qemu-pr-helper goes on meaning it.
   */
  readonly own?: true;
}

/** One option of a command line. */
export interface Occurrence<Names extends OptionNames> {
  readonly option: Names;
  /** The argument; empty for an option that takes none. */
  readonly value: string;
}

/**
 * The options of `args`, one by one in their order, so that what comes first counts before what is wrong behind it. Words that are no
 * options are passed over, and so is everything behind `--`.
 * @throws QomError `unknown-name`, `ambiguous`, `missing` (no argument) or `invalid-value` (an argument where none belongs)
 */
export function* readOptions<Names extends OptionNames>(args: readonly string[], known: readonly Names[]): Generator<Occurrence<Names>> {
  const words = args.values();
  for (const word of words) {
    if (word === "--") return;
    if (word.startsWith("--")) yield long(word.slice(2), words, known);
    else if (word.startsWith("-")) yield* letters(word.slice(1), words, known);
  }
}

function long<Names extends OptionNames>(text: string, words: Iterator<string>, known: readonly Names[]): Occurrence<Names> {
  const [, name = "", value] = /^([^=]*)(?:=(.*))?$/s.exec(text) ?? [];
  const option = optionNamed(name, known);
  if (option.argument === undefined) {
    if (value === undefined) return { option, value: "" };
    throw new QomError("invalid-value", `option '--${option.long}' takes no argument, and '${printable(value)}' is given`);
  }
  return { option, value: value ?? nextWord(words, option) };
}

function optionNamed<Names extends OptionNames>(name: string, known: readonly Names[]): Names {
  const exact = known.find((option) => option.long === name);
  if (exact !== undefined) return exact;
  const begun = known.filter((option) => option.long.startsWith(name));
  const inherited = begun.filter((option) => option.own !== true);
  const [option, ...others] = inherited.length > 0 ? inherited : begun;
  if (option === undefined) {
    const hint = didYouMean(
      name,
      known.map((each) => each.long),
      (near) => `--${near}`,
    );
    throw new QomError("unknown-name", `unknown option '--${printable(name)}'`, { hint: hint ?? "-h lists the options" });
  }
  if (others.length === 0) return option;
  const names = [option, ...others].map((each) => `--${each.long}`);
  throw new QomError("ambiguous", `option '--${printable(name)}' may mean ${names.join(", ")}`);
}

function* letters<Names extends OptionNames>(text: string, words: Iterator<string>, known: readonly Names[]): Generator<Occurrence<Names>> {
  for (let at = 0; at < text.length; at += 1) {
    const option = known.find(({ short }) => short === text[at]);
    if (option === undefined) throw unknownLetter(text, at, known);
    if (option.argument !== undefined) {
      const rest = text.slice(at + 1);
      yield { option, value: rest === "" ? nextWord(words, option) : rest };
      return;
    }
    yield { option, value: "" };
  }
}

/** A long name with one dash is read as letters, of which one is unknown. */
function unknownLetter(text: string, at: number, known: readonly OptionNames[]): QomError {
  const meant = known.find((option) => option.long === text.split("=", 1)[0]);
  const hint = meant === undefined ? "-h lists the options" : `did you mean '--${meant.long}'?`;
  return new QomError("unknown-name", `unknown option '-${printable(text.charAt(at))}'`, { hint });
}

/** Whatever the next word is: an argument may begin with a dash. */
function nextWord(words: Iterator<string>, option: OptionNames): string {
  const next = words.next();
  if (next.done !== true) return next.value;
  throw new QomError("missing", `option '${displayName(option)}' needs an argument`);
}

/** An option as it is listed: `-k, --socket=PATH`. */
export function displayName({ short, long: name, argument }: OptionNames): string {
  return `${short === undefined ? "" : `-${short}, `}--${name}${argument === undefined ? "" : `=${argument}`}`;
}
