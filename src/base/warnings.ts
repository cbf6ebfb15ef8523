/** Warnings for the user of a program, from parts that do not know where to print them. */

import { tellAll } from "./listeners.js";

/** Called with one line, without the program's name. */
export type WarningListener = (line: string) => void;

/** Lines kept while there is no listener: the first ones say what is wrong. */
const KEPT_MAX = 100;

/** Passes lines on to listeners, and keeps lines for the first listener until it comes. */
export class Warnings {
  readonly #listeners = new Set<WarningListener>();
  readonly #kept: string[] = [];

  /** Adds a line. */
  readonly add = (line: string): void => {
    if (this.#listeners.size > 0) tellAll(this.#listeners, line);
    else if (this.#kept.length < KEPT_MAX) this.#kept.push(line);
  };

  /** Calls `listener` with each line, until the returned function is called. */
  listen(listener: WarningListener): () => void {
    this.#listeners.add(listener);
    for (const line of this.#kept.splice(0)) tellAll([listener], line);
    return () => {
      this.#listeners.delete(listener);
    };
  }
}
