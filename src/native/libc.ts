/**
 * libc: the one place where C functions are declared and called.
 *
 * Nothing happens at import; the first {@link libc} call loads koffi and looks the functions up in the running process (so it is the
 * C library node itself uses, glibc or musl). Only 64-bit little-endian Linux is supported; elsewhere that first call throws one clear
 * error, and everything that needs no system call goes on working.
 *
 * **Errors.** Every function returns what C returns, except that -1 becomes minus errno, read before anything else can change it.
 * So `result < 0` means failure and `-result` is the error number (errno.ts).
 *
 * **Buffers.** A byte array goes to C by its address, without a copy; it stays the caller's, and C uses it until the function returns
 * and no longer. Lengths must not exceed the arrays, which C cannot check. Where a structure points to further memory, that memory
 * is of memory.ts, and the caller keeps it reachable until the function returns.
 */

import type * as KoffiModule from "koffi";
import { present } from "../base/assert.js";
import { QomError } from "../base/errors.js";
import { lazily } from "../base/lazily.js";

/** Architectures whose Linux is 64-bit, little-endian and uses the generic numbers of constants and errnos. */
const ARCHITECTURES: readonly string[] = ["x64", "arm64", "riscv64", "loong64"];

/** C prototypes by function. ioctl(2) and fcntl(2) are variadic in C; on these architectures a fixed integer argument travels alike. */
const PROTOTYPES = {
  socket: "int socket(int domain, int type, int protocol)",
  connect: "int connect(int fd, const void *address, uint32_t length)",
  sendmsg: "long sendmsg(int fd, const void *message, int flags)",
  close: "int close(int fd)",
  fcntl: "int fcntl(int fd, int command, int argument)",
  fcntlLock: "int fcntl(int fd, int command, void *lock)",
  ioctl: "int ioctl(int fd, unsigned long request, void *argument)",
} as const;

/** The functions, with C's meaning of their arguments. See the module text for results and buffers. */
export interface Libc {
  /** socket(2). The caller owns the descriptor it returns. */
  socket(domain: number, type: number, protocol: number): number;
  /** connect(2). `address` is a sockaddr of `length` bytes. */
  connect(fd: number, address: Uint8Array, length: number): number;
  /** sendmsg(2). `message` is a msghdr. Descriptors in it are duplicated and stay the caller's. */
  sendmsg(fd: number, message: Uint8Array, flags: number): number;
  /** close(2). Never to be repeated, whatever it returns: the number may belong to someone else by then. */
  close(fd: number): number;
  /** fcntl(2) with an integer argument. */
  fcntl(fd: number, command: number, argument: number): number;
  /** fcntl(2) with a structure: `lock` is a struct flock. */
  fcntlLock(fd: number, command: number, lock: Uint8Array): number;
  /** ioctl(2). `argument` is the structure of the request; its size is the request's business. May block. */
  ioctl(fd: number, request: number, argument: Uint8Array): number;
}

/**
 * ioctl(2) on a thread of libuv's pool, for a program that makes one call and does not need the pool otherwise: while its threads wait for
 * a disk, no file can be read. Resolves with what {@link Libc.ioctl} returns; until then C uses `argument` and the memory that it points
 * to.
 * @throws QomError `unsupported` as {@link libc}
 */
export function ioctlInPool(fd: number, request: number, argument: Uint8Array): Promise<number> {
  const { errno } = koffi();
  return new Promise((resolve, reject) => {
    pooledIoctl().async(fd, request, argument, (error, result) => {
      // errno is that of the call, as koffi keeps it for its callback
      if (error === null || error === undefined) resolve(result === -1 ? -errno() : result);
      else reject(error);
    });
  });
}

/** Why system calls cannot be made on this kind of machine, or null when they can. */
export function unsupportedPlatform(platform: string, architecture: string): string | null {
  if (platform !== "linux") return `system calls need Linux, and this is ${platform}`;
  if (ARCHITECTURES.includes(architecture)) return null;
  return `system calls need 64-bit Linux on ${ARCHITECTURES.join(", ")}, and this is ${architecture}`;
}

