/** The main thread's part where a PR manager executes: it takes whole requests from the workers and answers them itself. */

import { present } from "../../base/assert.js";
import type { Libc } from "../../native/libc.js";
import { ThreadedSgIoExecutor } from "../../native/sg-io/executor.js";
import type { ClientRegister } from "../shared/client-register.js";
import { ClientSessions } from "./client-sessions.js";
import type { ConnectionDesk } from "../connections/connection-desk.js";
import { Connection } from "../shared/connection-table.js";
import type { Exchange } from "../connections/exchange.js";
import type { Log } from "../log.js";
import { ManagerExecutor } from "./manager-executor.js";
import type { InitiatorOf } from "./initiators.js";
import type { ManagerHost } from "./manager-host.js";
import type { UserLedger } from "./user-ledger.js";

/** What a {@link ManagerDesk} needs. */
export interface ManagerDeskParts {
  readonly host: ManagerHost;
  readonly initiatorOf: InitiatorOf;
  readonly libc: Libc;
  readonly connections: SharedArrayBuffer;
  readonly register: ClientRegister;
  readonly exchange: Exchange;
  readonly desk: ConnectionDesk;
  readonly ledger: UserLedger;
  readonly log: Log;
}

/** See the module text. */
export class ManagerDesk {
  readonly #parts: ManagerDeskParts;
  readonly #sgIo = new ThreadedSgIoExecutor();
  readonly #sessions: ClientSessions;
  readonly #executor: ManagerExecutor;
  readonly #inFlight = new Set<Promise<void>>();
  #closing: Promise<void> | null = null;

  constructor(parts: ManagerDeskParts) {
    this.#parts = parts;
    const { libc, initiatorOf, ledger, log } = parts;
    const { manager } = parts.host;
    this.#sessions = new ClientSessions((nexus) => manager.nexusGone(nexus));
    this.#executor = new ManagerExecutor({ manager, initiatorOf, libc, sgIo: this.#sgIo, ledger, sessions: this.#sessions, log });
  }

  /** Executes the request of the connection `fd`, of which this thread has custody, and answers it when that is over. */
  execute(fd: number): void {
    const execution = this.#execute(fd).finally(() => this.#inFlight.delete(execution));
    this.#inFlight.add(execution);
  }

  /** The connection of that session is closed. */
  ended(session: number): void {
    this.#sessions.end(session);
  }

  async #execute(fd: number): Promise<void> {
    const { connections, register, exchange, desk } = this.#parts;
    const connection = new Connection(connections, fd);
    const client = present(register.get(fd), "a connection with a request is in the register");
    const result = await this.#executor.execute(connection, client);
    desk.leaveToWorker(connection, exchange.answer(connection, result));
  }

  /** Requests in execution. */
  get busy(): number {
    return this.#inFlight.size;
  }

  /** Answers what is in execution, then ends the manager, with what it has to save. No request comes any more. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await Promise.all(this.#inFlight);
    await this.#parts.host.close();
    await this.#sgIo.close();
  }
}
