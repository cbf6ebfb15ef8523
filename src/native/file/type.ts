/**
 * What an open file is (statx(2)), from what the kernel knows already: the server of a network or FUSE file system, which may never answer,
 * is not asked. fstat(2) waits for it.
 *
 *     struct statx (256), the fields that are read
 *        0  u32  mask           80  i64  birth, s       128  u32  rdev major     136  u32  dev major
 *       28  u16  mode           88  u32  birth, ns      132  u32  rdev minor     140  u32  dev minor
 *       32  u64  inode          56  u64  attributes that the file system knows
 */

import { constants } from "node:fs";
import type { DeviceNumber } from "../../base/device-number.js";
import { declareFunctions } from "../libc.js";
import { NativeMemory } from "../memory.js";

interface StatLibc {
  /** statx(2). `path` is a string of C, `statx` a struct statx. */
  statx(fd: number, path: Uint8Array, flags: number, mask: number, statx: Uint8Array): number;
  /** ioctl(2). `argument` is a long. */
  ioctl(fd: number, request: number, argument: Uint8Array): number;
}

const PROTOTYPES = {
  statx: "int statx(int fd, const void *path, int flags, unsigned int mask, void *statx)",
  ioctl: "int ioctl(int fd, unsigned long request, void *argument)",
};

/** _IOR('v', 1, long) of linux/fs.h. File systems write an int all the same. */
const FS_IOC_GETVERSION = 0x8008_7601;
const LONG_SIZE = 8;

const AT_EMPTY_PATH = 0x1000;
const AT_STATX_DONT_SYNC = 0x4000;
const STATX_TYPE = 0x001;
const STATX_INO = 0x100;
const STATX_BTIME = 0x800;

/**
 * File systems of disks and memory know this attribute, those of networks and FUSE do not. The latter tell a time of birth at one moment,
 * when they have heard it from their server, and not at another, and an ioctl(2) would wait for the server.
 */
const STATX_ATTR_IMMUTABLE = 0x10n;

const STATX_SIZE = 256;
const MASK_AT = 0;
const MODE_AT = 28;
const ATTRIBUTES_MASK_AT = 56;
const BIRTH_AT = 80;
const INODE_AT = 32;
const RDEV_AT = 128;
const DEV_AT = 136;

const NO_PATH = Uint8Array.of(0);

/** What an open file is; the number is that of a device. */
export interface FileType extends DeviceNumber {
  /** Neither a device nor a regular file: `other`. */
  readonly kind: "block" | "character" | "file" | "other";
}

/** A file among all files of this host, those that have been deleted too as far as its file system tells them apart. */
export interface FilePlace {
  readonly fileSystem: DeviceNumber;
  readonly inode: bigint;
  /** Nanoseconds since 1970; null where the file system does not keep it, or asks a server for it. */
  readonly birthNs: bigint | null;
  /** Tells the users of an inode apart, where there is no time of birth; null where the file system does not count. */
  readonly generation: number | null;
}

/** Tells what open files are, through memory that is made once. Does not wait for anything. */
export class FileTypeReader {
  readonly #libc = declareFunctions<StatLibc>(PROTOTYPES);
  readonly #statx = new NativeMemory(STATX_SIZE);
  readonly #long = new NativeMemory(LONG_SIZE);

  /** What `fd` is; `other` when that cannot be told. */
  read(fd: number): FileType {
    if (!this.#ask(fd, STATX_TYPE)) return UNKNOWN;
    const { view } = this.#statx;
    const kind = KINDS.get(view.getUint16(MODE_AT, true) & constants.S_IFMT) ?? "other";
    return { kind, major: view.getUint32(RDEV_AT, true), minor: view.getUint32(RDEV_AT + 4, true) };
  }

  /** Where the file is, the same for one file however it was opened; null when that cannot be told. */
  placeOf(fd: number): FilePlace | null {
    if (!this.#ask(fd, STATX_INO | STATX_BTIME)) return null;
    const { view } = this.#statx;
    const fileSystem = { major: view.getUint32(DEV_AT, true), minor: view.getUint32(DEV_AT + 4, true) };
    const inode = view.getBigUint64(INODE_AT, true);
    if ((view.getBigUint64(ATTRIBUTES_MASK_AT, true) & STATX_ATTR_IMMUTABLE) === 0n) {
      return { fileSystem, inode, birthNs: null, generation: null };
    }
    const birthNs = (view.getUint32(MASK_AT, true) & STATX_BTIME) === 0 ? null : this.#birth();
    return { fileSystem, inode, birthNs, generation: birthNs === null ? this.#generationOf(fd) : null };
  }

  /** Null for a time before 1970, which some file systems give where none was kept. */
  #birth(): bigint | null {
    const { view } = this.#statx;
    const seconds = view.getBigInt64(BIRTH_AT, true);
    return seconds <= 0n ? null : seconds * 1_000_000_000n + BigInt(view.getUint32(BIRTH_AT + 8, true));
  }

  #generationOf(fd: number): number | null {
    return this.#libc.ioctl(fd, FS_IOC_GETVERSION, this.#long.bytes) < 0 ? null : this.#long.view.getUint32(0, true);
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
