/** What any thread does with a connection that it has in its custody: wait for it again, or close it. */

import type { EpollSet } from "../../native/server/epoll.js";
import { Note } from "../shared/client-register.js";
import type { ClientRegister } from "../shared/client-register.js";
import { NO_DESCRIPTOR } from "../shared/connection-table.js";
import type { Connection } from "../shared/connection-table.js";
import type { Next } from "./exchange.js";
import { LogLevel } from "../log.js";
import type { Log } from "../log.js";
import { closeTrace } from "../trace/trace-points.js";

/** What a {@link ConnectionDesk} needs. */
export interface ConnectionDeskParts {
  readonly epoll: EpollSet;
  readonly register: ClientRegister;
  readonly log: Log;
  /** Takes a descriptor that is to be closed, a client's or that of its connection, when nothing waits for that any more. */
  readonly discard: (descriptor: number, user: number) => void;
  /** A connection is closed. */
  readonly gone: () => void;
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

  /**
   * Lets the worker that gets the next event go on: with a descriptor that is to be closed, or with a connection that is. The main thread
   * closes neither, since that may take for ever.
   */
  leaveToWorker(connection: Connection, next: Exclude<Next, "execute">): void {
    const { epoll, register } = this.#parts;
    const { fd } = connection;
    connection.spendDescriptor();
    if (next === "close") register.note(fd, Note.ENDS);
    register.release(fd);
    // The event comes at once, unless the client has not taken its last answers.
    epoll.rearm(fd, "writable");
  }

  /** Closes the connection, and then the descriptors of its requests. */
  close(connection: Connection): void {
    const { register, log, discard, gone, ended } = this.#parts;
    const { fd } = connection;
    const user = register.userOf(fd);
    const descriptors = [connection.takeDescriptor(), connection.takeSpent()].filter((descriptor) => descriptor !== NO_DESCRIPTOR);
    if (ended !== undefined) {
      const client = register.get(fd);
      if (client !== null && client.commands > 0) ended(client.session);
    }
    closeTrace.publish({ client: fd });
    log.write(LogLevel.CLIENT, `client ${fd} gone`);
    register.leave(fd);
    // Once it is closed the number, and so slot and entry, may belong to another worker's new connection.
    for (const descriptor of [fd, ...descriptors]) discard(descriptor, user);
    gone();
  }
}
