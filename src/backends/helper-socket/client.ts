/**
 * A PR helper as an initiator sees it: a PERSISTENT RESERVE command with the descriptor of its device goes in, a SCSI result comes out,
 * whatever the helper does (QEMU: pr_manager_helper_run of scsi/pr-manager-helper.c).
 */

import { writeU16 } from "../../scsi/bytes.js";
import { bareStatus, ScsiStatus } from "../../scsi/command.js";
import type { ScsiCommand, ScsiResult } from "../../scsi/command.js";
import { ALLOCATION_LENGTH_OFFSET, allocationLengthOf } from "../../scsi/persistent-reserve-in.js";
import { parameterListLengthOf } from "../../scsi/persistent-reserve-out.js";
import { PR_OUT } from "../../scsi/persistent-reserve.js";
import { DATA_SIZE_MAX } from "../../scsi/pr-helper.js";
import type { HelperResponse } from "../../scsi/pr-helper.js";
import { Sense, senseResult } from "../../scsi/sense.js";
import { HelperExchangeError } from "./exchange.js";
import { HelperPool } from "./pool.js";
import type { HelperCommand, HelperPoolOptions } from "./pool.js";

/** A helper that accepts and does not greet is given up after this; QEMU waits for ever. */
export const HANDSHAKE_TIMEOUT_SECONDS_DEFAULT = 5;

/** A helper that does not answer a command is given up after this; QEMU waits for ever. */
export const TIMEOUT_SECONDS_DEFAULT = 60;

/** What a client works with. */
export interface HelperClientOptions extends HelperPoolOptions {
  /** Deadline of a command that has none of its own. */
  readonly timeoutMs: () => number;
}

/** See the file text. */
export class HelperClient {
  readonly #pool: HelperPool;
  readonly #timeoutMs: () => number;

  constructor({ timeoutMs, ...options }: HelperClientOptions) {
    this.#pool = new HelperPool(options);
    this.#timeoutMs = timeoutMs;
  }

  /** Whether there is a connection. */
  get connected(): boolean {
    return this.#pool.connected;
  }

  /**
   * Makes the first connection, in one attempt.
   * @throws QomError as {@link HelperPool.start}
   */
  start(): Promise<void> {
    return this.#pool.start();
  }

  /** Ends every command with TASK ABORTED. Idempotent. */
  close(): void {
    this.#pool.close();
  }

  /**
   * Runs PERSISTENT RESERVE IN or OUT, whose buffer is not smaller than its ALLOCATION LENGTH and whose data-out not shorter than its
   * PARAMETER LIST LENGTH.
   * @param owner whose descriptor is lent to the helper; owners take turns
   */
  execute(owner: HelperCommand["owner"], command: ScsiCommand): Promise<ScsiResult> {
    const { signal } = command;
    const out = command.cdb[0] === PR_OUT;
    const length = out ? parameterListLengthOf(command.cdb) : allocationLengthOf(command.cdb);
    if (owner.fd === null) return Promise.resolve(senseResult(Sense.IO_ERROR));
    if (out && length > DATA_SIZE_MAX) {
      return Promise.resolve(senseResult(Sense.INVALID_FIELD_IN_CDB, { fieldPointer: { in: "cdb", byte: 5 } }));
    }
    const cdb = out ? command.cdb : withinProtocol(command.cdb);
    // At least what the CDB allows. A helper may send more as long as there is room, as to QEMU.
    const bufferBytes = command.allocationLength ?? command.into?.length ?? length;
    const dataOut = out ? command.dataOut?.subarray(0, length) : undefined;
    const timeoutMs = Math.min(command.timeoutMs ?? Number.POSITIVE_INFINITY, this.#timeoutMs());
    return new Promise((resolve) => {
      this.#pool.submit({ owner, cdb, dataOut, bufferBytes, timeoutMs, signal }, (outcome) => {
        resolve(outcome instanceof HelperExchangeError ? failed(outcome) : resultOf(outcome, command, bufferBytes));
      });
    });
  }
}

/**
 * A PERSISTENT RESERVE IN that asks for no more than the protocol carries. An allocation length is a maximum, and the answer says itself how
 * long all of it is: the initiator sees an answer that was cut, as of a target that does not send more.
 */
function withinProtocol(cdb: Uint8Array): Uint8Array {
  if (allocationLengthOf(cdb) <= DATA_SIZE_MAX) return cdb;
  const lowered = cdb.slice();
  writeU16(lowered, ALLOCATION_LENGTH_OFFSET, DATA_SIZE_MAX);
  return lowered;
}

/** What a command without a response ends with. It is not sent again, since the helper may have run it or cannot be reached. */
function failed(error: HelperExchangeError): ScsiResult {
  switch (error.reason) {
    case "aborted":
      return bareStatus(ScsiStatus.TASK_ABORTED);
    case "busy":
      return bareStatus(ScsiStatus.TASK_SET_FULL);
    case "refused":
      return senseResult(Sense.IO_ERROR);
    case "closed":
    case "protocol":
    case "timeout":
    case "unreachable":
      return senseResult(Sense.LUN_COMMUNICATION_FAILURE);
  }
}

/**
 * The helper's answer as the initiator sees it. Sense data come in 96 bytes filled up with zeros, and are handed on as they came, as
 * QEMU does.
 */
function resultOf(response: HelperResponse, command: ScsiCommand, bufferBytes: number): ScsiResult {
  const { status, sense } = response;
  if (status !== ScsiStatus.GOOD || command.cdb[0] === PR_OUT) return { status, dataIn: response.dataIn, residual: 0, sense };
  const data = response.dataIn.subarray(0, bufferBytes);
  const residual = bufferBytes - data.length;
  if (command.into === undefined) return { status, dataIn: data, residual, sense };
  command.into.set(data);
  return { status, dataIn: command.into.subarray(0, data.length), residual, sense };
}
