/**
 * The grammar of a command line as getopt_long(3) of glibc reads it, which is what qemu-pr-helper and sg_persist use: `-k PATH`, `-kPATH`,
 * `-vvk PATH`, `--socket PATH`, `--socket=PATH`, long names cut short as far as they stay clear, operands in between, and after `--`
 * nothing but operands.
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
   * Set for an option that the program whose command line this follows does not have. It never makes an abbreviation unclear: one that
   * means an option of that program goes on meaning it.
   */
  readonly own?: true;
}

/** One option of a command line. */
export interface Occurrence<Names extends OptionNames> {
  readonly option: Names;
  /** The argument; empty for an option that takes none. */
  readonly value: string;
}

/** A word that is not an option. */
export interface Operand {
  readonly operand: string;
  /** Which of the words it is, from 0. */
  readonly at: number;
}

/** How a program words its errors, and what it allows besides the grammar. */
export interface GetoptHabits {
  /** Where the options are listed, for a name that is not an option and not near one: `-h lists the options`. */
  readonly listed: string;
  /** `_` in a long name means `-`. */
  readonly underscores?: boolean;
  /** The message for a name that begins several; `names` have their dashes. */
  readonly ambiguous: (given: string, names: readonly string[]) => string;
  /** The message for an option whose argument is missing. */
  readonly missing: (option: OptionNames) => string;
  /** An unknown long name is repeated with what follows its `=`. */
  readonly repeatsValue?: boolean;
}

/** Those of qom-pr-helper, and of the subcommands that follow no other program. */
export const PLAIN_HABITS: GetoptHabits = {
  listed: "-h lists the options",
  ambiguous: (given, names) => `option '--${given}' may mean ${names.join(", ")}`,
  missing: (option) => `option '${displayName(option)}' needs an argument`,
};

/**
 * The options and operands of `args`, one by one in their order, so that an earlier one takes effect before a later error.
 * @throws QomError `unknown-name`, `ambiguous`, `missing` (no argument) or `invalid-value` (an argument where none belongs)
 */
export function readOptions<Names extends OptionNames>(
  args: readonly string[],
  known: readonly Names[],
  habits: GetoptHabits = PLAIN_HABITS,
): Generator<Occurrence<Names> | Operand> {
  return new Reader(args, known, habits).read();
}

class Reader<Names extends OptionNames> {
  readonly #args: readonly string[];
  readonly #known: readonly Names[];
  readonly #habits: GetoptHabits;
  /** The word that is read next. */
  #at = 0;

  constructor(args: readonly string[], known: readonly Names[], habits: GetoptHabits) {
    this.#args = args;
    this.#known = known;
    this.#habits = habits;
  }

  *read(): Generator<Occurrence<Names> | Operand> {
    let optionsEnded = false;
    for (let word = this.#args[this.#at]; word !== undefined; word = this.#args[this.#at]) {
      const at = this.#at++;
      if (optionsEnded || word === "-" || !word.startsWith("-")) yield { operand: word, at };
      else if (word === "--") optionsEnded = true;
      else if (word.startsWith("--")) yield this.#long(word.slice(2));
      else yield* this.#letters(word.slice(1));
    }
  }

  #long(text: string): Occurrence<Names> {
    const [, name = "", value] = /^([^=]*)(?:=(.*))?$/s.exec(text) ?? [];
    const option = this.#optionNamed(name, this.#habits.repeatsValue === true ? text : name);
    if (option.argument !== undefined) return { option, value: value ?? this.#nextWord(option) };
    if (value === undefined) return { option, value: "" };
    throw new QomError("invalid-value", `option '--${option.long}' takes no argument, and '${printable(value)}' is given`);
  }

  /** @param shown the name as an error repeats it */
  #optionNamed(given: string, shown: string): Names {
    const name = this.#habits.underscores === true ? given.replaceAll("_", "-") : given;
    const exact = this.#known.find((option) => option.long === name);
    if (exact !== undefined) return exact;
    const begun = this.#known.filter((option) => option.long.startsWith(name));
    const inherited = begun.filter((option) => option.own !== true);
    const [option, ...others] = inherited.length > 0 ? inherited : begun;
    if (option === undefined) throw this.#unknown(`--${shown}`, name);
    if (others.length === 0) return option;
    const names = [option, ...others].map((each) => `--${each.long}`);
    throw new QomError("ambiguous", this.#habits.ambiguous(printable(given), names));
  }

  *#letters(text: string): Generator<Occurrence<Names>> {
    for (let at = 0; at < text.length; at += 1) {
      const option = this.#known.find(({ short }) => short === text[at]);
      // A long name with one dash is read as letters, of which one is unknown.
      if (option === undefined) throw this.#unknown(`-${text.charAt(at)}`, text.split("=", 1)[0] ?? "");
      if (option.argument !== undefined) {
        const rest = text.slice(at + 1);
        yield { option, value: rest === "" ? this.#nextWord(option) : rest };
        return;
      }
      yield { option, value: "" };
    }
  }

  #unknown(shown: string, name: string): QomError {
    const names = this.#known.map(({ long }) => long);
    const hint = didYouMean(name, names, (near) => `--${near}`) ?? this.#habits.listed;
    return new QomError("unknown-name", `unknown option '${printable(shown)}'`, { hint });
  }

  /** Whatever the next word is: an argument may begin with a dash. */
  #nextWord(option: OptionNames): string {
    const next = this.#args[this.#at];
    if (next === undefined) throw new QomError("missing", this.#habits.missing(option));
    this.#at += 1;
    return next;
  }
}

/** An option as it is listed: `-k, --socket=PATH`. */
export function displayName({ short, long: name, argument }: OptionNames): string {
  return `${short === undefined ? "" : `-${short}, `}--${name}${argument === undefined ? "" : `=${argument}`}`;
}
