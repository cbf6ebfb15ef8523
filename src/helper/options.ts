/** The command line of qom-pr-helper: the options of qemu-pr-helper, and its own behind them. */

import { isAbsolute } from "node:path";
import { QomError } from "../base/errors.js";
import { printable } from "../base/limits.js";
import { packageVersion } from "../base/package-version.js";
import { CONNECTIONS_PER_PROCESS_DEFAULT, CONNECTIONS_PER_USER_DEFAULT } from "./admission.js";
import type { AdmissionRules } from "./admission.js";
import { CONNECTION_DESCRIPTOR_LIMIT } from "./connection-table.js";
import { displayName, readOptions } from "./getopt.js";
import type { OptionNames } from "./getopt.js";
import { LogLevel } from "./log.js";
import type { InitiatorSource } from "./manager-executor.js";
import { parseObjectOption } from "./manager-host.js";
import type { ObjectOption } from "./manager-host.js";
import { REQUEST_TIMEOUT_S_DEFAULT } from "./stalled-clients.js";

/** Where qemu-pr-helper of the distributions has its socket. */
const DEFAULT_SOCKET = "/var/run/qemu-pr-helper.sock";

const DEFAULT_WORKERS = 16;

/** Each worker takes 8 MB; with this many a helper is as large as a small virtual machine. */
const WORKERS_MAX = 64;

/** User and group ids are 32 bits, and the highest means none (chown(2)). */
const ID_MAX = 0xffff_fffe;

/** A day: whoever waits longer wants no limit, and there are as many connections for that. */
const REQUEST_TIMEOUT_S_MAX = 86_400;

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
  /** Objects, one of which is the manager that executes; none for SG_IO on the workers. */
  readonly objects: readonly ObjectOption[];
  /** What tells initiators apart, for other managers than SG_IO. */
  readonly initiatorFrom: InitiatorSource;
  /** SG_IO on dm-multipath devices is allowed. */
  readonly allowMultipath: boolean;
  readonly admission: AdmissionRules;
  /** How long a client may take over one request, and over taking its answer. */
  readonly requestTimeoutMs: number;
}

/** What the command line asks for: to serve, or just to print something. */
export type HelperCommand =
  | { readonly serve: HelperOptions }
  | { readonly print: string }
  /** Ask the helper that serves this socket for its status. */
  | { readonly status: string };

/** The options while they are being read. */
type Draft = { -readonly [Name in keyof HelperOptions]: HelperOptions[Name] } & { askStatus: boolean };

/** One option: its names, its line of help, and what it does. */
interface OptionRow extends OptionNames {
  readonly help: string;
  /**
   * Takes note of the option, in the order of the command line. A text it returns is printed, and nothing else happens.
   * @throws QomError when the argument is wrong
   */
  readonly take: (draft: Draft, value: string) => string | void;
}

const OPTIONS: readonly OptionRow[] = [
  { short: "h", long: "help", help: "print this text and exit", take: () => helpText() },
  { short: "V", long: "version", help: "print the version and exit", take: () => `qom-pr-helper ${packageVersion()}\n` },
  {
    short: "k",
    long: "socket",
    argument: "PATH",
    help: `absolute path of the Unix socket to listen on (${DEFAULT_SOCKET})`,
    take: (draft, value) => void (draft.socket = absolute(value)),
  },
  {
    short: "f",
    long: "pidfile",
    argument: "PATH",
    help: "file for the process number, removed at exit",
    take: (draft, value) => void (draft.pidFile = value),
  },
  {
    short: "v",
    long: "verbose",
    help: "tell of clients; twice: of every request",
    take: (draft) => void (draft.logLevel = louder(draft.logLevel)),
  },
  {
    short: "q",
    long: "quiet",
    help: "tell of nothing but the error that ends the program",
    take: (draft) => void (draft.logLevel = LogLevel.FATAL),
  },
  {
    long: "workers",
    own: true,
    argument: "NUMBER",
    help: `most threads, 1 to ${WORKERS_MAX} (${DEFAULT_WORKERS}): so many disks may hang before others wait`,
    take: (draft, value) => void (draft.workersMax = wholeNumber("workers", value, 1, WORKERS_MAX)),
  },
  {
    long: "object",
    own: true,
    argument: "TYPE,...",
    help: "the manager that executes, as in QEMU's -object (pr-manager-sgio); 'help' lists types",
    take: (draft, value) => void (draft.objects = [...draft.objects, parseObjectOption(value)]),
  },
  {
    long: "initiator-from",
    own: true,
    argument: "uid|pid",
    help: "for other managers: each user, or each process, is an initiator (uid)",
    take: (draft, value) => void (draft.initiatorFrom = initiatorSource(value)),
  },
  {
    long: "allow-dm",
    own: true,
    help: "let SG_IO reach dm-multipath devices, where a registration is made on one path only",
    take: (draft) => void (draft.allowMultipath = true),
  },
  {
    long: "allow-uid",
    own: true,
    argument: "NUMBER",
    help: "let this user connect, and others only if they are allowed too; may be repeated",
    take: (draft, value) => allow(draft, "allowedUids", wholeNumber("allow-uid", value, 0, ID_MAX)),
  },
  {
    long: "allow-gid",
    own: true,
    argument: "NUMBER",
    help: "the same for processes whose effective group this is",
    take: (draft, value) => allow(draft, "allowedGids", wholeNumber("allow-gid", value, 0, ID_MAX)),
  },
  {
    long: "connections-per-user",
    own: true,
    argument: "NUMBER",
    help: `most connections of one user (${CONNECTIONS_PER_USER_DEFAULT})`,
    take: (draft, value) => limit(draft, "connectionsPerUser", wholeNumber("connections-per-user", value, 1, CONNECTION_DESCRIPTOR_LIMIT)),
  },
  {
    long: "connections-per-process",
    own: true,
    argument: "NUMBER",
    help: `most connections of one process (${CONNECTIONS_PER_PROCESS_DEFAULT})`,
    take: (draft, value) =>
      limit(draft, "connectionsPerProcess", wholeNumber("connections-per-process", value, 1, CONNECTION_DESCRIPTOR_LIMIT)),
  },
  {
    long: "request-timeout",
    own: true,
    argument: "SECONDS",
    help: `drop a client that takes longer over one request (${REQUEST_TIMEOUT_S_DEFAULT})`,
    take: (draft, value) => void (draft.requestTimeoutMs = 1000 * wholeNumber("request-timeout", value, 1, REQUEST_TIMEOUT_S_MAX)),
  },
  {
    long: "status",
    own: true,
    help: "print the status of the helper that serves the socket, as JSON, and exit",
    take: (draft) => void (draft.askStatus = true),
  },
];

