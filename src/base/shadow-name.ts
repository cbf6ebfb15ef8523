/**
 * The name under which reservations of a disk or file of this host are kept: the same text for every path and every program, since an
 * initiator that is fenced by one must be fenced by all. Saved reservations are found by it, so no other disk or file may ever get the same
 * name.
 *
 *     unit naa.5000000000000001                      a disk that says which logical unit it is (VPD page 83h)
 *     block device 8:0 diskseq 12 boot 1b4e28ba-…    one that never does: major and minor number, which the kernel gives to other disks
 *                                                    again; its count of disks since it was started; and which start that was
 *     file 8:1:1234 born 1796000000.123456789        a regular file: major and minor number of its file system, inode, and birth, since
 *                                                    the inode of a deleted file is used again
 *     file 8:1:1234 generation 77                    on a file system without birth times: how often the inode has been used
 *     file 0:45:1234                                 on one with neither, as of networks and FUSE
 *
 * Version 0.1.0 named devices and files by their numbers alone.
 */

import { deviceName } from "./device-number.js";
import type { DeviceNumber } from "./device-number.js";

/** A regular file among all of this host, deleted ones too. */
export interface FileBirth {
  readonly fileSystem: DeviceNumber;
  readonly inode: bigint;
  /** Nanoseconds since 1970; null where the file system does not keep it. */
  readonly birthNs: bigint | null;
  /** Null where it is not needed, or not to be had. */
  readonly generation: number | null;
}

/** A device that says no name of its own. */
export interface NamelessDevice extends DeviceNumber {
  readonly kind: "block" | "character";
  /** Null where the kernel does not count, as character devices. */
  readonly diskSequence: string | null;
  /** Boot id; null where it cannot be read. */
  readonly boot: string | null;
}

const NS_PER_SECOND = 1_000_000_000n;
const NS_DIGITS = 9;

/** Name of a regular file: the file's, however it was opened. */
export function fileShadowName({ fileSystem, inode, birthNs, generation }: FileBirth): string {
  const place = `file ${deviceName(fileSystem)}:${inode}`;
  if (birthNs !== null) return `${place} born ${birthNs / NS_PER_SECOND}.${String(birthNs % NS_PER_SECOND).padStart(NS_DIGITS, "0")}`;
  return generation === null ? place : `${place} generation ${generation}`;
}

/** Name of a device that is not asked, or does not say, which logical unit it is. */
export function deviceShadowName(device: NamelessDevice): string {
  const sequence = device.diskSequence === null ? "" : ` diskseq ${device.diskSequence}`;
  return `${device.kind} device ${deviceName(device)}${sequence} boot ${device.boot ?? "unknown"}`;
}

/** What a store calls the unit that stands for a disk or file of that name. */
export function shadowUnitName(name: string): string {
  return `shadow ${name}`;
}

const OLD_DEVICE_UNIT = /^shadow (?:block|character) device \d+:\d+$/;
const OLD_FILE_UNIT = /^shadow file \d+:\d+:\d+$/;

/** Whether version 0.1.0 called a unit so, and no unit is called so today. */
export function isAbandonedUnitName(unit: string): boolean {
  return OLD_DEVICE_UNIT.test(unit);
}

/** Whether version 0.1.0 called any file so, and today one is only when nothing else is known of it. */
export function isFormerFileUnitName(unit: string): boolean {
  return OLD_FILE_UNIT.test(unit);
}

const DEVICE = /^(?:block|character) device /;
const FILE = /^(?<former>file \d+:\d+:\d+) (?:born (?<seconds>\d+)\.(?<ns>\d{9})|generation \d+)$/;

/** False for a name that says something until the host restarts at most: no reservation may outlive that. */
export function outlivesRestart(name: string): boolean {
  return !DEVICE.test(name);
}

/** What version 0.1.0 called a file, and its birth in nanoseconds since 1970; null for a name that is as it was. */
export function formerShadowName(name: string): { readonly former: string; readonly birthNs: bigint | null } | null {
  const { former, seconds, ns } = FILE.exec(name)?.groups ?? {};
  if (former === undefined) return null;
  return { former, birthNs: seconds === undefined || ns === undefined ? null : BigInt(seconds) * NS_PER_SECOND + BigInt(ns) };
}
