/** The program `qom-pr`: subcommands, each loaded when it is called, exit statuses, and errors on one line. */
import { Command, CommanderError } from "commander";
import { describeError, QomError } from "../base/errors.js";
import { packageVersion } from "../base/package-version.js";
import { caretLines } from "../options/caret-lines.js";
import { processOutput, type Output } from "./output.js";
import { runHelp } from "./run-options.js";
import { terminalWidth, wantsColour } from "./table.js";

/** Something is wrong with the arguments, or the program failed. */
const EXIT_FAILURE = 1;
/** The subcommand does not exist. */
const EXIT_NO_SUBCOMMAND = 2;

/** Runs the program with the words behind its name and sets the process's exit status. */
export async function main(argv: readonly string[]): Promise<void> {
  const output = processOutput();
  try {
    await program(output).parseAsync(argv, { from: "user" });
  } catch (error) {
    const status = report(error, output);
    // Help and version are no failure, and nothing is settled by them: their text may still get lost.
    if (status !== 0) process.exitCode = status;
  }
}

function program(output: Output): Command {
  const root = new Command("qom-pr")
    .description("SCSI persistent reservations for machine emulators, in the manner of QEMU")
    .version(packageVersion())
    .exitOverride()
    .enablePositionalOptions()
    .configureOutput({ writeOut: output.out, writeErr: output.error, outputError: () => undefined });
  root
    .command("run")
    .description("make a machine from options in QEMU's manner and keep it until SIGINT, SIGTERM or QMP quit; --check: only make it")
    .argument("[options...]")
    .helpOption("-h, --help", "print this text")
    .configureHelp({ formatHelp: runHelp })
    .allowUnknownOption()
    .action(async (_options: string[], _flags: object, command: Command) => {
      const { runMachine } = await import("./run.js");
      await runMachine(command.args, output);
    });
  root
    .command("demo")
    .description("two nodes of a cluster, one shared disk, a failover: no privileges, no hardware")
    .option("--json", "print the steps as JSON")
    .action(async (flags: { json?: boolean }) => {
      const { renderDemo, runDemo } = await import("./demo.js");
      const rows = await runDemo();
      output.out(
        flags.json === true
          ? `${JSON.stringify(rows, null, 2)}\n`
          : renderDemo(rows, { colour: wantsColour(process.stdout, process.env), width: terminalWidth(process.stdout) }),
      );
    });
  root
    .command("persist")
    .description("one PERSISTENT RESERVE command, with the options and exit statuses of sg_persist, through any PR manager")
    .usage("[OPTIONS] DEVICE")
    .argument("[words...]")
    .helpOption(false)
    .allowUnknownOption()
    .passThroughOptions()
    .action(async (words: string[]) => {
      const { runPersist } = await import("./persist/persist.js");
      process.exitCode = await runPersist(words, { output, variables: process.env });
    });
  return root;
}

/** Prints what went wrong on one line and gives the exit status. */
function report(error: unknown, output: Output): number {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return 0;
    if (error.code !== "commander.help") output.error(`qom-pr: ${error.message.replace(/^error: /, "").replaceAll(/\s*\n\s*/g, " ")}\n`);
    return error.code === "commander.unknownCommand" ? EXIT_NO_SUBCOMMAND : EXIT_FAILURE;
  }
  output.error(`qom-pr: ${error instanceof QomError ? describeError(error) : failure(error)}\n`);
  if (process.stderr.isTTY) for (const line of caretLines(error)) output.error(`${line}\n`);
  return EXIT_FAILURE;
}

/** A mistake of this program and not of its user: the stack belongs to the report. */
function failure(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
