/** The running helper's side of `--status`: its socket file and who answers there. */

import type { Server } from "node:net";
import { describeError } from "../../base/errors.js";
import type { Libc } from "../../native/libc.js";
import type { ServerLibc } from "../../native/server/libc.js";
import { Listener } from "../../native/server/listener.js";
import type { ListenerHandover } from "../../native/server/listener.js";
import { LogLevel } from "../log.js";
import type { Log } from "../log.js";
import { OnceLog } from "../once-log.js";
import { serveStatus, statusPathOf } from "./status.js";
import type { StatusReport } from "./status.js";

/** Only its owner and root may ask. */
const STATUS_MODE = 0o600;

/** The socket for `--status`, if there is one. */
export class StatusService {
  readonly #listener: Listener | null;
  #server: Server | null = null;

  private constructor(listener: Listener | null) {
    this.#listener = listener;
  }

  /** Creates the socket beside `socketPath`. If that fails, the log says so and there is no status: serving matters more. */
  static async create(libc: Libc, server: ServerLibc, socketPath: string, log: Log): Promise<StatusService> {
    try {
      return new StatusService(await Listener.create(libc, server, statusPathOf(socketPath), STATUS_MODE));
    } catch (error) {
      log.write(LogLevel.WARNING, `the status cannot be queried: ${describeError(error)}`);
      return new StatusService(null);
    }
  }

  /** For a socket that has no path. */
  static none(log: Log): StatusService {
    log.write(LogLevel.WARNING, "the status cannot be queried: the socket that was passed has no path");
    return new StatusService(null);
  }

  /** Goes on with the socket of another run of the program. */
  static resume(libc: Libc, server: ServerLibc, handover: ListenerHandover | null): StatusService {
    return new StatusService(handover === null ? null : Listener.resume(libc, server, handover));
  }

  /** What another run of the program needs for {@link resume}. */
  get handover(): ListenerHandover | null {
    return this.#listener?.handover ?? null;
  }

  /** Answers from now on. */
  serve(report: () => StatusReport, log: Log): void {
    if (this.#listener !== null) this.#server = serveStatus(this.#listener.fd, report, new OnceLog(log).warn);
  }

  /** Answers no more and removes the file. @throws QomError `io` when it cannot be removed */
  stop(): void {
    if (this.#server === null) {
      this.#listener?.stop();
      return;
    }
    this.#server.close();
    this.#listener?.removeFile();
  }
}