/**
 * The functions of {@link Libc}, loaded at the first call.
 * @throws QomError `unsupported` on another platform, or where koffi has no build for this one
 */
export const libc: () => Libc = lazily(() => declareFunctions<Libc>(PROTOTYPES));

/**
 * Address of the first byte of `memory`, good for as long as the caller keeps `memory` reachable.
 *
 * It never changes in that time: it lies in the backing store of an ArrayBuffer (a small typed array gets one when it is asked for
 * its address), which V8 neither moves nor frees while anything refers to it.
 * @throws QomError `unsupported` as {@link libc}
 */
export function addressOf(memory: ArrayBuffer | Uint8Array): bigint {
  return koffi().address(memory);
}

/**
 * Declares C functions whose -1 means "see errno", and wraps each as the module text says.
 * @typeParam Functions what the prototypes mean in TypeScript; koffi checks argument types at run time
 */
export function declareFunctions<Functions extends object>(prototypes: Readonly<Record<keyof Functions, string>>): Functions {
  const { load, errno } = koffi();
  const library = load(null);
  const entries = Object.entries<string>(prototypes).map(([name, prototype]) => {
    // koffi leaves its functions untyped; the result of all prototypes here is an integer
    const call: (...parameters: unknown[]) => number = library.func(prototype);
    const checked = (...parameters: unknown[]): number => {
      const result = call(...parameters);
      return result === -1 ? -errno() : result;
    };
    return [name, checked] as const;
  });
  // fromEntries cannot tell that there is one function for each key of the prototypes
  return Object.fromEntries(entries) as Functions;
}

/**
 * Files from which koffi is resolved: this one, or the bundle that contains it, which may be CommonJS; and the program, since some bundlers
 * replace the location of this file by the one at build time.
 */
const PLACES: readonly (() => string | undefined)[] = [() => __filename, () => import.meta.url, () => process.argv[1]];

/**
 * Path of koffi, resolved from one of {@link PLACES}.
 * @throws Error if it cannot be resolved
 */
export function koffiPath(): string {
  const problems: unknown[] = [];
  for (const place of PLACES) {
    try {
      return requireFrom(present(place(), "a file")).resolve("koffi");
    } catch (error) {
      problems.push(error);
    }
  }
  throw new AggregateError(problems, "koffi is not installed");
}

/** createRequire of node:module, written so that no bundler takes it for an import. */
function requireFrom(place: string): NodeJS.Require {
  return process.getBuiltinModule("node:module").createRequire(place);
}

const koffi: () => typeof KoffiModule = lazily(() => {
  const reason = unsupportedPlatform(process.platform, process.arch);
  if (reason !== null) throw new QomError("unsupported", reason);
  try {
    const path = koffiPath();
    const require = requireFrom(path);
    // by require, since an import statement would load the native code before anyone asked; what it gives has no type of its own
    return (nativeKoffi(require) ?? require(path)) as typeof KoffiModule;
  } catch (cause) {
    throw new QomError("unsupported", "koffi, which makes system calls, cannot be loaded here", {
      cause,
      hint: "a bundle needs the package koffi beside it",
    });
  }
});

/**
 * The native code from the package that koffi has for this platform, without what koffi itself adds to it, which takes as long to load as the
 * native code: names that are deprecated, and the search. Undefined where there is none, and koffi has to find it.
 */
function nativeKoffi(require: NodeJS.Require): unknown {
  try {
    return require(`@koromix/koffi-${process.platform}-${process.arch}`);
  } catch {
    return undefined;
  }
}

type Ioctl = (fd: number, request: number, argument: Uint8Array) => number;

const pooledIoctl: () => KoffiModule.KoffiFunc<Ioctl> = lazily(
  // koffi leaves its functions untyped
  () => koffi().load(null).func(PROTOTYPES.ioctl) as KoffiModule.KoffiFunc<Ioctl>,
);
