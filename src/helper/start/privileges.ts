/**
 * Least privilege: of what the program was started with it keeps only CAP_SYS_RAWIO, which the kernel requires for sending a reservation
 * command, and it becomes another user if the options say so.
 *
 * The main thread sheds everything, makes the one capability ambient, and runs the program again in the same process: no other way takes
 * something from threads that are there already (native/server/process.ts). The second run looks at every thread, and does not serve if
 * one has more.
 */

import { accessSync, constants } from "node:fs";
import { QomError } from "../../base/errors.js";
import { printable } from "../../base/limits.js";
import type { ProcessControl } from "../../native/server/process.js";
import { Capability } from "./thread-privileges.js";
import type { ThreadPrivileges } from "./thread-privileges.js";

/** Whom the helper is to run as; null for no change. */
export interface Identity {
  readonly user: number | null;
  readonly group: number | null;
}

/** What a process without the capabilities for it cannot shed. With no_new_privs, neither is of any use. */
export interface Unshed {
  /** Bounding set, in hexadecimal digits: `0` when it was emptied. */
  readonly bounding: string;
  readonly supplementaryGroups: readonly number[];
}

/** What stays of `main`, the privileges of the thread that is going to shed. */
export function unshedOf(main: ThreadPrivileges): Unshed {
  return {
    bounding: mayUse(main, Capability.SETPCAP) ? "0" : main.bounding.toString(16),
    supplementaryGroups: mayUse(main, Capability.SETGID) ? [] : main.supplementaryGroups,
  };
}

function mayUse(thread: ThreadPrivileges, capability: bigint): boolean {
  return (thread.effective & capability) !== 0n;
}

/** What a thread has too much or wrong, in a few words; null when no thread has. */
export function findSurplus(threads: readonly ThreadPrivileges[], identity: Identity, unshed: Unshed): string | null {
  for (const thread of threads) {
    const surplus = surplusOf(thread, identity, unshed);
    if (surplus !== null) return `thread ${thread.thread} ${surplus}`;
  }
  return null;
}

function surplusOf(thread: ThreadPrivileges, { user, group }: Identity, unshed: Unshed): string | null {
  for (const set of ["permitted", "effective", "inheritable", "ambient"] as const) {
    const more = thread[set] & ~Capability.SYS_RAWIO;
    if (more !== 0n) return `has ${set} capabilities ${more.toString(16)}`;
  }
  const bounding = thread.bounding & ~BigInt(`0x${unshed.bounding}`);
  if (bounding !== 0n) return `has bounding capabilities ${bounding.toString(16)}`;
  if (!thread.noNewPrivileges) return "may gain privileges";
  if (!isOnly(user, thread.users)) return `has user ids ${thread.users.join()}`;
  if (!isOnly(group, thread.groups)) return `has group ids ${thread.groups.join()}`;
  const groups = thread.supplementaryGroups.filter((each) => !unshed.supplementaryGroups.includes(each));
  return groups.length === 0 ? null : `is in groups ${groups.join()}`;
}

function isOnly(wanted: number | null, ids: readonly number[]): boolean {
  return wanted === null || ids.every((id) => id === wanted);
}

/** Whether the kernel sends reservation commands for a thread with these privileges. */
export function mayReserve(thread: ThreadPrivileges): boolean {
  return mayUse(thread, Capability.SYS_RAWIO);
}

/**
 * Sheds everything but CAP_SYS_RAWIO, and becomes `identity`. This affects the calling thread, which must be the main thread, and the
 * program that it executes next.
 * @param main privileges of the calling thread
 * @param files that `identity` is going to need: readable or executable, by their access(2) modes
 * @throws QomError `io` when a step is refused, or a file is; a refused file is found out when nothing but the supplementary groups is gone
 */
export function shedPrivileges(
  control: ProcessControl,
  main: ThreadPrivileges,
  identity: Identity,
  files: ReadonlyMap<string, number>,
): void {
  if (mayUse(main, Capability.SETGID)) control.leaveGroups();
  if (changes(main, identity)) requireAccess(control, main, identity, files);
  // The system checks new inheritable capabilities against the bounding set, and lets only a process with CAP_SETPCAP empty that.
  const kept = main.permitted & Capability.SYS_RAWIO & (main.bounding | main.inheritable);
  control.setCapabilities({ effective: main.effective, permitted: main.permitted, inheritable: kept });
  if (mayUse(main, Capability.SETPCAP)) control.emptyBoundingSet();
  if (changes(main, identity)) {
    control.keepCapabilities();
    control.becomeUser(identity.user, identity.group);
  }
  control.setCapabilities({ effective: kept, permitted: kept, inheritable: kept });
  control.setAmbient(kept);
  control.gainNoPrivileges();
}

function changes(main: ThreadPrivileges, { user, group }: Identity): boolean {
  return !isOnly(user, main.users) || !isOnly(group, main.groups);
}

/** The other user may be unable to read this program, as when node is in a home directory: better said here than by a failed exec. */
function requireAccess(control: ProcessControl, main: ThreadPrivileges, identity: Identity, files: ReadonlyMap<string, number>): void {
  control.setRealIds(identity.user, identity.group);
  try {
    for (const [path, mode] of files) requireFile(path, mode, identity);
  } finally {
    control.setRealIds(main.users[0] ?? null, main.groups[0] ?? null);
  }
}

function requireFile(path: string, mode: number, { user, group }: Identity): void {
  try {
    accessSync(path, mode);
  } catch (cause) {
    const who = [...(user === null ? [] : [`user ${user}`]), ...(group === null ? [] : [`group ${group}`])].join(" and ");
    const use = mode === constants.X_OK ? "run" : "read";
    throw new QomError("io", `${who} cannot ${use} '${printable(path)}', which the helper needs`, { cause });
  }
}
