/**
 * One process at a time in a folder, without native code.
 *
 * The lock is a symbolic link whose target says who holds it. Making a link is atomic, fails where there is one, and leaves no moment in
 * which a lock exists and does not say whose it is:
 *
 *     lock -> pid:4711 started:8812345 boot:1b4e28ba-2fa1-4d3b-a3f5-ef19b5a7633b namespace:pid:[4026531836]
 *
 * `started` is the start time of the process (proc(5), /proc/PID/stat, field 22), `boot` the kernel's boot id: a number that another
 * process has by now, or has after a reboot, does not pass for the holder. Where there is no /proc only `pid` is known.
 *
 * A lock whose holder is dead is removed by whoever comes next. Between seeing that and removing it, another one could have done both and
 * taken the lock; so the removal has a lock of its own, `lock.1`, and is done after a second look. Its holder may be killed just then;
 * the next one takes `lock.1` over in the same way, under `lock.2`.
 */

import { readFileSync, readlinkSync, symlinkSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import { QomError, isErrnoError } from "../base/errors.js";
import { printable } from "../base/limits.js";

/** How many locks may have been left in a row: each but the first means a process that was killed within a few microseconds. */
const LEVEL_MAX = 8;

/** What a lock says of its holder; a member is empty where the system does not tell. */
interface ProcessIdentity {
  readonly pid: number;
  readonly started: string;
  readonly boot: string;
  readonly namespace: string;
}

/** The lock of a folder, held by this process until it is released. */
export class FolderLock {
  readonly #path: string;
  readonly #target: string;

  private constructor(path: string, target: string) {
    this.#path = path;
    this.#target = target;
  }

  /**
   * Locks `folder`, which exists.
   * @throws QomError `in-use` that names the folder and the process that holds it, `io` when the system refuses
   */
  static acquire(folder: string): FolderLock {
    const own = thisProcess();
    const target = format(own);
    return new FolderLock(take(folder, 0, own, target), target);
  }

  /** Lets go. A lock that is not this one any more, since somebody removed it by hand, stays. */
  release(): void {
    if (targetOf(this.#path) === this.#target) unlinkSync(this.#path);
  }
}

/** Takes the lock of that level; gives its path. */
function take(folder: string, level: number, own: ProcessIdentity, target: string): string {
  const path = join(folder, level === 0 ? "lock" : `lock.${level}`);
  while (!create(path, target)) {
    const found = targetOf(path);
    // released since
    if (found === null) continue;
    requireDead(folder, path, found, own);
    if (level === LEVEL_MAX) throw refusal(folder, `its locks were left by ${level + 1} dead processes`, `remove "${path}"`);
    const guard = take(folder, level + 1, own, target);
    try {
      if (targetOf(path) === found) unlinkSync(path);
    } finally {
      unlinkSync(guard);
    }
  }
  return path;
}

function create(path: string, target: string): boolean {
  try {
    symlinkSync(target, path);
    return true;
  } catch (error) {
    if (isErrnoError(error) && error.code === "EEXIST") return false;
    throw new QomError("io", `cannot make the lock "${printable(path)}"`, { cause: error });
  }
}

/** What the lock says; null when there is none. */
function targetOf(path: string): string | null {
  try {
    return readlinkSync(path);
  } catch (error) {
    if (isErrnoError(error) && error.code === "ENOENT") return null;
    throw new QomError("io", `cannot read the lock "${printable(path)}"`, { cause: error, hint: "a lock is a symbolic link" });
  }
}

function requireDead(folder: string, path: string, target: string, own: ProcessIdentity): void {
  const removal = `if nobody does, remove "${printable(path)}"`;
  const holder = parse(target);
  if (holder === null) throw refusal(folder, `its lock says "${printable(target)}", which is no process`, removal);
  if (holder.boot !== own.boot) return;
  if (holder.namespace !== own.namespace) {
    throw refusal(folder, `process ${holder.pid} of another container may be using it`, removal);
  }
  if (!isAlive(holder)) return;
  throw refusal(folder, `process ${holder.pid}${holder.pid === own.pid ? ", this one," : ""} is using it`);
}

function refusal(folder: string, reason: string, hint?: string): QomError {
  const context = { value: printable(folder) };
  return new QomError(
    "in-use",
    `the folder "${printable(folder)}" is locked: ${reason}`,
    hint === undefined ? { context } : { context, hint },
  );
}

function isAlive({ pid, started }: ProcessIdentity): boolean {
  if (started !== "") return processStat(String(pid))?.started === started;
  try {
    // signal 0 is not sent
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return !(isErrnoError(error) && error.code === "ESRCH");
  }
}

function thisProcess(): ProcessIdentity {
  const stat = processStat("self");
  return {
    pid: stat?.pid ?? process.pid,
    started: stat?.started ?? "",
    boot: textOf(() => readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim()),
    namespace: textOf(() => readlinkSync("/proc/self/ns/pid")),
  };
}

/** Fields of /proc/PID/stat behind the name of the program, which may contain blanks and parentheses: the state is field 3. */
const STATE_AT = 0;
const STARTED_AT = 22 - 3;

/** A process that has ended and that its parent has not asked for yet. */
const ENDED_STATES: readonly string[] = ["Z", "X"];

/** Number and start time of a process; null for one that does not run. */
function processStat(name: string): { readonly pid: number; readonly started: string } | null {
  const text = textOf(() => readFileSync(`/proc/${name}/stat`, "utf8"));
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const started = fields[STARTED_AT];
  if (started === undefined || ENDED_STATES.includes(fields[STATE_AT] ?? "")) return null;
  return { pid: Number.parseInt(text, 10), started };
}

/** What `read` gives, or nothing where the system does not have it. */
function textOf(read: () => string): string {
  try {
    return read();
  } catch (error) {
    if (isErrnoError(error)) return "";
    throw error;
  }
}

function format({ pid, started, boot, namespace }: ProcessIdentity): string {
  return `pid:${pid} started:${started} boot:${boot} namespace:${namespace}`;
}

function parse(target: string): ProcessIdentity | null {
  const { pid, started, boot, namespace } =
    /^pid:(?<pid>\d{1,10}) started:(?<started>\d*) boot:(?<boot>\S*) namespace:(?<namespace>\S*)$/.exec(target)?.groups ?? {};
  if (pid === undefined || started === undefined || boot === undefined || namespace === undefined) return null;
  return { pid: Number(pid), started, boot, namespace };
}
