/** The program `qom-pr`: subcommands, exit statuses, and errors on one line. */
import { describeError, QomError } from "../base/errors.js";
import { printable } from "../base/limits.js";
import { packageVersion } from "../base/package-version.js";
import { caretLines } from "../options/caret-lines.js";
import { readOptions } from "../options/getopt.js";
import { didYouMean } from "../options/nearest.js";
import { SUBCOMMANDS } from "./commands.js";
import type { Subcommand } from "./commands.js";
import { processOutput } from "./output.js";
import type { Output } from "./output.js";
import { HELP_WIDTH, helpRows, wrap } from "./table.js";

/** Something is wrong with the arguments, or the program failed. */
const EXIT_FAILURE = 1;
/** The subcommand does not exist. */
const EXIT_NO_SUBCOMMAND = 2;

/** Options of the program itself, before the name of a subcommand. */
const OPTIONS = [
  { short: "V", long: "version", text: "output the version number" },
  { short: "h", long: "help", text: "display help for command" },
] as const;

/** There is no such subcommand. */
class NoSubcommandError extends QomError {}

/** Runs the program with its arguments and sets the process's exit status. */
export async function main(argv: readonly string[]): Promise<void> {
  const output = processOutput();
  try {
    await run(argv, output);
  } catch (error) {
    output.error(`qom-pr: ${error instanceof QomError ? describeError(error) : failure(error)}\n`);
    if (process.stderr.isTTY) for (const line of caretLines(error)) output.error(`${line}\n`);
    process.exitCode = error instanceof NoSubcommandError ? EXIT_NO_SUBCOMMAND : EXIT_FAILURE;
  }
}

async function run(argv: readonly string[], output: Output): Promise<void> {
  for (const word of readOptions(argv, OPTIONS)) {
    if ("operand" in word) return runCommand(word.operand, argv.slice(word.at + 1), output);
    return output.out(word.option.long === "version" ? `${packageVersion()}\n` : helpText());
  }
  output.error(helpText());
  process.exitCode = EXIT_FAILURE;
}

async function runCommand(name: string, argv: readonly string[], output: Output): Promise<void> {
  if (name !== "help") return commandNamed(name).run(argv, output);
  const [about] = argv;
  if (about === undefined || about === "help") output.out(helpText());
  else await commandNamed(about).run(["--help"], output);
}

/** @throws NoSubcommandError */
function commandNamed(name: string): Subcommand {
  const found = SUBCOMMANDS.find((command) => command.name === name);
  if (found !== undefined) return found;
  const hint = didYouMean(
    name,
    SUBCOMMANDS.map((command) => command.name),
  );
  throw new NoSubcommandError("unknown-name", `unknown command '${printable(name)}'`, { hint: hint ?? "--help lists the commands" });
}

function helpText(): string {
  const options = OPTIONS.map(({ short, long, text }) => [`-${short}, --${long}`, text] as const);
  const commands = [
    ...SUBCOMMANDS.map(({ name, usage, line }) => [`${name} ${usage}`, line] as const),
    ["help [command]", "display help for command"] as const,
  ];
  const width = Math.max(...[...options, ...commands].map(([name]) => name.length));
  return [
    "Usage: qom-pr [options] [command]",
    "",
    ...wrap("SCSI persistent reservations for machine emulators, as in QEMU", HELP_WIDTH),
    "",
    "Options:",
    ...helpRows(options, width),
    "",
    "Commands:",
    ...helpRows(commands, width),
    "",
  ].join("\n");
}

/** A mistake of this program and not of its user: the stack belongs to the report. */
function failure(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