/**
 * Reads the command line; words that are no options are ignored, as qemu-pr-helper does.
 * @param args without node and program
 * @throws QomError for the first thing that is wrong
 */
export function parseHelperOptions(args: readonly string[]): HelperCommand {
  const draft: Draft = {
    socket: DEFAULT_SOCKET,
    pidFile: null,
    workersMax: DEFAULT_WORKERS,
    logLevel: LogLevel.WARNING,
    objects: [],
    initiatorFrom: "uid",
    allowMultipath: false,
    admission: {
      allowedUids: [],
      allowedGids: [],
      connectionsPerUser: CONNECTIONS_PER_USER_DEFAULT,
      connectionsPerProcess: CONNECTIONS_PER_PROCESS_DEFAULT,
    },
    requestTimeoutMs: 1000 * REQUEST_TIMEOUT_S_DEFAULT,
    askStatus: false,
  };
  for (const { option, value } of readOptions(args, OPTIONS)) {
    const print = option.take(draft, value);
    if (print !== undefined) return { print };
  }
  return draft.askStatus ? { status: draft.socket } : { serve: draft };
}

/** Column where the second half of a line of help starts. */
const HELP_COLUMN = 26;

function helpText(): string {
  const lines = OPTIONS.map(
    (option) => `  ${option.short === undefined ? "    " : ""}${displayName(option)}`.padEnd(HELP_COLUMN) + option.help,
  );
  return [
    "Usage: qom-pr-helper [OPTIONS]",
    "Executes SCSI persistent reservation commands for virtual machines that may not do so themselves.",
    "",
    ...lines,
    "",
  ].join("\n");
}

function allow(draft: Draft, list: "allowedUids" | "allowedGids", id: number): void {
  draft.admission = { ...draft.admission, [list]: [...draft.admission[list], id] };
}

function limit(draft: Draft, name: "connectionsPerUser" | "connectionsPerProcess", value: number): void {
  draft.admission = { ...draft.admission, [name]: value };
}

function initiatorSource(text: string): InitiatorSource {
  if (text === "uid" || text === "pid") return text;
  throw new QomError("invalid-value", `option '--initiator-from': '${printable(text)}' is neither uid nor pid`);
}

/** One level up; -q stands, whether it comes before or after. */
function louder(level: number): number {
  return level === LogLevel.FATAL ? level : Math.min(level + 1, LogLevel.REQUEST);
}

function absolute(path: string): string {
  if (isAbsolute(path)) return path;
  throw new QomError("invalid-value", `the socket's path must be absolute, and '${printable(path)}' is not`);
}

/** The number that `text` is in decimal digits, if it is from `min` to `max`. */
function wholeNumber(option: string, text: string, min: number, max: number): number {
  const number = /^[0-9]+$/.test(text) ? Number(text) : min - 1;
  if (number >= min && number <= max) return number;
  throw new QomError("invalid-value", `option '--${option}': '${printable(text)}' is not a number from ${min} to ${max}`);
}
