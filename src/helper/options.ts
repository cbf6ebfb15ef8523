/** The command line of qom-pr-helper: options of qemu-pr-helper, with the same letters. */

import { isAbsolute } from "node:path";
import { Command, CommanderError, InvalidArgumentError } from "commander";
import { QomError } from "../base/errors.js";
import type { QomErrorKind } from "../base/errors.js";
import { printable } from "../base/limits.js";
import { packageVersion } from "../base/package-version.js";
import { LogLevel } from "./log.js";

/** Where qemu-pr-helper of the distributions has its socket. */
const DEFAULT_SOCKET = "/var/run/qemu-pr-helper.sock";

const DEFAULT_WORKERS = 16;

/** Each worker takes 8 MB; with this many a helper is as large as a small virtual machine. */
const WORKERS_MAX = 64;

/** What a helper is to do. */
export interface HelperOptions {
  /** Absolute path of the socket. */
  readonly socket: string;
  /** Path of the pid file, null for none. */
  readonly pidFile: string | null;
  /** Most worker threads, 1 to {@link WORKERS_MAX}. */
  readonly workersMax: number;
  /** One of {@link LogLevel}. */
  readonly logLevel: number;
}

/** What the command line asks for: to serve, or just to print something. */
export type HelperCommand = { readonly serve: HelperOptions } | { readonly print: string };

/**
 * Reads the command line; words that are no options are ignored, as qemu-pr-helper does.
 * @param args without node and program
 * @throws QomError `invalid-value`, `missing` or `unknown-name`
 */
export function parseHelperOptions(args: readonly string[]): HelperCommand {
  let output = "";
  const command = describeCommand().configureOutput({ writeOut: (text) => (output += text), writeErr: () => {} });
  try {
    command.parse(args, { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return { print: output };
    throw new QomError(KINDS[error.code] ?? "invalid-value", error.message.replace(/^error: /, ""));
  }
  return { serve: checked(command.opts<RawOptions>()) };
}

/** What commander gives for each option. */
interface RawOptions {
  readonly socket: string;
  readonly pidfile?: string;
  readonly workers: number;
  readonly verbose?: number;
  readonly quiet?: boolean;
}

const KINDS: Readonly<Record<string, QomErrorKind>> = {
  "commander.unknownOption": "unknown-name",
  "commander.optionMissingArgument": "missing",
};

function describeCommand(): Command {
  return new Command("qom-pr-helper")
    .description("Executes SCSI persistent reservation commands for virtual machines that may not do so themselves.")
    .option("-k, --socket <path>", "absolute path of the Unix socket to listen on", DEFAULT_SOCKET)
    .option("-f, --pidfile <path>", "file for the process number, removed at exit")
    .option(
      "--workers <number>",
      `most threads, 1 to ${WORKERS_MAX}: so many disks may hang before others wait`,
      parseWorkers,
      DEFAULT_WORKERS,
    )
    .option("-v, --verbose", "tell of clients; twice: of every request", countUp)
    .option("-q, --quiet", "tell of nothing but the error that ends the program")
    .version(`qom-pr-helper ${packageVersion()}`, "-V, --version", "print the version and exit")
    .helpOption("-h, --help", "print this text and exit")
    .allowExcessArguments()
    .showSuggestionAfterError(false)
    .exitOverride();
}

function parseWorkers(text: string): number {
  const number = /^[0-9]+$/.test(text) ? Number(text) : 0;
  if (number >= 1 && number <= WORKERS_MAX) return number;
  throw new InvalidArgumentError(`It has to be a number from 1 to ${WORKERS_MAX}.`);
}

/** For an option that may be repeated. */
function countUp(_value: string, count: number | undefined): number {
  return (count ?? 0) + 1;
}

function checked(options: RawOptions): HelperOptions {
  if (!isAbsolute(options.socket)) {
    throw new QomError("invalid-value", `the socket's path must be absolute, and '${printable(options.socket)}' is not`);
  }
  return {
    socket: options.socket,
    pidFile: options.pidfile ?? null,
    workersMax: options.workers,
    logLevel: options.quiet === true ? LogLevel.FATAL : Math.min(LogLevel.WARNING + (options.verbose ?? 0), LogLevel.REQUEST),
  };
}
