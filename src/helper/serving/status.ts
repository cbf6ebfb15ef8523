/**
 * What `--status` prints: the running helper's clients, commands and errors as JSON.
 *
 * The wire protocol has no room for a question: both feature words must be 0, and anything else is a request. So the helper listens on a
 * second socket beside the first, PATH.status. Every client that connects is sent the report, and the connection is closed; nothing is read.
 * The file's mode, 0600, is the permission: its owner and root may ask, others may not.
 */

import { createServer, connect } from "node:net";
import type { Server } from "node:net";
import { errnoOrMessage, isErrnoError, QomError } from "../../base/errors.js";
import { printable } from "../../base/limits.js";
import { missingFolder } from "../../base/missing-folder.js";
import { packageVersion } from "../../base/package-version.js";
import type { ClientRegister } from "../shared/client-register.js";
import type { UserHoldings } from "../managers/user-ledger.js";
import { sumTotals } from "../shared/totals.js";
import type { TotalName } from "../shared/totals.js";

const SUFFIX = ".status";

/** A report about all connections is far smaller: each takes about 350 bytes. */
const REPORT_LENGTH_MAX = 4 * 1024 * 1024;

/** Connections at the same time; a status is asked by hand or every few seconds, and one that does not take it must not pile up. */
const ASKERS_MAX = 16;

/** An asker that does not take its report is dropped after this time. */
const ASKER_TIMEOUT_MS = 5000;

/** Path of the socket for questions, beside that for requests. */
export function statusPathOf(socketPath: string): string {
  return `${socketPath}${SUFFIX}`;
}

/** Where a {@link StatusReport} comes from. */
export interface StatusSources {
  readonly socket: string | null;
  /** Path of the listening socket with that index. */
  readonly socketOf: (listener: number) => string | null;
  readonly register: ClientRegister;
  readonly totals: SharedArrayBuffer;
  readonly startedAtMs: number;
  /** Type of the manager that executes. */
  readonly manager: string;
  readonly users: () => readonly UserHoldings[];
  readonly isConnected: () => boolean;
  readonly workers: () => StatusReport["workers"];
}

/** The report. Times are whole seconds. */
export interface StatusReport {
  readonly version: string;
  readonly pid: number;
  /** Path of the socket for requests beside which it was asked, also of one that systemd made; null for one without a path. */
  readonly socket: string | null;
  readonly uptimeSeconds: number;
  readonly manager: { readonly type: string; readonly connected: boolean };
  readonly workers: { readonly running: number; readonly idle: number; readonly max: number };
  /** Clients that are connected, by descriptor: the number that the log calls them by. */
  readonly clients: readonly {
    readonly client: number;
    /** Path of the socket that it came to. */
    readonly socket: string | null;
    readonly pid: number;
    readonly uid: number;
    readonly gid: number;
    readonly connectedSeconds: number;
    readonly commands: number;
    readonly errors: number;
  }[];
  /** What users have made a manager keep, that is not pr-manager-sgio; only those who have anything. */
  readonly users: readonly UserHoldings[];
  readonly connections: { readonly accepted: number; readonly refused: number };
  /** Commands that were answered since the start, by operation code and by status. */
  readonly commands: {
    readonly total: number;
    readonly in: number;
    readonly out: number;
    readonly cleanUp: number;
    readonly good: number;
    readonly checkCondition: number;
    readonly reservationConflict: number;
    readonly otherStatus: number;
  };
  /** What went wrong since the start without being an answer of a disk. */
  readonly errors: { readonly protocol: number; readonly stalled: number; readonly multipathRefused: number };
}

/** The report as it is now. */
export function statusReport(sources: StatusSources, nowMs: number): StatusReport {
  const totals = sumTotals(sources.totals);
  const seconds = (sinceMs: number): number => Math.max(Math.floor((nowMs - sinceMs) / 1000), 0);
  return {
    version: packageVersion(),
    pid: process.pid,
    socket: sources.socket,
    uptimeSeconds: seconds(sources.startedAtMs),
    manager: { type: sources.manager, connected: sources.isConnected() },
    workers: sources.workers(),
    clients: [...sources.register.clients()].map(({ fd, listener, pid, uid, gid, connectedAtMs, commands, failures }) => ({
      ...{ client: fd, socket: sources.socketOf(listener), pid, uid, gid },
      ...{ connectedSeconds: seconds(connectedAtMs), commands, errors: failures },
    })),
    users: sources.users(),
    connections: { accepted: totals.connectionsAccepted, refused: totals.connectionsRefused },
    commands: commandsOf(totals),
    errors: { protocol: totals.protocolErrors, stalled: totals.stalled, multipathRefused: totals.multipathRefused },
  };
}

function commandsOf(totals: Readonly<Record<TotalName, number>>): StatusReport["commands"] {
  const { reserveIn, reserveOut, cleanUp, good, checkCondition, reservationConflict, otherStatus } = totals;
  const total = reserveIn + reserveOut + cleanUp;
  return { total, in: reserveIn, out: reserveOut, cleanUp, good, checkCondition, reservationConflict, otherStatus };
}

/**
 * Answers everyone who connects to the listening socket `fd`, which it owns from now on.
 * @param report gives the report
 * @param warn told, each time, that a connection could not be accepted
 */
export function serveStatus(fd: number, report: () => StatusReport, warn: (line: string) => void): Server {
  const server = createServer((socket) => {
    // The asker may be gone already.
    socket.on("error", () => {});
    socket.setTimeout(ASKER_TIMEOUT_MS, () => socket.destroy());
    // A report that is not read must not keep the helper from ending.
    socket.unref();
    socket.resume();
    socket.end(`${JSON.stringify(report(), null, 2)}\n`);
  });
  // For want of memory or descriptors, which the service may have again for the next one who asks.
  server.on("error", (error) => warn(`the status could not be given: ${errnoOrMessage(error)}`));
  server.maxConnections = ASKERS_MAX;
  server.listen({ fd });
  return server;
}

/**
 * Asks the helper that listens on `socketPath` for its report.
 * @throws QomError `connection` when none answers there, or not to this user
 */
export function askStatus(socketPath: string): Promise<string> {
  const path = statusPathOf(socketPath);
  return new Promise((resolve, reject) => {
    const refuse = (reason: string): void => {
      reject(new QomError("connection", `no status from '${printable(path)}': ${reason}`));
      socket.destroy();
    };
    let text = "";
    const socket = connect(path);
    socket.setEncoding("utf8");
    socket.setTimeout(ASKER_TIMEOUT_MS, () => refuse("the helper does not answer"));
    socket.on("data", (chunk: string) => {
      text += chunk;
      if (text.length > REPORT_LENGTH_MAX) refuse("the report has no end");
    });
    socket.once("error", (error) => {
      const code = isErrnoError(error) ? error.code : "";
      refuse((code === "ENOENT" ? missingFolder(path) : undefined) ?? REASONS[code] ?? errnoOrMessage(error));
    });
    socket.once("end", () => (text.endsWith("}\n") ? resolve(text) : refuse("the helper ended, or too many ask at once")));
  });
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "no helper serves that socket",
  ECONNREFUSED: "the helper is gone",
  EACCES: "only its owner and root can ask",
};
