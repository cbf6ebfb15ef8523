/** The running helper's side of `--status`: its socket file and who answers there. */

import type { Server } from "node:net";
import { describeError } from "../base/errors.js";
import type { Libc } from "../native/libc.js";
import type { ServerLibc } from "../native/libc-server.js";
import { LogLevel } from "./log.js";
import type { Log } from "./log.js";
import { SocketFile } from "./socket-file.js";
import { serveStatus, statusPathOf } from "./status.js";
import type { StatusReport } from "./status.js";

/** Only its owner and root may ask. */
const STATUS_MODE = 0o600;

/** The socket for questions, or that there is none. */
export class StatusService {
  readonly #socket: SocketFile | null;
  #server: Server | null = null;

  private constructor(socket: SocketFile | null) {
    this.#socket = socket;
  }

  /** Creates the socket beside `socketPath`. Where that is not possible there is no status, and a line in the log: the service counts more. */
  static async create(libc: Libc, server: ServerLibc, socketPath: string, log: Log): Promise<StatusService> {
    try {
      return new StatusService(await SocketFile.create(libc, server, statusPathOf(socketPath), STATUS_MODE));
    } catch (error) {
      log.write(LogLevel.WARNING, `no status can be asked: ${describeError(error)}`);
      return new StatusService(null);
    }
  }

  /** Answers from now on. */
  serve(report: () => StatusReport): void {
    if (this.#socket !== null) this.#server = serveStatus(this.#socket.fd, report);
  }

  /** Answers no more and removes the file. @throws QomError `io` when it cannot be removed */
  stop(): void {
    if (this.#server === null) {
      this.#socket?.stop();
      return;
    }
    this.#server.close();
    this.#socket?.removeFile();
  }
}
