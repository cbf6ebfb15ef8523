/** SG_IO for a program that sends a few commands, one at a time, and exits: without threads of its own, which take time to start. */

import { Errno } from "../errno.js";
import { ioctlInPool, libc } from "../libc.js";
import { F_DUPFD_CLOEXEC, SgIoCaller } from "./call.js";
import type { SgIoExecutor, SgIoOutcome, SgIoRequest } from "./sg-io.js";

const CANCELED: SgIoOutcome = Object.freeze({ errno: Errno.ECANCELED });

/**
 * Makes each call on a thread of libuv's pool. A command that was given up keeps the process alive until the kernel lets go of it. A
 * program that reads files or uses several disks at the same time needs a ThreadedSgIoExecutor.
 */
export class SingleSgIoExecutor implements Pick<SgIoExecutor, "execute" | "close"> {
  readonly #closing = new AbortController();
  readonly #ioctl: typeof ioctlInPool;

  /** @param ioctl the system call, which tests can replace */
  constructor(ioctl = ioctlInPool) {
    this.#ioctl = ioctl;
  }

  async execute(fd: number, request: SgIoRequest): Promise<SgIoOutcome> {
    const { signal } = request;
    const signals = signal === undefined ? [this.#closing.signal] : [this.#closing.signal, signal];
    if (signals.some(({ aborted }) => aborted)) return CANCELED;
    let cancel: () => void = (): void => undefined;
    const canceled = new Promise<SgIoOutcome>((resolve) => (cancel = () => resolve(CANCELED)));
    for (const each of signals) each.addEventListener("abort", cancel, { once: true });
    try {
      return await Promise.race([call(this.#ioctl, fd, request), canceled]);
    } finally {
      for (const each of signals) each.removeEventListener("abort", cancel);
    }
  }

  /** Ends a running call with ECANCELED, and all later ones. */
  close(): Promise<void> {
    this.#closing.abort();
    return Promise.resolve();
  }
}

/** Runs a command to its end even if it was given up. It has its own descriptor and memory, since the caller may release its own before. */
async function call(ioctl: typeof ioctlInPool, fd: number, request: SgIoRequest): Promise<SgIoOutcome> {
  const own = libc().fcntl(fd, F_DUPFD_CLOEXEC, 0);
  if (own < 0) return { errno: -own };
  const { dataOut } = request;
  const kept = dataOut === undefined ? request : { ...request, dataOut: new Uint8Array(dataOut) };
  try {
    return await new SgIoCaller().executeBy((code, argument) => ioctl(own, code, argument), kept);
  } finally {
    libc().close(own);
  }
}
