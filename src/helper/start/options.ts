/** The command line of qom-pr-helper: the options of qemu-pr-helper, followed by its own. */

import { isAbsolute } from "node:path";
import { QomError } from "../../base/errors.js";
import { printable } from "../../base/limits.js";
import { packageVersion } from "../../base/package-version.js";
import { accountNamed, accountNumbered, groupNamed } from "../../native/server/accounts.js";
import { CONNECTIONS_PER_PROCESS_DEFAULT, CONNECTIONS_PER_USER_DEFAULT } from "../connections/admission.js";
import { CONNECTION_DESCRIPTOR_LIMIT } from "../shared/connection-table.js";
import { noTracePoint } from "../../options/trace-selection.js";
import { displayName, readOptions } from "../../options/getopt.js";
import type { OptionNames } from "../../options/getopt.js";
import { LogLevel } from "../log.js";
import type { InitiatorSource } from "../managers/initiators.js";
import { parseObjectOption } from "../managers/manager-host.js";
import { WORKERS_MAX } from "../settings/settings.js";
import type { HelperOptions } from "../settings/settings.js";
import { checkSocketNames, nameOfSocket } from "../socket-names.js";
import { REQUEST_TIMEOUT_S_DEFAULT } from "../connections/stalled-clients.js";
import { TraceSelection } from "../trace/trace-option.js";
import { HELPER_TRACE_POINTS } from "../trace/trace-points.js";
import { BYTES_PER_USER_DEFAULT, HOLDINGS_MAX, REGISTRATIONS_PER_USER_DEFAULT, UNITS_PER_USER_DEFAULT } from "../managers/user-limits.js";
import type { UserLimits } from "../managers/user-limits.js";
import { absolutePath } from "../working-folder.js";

/** Where qemu-pr-helper of the distributions has its socket. */
export const DEFAULT_SOCKET = "/var/run/qemu-pr-helper.sock";

/** Where it has its pid file, when it is in the background. */
const DEFAULT_PID_FILE = "/var/run/qemu-pr-helper.pid";

const DEFAULT_WORKERS = 16;

/** A day: a longer limit is as good as none. */
const REQUEST_TIMEOUT_S_MAX = 86_400;

/** What to do: serve, with warnings about the options; print a text; or ask a helper for its status. */
export type HelperInvocation =
  | { readonly serve: HelperOptions; readonly warnings: readonly string[] }
  | { readonly print: string }
  /** Path of the socket that the helper serves. */
  | { readonly status: string };

/** The options while they are being read. */
type Draft = { -readonly [Name in keyof Omit<HelperOptions, "trace">]: HelperOptions[Name] } & {
  readonly trace: TraceSelection;
  /** Of the user to run as; for when no group is given. */
  primaryGroup: number | null;
  askStatus: boolean;
};

/** One option: its names, its line of help, and what it does. */
interface OptionRow extends OptionNames {
  readonly help: string;
  /**
   * Takes note of the option, in the order of the command line. A text it returns is printed, and nothing else happens.
   * @throws QomError when the argument is wrong
   */
  readonly take: (draft: Draft, value: string) => string | void;
}

