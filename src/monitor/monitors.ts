/** The monitors of a machine: their character devices, and a session for each client. */
import type { Clock, Timer } from "../base/clock.js";
import { QomError } from "../base/errors.js";
import { printable } from "../base/limits.js";
import { runAll } from "../base/run-all.js";
import { thoseThere } from "../options/nearest.js";
import { openChardev } from "../chardev/chardev.js";
import type { Chardev, ChardevSurroundings } from "../chardev/chardev.js";
import type { Connection } from "../chardev/connection.js";
import type { ChardevSpec, MonitorSpec } from "../chardev/spec.js";

/** One client being served, of either kind of monitor. */
export interface MonitorSession {
  /** Ends the session; `hangUp` waits for what is still to be sent, as long as there is patience. */
  close(hangUp: (send: Promise<void>) => Promise<void>): Promise<void>;
  /** Of a session on a terminal: calls `print`, which writes to the terminal, such that what has been typed so far stands below. */
  abovePrompt?(print: () => void): void;
}

/** Begins to serve a client; `ended` is to be called when that is over, and not before the session was given back. */
export type SessionStarter = (connection: Connection, spec: MonitorSpec, ended: () => void) => MonitorSession;

/** What the command line says about monitors. */
export interface MonitorOptions {
  /** By id. */
  readonly chardevs: ReadonlyMap<string, ChardevSpec>;
  readonly monitors: readonly MonitorSpec[];
}

/** How long a client may take to read what was sent before the end of the machine. */
const LAST_WORDS_MS = 1000;

/** See the file text. */
export class Monitors {
  readonly #options: MonitorOptions;
  readonly #startSession: SessionStarter;
  readonly #clock: Clock;
  readonly #chardevs = new Map<string | MonitorSpec, Chardev>();
  readonly #sessions = new Set<MonitorSession>();

  /** @param options that {@link checkMonitorOptions} has found right */
  constructor(options: MonitorOptions, clock: Clock, startSession: SessionStarter) {
    this.#options = options;
    this.#startSession = startSession;
    this.#clock = clock;
  }

  /** Whether one of them uses standard input and output. */
  get usesStdio(): boolean {
    return stdioUsers(this.#options) > 0;
  }

  /**
   * Opens the devices; clients that connect wait for {@link start}.
   * @param blame gives the error that is thrown when a device cannot be opened
   * @throws QomError as {@link openChardev}
   */
  async open(surroundings: ChardevSurroundings, blame: (spec: ChardevSpec, error: unknown) => unknown): Promise<void> {
    const opened = (spec: ChardevSpec): Promise<Chardev> =>
      openChardev(spec, surroundings).catch((error: unknown) => {
        throw blame(spec, error);
      });
    for (const [id, spec] of this.#options.chardevs) this.#chardevs.set(id, await opened(spec));
    for (const monitor of this.#options.monitors) {
      if (typeof monitor.chardev !== "string") this.#chardevs.set(monitor, await opened(monitor.chardev));
    }
  }

  /** Serves clients from now on. */
  start(): void {
    for (const monitor of this.#options.monitors) {
      const chardev = this.#chardevs.get(typeof monitor.chardev === "string" ? monitor.chardev : monitor);
      chardev?.start((connection) => this.#serve(connection, monitor));
    }
  }

  /** Calls `print`, which writes to the terminal, above the prompt of a monitor that is on it. */
  abovePrompt(print: () => void): void {
    let action = print;
    for (const session of this.#sessions) {
      const inner = action;
      if (session.abovePrompt !== undefined) action = (): void => session.abovePrompt?.(inner);
    }
    action();
  }

  /** Takes no more clients, and removes the socket files. */
  async stopListening(): Promise<void> {
    await runAll([...this.#chardevs.values()].map((chardev) => () => chardev.close()));
  }

  /** Ends all sessions when they have sent what they have to say. */
  async close(): Promise<void> {
    await Promise.all([...this.#sessions].map((session) => session.close((send) => this.#patience(send))));
  }

  #serve(connection: Connection, monitor: MonitorSpec): void {
    const session = this.#startSession(connection, monitor, () => this.#sessions.delete(session));
    this.#sessions.add(session);
  }

  #patience(send: Promise<void>): Promise<void> {
    let timer: Timer | undefined;
    const late = new Promise<void>((resolve) => {
      timer = this.#clock.after(LAST_WORDS_MS, resolve);
    });
    return Promise.race([send, late]).finally(() => timer?.cancel());
  }
}

/**
 * Whether each monitor has a device and no two the same.
 * @param blame gives the error about a monitor with what the caller knows of it, such as the option that asks for it
 * @throws QomError `not-found`, `in-use`
 */
export function checkMonitorOptions(
  { chardevs, monitors }: MonitorOptions,
  blame: (monitor: MonitorSpec, error: QomError) => unknown,
): void {
  const used = new Set<string>();
  for (const monitor of monitors) {
    const { chardev } = monitor;
    if (typeof chardev !== "string") continue;
    const context = { option: "chardev", value: printable(chardev) };
    if (!chardevs.has(chardev)) {
      const hint = thoseThere(chardev, [...chardevs.keys()]);
      throw blame(monitor, new QomError("not-found", `there is no character device '${printable(chardev)}'`, { context, hint }));
    }
    if (used.has(chardev)) {
      throw blame(monitor, new QomError("in-use", `character device '${printable(chardev)}' has a monitor already`, { context }));
    }
    used.add(chardev);
  }
  if (stdioUsers({ chardevs, monitors }) < 2) return;
  throw new QomError("in-use", "standard input and output have one user: 'stdio' is given twice", {
    context: { option: "chardev", value: "stdio" },
  });
}

function stdioUsers({ chardevs, monitors }: MonitorOptions): number {
  const all = [...chardevs.values(), ...monitors.map(({ chardev }) => chardev)];
  return all.filter((chardev) => typeof chardev !== "string" && chardev.kind === "stdio").length;
}
