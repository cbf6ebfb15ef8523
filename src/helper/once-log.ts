/** Warnings that are the same for every request, once each. */

import { LogLevel } from "./log.js";
import type { Log } from "./log.js";

/** Maximum number of different lines: there is one per file system or disk that clients lend descriptors of, and no host has that many. */
const LINES_MAX = 1024;

/** See the file text. */
export class OnceLog {
  readonly #log: Log;
  readonly #written = new Set<string>();

  constructor(log: Log) {
    this.#log = log;
  }

  /** Writes `line` as a warning, unless it was written before. */
  readonly warn = (line: string): void => {
    if (this.#written.has(line) || this.#written.size >= LINES_MAX) return;
    this.#written.add(line);
    this.#log.write(LogLevel.WARNING, line);
  };
}
