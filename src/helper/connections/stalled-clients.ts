/**
 * Drops clients that begin something and do not finish it: a feature word, a request, taking an answer. They block no worker, but each holds
 * a connection, and often the descriptor of a disk that its owner wants closed.
 *
 * Nothing is measured while a request is served. A worker that leaves an incomplete one waiting reports that once; then the main thread
 * checks all clients, and again after a while, until none is incomplete. An idle connection has no time limit.
 */

import type { Clock, Timer } from "../../base/clock.js";
import { Note } from "../shared/client-register.js";
import type { ClientEntry, ClientRegister } from "../shared/client-register.js";
import { Connection } from "../shared/connection-table.js";
import { LogLevel } from "../log.js";
import type { Log } from "../log.js";
import type { Totals } from "../shared/totals.js";
import type { WorkerControl } from "../shared/worker-control.js";

/** A client that still has to send the rest is given this time: far more than a busy host takes, and short for an administrator. */
export const REQUEST_TIMEOUT_S_DEFAULT = 60;

/** Looks in the time that a client has: it is dropped after one and a half times that at the latest. */
const LOOKS_PER_TIMEOUT = 2;

/** What {@link StalledClients} needs. */
export interface StalledClientsParts {
  readonly clock: Clock;
  readonly register: ClientRegister;
  readonly connections: SharedArrayBuffer;
  readonly control: WorkerControl;
  readonly totals: Totals;
  readonly log: Log;
  readonly timeoutMs: number;
  /** Ends a connection for both sides, so that a worker gets an event on it. */
  readonly shutDown: (fd: number) => void;
}

/** What a client was in the middle of, and since when that has been known. */
interface Unfinished {
  readonly what: string;
  readonly sinceMs: number;
}

/** See the module text. */
export class StalledClients {
  readonly #parts: StalledClientsParts;
  #unfinished = new Map<number, Unfinished>();
  #timer: Timer | null = null;
  #stopped = false;

  constructor(parts: StalledClientsParts) {
    this.#parts = parts;
  }

  /** A worker has left something incomplete waiting. */
  watch(): void {
    if (this.#timer !== null || this.#stopped) return;
    this.#timer = this.#parts.clock.after(this.#parts.timeoutMs / LOOKS_PER_TIMEOUT, () => {
      this.#timer = null;
      this.#look();
    });
  }

  /** Looks no more. */
  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
    this.#timer = null;
  }

  #look(): void {
    const { register, control } = this.#parts;
    control.rearmIncomplete();
    const unfinished = new Map<number, Unfinished>();
    for (const client of register.clients()) {
      if (!register.takeWaiting(client.fd)) continue;
      const found = this.#examine(client);
      if (found !== null) unfinished.set(client.fd, found);
      register.release(client.fd);
    }
    this.#unfinished = unfinished;
    if (unfinished.size > 0) this.watch();
  }

  /** What the client, of which this thread has custody, has not finished; null for nothing, or when it was dropped. */
  #examine({ fd, connectedAtMs, commands }: ClientEntry): Unfinished | null {
    const { clock, connections, register, log, totals, timeoutMs, shutDown } = this.#parts;
    const connection = new Connection(connections, fd);
    if (connection.isIdle || register.isNoted(fd, Note.ENDS)) return null;
    // The same words at two looks mean that nothing was finished in between.
    const what = `${connectedAtMs} ${commands} ${connection.phase === "features" ? "features" : "request"}`;
    const before = this.#unfinished.get(fd);
    if (before?.what !== what) return { what, sinceMs: clock.nowMs() };
    if (clock.nowMs() - before.sinceMs < timeoutMs) return before;
    register.note(fd, Note.ENDS);
    totals.add("stalled");
    log.write(LogLevel.WARNING, `client ${fd} dropped: nothing was finished for ${timeoutMs / 1000} s`);
    shutDown(fd);
    return null;
  }
}
