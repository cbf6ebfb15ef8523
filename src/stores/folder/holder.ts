/**
 * The process that holds a folder, as its lock describes it, and whether it may still be running.
 *
 *     pid:4711 started:8812345 boot:1b4e28ba-… namespace:pid:[4026531836] time:time:[4026531834] use:lasting held:5d7c…
 *
 * `started` is the start time of the process (native/process/stat.ts) as seen from the time namespace `time`, `boot` the kernel's boot id,
 * `namespace` the PID namespace. `held` is the name in the file that the holder keeps locked in the kernel (held-file.ts), and is empty
 * without native code. In version 0.1.0 the text ended after `namespace`; it respects locks with a longer text.
 *
 * A process that cannot be seen is not assumed dead: only if its PID is free in its own namespace, or belongs to another process. The boot
 * id alone proves nothing, since a container may have its own.
 */

import { readFileSync, readlinkSync } from "node:fs";
import { isErrnoError } from "../../base/errors.js";
import { hasEnded } from "../../native/process/end.js";
import { readProcessStat } from "../../native/process/stat.js";

/** How long a folder is held: for one command, or for as long as a program serves. */
export type FolderUse = "moment" | "lasting";

/** What a lock says about its holder; members that the system, or an older version, does not provide are empty. */
export interface FolderHolder {
  readonly pid: number;
  readonly started: string;
  readonly boot: string;
  readonly namespace: string;
  readonly time: string;
  readonly use: FolderUse | "";
  /** The name in `lock.held`. */
  readonly held: string;
}

/** Whether a holder is running: `unseen` if that cannot be found out from here. */
export type HolderState = "running" | "dead" | "unseen";

/** This process as the holder of a folder. */
export function thisProcess(use: FolderUse, held: string): FolderHolder {
  const stat = readProcessStat("/proc/self/stat");
  return {
    pid: stat?.pid ?? process.pid,
    started: stat?.started ?? "",
    boot: textOf(() => readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim()),
    namespace: textOf(() => readlinkSync("/proc/self/ns/pid")),
    time: textOf(() => readlinkSync("/proc/self/ns/time")),
    use,
    held,
  };
}

/** The text of a lock. */
export function formatHolder({ pid, started, boot, namespace, time, use, held }: FolderHolder): string {
  return `pid:${pid} started:${started} boot:${boot} namespace:${namespace} time:${time} use:${use} held:${held}`;
}

const OLD_PART = String.raw`pid:(?<pid>\d{1,10}) started:(?<started>\d*) boot:(?<boot>\S*) namespace:(?<namespace>\S*)`;
const NEW_PART = String.raw`time:(?<time>\S*) use:(?<use>moment|lasting) held:(?<held>\S*)`;
const HOLDER = new RegExp(`^${OLD_PART}(?: ${NEW_PART})?$`);

/** Parses the text of a lock, including that of version 0.1.0; null if it is neither. */
export function parseHolder(text: string): FolderHolder | null {
  const { pid, started, boot, namespace, time, use, held } = HOLDER.exec(text)?.groups ?? {};
  if (pid === undefined || started === undefined || boot === undefined || namespace === undefined) return null;
  return {
    pid: Number(pid),
    started,
    boot,
    namespace,
    time: time ?? "",
    use: use === "moment" || use === "lasting" ? use : "",
    held: held ?? "",
  };
}

/** Whether `holder` is running, as far as this process, `own`, can see. */
export function holderStateOf(holder: FolderHolder, own: FolderHolder): HolderState {
  if (!sharesNumbers(holder, own)) return "unseen";
  if (holder.pid === own.pid) return holder.started === own.started && holder.boot === own.boot ? "running" : "dead";
  if (!isNumberTaken(holder.pid)) return "dead";
  const stat = readProcessStat(`/proc/${holder.pid}/stat`);
  if (stat === null) return "unseen";
  if (hasEnded(holder.pid)) return "dead";
  if (holder.started === "" || !sharesStartTimes(holder, own)) return "unseen";
  return stat.started === holder.started ? "running" : "dead";
}

/** Whether both are in one PID namespace; if Linux does not say in which, they may not be. */
function sharesNumbers(holder: FolderHolder, own: FolderHolder): boolean {
  return holder.namespace === own.namespace && (own.namespace !== "" || process.platform !== "linux");
}

/** Whether start times are comparable. Version 0.1.0 did not save the time namespace; then that of the process with this PID counts. */
function sharesStartTimes(holder: FolderHolder, own: FolderHolder): boolean {
  const time = holder.time === "" ? textOf(() => readlinkSync(`/proc/${holder.pid}/ns/time`)) : holder.time;
  return time === own.time;
}

function isNumberTaken(pid: number): boolean {
  try {
    // signal 0 is only a test; a process that may not be signalled exists, too
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return !(isErrnoError(error) && error.code === "ESRCH");
  }
}

/** What `read` returns; empty where the system does not provide it. */
function textOf(read: () => string): string {
  try {
    return read();
  } catch (error) {
    if (isErrnoError(error)) return "";
    throw error;
  }
}
