/**
 * What an open file is (statx(2)), from what the kernel knows already: the server of a network or FUSE file system, which may never answer,
 * is not asked. fstat(2) waits for it.
 *
 *     struct statx (256), the fields that are read
 *       28  u16  mode          128  u32  rdev major     136  u32  dev major
 *       32  u64  inode         132  u32  rdev minor     140  u32  dev minor
 */

import { constants } from "node:fs";
import type { DeviceNumber } from "./device-number.js";
import { declareFunctions } from "./libc.js";
import { NativeMemory } from "./memory.js";

interface StatLibc {
  /** statx(2). `path` is a string of C, `statx` a struct statx. */
  statx(fd: number, path: Uint8Array, flags: number, mask: number, statx: Uint8Array): number;
}

const AT_EMPTY_PATH = 0x1000;
const AT_STATX_DONT_SYNC = 0x4000;
const STATX_TYPE = 0x001;
const STATX_INO = 0x100;

const STATX_SIZE = 256;
const MODE_AT = 28;
const INODE_AT = 32;
const RDEV_AT = 128;
const DEV_AT = 136;

const NO_PATH = Uint8Array.of(0);

/** What an open file is; the number is that of a device. */
export interface FileType extends DeviceNumber {
  /** Neither a device nor a regular file: `other`. */
  readonly kind: "block" | "character" | "file" | "other";
}

/** A file among all files of this host. */
export interface FilePlace {
  readonly fileSystem: DeviceNumber;
  readonly inode: bigint;
}

/** Tells what open files are, through memory that is made once. Does not wait for anything. */
export class FileTypeReader {
  readonly #libc = declareFunctions<StatLibc>({ statx: "int statx(int fd, const void *path, int flags, unsigned int mask, void *statx)" });
  readonly #statx = new NativeMemory(STATX_SIZE);

  /** What `fd` is; `other` when that cannot be told. */
  read(fd: number): FileType {
    if (!this.#ask(fd, STATX_TYPE)) return UNKNOWN;
    const { view } = this.#statx;
    const kind = KINDS.get(view.getUint16(MODE_AT, true) & constants.S_IFMT) ?? "other";
    return { kind, major: view.getUint32(RDEV_AT, true), minor: view.getUint32(RDEV_AT + 4, true) };
  }

  /** Where the file is, the same for one file however it was opened; null when that cannot be told. */
  placeOf(fd: number): FilePlace | null {
    if (!this.#ask(fd, STATX_INO)) return null;
    const { view } = this.#statx;
    const fileSystem = { major: view.getUint32(DEV_AT, true), minor: view.getUint32(DEV_AT + 4, true) };
    return { fileSystem, inode: view.getBigUint64(INODE_AT, true) };
  }

  #ask(fd: number, mask: number): boolean {
    return this.#libc.statx(fd, NO_PATH, AT_EMPTY_PATH | AT_STATX_DONT_SYNC, mask, this.#statx.bytes) >= 0;
  }
}

const UNKNOWN: FileType = Object.freeze({ kind: "other", major: 0, minor: 0 });

const KINDS: ReadonlyMap<number, FileType["kind"]> = new Map([
  [constants.S_IFBLK, "block"],
  [constants.S_IFCHR, "character"],
  [constants.S_IFREG, "file"],
]);
