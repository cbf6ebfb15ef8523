/**
 * Messages on standard error, one line each. They are written at once and by the calling thread: a worker thread spends its life in
 * system calls, and node's own streams need an event loop.
 */

import { writeSync } from "node:fs";

/** What `-q` and `-v` choose; each level has those below it as well. */
export const LogLevel = Object.freeze({
  /** Only what ends the program. */
  FATAL: 0,
  /** A client broke the protocol, or something the administrator has to know. The default. */
  WARNING: 1,
  /** Clients come and go; threads are started. */
  CLIENT: 2,
  /** Every request and its status. */
  REQUEST: 3,
});

const PREFIX = "qom-pr-helper: ";

/** Descriptor of standard error. */
export const STANDARD_ERROR = 2;

/** Writes the messages of one level and below. */
export class Log {
  readonly #level: number;

  /** @param level one of {@link LogLevel} */
  constructor(level: number) {
    this.#level = level;
  }

  /** Whether a message of `level` would be written: for callers that have to build it. */
  shows(level: number): boolean {
    return level <= this.#level;
  }

  /** Writes `line`, if its level is wanted. A message that cannot be written is lost: logging never stops the service. */
  write(level: number, line: string): void {
    if (!this.shows(level)) return;
    try {
      writeSync(STANDARD_ERROR, `${PREFIX}${line}\n`);
    } catch {
      // standard error is closed or full
    }
  }
}
