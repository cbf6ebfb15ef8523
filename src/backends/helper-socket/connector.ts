/**
 * When to try to connect. One attempt at a time; after a failed one a pause:
 *
 * - while a command waits, one second, as in QEMU;
 * - while nobody waits and there is no connection, 1, 2, 4 seconds and so on up to ten. A command ends such a pause.
 *
 * It keeps the process alive only while a command waits.
 */

import type { Clock, Timer } from "../../base/clock.js";
import { QomError } from "../../base/errors.js";
import type { HelperConnection } from "./connection.js";

/** Pause between two attempts while a command waits, as in QEMU. */
export const ATTEMPT_PAUSE_MS = 1000;

/** Longest pause while nobody waits: an attempt costs next to nothing, and somebody may watch the state. */
const STANDBY_PAUSE_MAX_MS = 10_000;

/** How much a connection is wanted: by a command that waits, as the one to be kept in reserve, or not at all. */
export type Need = "urgent" | "standby" | "none";

/** What a connector does its work with. */
export interface ConnectorOptions {
  readonly clock: Clock;
  /** Asked again whenever something has changed. */
  readonly need: () => Need;
  /** Makes a connection; rejects with a QomError. */
  readonly open: () => Promise<HelperConnection>;
  /** How long {@link open} may take, in milliseconds. */
  readonly openTimeoutMs: () => number;
  readonly opened: (connection: HelperConnection) => void;
  readonly failed: (error: QomError) => void;
}

/** See the file text. */
export class Connector {
  readonly #options: ConnectorOptions;
  #opening = false;
  /** Keeps the process alive during an attempt that a command waits for. */
  #hold: Timer | null = null;
  #pause: { readonly timer: Timer; readonly urgent: boolean } | null = null;
  /** Attempts in a row that were of no use. */
  #failures = 0;
  #closed = false;

  constructor(options: ConnectorOptions) {
    this.#options = options;
  }

  /** A command has come that waits for a connection: a pause that was made for nobody is over. */
  hurry(): void {
    if (this.#pause?.urgent === false) this.#stopPause();
    this.adjust();
  }

  /** The need may have changed. */
  adjust(): void {
    if (this.#closed) return;
    const need = this.#options.need();
    if (this.#opening) return this.#holdIf(need === "urgent");
    if (this.#pause === null) {
      if (need !== "none") this.#attempt(need);
    } else if (need === "none" || (need === "urgent") !== this.#pause.urgent) {
      this.#startPause(need);
    }
  }

  /** A connection has been of use. */
  worked(): void {
    this.#failures = 0;
  }

  /** A connection has ended before it was of any use: as good as none. */
  wasted(error: QomError): void {
    if (this.#closed) return;
    this.#failures += 1;
    this.#options.failed(error);
    if (!this.#opening) this.#startPause(this.#options.need());
  }

  /** Ends it; an attempt in progress comes to nothing. */
  close(): void {
    this.#closed = true;
    this.#stopPause();
    this.#holdIf(false);
  }

  #attempt(need: Need): void {
    this.#opening = true;
    this.#holdIf(need === "urgent");
    void this.#options.open().then(
      (connection) => this.#opened(connection),
      (error: unknown) => this.#failed(error),
    );
  }

  #opened(connection: HelperConnection): void {
    this.#ended();
    if (this.#closed) connection.close();
    else this.#options.opened(connection);
  }

  #failed(error: unknown): void {
    this.#ended();
    // Anything else is a mistake of this library, and is heard of as one.
    if (!(error instanceof QomError)) throw error;
    this.wasted(error);
  }

  #ended(): void {
    this.#opening = false;
    this.#holdIf(false);
  }

  #startPause(need: Need): void {
    this.#stopPause();
    if (need === "none") return;
    const urgent = need === "urgent";
    const backOffMs = Math.min(ATTEMPT_PAUSE_MS * 2 ** Math.max(this.#failures - 1, 0), STANDBY_PAUSE_MAX_MS);
    const over = (): void => {
      this.#pause = null;
      this.adjust();
    };
    const timer = this.#options.clock.after(urgent ? ATTEMPT_PAUSE_MS : backOffMs, over, { background: !urgent });
    this.#pause = { timer, urgent };
  }

  #stopPause(): void {
    this.#pause?.timer.cancel();
    this.#pause = null;
  }

  #holdIf(wanted: boolean): void {
    if (wanted === (this.#hold !== null)) return;
    this.#hold?.cancel();
    this.#hold = wanted ? this.#options.clock.after(this.#options.openTimeoutMs(), () => undefined) : null;
  }
}
