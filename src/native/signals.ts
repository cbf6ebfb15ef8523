/** Which signals a thread takes, and what they do to the process. */

import { constants } from "node:os";
import { assert } from "../base/assert.js";
import { declareFunctions } from "./libc.js";
import { NativeMemory } from "./memory.js";

/** pthread_sigmask(3) for the calling thread; `set` is a sigset_t. Returns 0 or the positive errno. */
interface SignalLibc {
  pthread_sigmask(how: number, set: Uint8Array, old: null): number;
}

/** sigaction(2). Returns 0 or -1. */
interface ActionLibc {
  sigaction(signal: number, action: Uint8Array, old: null): number;
}

const SIG_BLOCK = 0;
/** sizeof(struct sigaction) in glibc and musl: handler, mask, flags, restorer. All zero is SIG_DFL. */
const SIGACTION_SIZE = 152;
/** sizeof(sigset_t) in glibc and musl; the kernel reads its first 8 bytes, bit N-1 for signal N. */
const SIGSET_SIZE = 128;
/** Raised by the thread's own instructions: SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV. */
const FAULTS: readonly number[] = [4, 5, 6, 7, 8, 11];

/**
 * Keeps signals of the process away from the calling thread; other threads get them. A system call in this thread is then never
 * interrupted: the SCSI generic driver, interrupted in SG_IO, has the command started a second time.
 * @throws QomError `unsupported` as libc() of libc.ts
 */
export function blockSignals(): void {
  const threads = declareFunctions<SignalLibc>({
    pthread_sigmask: "int pthread_sigmask(int how, const void *set, void *old)",
  });
  const set = new NativeMemory(SIGSET_SIZE);
  const faults = FAULTS.reduce((bits, signal) => bits | (1n << BigInt(signal - 1)), 0n);
  set.view.setBigUint64(0, BigInt.asUintN(64, ~faults), true);
  assert(threads.pthread_sigmask(SIG_BLOCK, set.bytes, null) === 0, "a valid signal set can be blocked");
}

/**
 * Has these signals end the process from now on, whatever listens for them in node. Listeners still hear of those that came before, when the
 * event loop looks for events.
 * @throws QomError `unsupported` as libc() of libc.ts
 */
export function restoreDefaults(signals: readonly NodeJS.Signals[]): void {
  const actions = declareFunctions<ActionLibc>({ sigaction: "int sigaction(int signal, const void *action, void *old)" });
  const byDefault = new NativeMemory(SIGACTION_SIZE);
  for (const signal of signals) {
    assert(actions.sigaction(constants.signals[signal], byDefault.bytes, null) === 0, "a signal can have its default action");
  }
}
