/**
 * Which trace points patterns select, in QEMU's language (QEMU: trace/control.c): a pattern is a name in which `*` stands for any
 * characters and `?` for any one; with a `-` before it, it switches off again what earlier ones have switched on.
 */
import { printable } from "../base/limits.js";
import { didYouMean } from "./nearest.js";

/** See the module text. */
export class PatternSelection<Name extends string> {
  /** Patterns that no name fits. */
  readonly unknown: string[] = [];
  readonly #names: readonly Name[];
  readonly #selected = new Set<Name>();

  /** @param names of all points */
  constructor(names: readonly Name[]) {
    this.#names = names;
  }

  /** In the order of their selection. */
  get selected(): readonly Name[] {
    return [...this.#selected];
  }

  /** Applies a pattern after those before it. */
  apply(pattern: string): void {
    const off = pattern.startsWith("-");
    const wanted = off ? pattern.slice(1) : pattern;
    const fitting = this.#names.filter((name) => fits(wanted, name));
    if (fitting.length === 0) this.unknown.push(wanted);
    for (const name of fitting) {
      if (off) this.#selected.delete(name);
      else this.#selected.add(name);
    }
  }
}

/** The patterns of a file of `events`: one on each line; blank lines and lines that begin with `#` are ignored. */
export function patternsOf(text: string): readonly string[] {
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"));
}

/** What is said of a pattern that selects nothing. `names` are those of all points. */
export function noTracePoint(pattern: string, names: readonly string[]): string {
  if (/[*?]/.test(pattern)) return `no trace point fits '${printable(pattern)}' ('help' lists them)`;
  return `there is no trace point '${printable(pattern)}' (${didYouMean(pattern, names) ?? "'help' lists them"})`;
}

/**
 * Whether `text` matches `pattern`, in steps no more than the product of both lengths: a star takes as little as it can, and once a later
 * star has been reached, an earlier one takes no more.
 */
function fits(pattern: string, text: string): boolean {
  let [at, textAt, star, starText] = [0, 0, -1, 0];
  while (textAt < text.length) {
    if (pattern[at] === "*") [star, starText] = [at++, textAt];
    else if (pattern[at] === "?" || pattern[at] === text[textAt]) [at, textAt] = [at + 1, textAt + 1];
    else if (star >= 0) [at, textAt, starText] = [star + 1, starText + 1, starText + 1];
    else return false;
  }
  return /^\**$/.test(pattern.slice(at));
}
