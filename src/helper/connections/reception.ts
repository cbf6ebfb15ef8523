/** New connections: who it is, whether they are let in, and the greeting. */

import { describeError } from "../../base/errors.js";
import type { EpollSet } from "../../native/server/epoll.js";
import { PeerCredentialsReader } from "../../native/server/peer-credentials.js";
import type { PeerCredentials } from "../../native/server/peer-credentials.js";
import type { ServerLibc } from "../../native/server/libc.js";
import { readProcessStat } from "../../native/process/stat.js";
import { refusalOf } from "./admission.js";
import type { AdmissionRules } from "./admission.js";
import type { ClientRegister } from "../shared/client-register.js";
import type { ConnectionDesk } from "./connection-desk.js";
import type { Connection } from "../shared/connection-table.js";
import type { Exchange } from "./exchange.js";
import { LogLevel } from "../log.js";
import type { Log } from "../log.js";
import type { Totals } from "../shared/totals.js";
import { acceptTrace } from "../trace/trace-points.js";

/** What a {@link Reception} needs. */
export interface ReceptionParts {
  readonly server: ServerLibc;
  readonly epoll: EpollSet;
  readonly register: ClientRegister;
  readonly desk: ConnectionDesk;
  readonly exchange: Exchange;
  readonly totals: Totals;
  readonly log: Log;
  readonly rules: AdmissionRules;
  /** Processes are told apart, so that it matters when each was started. */
  readonly byProcess: boolean;
}

/** See the module text. */
export class Reception {
  readonly #parts: ReceptionParts;
  readonly #credentials: PeerCredentialsReader;

  constructor(parts: ReceptionParts) {
    this.#parts = parts;
    this.#credentials = new PeerCredentialsReader(parts.server);
  }

  /**
   * Takes over a new connection: it is greeted and waits in epoll, or it is closed.
   * @param listener which of the helper's sockets it came to
   */
  welcome(connection: Connection, listener: number): void {
    const { register, desk, exchange, epoll, totals, log } = this.#parts;
    const { fd } = connection;
    connection.open();
    acceptTrace.publish({ client: fd });
    try {
      const client = this.#credentials.read(fd);
      const who = `uid ${client.uid}, gid ${client.gid}, process ${client.pid}`;
      // In the register first, so that two workers that let the last two clients in at the same time see each other's.
      register.enter(fd, client, Date.now(), listener);
      const refusal = refusalOf(client, this.#parts.rules, register) ?? this.#identify(fd, client);
      if (refusal !== null) {
        totals.add("connectionsRefused");
        log.write(LogLevel.WARNING, `connection of ${who} refused: ${refusal}`);
        desk.close(connection);
        return;
      }
      totals.add("connectionsAccepted");
      log.write(LogLevel.CLIENT, `client ${fd} connected: ${who}`);
      if (!exchange.greet(connection)) {
        desk.close(connection);
        return;
      }
      register.release(fd);
      epoll.add(fd, "readable");
    } catch (error) {
      log.write(LogLevel.WARNING, `client ${fd} dropped: ${describeError(error)}`);
      desk.close(connection);
    }
  }

  /** Notes when the client's process was started: process numbers are used again. A refusal when that cannot be known. */
  #identify(fd: number, client: PeerCredentials): string | null {
    if (!this.#parts.byProcess) return null;
    const stat = client.pid === 0 ? null : readProcessStat(`/proc/${client.pid}/stat`);
    if (stat === null) return "its process cannot be identified from here";
    this.#parts.register.setProcessStart(fd, Number(stat.started));
    return null;
  }
}
