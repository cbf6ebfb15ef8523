/**
 * What a process changes about itself: who it is, what it may do, which program it runs.
 *
 * Linux keeps capabilities, the bounding set and no_new_privs for each thread, and only user and group ids are changed for all threads by
 * libc. Node has threads before the first line of a program runs, so a Node process only loses a privilege by running another program, see
 * {@link ProcessControl.execute}: the kernel ends all threads but the calling one, and all new threads descend from that.
 *
 *     __user_cap_header_struct (8)   __user_cap_data_struct (12), twice: capabilities 0 to 31, 32 to 63
 *      0  u32  version                0  u32  effective
 *      4  i32  thread, 0: this one    4  u32  permitted
 *                                     8  u32  inheritable
 */

import { QomError } from "../../base/errors.js";
import { printable } from "../../base/limits.js";
import { Errno, SystemCallError } from "../errno.js";
import { declareFunctions } from "../libc.js";
import type { Libc } from "../libc.js";
import { succeeded } from "./libc.js";
import { NativeMemory } from "../memory.js";

/** The functions of libc, with C's meaning of their arguments. Results, errors and buffers are as in libc.ts. */
interface ProcessFunctions {
  prctl(option: number, second: number, third: number, fourth: number, fifth: number): number;
  capset(header: Uint8Array, data: Uint8Array): number;
  setgroups(count: number, groups: null): number;
  setresgid(real: number, effective: number, saved: number): number;
  setresuid(real: number, effective: number, saved: number): number;
  dup3(from: number, to: number, flags: number): number;
  /** Returns never. */
  exitGroup(status: number): number;
  /** Returns only when it failed. The three are read before the memory they are in goes away. */
  execve(path: Uint8Array, words: Uint8Array, environment: Uint8Array): number;
}

const PROTOTYPES: Readonly<Record<keyof ProcessFunctions, string>> = {
  prctl: "int prctl(int option, unsigned long second, unsigned long third, unsigned long fourth, unsigned long fifth)",
  capset: "int capset(void *header, const void *data)",
  setgroups: "int setgroups(size_t count, const void *groups)",
  setresgid: "int setresgid(uint32_t real, uint32_t effective, uint32_t saved)",
  setresuid: "int setresuid(uint32_t real, uint32_t effective, uint32_t saved)",
  dup3: "int dup3(int from, int to, int flags)",
  exitGroup: "int _exit(int status)",
  execve: "int execve(const char *path, const void *words, const void *environment)",
};

const CAPABILITY_VERSION_3 = 0x2008_0522;
const CAPABILITY_DATA = 12;
const PERMITTED = 4;
const INHERITABLE = 8;

const PR_SET_KEEPCAPS = 8;
const PR_CAPBSET_DROP = 24;
const PR_SET_NO_NEW_PRIVS = 38;
const PR_CAP_AMBIENT = 47;
const PR_CAP_AMBIENT_RAISE = 2;
const PR_CAP_AMBIENT_CLEAR_ALL = 4;

/** An id that stays as it is, in setresuid(2) and setresgid(2). */
const UNCHANGED = 0xffff_ffff;

/** Capabilities have numbers below this, so that a set is 64 bits. */
const CAPABILITY_LIMIT = 64;

const F_SETFD = 2;

/** The three sets of capget(2), a bit for each capability. */
export interface CapabilitySets {
  readonly effective: bigint;
  readonly permitted: bigint;
  readonly inheritable: bigint;
}

/** The calls of this file, for one process. */
export class ProcessControl {
  readonly #functions = declareFunctions<ProcessFunctions>(PROTOTYPES);
  readonly #libc: Libc;

  constructor(libc: Libc) {
    this.#libc = libc;
  }

