/**
 * Closing what clients have sent. close(2) may take for ever: it asks the server of a FUSE file system, writes back to that of a network file
 * system, and empties the cache of a disk that nobody else has open. So a worker closes last, when the answer is sent and the connection is
 * waiting for its next event, which any worker may get. The close is noted, so that a worker which never comes back is replaced.
 */

import type { Libc } from "../../native/libc.js";
import type { WorkerControl } from "../shared/worker-control.js";

/**
 * Closes of one user's descriptors that may take long at the same time: each holds a thread. More than a virtual machine with a file system
 * that went away has in use at once, and a fraction of {@link STUCK_CLOSES_MAX}.
 */
export const STUCK_CLOSES_PER_USER = 8;

/** The same of all users: these threads come on top of `--workers`, at about 11 MB each, which MemoryMax of the packaged unit allows. */
export const STUCK_CLOSES_MAX = 32;

/** Whether a client of `user` is dropped when it has a request, since its user's last ones are still being closed. */
export function closesTooMany(control: WorkerControl, user: number): boolean {
  const stuck = control.stuck;
  if (stuck === 0) return false;
  const own = control.stuckOf(user);
  return own >= STUCK_CLOSES_PER_USER || (own > 0 && stuck >= STUCK_CLOSES_MAX);
}

/** Descriptors that one worker has to close. */
export class SpentDescriptors {
  readonly #libc: Libc;
  readonly #control: WorkerControl;
  readonly #thread: number;
  readonly #spent: { readonly fd: number; readonly user: number }[] = [];

  constructor(libc: Libc, control: WorkerControl, thread: number) {
    this.#libc = libc;
    this.#control = control;
    this.#thread = thread;
  }

  /** Takes over a descriptor that came from `user`. */
  add(fd: number, user: number): void {
    this.#spent.push({ fd, user });
  }

  /** Closes all of them; may take for ever. */
  closeAll(): void {
    for (let next = this.#spent.shift(); next !== undefined; next = this.#spent.shift()) {
      this.#control.beginClose(this.#thread, next.user);
      this.#libc.close(next.fd);
      this.#control.endClose(this.#thread);
    }
  }
}
