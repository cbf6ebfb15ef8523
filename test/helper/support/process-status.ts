/** What the kernel tells of another process, for tests. */

import { readdirSync, readFileSync } from "node:fs";
import { askStatus } from "#src/helper/serving/status.js";
import type { StatusReport } from "#src/helper/serving/status.js";
import { skipUnlessRequired } from "../../support/requirement.js";
import { until } from "./helper-process.js";
import type { HelperProcess } from "./helper-process.js";

/** Fields of one thread in /proc/PID/task/N/status, with single blanks: `Uid` is `0 0 0 0`. */
export type ThreadStatus = ReadonlyMap<string, string>;

/** Every thread of the process `pid`. */
export function threadStatuses(pid: number): ThreadStatus[] {
  return readdirSync(`/proc/${pid}/task`).map((thread) => {
    const lines = readFileSync(`/proc/${pid}/task/${thread}/status`, "utf8").split("\n");
    return new Map(
      lines.map(
        (line) =>
          [
            line.replace(/:.*/, ""),
            line
              .replace(/^[^:]*:/, "")
              .trim()
              .replaceAll(/\s+/g, " "),
          ] as const,
      ),
    );
  });
}

/** The different values that the threads of `pid` have in some fields: one, when all are alike. */
export function distinctStatuses(pid: number, fields: readonly string[]): string[] {
  const texts = threadStatuses(pid).map((status) => fields.map((field) => `${field} ${status.get(field)}`).join("; "));
  return [...new Set(texts)];
}

/**
 * Stops a process, and resolves when each of its threads stands still: kill() returns before, and a thread that did not get the signal
 * itself may serve one more request meanwhile. SIGCONT lets it go on.
 */
export async function stopProcess(pid: number): Promise<void> {
  process.kill(pid, "SIGSTOP");
  await until(() => threadStatuses(pid).every((status) => status.get("State") === "T (stopped)"));
}

/** Skips the suite of `context` when the tests do not run as root; with REQUIRE_SYSTEM=1 it fails instead. */
export function skipUnlessRoot(context: Mocha.Context): void {
  if (process.getuid?.() === 0) return;
  skipUnlessRequired(context, "these tests have to run as root");
}

/** Bit of CAP_SYS_RAWIO (linux/capability.h). */
const CAP_SYS_RAWIO = 17n;

/** What a helper that is started by these tests has to say of its privileges: a line, or nothing when they have CAP_SYS_RAWIO. */
export function privilegeWarning(): string {
  const effective = /^CapEff:\s+([0-9a-f]+)$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? "0";
  if (((BigInt(`0x${effective}`) >> CAP_SYS_RAWIO) & 1n) === 1n) return "";
  return "qom-pr-helper: CAP_SYS_RAWIO is missing: the system will refuse reservation commands for real disks\n";
}

/** How many workers the helper on the socket at `path` has, by what it says of itself. */
export async function workersOf(path: string): Promise<number> {
  const report = JSON.parse(await askStatus(path)) as StatusReport; // what it answers
  return report.workers.running;
}

/** Standard output and error, which are socket pairs, the one that it listens on for its status, and the two ends of the gate's pair. */
const SOCKETS_OF_ITS_OWN = 5;

/**
 * Waits until nobody is connected to the helper on the socket at `path`, and it has closed its end of the last connection too, which it does
 * a moment later. What it has open then: without what clients lent, if nobody has lent it anything so far, and otherwise sooner or later.
 */
export async function descriptorsAtRest(helper: HelperProcess, path: string): Promise<readonly string[]> {
  await until(async () => /"clients": \[\]/.test(await askStatus(path)));
  let open = helper.descriptors;
  await until(() => (open = helper.descriptors).filter(isSocket).length === SOCKETS_OF_ITS_OWN);
  return open;
}

function isSocket(target: string): boolean {
  return target.startsWith("socket:");
}

/**
 * Waits until the helper has open what it had at rest, and a socket for each of so many clients. It closes what it was lent when the client
 * has its answer, and on a busy computer other workers, which `--workers` does not count then, have gone on meanwhile.
 */
export async function hasClosed(helper: HelperProcess, atRest: readonly string[], connected = 0): Promise<void> {
  await until(() => {
    const open = helper.descriptors;
    const clients = open.filter((target) => isSocket(target) && !atRest.includes(target));
    return clients.length === connected && open.filter((target) => !clients.includes(target)).join() === atRest.join();
  });
}

/** All that a helper on the socket at `path` has to say while nothing happens. */
export function startLines(path: string): string {
  return `${privilegeWarning()}${listeningLine(path)}`;
}

/** What a helper says when it serves. */
export function listeningLine(...paths: readonly string[]): string {
  return `qom-pr-helper: listening on ${paths.map((path) => `'${path}'`).join(", ")}\n`;
}
