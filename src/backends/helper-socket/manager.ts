/**
 * `pr-manager-helper`: forwards to a privileged helper over a Unix socket, lending it the device's descriptor (QEMU:
 * scsi/pr-manager-helper.c).
 */

import { Clock } from "../../base/clock.js";
import { present } from "../../base/assert.js";
import { QomError } from "../../base/errors.js";
import { PrManager } from "../../pr-manager/pr-manager.js";
import { qomProperty, qomType } from "../../qom/decorators.js";
import { inject } from "../../qom/inject.js";
import { qom } from "../../qom/property-type.js";
import { writeU16 } from "../../scsi/bytes.js";
import { bareStatus, ScsiStatus, type ScsiCommand, type ScsiResult } from "../../scsi/command.js";
import { ALLOCATION_LENGTH_OFFSET, allocationLengthOf } from "../../scsi/persistent-reserve-in.js";
import { parameterListLengthOf } from "../../scsi/persistent-reserve-out.js";
import { PR_OUT } from "../../scsi/persistent-reserve.js";
import { Sense, senseResult } from "../../scsi/sense.js";
import type { ScsiUnit } from "../../scsi/unit.js";
import { HelperExchangeError } from "./exchange.js";
import { HelperPool } from "./pool.js";
import { DATA_SIZE_MAX, type HelperResponse } from "../../scsi/pr-helper.js";

/** A helper that accepts and does not greet is given up after this; QEMU waits for ever. */
const HANDSHAKE_TIMEOUT_SECONDS_DEFAULT = 5;

/** A helper that does not answer a command is given up after this; QEMU waits for ever. */
const TIMEOUT_SECONDS_DEFAULT = 60;

/** A day: more is a mistake, and a month is more than a timer takes. */
const TIMEOUT_SECONDS_MAX = 24 * 60 * 60;

/** Connections of one manager; each is a descriptor here and a client there, and a helper has 16 threads at most by default. */
const CONNECTIONS_MAX = 64;

/** See the module text. */
@qomType({
  name: "pr-manager-helper",
  description: "forwards PERSISTENT RESERVE commands to a privileged helper (qemu-pr-helper, qom-pr-helper)",
})
export class PrManagerHelper extends PrManager {
  /** Written at any time; counts from the next time on that there is no connection. */
  @qomProperty(qom.string(), { description: "path of the helper's Unix socket", required: true, access: "read-write" })
  accessor path!: string;

  /** Not in QEMU, which has one: commands of several disks wait for each other there. Commands of one disk may overtake each other. */
  @qomProperty(qom.uint32({ min: 1, max: CONNECTIONS_MAX }), {
    description: "most connections to the helper, each for one command at a time",
    default: 1,
  })
  accessor connections!: number;

  @qomProperty(qom.uint32({ min: 1, max: TIMEOUT_SECONDS_MAX }), {
    name: "timeout",
    description: "deadline in seconds of a command, after which its connection is dropped",
    default: TIMEOUT_SECONDS_DEFAULT,
    access: "read-write",
  })
  accessor timeoutSeconds!: number;

  @qomProperty(qom.uint32({ min: 1, max: TIMEOUT_SECONDS_MAX }), {
    name: "handshake-timeout",
    description: "deadline in seconds for the helper to accept a connection and greet",
    default: HANDSHAKE_TIMEOUT_SECONDS_DEFAULT,
    access: "read-write",
  })
  accessor handshakeTimeoutSeconds!: number;

  readonly #clock: Clock;
  #pool: HelperPool | undefined;

  constructor(@inject(Clock) clock: Clock) {
    super();
    this.#clock = clock;
  }

  override get connected(): boolean {
    return this.#pool?.connected ?? false;
  }

  override async complete(): Promise<void> {
    this.#pool = new HelperPool({
      clock: this.#clock,
      connectionsMax: this.connections,
      path: () => this.path,
      handshakeTimeoutMs: () => this.handshakeTimeoutSeconds * 1000,
      changed: (connected, cause) => this.connectionChanged(connected, cause),
    });
    await this.#pool.start();
  }

  override finalize(): void {
    this.#pool?.close();
  }

  override admit(unit: ScsiUnit): void {
    if (unit.fd !== null) return;
    throw new QomError("invalid-value", `'${unit.identity}' has no file descriptor that '${this.id ?? ""}' could lend to its helper`, {
      context: { option: "pr-manager", value: this.id ?? "" },
      hint: "a sim-lun needs filename=PATH for this manager",
    });
  }

  protected override run(unit: ScsiUnit, command: ScsiCommand): Promise<ScsiResult> {
    const { signal } = command;
    const out = command.cdb[0] === PR_OUT;
    const length = out ? parameterListLengthOf(command.cdb) : allocationLengthOf(command.cdb);
    if (unit.fd === null) return Promise.resolve(senseResult(Sense.IO_ERROR));
    if (out && length > DATA_SIZE_MAX) {
      return Promise.resolve(senseResult(Sense.INVALID_FIELD_IN_CDB, { fieldPointer: { in: "cdb", byte: 5 } }));
    }
    const cdb = out ? command.cdb : withinProtocol(command.cdb);
    // At least what the CDB allows: execute() refuses less. A helper may send more as long as there is room, as to QEMU.
    const bufferBytes = command.allocationLength ?? command.into?.length ?? length;
    const dataOut = out ? command.dataOut?.subarray(0, length) : undefined;
    const timeoutMs = command.timeoutMs ?? this.timeoutSeconds * 1000;
    const pool = present(this.#pool, "a completed manager has a pool");
    return new Promise((resolve) => {
      pool.submit({ owner: unit, cdb, dataOut, bufferBytes, timeoutMs, signal }, (outcome) => {
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
