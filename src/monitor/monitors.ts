/** The monitors of a machine: their character devices, and a session for each client. */
import type { Clock, Timer } from "../base/clock.js";
import { QomError } from "../base/errors.js";
import { printable } from "../base/limits.js";
import { runAll } from "../base/run-all.js";
import { thoseThere } from "../options/nearest.js";
import { openChardev } from "../chardev/chardev.js";
import type { Chardev, ChardevSurroundings } from "../chardev/chardev.js";
import type { Connection } from "../chardev/connection.js";
import type { ChardevSpec, MonitorMode } from "../chardev/spec.js";

/** One client being served, of either kind of monitor. */
export interface MonitorSession {
  /** Ends the session; `hangUp` waits for what is still to be sent, as long as there is patience. */
  close(hangUp: (send: Promise<void>) => Promise<void>): Promise<void>;
  /** Of a session on a terminal: calls `print`, which writes to the terminal, such that what has been typed so far stands below. */
  abovePrompt?(print: () => void): void;
}

/** A monitor at its character device. */
export interface AttachedMonitor {
  /** Of its object. */
  readonly id: string;
  readonly chardev: string;
  readonly mode: MonitorMode;
  /** Of QMP: indented output. */
  readonly pretty: boolean;
  /** Of one for people: lines can be edited on a terminal. */
  readonly edits: boolean;
  /** Called when the last client has gone by itself. */
  readonly left: () => void;
}

/** Begins to serve a client; `ended` is to be called when that is over, and not before the session was given back. */
export type SessionStarter = (connection: Connection, monitor: AttachedMonitor, ended: () => void) => MonitorSession;

/** A monitor that the command line asks for by an option of its own, and not as an object. */
export interface NamedMonitor {
  readonly id: string;
  readonly chardev: string;
  readonly mode: MonitorMode;
  readonly pretty: boolean;
}

/** What the command line says about monitors. */
export interface MonitorOptions {
  /** By id. */
  readonly chardevs: ReadonlyMap<string, ChardevSpec>;
  readonly monitors: readonly NamedMonitor[];
}

/** How long a client may take to read what was sent before the end of the machine. */
const LAST_WORDS_MS = 1000;

/** A character device, and who uses it. */
interface OpenChardev {
  readonly device: Chardev;
  monitor: AttachedMonitor | null;
}

/** See the file text. */
export class Monitors {
  readonly #options: MonitorOptions;
  readonly #startSession: SessionStarter;
  readonly #clock: Clock;
  readonly #chardevs = new Map<string, OpenChardev>();
  readonly #sessions = new Map<MonitorSession, AttachedMonitor>();
  #state: "opening" | "serving" | "ending" = "opening";

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
    for (const [id, spec] of this.#options.chardevs) {
      const device = await openChardev(spec, surroundings).catch((error: unknown) => {
        throw blame(spec, error);
      });
      this.#chardevs.set(id, { device, monitor: null });
    }
  }

  /** Serves clients from now on. */
  start(): void {
    this.#state = "serving";
    for (const chardev of this.#chardevs.values()) this.#startOn(chardev);
  }

  /**
   * Puts a monitor on its device.
   * @returns what takes it off again, and hangs up on its clients; with `closing` the device is gone, too
   * @throws QomError `not-found`, `in-use`
   */
  attach(monitor: AttachedMonitor): (closing: boolean) => Promise<void> {
    const chardev = this.#chardevs.get(monitor.chardev);
    if (chardev === undefined) throw noChardev(monitor.chardev, this.#chardevs.keys());
    if (chardev.monitor !== null) throw hasMonitor(monitor.chardev);
    chardev.monitor = monitor;
    if (this.#state === "serving") this.#startOn(chardev);
    return (closing) => this.#detach(chardev, monitor, closing);
  }

  /** Calls `print`, which writes to the terminal, above the prompt of a monitor that is on it. */
  abovePrompt(print: () => void): void {
    let action = print;
    for (const session of this.#sessions.keys()) {
      const inner = action;
      if (session.abovePrompt !== undefined) action = (): void => session.abovePrompt?.(inner);
    }
    action();
  }

  /** Takes no more clients, and removes the socket files. */
  async stopListening(): Promise<void> {
    this.#state = "ending";
    await runAll(
      [...this.#chardevs.values()].map(
        ({ device }) =>
          () =>
            device.close(),
      ),
    );
  }

  /** Ends all sessions when they have sent what they have to say. */
  async close(): Promise<void> {
    await Promise.all([...this.#sessions.keys()].map((session) => session.close((send) => this.#patience(send))));
  }

  #startOn({ device, monitor }: OpenChardev): void {
    if (monitor !== null) device.start((connection) => this.#serve(connection, monitor));
  }

  async #detach(chardev: OpenChardev, monitor: AttachedMonitor, closing: boolean): Promise<void> {
    // At the end of the machine clients hear of it first.
    if (this.#state === "ending") return;
    chardev.monitor = null;
    chardev.device.pause();
    if (closing) {
      this.#chardevs.delete(monitor.chardev);
      chardev.device.close();
    }
    const own = [...this.#sessions].filter(([, each]) => each === monitor);
    await Promise.all(own.map(([session]) => session.close((send) => this.#patience(send))));
  }

  #serve(connection: Connection, monitor: AttachedMonitor): void {
    const session = this.#startSession(connection, monitor, () => {
      this.#sessions.delete(session);
      const isLast = ![...this.#sessions.values()].includes(monitor);
      if (isLast && this.#state === "serving" && this.#chardevs.get(monitor.chardev)?.monitor === monitor) monitor.left();
    });
    this.#sessions.set(session, monitor);
  }

  #patience(send: Promise<void>): Promise<void> {
    let timer: Timer | undefined;
    const late = new Promise<void>((resolve) => {
      timer = this.#clock.after(LAST_WORDS_MS, resolve);
    });
    return Promise.race([send, late]).finally(() => timer?.cancel());
  }
}

function noChardev(id: string, known: Iterable<string>): QomError {
  const context = { option: "chardev", value: printable(id) };
  return new QomError("not-found", `there is no character device '${printable(id)}'`, { context, hint: thoseThere(id, [...known]) });
}

function hasMonitor(id: string): QomError {
  const context = { option: "chardev", value: printable(id) };
  return new QomError("in-use", `character device '${printable(id)}' has a monitor already`, { context });
}

/** A monitor of the command line, of whatever option, and what its error is to say. */
export interface ChardevUser {
  readonly chardev: string;
  /** Gives the error with what is known of the monitor, such as the option that asks for it. */
  readonly blame: (error: QomError) => unknown;
}

/**
 * Whether each monitor has a device and no two the same.
 * @throws QomError `not-found`, `in-use`
 */
export function checkMonitorOptions(options: MonitorOptions, users: readonly ChardevUser[]): void {
  const { chardevs } = options;
  const used = new Set<string>();
  for (const { chardev, blame } of users) {
    if (!chardevs.has(chardev)) throw blame(noChardev(chardev, chardevs.keys()));
    if (used.has(chardev)) throw blame(hasMonitor(chardev));
    used.add(chardev);
  }
  if (stdioUsers(options) < 2) return;
  throw new QomError("in-use", "standard input and output have one user: 'stdio' is given twice", {
    context: { option: "chardev", value: "stdio" },
  });
}

function stdioUsers({ chardevs }: MonitorOptions): number {
  return [...chardevs.values()].filter(({ kind }) => kind === "stdio").length;
}