  /**
   * Sets the capabilities of the calling thread.
   * @throws QomError `io` when there is one that the thread may not have
   */
  setCapabilities(sets: CapabilitySets): void {
    const header = new NativeMemory(8);
    const data = new NativeMemory(2 * CAPABILITY_DATA);
    header.view.setUint32(0, CAPABILITY_VERSION_3, true);
    for (const half of [0, 1]) {
      const bitsOf = (set: bigint): number => Number(BigInt.asUintN(32, set >> BigInt(32 * half)));
      data.view.setUint32(half * CAPABILITY_DATA, bitsOf(sets.effective), true);
      data.view.setUint32(half * CAPABILITY_DATA + PERMITTED, bitsOf(sets.permitted), true);
      data.view.setUint32(half * CAPABILITY_DATA + INHERITABLE, bitsOf(sets.inheritable), true);
    }
    succeeded(this.#functions.capset(header.bytes, data.bytes), "capset", "set capabilities");
  }

  /**
   * Makes `set` the calling thread's ambient set, which it keeps over an exec whatever its user.
   * @param set of capabilities that are permitted and inheritable
   * @throws QomError `io` when one is not
   */
  setAmbient(set: bigint): void {
    this.#prctl("clear the ambient set", PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL);
    for (const capability of capabilitiesIn(set)) {
      this.#prctl(`make capability ${capability} ambient`, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability);
    }
  }

  /**
   * Empties the calling thread's bounding set.
   * @throws QomError `io` without CAP_SETPCAP
   */
  emptyBoundingSet(): void {
    for (let capability = 0; capability < CAPABILITY_LIMIT; capability += 1) {
      const result = this.#functions.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
      if (result === -Errno.EINVAL) return; // the kernel knows no more
      succeeded(result, "prctl", "empty the bounding set");
    }
  }

  /** Lets the calling thread keep its permitted capabilities when it becomes another user, until the next exec. */
  keepCapabilities(): void {
    this.#prctl("keep capabilities", PR_SET_KEEPCAPS, 1);
  }

  /** Takes from the calling thread, for good, whatever running a program could give it. */
  gainNoPrivileges(): void {
    this.#prctl("set no_new_privs", PR_SET_NO_NEW_PRIVS, 1);
  }

  /** Leaves all supplementary groups, in every thread. @throws QomError `io` without CAP_SETGID */
  leaveGroups(): void {
    succeeded(this.#functions.setgroups(0, null), "setgroups", "leave the supplementary groups");
  }

  /**
   * Changes the real user and group id in every thread, which is what access(2) asks for; null leaves one as it is.
   * @throws QomError `io` when that is not allowed
   */
  setRealIds(user: number | null, group: number | null): void {
    const attempted = "change the real user and group";
    succeeded(this.#functions.setresgid(group ?? UNCHANGED, UNCHANGED, UNCHANGED), "setresgid", attempted);
    succeeded(this.#functions.setresuid(user ?? UNCHANGED, UNCHANGED, UNCHANGED), "setresuid", attempted);
  }

  /**
   * Changes all user and group ids in every thread, for good; null leaves one as it is.
   * @throws QomError `io` without CAP_SETUID or CAP_SETGID
   */
  becomeUser(user: number | null, group: number | null): void {
    if (group !== null) succeeded(this.#functions.setresgid(group, group, group), "setresgid", `change to group ${group}`);
    if (user !== null) succeeded(this.#functions.setresuid(user, user, user), "setresuid", `change to user ${user}`);
  }

  /** Makes the descriptor `to` another name of `from`, and closes what it was; it stays open on exec. */
  redirect(from: number, to: number): void {
    succeeded(this.#functions.dup3(from, to, 0), "dup3", `redirect descriptor ${to}`);
  }

  /**
   * Runs a program in this process, instead of this one. Returns never. Node has whatever it opens closed on exec;
   * `descriptors` stay open.
   * @param words the program's arguments, from its own name on
   * @throws QomError `io` when it cannot be run
   */
  execute(path: string, words: readonly string[], environment: NodeJS.ProcessEnv, descriptors: readonly number[]): never {
    for (const fd of descriptors) succeeded(this.#libc.fcntl(fd, F_SETFD, 0), "fcntl", `keep descriptor ${fd} open`);
    const variables = Object.entries(environment).map(([name, value]) => `${name}=${value ?? ""}`);
    const [program, wordList, variableList] = [encoded(path), new PointerList(words), new PointerList(variables)];
    const result = this.#functions.execve(program, wordList.pointers, variableList.pointers);
    throw new QomError("io", `cannot run '${printable(path)}'`, { cause: new SystemCallError("execve", -result) });
  }

  /** Ends all threads of this process without waiting for one. Returns never. */
  exitAtOnce(status: number): void {
    this.#functions.exitGroup(status);
  }

  #prctl(attempted: string, option: number, second: number, third = 0): void {
    succeeded(this.#functions.prctl(option, second, third, 0, 0), "prctl", attempted);
  }
}

function* capabilitiesIn(set: bigint): Generator<number> {
  for (let capability = 0; capability < CAPABILITY_LIMIT; capability += 1) {
    if (((set >> BigInt(capability)) & 1n) === 1n) yield capability;
  }
}

/** A list of C strings that ends with a null pointer; the strings live as long as the list. */
class PointerList {
  readonly pointers: Uint8Array;
  readonly #memory: NativeMemory;

  constructor(texts: readonly string[]) {
    const strings = texts.map(encoded);
    const tableSize = (strings.length + 1) * BigUint64Array.BYTES_PER_ELEMENT;
    this.#memory = new NativeMemory(strings.reduce((size, bytes) => size + bytes.length, tableSize));
    this.pointers = this.#memory.bytes;
    let at = tableSize;
    for (const [i, bytes] of strings.entries()) {
      this.#memory.view.setBigUint64(i * BigUint64Array.BYTES_PER_ELEMENT, this.#memory.address + BigInt(at), true);
      this.#memory.bytes.set(bytes, at);
      at += bytes.length;
    }
  }
}

/** `text` with the NUL that ends it. */
function encoded(text: string): Uint8Array {
  return new TextEncoder().encode(`${text}\0`);
}
