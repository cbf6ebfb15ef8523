/**
 * News for many nexuses at once. Each of them has the news from the moment on that they are announced, although the work is done in slices:
 * whoever is asked for before its turn hears of them then.
 */

import { inSlices, SLICE_ITEMS } from "../../base/slices.js";
import type { Steps } from "../../base/slices.js";
import type { SenseCode } from "../../scsi/sense.js";

/** What a nexus is told; it must hold until everyone has heard. */
export type CodesFor = (nexus: string) => readonly SenseCode[];

/** Somebody who is told. */
export interface Listener {
  /** Takes what has been announced since it heard last. */
  hear(): void;
}

/** See the module text. */
export class News {
  /** What not everyone has heard yet; the last one has the number {@link count}. */
  #announced: readonly CodesFor[] = [];
  #count = 0;
  #telling: Promise<void> | null = null;

  constructor(private readonly listeners: () => Iterable<Listener>) {}

  /** Number of announcements so far: whoever comes now need not hear of these. */
  get count(): number {
    return this.#count;
  }

  /** Settles when everyone has heard everything; null when that is so. */
  get telling(): Promise<void> | null {
    return this.#telling;
  }

  /** What was announced for `nexus` after the first `heard` announcements, oldest first. */
  since(heard: number, nexus: string): readonly SenseCode[] {
    const forgotten = this.#count - this.#announced.length;
    return this.#announced.slice(Math.max(heard - forgotten, 0)).flatMap((codesFor) => codesFor(nexus));
  }

  /** Everyone has what `codesFor` says. Settles when `codesFor` is not asked any more; null when that is so already. */
  announce(codesFor: CodesFor): Promise<void> | null {
    this.#announced = [...this.#announced, codesFor];
    this.#count += 1;
    if (this.#telling !== null) return this.#telling;
    const told = inSlices(this.#tell());
    if (!(told instanceof Promise)) return null;
    this.#telling = told.then(() => {
      this.#telling = null;
    });
    return this.#telling;
  }

  *#tell(): Steps<void> {
    while (this.#announced.length > 0) {
      const until = this.#count;
      let turn = 0;
      for (const listener of this.listeners()) {
        listener.hear();
        turn += 1;
        if (turn % SLICE_ITEMS === 0) yield;
      }
      const later = this.#count - until;
      this.#announced = later === 0 ? [] : this.#announced.slice(-later);
    }
  }
}
