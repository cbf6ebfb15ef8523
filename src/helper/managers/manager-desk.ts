/** The main thread's part where a PR manager executes: it takes whole requests from the workers and answers them itself. */

import { assert, present } from "../../base/assert.js";
import type { EpollSet } from "../../native/server/epoll.js";
import type { ServerLibc } from "../../native/server/libc.js";
import type { Libc } from "../../native/libc.js";
import { ThreadedSgIoExecutor } from "../../native/sg-io/executor.js";
import type { ClientRegister } from "../shared/client-register.js";
import { ClientSessions } from "./client-sessions.js";
import { ConnectionDesk } from "../connections/connection-desk.js";
import { Connection } from "../shared/connection-table.js";
import { Exchange } from "../connections/exchange.js";
import type { Log } from "../log.js";
import { ManagerExecutor } from "./manager-executor.js";
import { initiators } from "./initiators.js";
import type { InitiatorSource } from "./initiators.js";
import type { ManagerHost } from "./manager-host.js";
import type { Totals } from "../shared/totals.js";
import { UserLedger } from "./user-ledger.js";
import type { UserHoldings } from "./user-ledger.js";
import type { UserLimits } from "./user-limits.js";

/** What a {@link ManagerDesk} needs. */
export interface ManagerDeskParts {
  readonly options: { readonly initiatorFrom: InitiatorSource; readonly userLimits: UserLimits };
  /** Names of the sockets, in their order. */
  readonly socketNames: readonly string[];
  readonly libc: Libc;
  readonly server: ServerLibc;
  readonly epoll: EpollSet;
  readonly connections: SharedArrayBuffer;
  readonly register: ClientRegister;
  readonly totals: Totals;
  readonly log: Log;
}

/** See the module text. */
export class ManagerDesk {
  readonly #host: ManagerHost;
  readonly #parts: ManagerDeskParts;
  readonly #exchange: Exchange;
  readonly #desk: ConnectionDesk;
  readonly #ledger: UserLedger;
  readonly #sgIo = new ThreadedSgIoExecutor();
  readonly #sessions: ClientSessions;
  readonly #executor: ManagerExecutor;
  readonly #inFlight = new Set<Promise<void>>();
  #closing: Promise<void> | null = null;

  /** @param host is the desk's from now on */
  constructor(host: ManagerHost, parts: ManagerDeskParts) {
    this.#host = host;
    this.#parts = parts;
    const { options, libc, log } = parts;
    const { manager } = host;
    const shared = { ...parts, discard: mainThreadClosesNothing, gone: mainThreadClosesNothing };
    this.#exchange = new Exchange(shared);
    this.#desk = new ConnectionDesk({ ...shared, ended: (session) => this.ended(session) });
    this.#ledger = new UserLedger(options.userLimits, log);
    this.#sessions = new ClientSessions((nexus) => manager.nexusGone(nexus));
    const initiatorOf = initiators(options.initiatorFrom, parts.socketNames);
    this.#executor = new ManagerExecutor({
      ...{ manager, initiatorOf, libc, log },
      sgIo: this.#sgIo,
      ledger: this.#ledger,
      sessions: this.#sessions,
    });
  }

  /** What users have made the manager keep. */
  get users(): readonly UserHoldings[] {
    return this.#ledger.users;
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
    const { connections, register } = this.#parts;
    const connection = new Connection(connections, fd);
    const client = present(register.get(fd), "a connection with a request is in the register");
    const result = await this.#executor.execute(connection, client);
    this.#desk.leaveToWorker(connection, this.#exchange.answer(connection, result));
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
    await this.#host.close();
    await this.#sgIo.close();
  }
}

/** Workers close connections and the descriptors of their requests. */
function mainThreadClosesNothing(): void {
  assert(false, "the main thread closes no descriptor of a client");
}
