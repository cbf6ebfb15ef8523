/** Commands of the human monitor: what each takes, its help, and what it does (QEMU: hmp-commands.hx). */
import { printable } from "../../base/limits.js";
import { didYouMean } from "../../options/nearest.js";
import type { QmpExecutor } from "../executor.js";
import type { MonitorHost } from "../host.js";

/** What a command has to work with. What it does it does by commands of QMP, so that both monitors do the same. */
export interface HumanContext {
  readonly executor: QmpExecutor;
  /** For options as text, which QMP does not take. */
  readonly host: MonitorHost;
  /** All rows. */
  readonly commands: readonly HumanCommand[];
  /** Lines that were typed into this monitor, the oldest first. */
  readonly history: readonly string[];
}

/** What an argument names. */
export type CompletionKind =
  | "command"
  | "object-type"
  | "object-id"
  | "device-type"
  | "device-id"
  | "path"
  /** A property of the object whose path is the argument before. */
  | "property"
  | "unit"
  /** Options of a block node as text. */
  | "node-options"
  | "drive";

/** One argument of a command. */
export interface HumanArgument {
  readonly name: string;
  readonly optional?: boolean;
  /** The rest of the line, as it is; for the last argument only. */
  readonly rest?: boolean;
  /** A word such as `-n` that may be given before the other arguments. */
  readonly flag?: string;
  readonly completes?: CompletionKind;
}

/** The values of a command's arguments by their names; a flag that is given is its own value. */
export type HumanValues = ReadonlyMap<string, string>;

/** A row of the table. */
export interface HumanCommand {
  /** One word, or `info` and another. */
  readonly name: string;
  readonly alias?: string;
  readonly arguments: readonly HumanArgument[];
  readonly text: string;
  /** Nothing is to be typed after it. */
  readonly last?: boolean;
  /**
   * Runs the command.
   * @returns what is printed, in lines
   * @throws QomError
   */
  readonly run: (values: HumanValues, context: HumanContext) => Promise<readonly string[]> | readonly string[];
}

/** A line, understood. */
export type HumanLine =
  | { readonly kind: "nothing" }
  /** Something is wrong with it; what is printed then. */
  | { readonly kind: "problem"; readonly lines: readonly string[] }
  | { readonly kind: "command"; readonly command: HumanCommand; readonly values: HumanValues };

/** A command and its arguments as they stand in help texts: `qom-set [-j] path property value`. */
export function usage(command: HumanCommand): string {
  const words = command.arguments.map(({ name, optional, flag }) => {
    const word = flag ?? name;
    return optional === true || flag !== undefined ? `[${word}]` : word;
  });
  const name = command.alias === undefined ? command.name : `${command.name}|${command.alias}`;
  return `${name} ${words.join(" ")}`;
}

/** The line of a command in help texts. */
export function helpLine(command: HumanCommand): string {
  return `${usage(command)} -- ${command.text}`;
}

/** Takes a line apart. Words are separated by blanks; a word with blanks stands in double quotes, where `\` goes before `"` and `\`. */
export function parseLine(line: string, commands: readonly HumanCommand[]): HumanLine {
  const words = splitWords(line);
  const [first, second] = words;
  if (first === undefined) return { kind: "nothing" };
  const named = (name: string): HumanCommand | undefined => commands.find((command) => command.name === name || command.alias === name);
  const sub = second === undefined ? undefined : named(`${first.text} ${second.text}`);
  const command = sub ?? named(first.text);
  const isPrefix = commands.some(({ name }) => name.startsWith(`${first.text} `));
  if (command === undefined || (sub === undefined && second !== undefined && isPrefix)) {
    const known = isPrefix && second !== undefined ? `${first.text} ${second.text}` : first.text;
    return { kind: "problem", lines: unknownCommand(known, commands) };
  }
  return takeArguments(command, words.slice(sub === undefined ? 1 : 2), line);
}

/** What is said of a command that does not exist: QEMU's line, and below it the one that was probably meant. */
export function unknownCommand(name: string, commands: readonly HumanCommand[]): readonly string[] {
  const [, group = "", last = ""] = /^(.* )?(.*)$/s.exec(name) ?? [];
  const names = commands.filter((command) => command.name.startsWith(group)).map((command) => command.name.slice(group.length));
  const question = didYouMean(last, names, (near) => group + near);
  return [`unknown command: '${printable(name)}'`, ...(question === undefined ? [] : [question])];
}

/** A word of a line. */
export interface Word {
  readonly text: string;
  /** Where it begins in the line. */
  readonly at: number;
  /** Its quotes are not closed. */
  readonly open: boolean;
}

/** The words of a line. */
export function splitWords(line: string): readonly Word[] {
  const words: Word[] = [];
  const pattern = /"((?:[^"\\]|\\.)*)("?)|[^\s"]\S*/gy;
  for (let at = skipBlanks(line, 0); at < line.length; at = skipBlanks(line, pattern.lastIndex)) {
    pattern.lastIndex = at;
    const match = pattern.exec(line);
    if (match === null) break;
    const [whole, quoted, closing] = match;
    const text = quoted === undefined ? whole : quoted.replaceAll(/\\(.)/g, "$1");
    words.push({ text, at, open: quoted !== undefined && closing === "" });
  }
  return words;
}

function skipBlanks(line: string, at: number): number {
  let next = at;
  while (next < line.length && /\s/.test(line.charAt(next))) next += 1;
  return next;
}

function takeArguments(command: HumanCommand, words: readonly Word[], line: string): HumanLine {
  const values = new Map<string, string>();
  const left = [...words];
  for (const { name, optional, rest, flag } of command.arguments) {
    const [word] = left;
    if (word?.open === true && rest !== true) return problem(command, "unterminated string", "string expected");
    if (flag !== undefined) {
      if (word?.text === flag) values.set(name, left.shift()?.text ?? "");
      continue;
    }
    if (word === undefined) {
      if (optional === true) break;
      return problem(command, "string expected");
    }
    left.shift();
    values.set(name, rest === true ? line.slice(word.at).trimEnd() : word.text);
    if (rest === true) left.length = 0;
  }
  if (left.length > 0) return problem(command, "extraneous characters at the end of line");
  return { kind: "command", command, values };
}

/** The last of `messages` is printed after the command's name, as QEMU does. */
function problem(command: HumanCommand, ...messages: readonly string[]): HumanLine {
  const name = command.name.split(" ").at(-1) ?? "";
  const known = command.alias === undefined ? name : `${name}|${command.alias}`;
  const told = `${known}: ${messages.at(-1) ?? ""}`;
  return { kind: "problem", lines: [...messages.slice(0, -1), told, `Try "help ${command.name}" for more information`] };
}
