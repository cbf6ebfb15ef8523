/**
 * The process that holds a folder, in the words of its lock, and whether it may still be running.
 *
 *     pid:4711 started:8812345 boot:1b4e28ba-… namespace:pid:[4026531836] time:time:[4026531834] use:lasting held:5d7c…
 *
 * `started` is the start time of the process (native/process/stat.ts) as seen from the time namespace `time`, `boot` the
 * kernel's boot id, `namespace` that of process numbers. `held` names the file beside the lock that its holder keeps locked in the kernel
 * (lock.ts), and is empty without native code. Version 0.1.0 ended the text after `namespace`; it respects every lock with more.
 *
 * What cannot be seen is not dead: a process is taken for dead only when its number is free in the namespace that it belongs to, or has
 * another owner. The boot id proves nothing by itself, since a container may have one of its own.
 */

import { readFileSync, readlinkSync } from "node:fs";
import { isErrnoError } from "../../base/errors.js";
import { hasEnded } from "../../native/process/end.js";
import { readProcessStat } from "../../native/process/stat.js";

/** How long a folder is held: for one command, or for as long as something serves. */
export type FolderUse = "moment" | "lasting";

/** What a lock says about its holder; a member is empty where the system, or an older version, does not say it. */
export interface FolderHolder {
  readonly pid: number;
  readonly started: string;
  readonly boot: string;
  readonly namespace: string;
  readonly time: string;
  readonly use: FolderUse | "";
  /** Name of the locked file beside the lock. */
  readonly held: string;
}

/** Whether a holder runs: `unseen` when that cannot be found out from here. */
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

/** Reads the text of a lock, that of version 0.1.0 too; null when it is neither. */
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

/** Whether `holder` runs, as far as `own`, this process, can see. */
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

/** Whether a process number means the same to both; where Linux does not say which namespace it is, it may be any. */
function sharesNumbers(holder: FolderHolder, own: FolderHolder): boolean {
  return holder.namespace === own.namespace && (own.namespace !== "" || process.platform !== "linux");
}

/** Whether start times mean the same to both. Version 0.1.0 did not say; then the process that has the number now is looked at. */
function sharesStartTimes(holder: FolderHolder, own: FolderHolder): boolean {
  const time = holder.time === "" ? textOf(() => readlinkSync(`/proc/${holder.pid}/ns/time`)) : holder.time;
  return time === own.time;
}

function isNumberTaken(pid: number): boolean {
  try {
    // signal 0 is not sent; one that may not be sent to has the number too
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return !(isErrnoError(error) && error.code === "ESRCH");
  }
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
