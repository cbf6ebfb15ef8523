/**
 * Listens to the signals of commands, once to each however many commands have it, since all commands of a device have the same one: to
 * listen and stop listening for each command would cost more than all the rest of it. The signal of the last command is listened to on.
 */

interface Watched {
  /** Commands that have the signal. */
  count: number;
  readonly listener: () => void;
}

/** See the file text. */
export class AbortWatch {
  readonly #aborted: (signal: AbortSignal) => void;
  readonly #watched = new Map<AbortSignal, Watched>();
  /** The one signal that may be listened to for no command. */
  #last: AbortSignal | null = null;

  /** @param aborted told when a signal has fired that a command has */
  constructor(aborted: (signal: AbortSignal) => void) {
    this.#aborted = aborted;
  }

  /** A command with this signal has come. */
  add(signal: AbortSignal): void {
    const watched = this.#watched.get(signal);
    if (watched !== undefined) {
      watched.count += 1;
      return;
    }
    const listener = (): void => this.#aborted(signal);
    signal.addEventListener("abort", listener, { once: true });
    this.#watched.set(signal, { count: 1, listener });
  }

  /** A command with this signal is over. */
  delete(signal: AbortSignal): void {
    const watched = this.#watched.get(signal);
    if (watched === undefined) return;
    watched.count -= 1;
    if (watched.count > 0 || this.#last === signal) return;
    this.#forgetLast();
    this.#last = signal;
  }

  /** Listens to nothing any more; for the end, when no command is left. */
  close(): void {
    this.#forgetLast();
  }

  #forgetLast(): void {
    const watched = this.#last === null ? undefined : this.#watched.get(this.#last);
    if (this.#last === null || watched === undefined || watched.count > 0) return;
    this.#last.removeEventListener("abort", watched.listener);
    this.#watched.delete(this.#last);
  }
}
