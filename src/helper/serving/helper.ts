/**
 * The helper daemon. Its main thread starts the workers and waits for them. Requests reach it only where another manager than
 * pr-manager-sgio executes them.
 */

import { systemClock } from "../../base/clock.js";
import { describeError } from "../../base/errors.js";
import { Log, LogLevel, STANDARD_ERROR } from "../log.js";
import type { ManagerStation } from "../managers/manager-station.js";
import type { HelperOptions } from "../settings/settings.js";
import type { PidFile } from "../pid-file.js";
import { Service } from "./service.js";
import type { Post } from "./posts.js";

/** What a helper has from outside. */
export interface Station {
  /** One at least. */
  readonly posts: readonly Post[];
  /** The manager that executes; null for SG_IO on the workers. */
  readonly manager: ManagerStation | null;
  /** Null when none is wanted. */
  readonly pidFile: PidFile | null;
  /** Descriptor of the file for traces, null for standard error. */
  readonly traceFd: number | null;
}

/** A running helper. Its descriptors live until the process ends, since its threads use them by number. */
export class Helper {
  /** As {@link Service.ended}. */
  readonly ended: Promise<void>;
  readonly #posts: readonly Post[];
  readonly #service: Service;
  readonly #log: Log;
  #stopped = false;

  /**
   * Starts the threads, which serve from {@link open} on.
   * @param station is the helper's from now on, and is given up at the end
   */
  constructor(options: HelperOptions, { posts, pidFile, traceFd, manager }: Station) {
    this.#posts = posts;
    this.#log = new Log(options.logLevel);
    this.#service = new Service({
      options,
      posts,
      pidFile,
      traceFd: traceFd ?? STANDARD_ERROR,
      manager,
      log: this.#log,
      clock: systemClock,
    });
    for (const [index, { status }] of posts.entries()) status.serve(() => this.#service.report(index), this.#log);
    this.ended = this.#service.ended.finally(() => {
      this.stop();
      this.#attempt(() => pidFile?.remove());
    });
  }

  /** Lets clients in. To be called once, when nothing more is changed about the process. */
  open(): void {
    if (!this.#stopped) this.#service.open();
  }

  /** Takes no more connections and requests; those in execution are still answered. Idempotent. */
  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#service.stop();
    for (const { listener, status } of this.#posts) {
      this.#attempt(() => listener.stop());
      this.#attempt(() => status.stop());
    }
  }

  /** As {@link Service.isStuck}. */
  get isStuck(): boolean {
    return this.#service.isStuck;
  }

  #attempt(action: () => void): void {
    try {
      action();
    } catch (error) {
      this.#log.write(LogLevel.WARNING, describeError(error));
    }
  }
}
