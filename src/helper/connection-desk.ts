/** What any thread does with a connection that it has in its custody: wait for it again, or close it. */

import type { EpollSet } from "../native/epoll-server.js";
import type { Libc } from "../native/libc.js";
import type { ClientRegister } from "./client-register.js";
import { NO_DESCRIPTOR } from "./connection-table.js";
import type { Connection } from "./connection-table.js";
import type { Next } from "./exchange.js";
import { LogLevel } from "./log.js";
import type { Log } from "./log.js";
import { closeTrace } from "./trace-points.js";

/** What a {@link ConnectionDesk} needs. */
export interface ConnectionDeskParts {
  readonly libc: Libc;
  readonly epoll: EpollSet;
  readonly register: ClientRegister;
  readonly log: Log;
  /** Told of the session of a connection that had a command answered, when it is going to be closed. */
  readonly ended?: (session: number) => void;
}

/** See the module text. */
export class ConnectionDesk {
  readonly #parts: ConnectionDeskParts;

  constructor(parts: ConnectionDeskParts) {
    this.#parts = parts;
  }

  /** Lets go of the connection: it waits in epoll, or it is closed. */
  dispatch(connection: Connection, next: Exclude<Next, "execute">): void {
    if (next === "close") {
      this.close(connection);
      return;
    }
    const { epoll, register } = this.#parts;
    // Before it is armed: from then on another thread may have it.
    register.release(connection.fd);
    epoll.rearm(connection.fd, next);
  }

  /** Closes the connection and the descriptor of its request. */
  close(connection: Connection): void {
    const { libc, register, log, ended } = this.#parts;
    const { fd, descriptor } = connection;
    if (ended !== undefined) {
      const client = register.get(fd);
      if (client !== null && client.commands > 0) ended(client.session);
    }
    if (descriptor !== NO_DESCRIPTOR) libc.close(descriptor);
    closeTrace.publish({ client: fd });
    log.write(LogLevel.CLIENT, `client ${fd} gone`);
    register.leave(fd);
    // From here on the number, and so slot and entry, may belong to another worker's new connection.
    libc.close(fd);
  }
}