/** THE table of options, in the order of the help text: those of qemu-pr-helper, then the own ones. */
export const HELPER_OPTIONS: readonly OptionRow[] = [
  { short: "h", long: "help", help: "print this text and exit", take: () => helpText() },
  { short: "V", long: "version", help: "print the version and exit", take: () => `qom-pr-helper ${packageVersion()}\n` },
  {
    short: "k",
    long: "socket",
    argument: "PATH",
    help: `absolute path of the Unix socket to listen on (${DEFAULT_SOCKET})`,
    take: (draft, value) => void (draft.sockets = [...draft.sockets, absolute(value)]),
  },
  {
    short: "d",
    long: "daemon",
    help: "serve in the background; return once it serves",
    take: (draft) => void (draft.background = true),
  },
  {
    short: "f",
    long: "pidfile",
    argument: "PATH",
    help: `pid file, removed at exit (with -d: ${DEFAULT_PID_FILE})`,
    take: (draft, value) => void (draft.pidFile = absolutePath("pidfile", value)),
  },
  {
    short: "u",
    long: "user",
    argument: "USER",
    help: "name or number of the user to run as, with the user's group unless -g is given",
    take: (draft, value) => {
      const account = accountNamed(value) ?? unnamedAccount("user", value);
      draft.user = account.user;
      draft.primaryGroup = account.group;
    },
  },
  {
    short: "g",
    long: "group",
    argument: "GROUP",
    help: "name or number of the group to run as",
    take: (draft, value) => void (draft.group = groupNamed(value) ?? idNumber("group", "group", value)),
  },
  {
    short: "T",
    long: "trace",
    argument: "[[enable=]PATTERN][,events=FILE][,file=FILE]",
    help: "print trace points; -T help lists them",
    take: (draft, value) => draft.trace.apply(value),
  },
  {
    short: "v",
    long: "verbose",
    help: "log client connections; twice: every request as well",
    take: (draft) => void (draft.logLevel = louder(draft.logLevel)),
  },
  {
    short: "q",
    long: "quiet",
    help: "log only fatal errors",
    take: (draft) => void (draft.logLevel = LogLevel.FATAL),
  },
  {
    long: "workers",
    own: true,
    argument: "NUMBER",
    help: `maximum number of worker threads, 1 to ${WORKERS_MAX} (${DEFAULT_WORKERS}): that many disks can hang before others wait`,
    take: (draft, value) => void (draft.workersMax = wholeNumber("workers", value, 1, WORKERS_MAX)),
  },
  {
    long: "object",
    own: true,
    argument: "TYPE,...",
    help: "the manager that executes, as in QEMU's -object (pr-manager-sgio); 'help' lists types",
    take: (draft, value) => {
      parseObjectOption(value);
      draft.objects = [...draft.objects, value];
    },
  },
  {
    long: "initiator-from",
    own: true,
    argument: "uid|pid|path",
    help: "with other managers: each user, process, or socket (several -k) is an initiator (uid)",
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
    argument: "USER",
    help: "allow this user; users and groups not named are then refused; may be repeated",
    take: (draft, value) => allow(draft, "allowedUids", (accountNamed(value) ?? unnamedAccount("allow-uid", value)).user),
  },
  {
    long: "allow-gid",
    own: true,
    argument: "GROUP",
    help: "the same for processes with this effective group",
    take: (draft, value) => allow(draft, "allowedGids", groupNamed(value) ?? idNumber("allow-gid", "group", value)),
  },
  {
    long: "connections-per-user",
    own: true,
    argument: "NUMBER",
    help: `maximum connections of one user (${CONNECTIONS_PER_USER_DEFAULT})`,
    take: (draft, value) => limit(draft, "connectionsPerUser", wholeNumber("connections-per-user", value, 1, CONNECTION_DESCRIPTOR_LIMIT)),
  },
  {
    long: "connections-per-process",
    own: true,
    argument: "NUMBER",
    help: `maximum connections of one process (${CONNECTIONS_PER_PROCESS_DEFAULT})`,
    take: (draft, value) =>
      limit(draft, "connectionsPerProcess", wholeNumber("connections-per-process", value, 1, CONNECTION_DESCRIPTOR_LIMIT)),
  },
  {
    long: "units-per-user",
    own: true,
    argument: "NUMBER",
    help: `with other managers: maximum disks of one user (${UNITS_PER_USER_DEFAULT})`,
    take: (draft, value) => userLimit(draft, "units", wholeNumber("units-per-user", value, 1, HOLDINGS_MAX.units)),
  },
  {
    long: "registrations-per-user",
    own: true,
    argument: "NUMBER",
    help: `with other managers: maximum registrations of one user (${REGISTRATIONS_PER_USER_DEFAULT})`,
    take: (draft, value) => userLimit(draft, "registrations", wholeNumber("registrations-per-user", value, 1, HOLDINGS_MAX.registrations)),
  },
  {
    long: "bytes-per-user",
    own: true,
    argument: "NUMBER",
    help: `with other managers: maximum memory of one user, in bytes (${BYTES_PER_USER_DEFAULT})`,
    take: (draft, value) => userLimit(draft, "bytes", wholeNumber("bytes-per-user", value, BYTES_PER_USER_MIN, HOLDINGS_MAX.bytes)),
  },
  {
    long: "request-timeout",
    own: true,
    argument: "SECONDS",
    help: `drop a client that takes longer to send a request or to receive its answer (${REQUEST_TIMEOUT_S_DEFAULT})`,
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
 * Reads the command line; words that are not options are ignored, as qemu-pr-helper does.
 * @param args without node and program
 * @throws QomError for the first thing that is wrong
 */
export function parseHelperOptions(args: readonly string[]): HelperInvocation {
  const draft: Draft = {
    sockets: [],
    pidFile: null,
    background: false,
    user: null,
    group: null,
    primaryGroup: null,
    trace: new TraceSelection(),
    workersMax: DEFAULT_WORKERS,
    logLevel: LogLevel.WARNING,
    objects: [],
    initiatorFrom: "uid",
    allowMultipath: false,
    admission: {
      allowedUids: [],
      allowedGids: [],
      connectionsPerUser: null,
      connectionsPerProcess: CONNECTIONS_PER_PROCESS_DEFAULT,
    },
    userLimits: { units: UNITS_PER_USER_DEFAULT, registrations: REGISTRATIONS_PER_USER_DEFAULT, bytes: BYTES_PER_USER_DEFAULT },
    requestTimeoutMs: 1000 * REQUEST_TIMEOUT_S_DEFAULT,
    askStatus: false,
  };
  for (const word of readOptions(args, HELPER_OPTIONS)) {
    if ("operand" in word) continue;
    const print = word.option.take(draft, word.value);
    if (print !== undefined) return { print };
  }
  const last = draft.sockets.slice(-1);
  if (draft.askStatus) return { status: last[0] ?? DEFAULT_SOCKET };
  if (draft.initiatorFrom === "path") checkSocketNames(draft.sockets.map(nameOfSocket), "option '--socket'");
  else draft.sockets = last;
  const { primaryGroup, trace, askStatus: _, ...options } = draft;
  const pidFile = options.pidFile ?? (options.background ? DEFAULT_PID_FILE : null);
  return {
    serve: { ...options, pidFile, group: options.group ?? primaryGroup, trace: trace.options },
    warnings: trace.unknown.map((name) => noTracePoint(name, HELPER_TRACE_POINTS)),
  };
}

/** Column where the second half of a line of help starts. */
const HELP_COLUMN = 26;

function helpText(): string {
  const lines = HELPER_OPTIONS.map((option) => {
    const names = `  ${option.short === undefined ? "    " : ""}${displayName(option)}`;
    return names.length < HELP_COLUMN ? names.padEnd(HELP_COLUMN) + option.help : `${names}\n${" ".repeat(HELP_COLUMN)}${option.help}`;
  });
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

function userLimit(draft: Draft, name: keyof UserLimits, value: number): void {
  draft.userLimits = { ...draft.userLimits, [name]: value };
}

/** Room for one disk and its registrations: with less the helper would be of no use. */
const BYTES_PER_USER_MIN = 65_536;

function initiatorSource(text: string): InitiatorSource {
  if (text === "uid" || text === "pid" || text === "path") return text;
  throw new QomError("invalid-value", `option '--initiator-from': '${printable(text)}' is not uid, pid or path`);
}

/** One level up; -q stands, whether it comes before or after. */
function louder(level: number): number {
  return level === LogLevel.FATAL ? level : Math.min(level + 1, LogLevel.REQUEST);
}

function absolute(path: string): string {
  if (isAbsolute(path)) return path;
  throw new QomError("invalid-value", `the socket's path must be absolute, and '${printable(path)}' is not`);
}

/** The user with a number instead of a name; one that has no account has no primary group either. */
function unnamedAccount(option: string, text: string): { readonly user: number; readonly group: number | null } {
  const user = idNumber(option, "user", text);
  return accountNumbered(user) ?? { user, group: null };
}

/** A user or group by its number. The highest of all means no change to the system, which cannot be what was asked for. */
function idNumber(option: string, kind: "user" | "group", text: string): number {
  const number = /^[0-9]{1,10}$/.test(text) ? Number(text) : ID_LIMIT;
  if (number < ID_LIMIT) return number;
  throw new QomError("invalid-value", `option '--${option}': there is no ${kind} '${printable(text)}'`);
}

/** Ids have numbers below this (uid_t of Linux, without -1). */
const ID_LIMIT = 0xffff_ffff;

/** The number that `text` is in decimal digits, if it is from `min` to `max`. */
function wholeNumber(option: string, text: string, min: number, max: number): number {
  const number = /^[0-9]+$/.test(text) ? Number(text) : min - 1;
  if (number >= min && number <= max) return number;
  throw new QomError("invalid-value", `option '--${option}': '${printable(text)}' is not a number from ${min} to ${max}`);
}
