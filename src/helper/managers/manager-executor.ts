/** Requests that a PR manager of this process executes, on the main thread. */

import { constants } from "node:fs";
import { DATA_SIZE_MAX, transferLengthOf } from "../../scsi/pr-helper.js";
import { describeError } from "../../base/errors.js";
import { FileTypeReader } from "../../native/file/type.js";
import type { Libc } from "../../native/libc.js";
import type { SgIoExecutor } from "../../native/sg-io/sg-io.js";
import { accessModeOf, isPathDescriptor } from "../../native/server/unix.js";
import type { PrManager } from "../../pr-manager/pr-manager.js";
import { NO_BYTES, ScsiStatus } from "../../scsi/command.js";
import type { ScsiCommand, ScsiResult } from "../../scsi/command.js";
import { PR_OUT } from "../../scsi/persistent-reserve.js";
import { Sense, senseResult } from "../../scsi/sense.js";
import type { ClientEntry } from "../shared/client-register.js";
import type { Connection } from "../shared/connection-table.js";
import type { InitiatorOf } from "./initiators.js";
import { LogLevel } from "../log.js";
import type { Log } from "../log.js";
import { OnceLog } from "../once-log.js";
import { receivedUnit } from "./received-unit.js";
import type { ClientSessions } from "./client-sessions.js";
import type { UserLedger } from "./user-ledger.js";

/** The simulated units of the helper have this target port. */
const TARGET_PORT = 1;

/** Both commands have ten bytes; the rest of the sixteen on the wire is padding. */
const CDB_LENGTH = 10;

/** What a {@link ManagerExecutor} needs. */
export interface ManagerExecutorParts {
  readonly manager: PrManager;
  readonly initiatorOf: InitiatorOf;
  readonly libc: Libc;
  readonly sgIo: SgIoExecutor;
  readonly ledger: UserLedger;
  readonly sessions: ClientSessions;
  readonly log: Log;
}

/** See the module text. */
export class ManagerExecutor {
  readonly #parts: ManagerExecutorParts;
  readonly #fileTypes = new FileTypeReader();
  readonly #once: OnceLog;

  constructor(parts: ManagerExecutorParts) {
    this.#parts = parts;
    this.#once = new OnceLog(parts.log);
  }

  /** Executes the request of a connection. Every failure is a result. The connection and its descriptor stay the caller's. */
  async execute(connection: Connection, client: ClientEntry): Promise<ScsiResult> {
    try {
      const length = transferLengthOf(connection.cdb);
      const result = await this.#run(connection, client);
      const data = result.status === ScsiStatus.GOOD && connection.cdb[0] !== PR_OUT ? result.dataIn : NO_BYTES;
      return { ...result, dataIn: data.subarray(0, Math.min(length, DATA_SIZE_MAX)) };
    } catch (error) {
      this.#parts.log.write(LogLevel.WARNING, `client ${client.fd}: ${describeError(error)}`);
      return senseResult(Sense.LUN_COMMUNICATION_FAILURE);
    }
  }

  async #run(connection: Connection, client: ClientEntry): Promise<ScsiResult> {
    const { manager, initiatorOf, libc, sgIo, ledger, sessions } = this.#parts;
    const { descriptor } = connection;
    // Such a descriptor says nothing about what its owner may do with the device; SG_IO does not take it either.
    if (isPathDescriptor(libc, descriptor))
      return senseResult(this.#isOut(connection) ? Sense.INVALID_COMMAND_OPERATION_CODE : Sense.IO_ERROR);
    const readOnly = accessModeOf(libc, descriptor) === constants.O_RDONLY;
    if (readOnly && this.#isOut(connection)) return senseResult(Sense.INVALID_COMMAND_OPERATION_CODE);
    const nexus = sessions.nexusOf(client.session, () => ({ initiator: initiatorOf(client), targetPort: TARGET_PORT }));
    const account = ledger.account(client.uid);
    const parts = { readOnly, nexus, account, fileTypes: this.#fileTypes, sgIo, warn: this.#once.warn };
    const received = await receivedUnit(descriptor, parts);
    return "result" in received ? received.result : manager.execute(received, commandOf(connection));
  }

  #isOut({ cdb }: Connection): boolean {
    return cdb[0] === PR_OUT;
  }
}

/** The command in memory of its own: the connection's is shared between threads. */
function commandOf({ cdb, data, length }: Connection): ScsiCommand {
  const command = { cdb: cdb.slice(0, CDB_LENGTH) };
  return cdb[0] === PR_OUT ? { ...command, dataOut: data.slice(0, length) } : { ...command, allocationLength: transferLengthOf(cdb) };
}
