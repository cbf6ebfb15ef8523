/**
 * Keeps a folder to one process at a time.
 *
 * The lock is a symbolic link whose target says who holds it (holder.ts). Creating a link is atomic and fails if there is one, so a lock
 * never exists without saying whose it is. With native code, the holder also keeps the file `lock.held` next to it locked in the kernel
 * (held-file.ts): while one process has it, no other gets as far as the link.
 *
 *     lock -> pid:4711 started:8812345 boot:1b4e28ba-2fa1-4d3b-a3f5-ef19b5a7633b namespace:pid:[4026531836] ...
 *
 * The next process removes a lock whose holder is dead. For a holder of `lock.held` the kernel knows, even across containers; for others,
 * the PID is looked up if it can be. Between that check and the removal, another process could have done both and taken the lock; so the
 * removal is protected by a lock of its own, `lock.1`, and by a second check. If the holder of `lock.1` is killed at that moment, the next
 * process takes `lock.1` over in the same way, under `lock.2`.
 */

import { readlinkSync, statfsSync, symlinkSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import { QomError, isErrnoError } from "../../base/errors.js";
import { printable } from "../../base/limits.js";
import { formatHolder, parseHolder, holderStateOf, thisProcess } from "./holder.js";
import type { FolderHolder, FolderUse } from "./holder.js";
import { HeldFile } from "./held-file.js";

/** Longest chain of stale locks: each but the first stands for a process that was killed within a window of a few microseconds. */
const LEVEL_MAX = 8;

/** The lock of a folder, held by this process until it is released. */
export class FolderLock {
  readonly #path: string;
  readonly #target: string;
  readonly #held: HeldFile | null;

  private constructor(path: string, target: string, held: HeldFile | null) {
    this.#path = path;
    this.#target = target;
    this.#held = held;
  }

  /**
   * Locks `folder`, which exists.
   * @param use how long it will be held, for the error message of a process that is refused
   * @throws QomError `in-use`, which names the folder and the process that holds it, with its `context.heldFor`; `io` if the system refuses
   */
  static acquire(folder: string, use: FolderUse): FolderLock {
    const held = holdFolder(folder);
    try {
      const own = thisProcess(use, held?.name ?? "");
      const target = formatHolder(own);
      return new FolderLock(take(folder, 0, own, target), target, held);
    } catch (error) {
      held?.giveBack();
      throw error;
    }
  }

  /** Unlocks the folder. A lock that is no longer this one, because somebody removed this one by hand, stays. */
  release(): void {
    try {
      if (targetOf(this.#path) === this.#target) unlinkSync(this.#path);
    } finally {
      this.#held?.release();
    }
  }
}

/** Locks `lock.held`; null where that is not possible. */
function holdFolder(folder: string): HeldFile | null {
  try {
    return HeldFile.acquire(join(folder, "lock.held"));
  } catch (error) {
    if (!(error instanceof QomError && error.kind === "in-use")) throw error;
    const refused = heldByAnother(folder);
    if (refused !== null) throw refused;
    return null;
  }
}

/**
 * The error for a folder whose `lock.held` another process has. Null if the process that the lock names has ended: a thread that waits in
 * the kernel (native/process/end.ts) may keep it, and its kernel locks, from vanishing. Then the link alone decides, as it does between two
 * processes that arrive at the same time.
 */
function heldByAnother(folder: string): QomError | null {
  const target = targetOf(join(folder, "lock"));
  const holder = target === null ? null : parseHolder(target);
  const own = thisProcess("moment", "");
  // it has not created its link yet
  if (holder === null) return refusal(folder, "another process is using it", "moment");
  if (holderStateOf(holder, own) === "dead") return null;
  const elsewhere = holder.namespace === own.namespace ? "" : " of another container";
  return refusal(folder, `process ${holder.pid}${ifThisOne(holder, own)}${elsewhere} is using it`, holder.use);
}

/** Takes the lock of that level; returns its path. */
function take(folder: string, level: number, own: FolderHolder, target: string): string {
  const path = join(folder, level === 0 ? "lock" : `lock.${level}`);
  while (!create(path, target)) {
    const found = targetOf(path);
    // released since
    if (found === null) continue;
    requireDead(folder, path, found, own);
    if (level === LEVEL_MAX) throw refusal(folder, `its locks were left by ${level + 1} dead processes`, "", `remove '${path}'`);
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
    throw new QomError("io", `cannot make the lock '${printable(path)}'`, { cause: error });
  }
}

/** Target of the link; null if there is none. */
function targetOf(path: string): string | null {
  try {
    return readlinkSync(path);
  } catch (error) {
    if (isErrnoError(error) && error.code === "ENOENT") return null;
    throw new QomError("io", `cannot read the lock '${printable(path)}'`, { cause: error, hint: "a lock is a symbolic link" });
  }
}

function requireDead(folder: string, path: string, target: string, own: FolderHolder): void {
  const removal = `if no process uses it, remove '${printable(path)}'`;
  const holder = parseHolder(target);
  if (holder === null) throw refusal(folder, `its lock says '${printable(target)}', which is not a process`, "", removal);
  if (!isSameKernel(holder, own) && !isLocal(folder)) {
    throw refusal(folder, `process ${holder.pid} of another host may be using it`, holder.use, removal);
  }
  // the holder kept this very file locked for as long as it lived
  if (holder.held !== "" && holder.held === own.held) return;
  const state = holderStateOf(holder, own);
  if (state === "dead") return;
  if (state === "running") throw refusal(folder, `process ${holder.pid}${ifThisOne(holder, own)} is using it`, holder.use);
  const elsewhere = holder.namespace === own.namespace ? "" : " of another container";
  throw refusal(folder, `process ${holder.pid}${elsewhere} may be using it`, holder.use, removal);
}

/** Also false where the boot id cannot be read, as under systemd's ProcSubset=pid. */
function isSameKernel(holder: FolderHolder, own: FolderHolder): boolean {
  return holder.boot === own.boot && own.boot !== "";
}

function ifThisOne(holder: FolderHolder, own: FolderHolder): string {
  return holder.namespace === own.namespace && holder.pid === own.pid ? ", this one," : "";
}

function refusal(folder: string, reason: string, heldFor: FolderHolder["use"], hint?: string): QomError {
  const context = { value: printable(folder), ...(heldFor === "" ? {} : { heldFor }) };
  return new QomError(
    "in-use",
    `the folder '${printable(folder)}' is locked: ${reason}`,
    hint === undefined ? { context } : { context, hint },
  );
}

/**
 * File systems that only one kernel mounts (statfs(2), f_type): ext2 to ext4, XFS, Btrfs, tmpfs, overlayfs, F2FS, ZFS, bcachefs, ramfs. On
 * others, such as network file systems, a process of another host may hold a lock that this kernel does not know of.
 */
const LOCAL_FILE_SYSTEMS: readonly number[] = [
  0xef53, 0x5846_5342, 0x9123_683e, 0x0102_1994, 0x794c_7630, 0xf2f5_2010, 0x2fc1_2fc1, 0xca45_1a4e, 0x8584_58f6,
];

function isLocal(folder: string): boolean {
  return process.platform !== "linux" || LOCAL_FILE_SYSTEMS.includes(statfsSync(folder).type);
}
