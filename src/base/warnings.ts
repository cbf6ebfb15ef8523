/** Lines for whoever runs a program, from parts that do not know who that is. */

import { tellAll } from "./listeners.js";

/** Told one line, without the program's name. */
export type WarningListener = (line: string) => void;

/** Lines that are kept while nobody listens: the first ones say what is wrong. */
const KEPT_MAX = 100;

/** Passes lines on; those from before the first listener are kept for it. */
export class Warnings {
  readonly #listeners = new Set<WarningListener>();
  readonly #kept: string[] = [];

  /** Passes `line` on. */
  readonly add = (line: string): void => {
    if (this.#listeners.size > 0) tellAll(this.#listeners, line);
    else if (this.#kept.length < KEPT_MAX) this.#kept.push(line);
  };

  /** Calls `listener` with each line; the returned function ends that. */
  listen(listener: WarningListener): () => void {
    this.#listeners.add(listener);
    for (const line of this.#kept.splice(0)) tellAll([listener], line);
    return () => {
      this.#listeners.delete(listener);
    };
  }
}
