/**
 * Users and groups by name, from wherever the system keeps them (getpwnam(3), getgrnam(3)).
 *
 *     struct passwd                 struct group
 *      0  ptr  name                  0  ptr  name
 *      8  ptr  password              8  ptr  password
 *     16  u32  user id              16  u32  group id
 *     20  u32  primary group        24  ptr  members
 *     24  ptr  ... three texts
 */

import { QomError } from "../../base/errors.js";
import { printable } from "../../base/limits.js";
import { Errno, SystemCallError } from "../errno.js";
import { declareFunctions } from "../libc.js";
import { NativeMemory } from "../memory.js";

/** Looks an entry up by name or number: 0 or the positive errno; the pointer `found` becomes null when there is none. */
type Find = (key: string | number, entry: Uint8Array, texts: Uint8Array, size: number, found: Uint8Array) => number;

interface AccountFunctions {
  readonly getpwnam_r: Find;
  readonly getpwuid_r: Find;
  readonly getgrnam_r: Find;
}

const PROTOTYPES: Readonly<Record<keyof AccountFunctions, string>> = {
  getpwnam_r: "int getpwnam_r(const char *name, void *entry, void *texts, size_t size, void *found)",
  getpwuid_r: "int getpwuid_r(uint32_t id, void *entry, void *texts, size_t size, void *found)",
  getgrnam_r: "int getgrnam_r(const char *name, void *entry, void *texts, size_t size, void *found)",
};

const ENTRY_SIZE = 64;
const ID = 16;
const PRIMARY_GROUP = 20;

/** For the texts of most entries. */
const TEXTS_SIZE = 4096;
/** A group of a directory service with ten thousands of members. */
const TEXTS_SIZE_MAX = 4 * 1024 * 1024;

/** Numbers of an account. */
export interface SystemAccount {
  readonly user: number;
  /** Its primary group. */
  readonly group: number;
}

/** The account called `name`, or null. @throws QomError `io` when the system cannot tell */
export function accountNamed(name: string): SystemAccount | null {
  return accountIn(lookUp("getpwnam_r", name));
}

/** The account with the user id `user`, or null. @throws QomError `io` when the system cannot tell */
export function accountNumbered(user: number): SystemAccount | null {
  return accountIn(lookUp("getpwuid_r", user));
}

/** Number of the group called `name`, or null. @throws QomError `io` when the system cannot tell */
export function groupNamed(name: string): number | null {
  return lookUp("getgrnam_r", name)?.getUint32(ID, true) ?? null;
}

function accountIn(entry: DataView | null): SystemAccount | null {
  return entry === null ? null : { user: entry.getUint32(ID, true), group: entry.getUint32(PRIMARY_GROUP, true) };
}

/** Besides a null pointer, what the sources of accounts say of one that they do not have. */
const ABSENT: readonly number[] = [Errno.ENOENT, Errno.ESRCH];

function lookUp(lookup: keyof AccountFunctions, key: string | number): DataView | null {
  const find = declareFunctions<AccountFunctions>(PROTOTYPES)[lookup];
  const entry = new NativeMemory(ENTRY_SIZE);
  const found = new NativeMemory(BigUint64Array.BYTES_PER_ELEMENT);
  for (let size = TEXTS_SIZE; size <= TEXTS_SIZE_MAX; size *= 4) {
    const texts = new NativeMemory(size);
    const errno = find(key, entry.bytes, texts.bytes, size, found.bytes);
    if (errno === Errno.ERANGE) continue;
    if (errno === 0) return found.view.getBigUint64(0, true) === 0n ? null : entry.view;
    if (ABSENT.includes(errno)) return null;
    throw new QomError("io", `cannot look up '${printable(String(key))}'`, { cause: new SystemCallError(lookup, errno) });
  }
  throw new QomError("limit", `the entry of '${printable(String(key))}' has more than ${TEXTS_SIZE_MAX} bytes`);
}
