/**
 * `pr-manager-helper`: forwards to a privileged helper over a Unix socket, lending it the device's descriptor (QEMU:
 * scsi/pr-manager-helper.c).
 */

import { setMaxListeners } from "node:events";
import { Clock } from "../../base/clock.js";
import { QomError } from "../../base/errors.js";
import { parameterListLength, PrManager } from "../../pr-manager/pr-manager.js";
import type { ScsiUnit } from "../../pr-manager/scsi-unit.js";
import { qomProperty, qomType } from "../../qom/decorators.js";
import { inject } from "../../qom/inject.js";
import { qom } from "../../qom/property-type.js";
import { bareStatus, ScsiStatus, type ScsiCommand, type ScsiResult } from "../../scsi/command.js";
import { PR_OUT } from "../../scsi/persistent-reserve.js";
import { Sense, senseResult } from "../../scsi/sense.js";
import { HelperConnection, HelperExchangeError, type HelperRequest } from "./connection.js";
import { DATA_SIZE_MAX, transferLengthOf, type HelperResponse } from "./protocol.js";

/** A helper that accepts and does not greet is given up after this; QEMU waits for ever. */
const HANDSHAKE_TIMEOUT_MS = 5000;

/** A helper that does not answer a command is given up after this; QEMU waits for ever. */
const COMMAND_TIMEOUT_MS = 60_000;

/** How often a command is offered to a helper that cannot be reached, and the pause in between, as in QEMU (PR_MAX_RECONNECT_ATTEMPTS). */
const ATTEMPTS_MAX = 5;
const ATTEMPT_PAUSE_MS = 1000;

/** See the module text. */
@qomType({
  name: "pr-manager-helper",
  description: "forwards PERSISTENT RESERVE commands to a privileged helper (qemu-pr-helper, qom-pr-helper)",
})
export class PrManagerHelper extends PrManager {
  @qomProperty(qom.string(), { description: "path of the helper's Unix socket", required: true, access: "read-write" })
  accessor path!: string;

  readonly #clock: Clock;
  readonly #ended = new AbortController();
  #connection: HelperConnection | undefined;
  #connecting: Promise<HelperConnection> | undefined;

  constructor(@inject(Clock) clock: Clock) {
    super();
    this.#clock = clock;
    // Every command that waits for the helper listens.
    setMaxListeners(0, this.#ended.signal);
  }

  override get connected(): boolean {
    return this.#connection?.connected ?? false;
  }

  override async complete(): Promise<void> {
    await this.#connect();
  }

  override finalize(): void {
    this.#ended.abort(new QomError("closed", `${this.describe()} is closed`));
    this.#connection?.close();
  }

  override admit(unit: ScsiUnit): void {
    if (unit.fd !== null) return;
    throw new QomError("invalid-value", `'${unit.identity}' has no file descriptor that '${this.id ?? ""}' could lend to its helper`, {
      context: { option: "pr-manager", value: this.id ?? "" },
      hint: "a sim-lun needs filename=PATH for this manager",
    });
  }

  protected override async run(unit: ScsiUnit, command: ScsiCommand): Promise<ScsiResult> {
    const { fd } = unit;
    const out = command.cdb[0] === PR_OUT;
    const length = out ? parameterListLength(command.cdb) : transferLengthOf(command.cdb);
    if (fd === null) return senseResult(Sense.IO_ERROR);
    if (length > DATA_SIZE_MAX) return senseResult(Sense.INVALID_FIELD_IN_CDB, { fieldPointer: { in: "cdb", byte: out ? 5 : 7 } });
    // At least what the CDB allows: execute() refuses less. A helper may send more as long as there is room, as to QEMU.
    const bufferBytes = command.allocationLength ?? command.into?.length ?? length;
    const request: HelperRequest = {
      cdb: command.cdb,
      allocationLength: bufferBytes,
      ...(out ? { dataOut: (command.dataOut ?? new Uint8Array(0)).subarray(0, length) } : {}),
      ...(command.timeoutMs === undefined ? {} : { timeoutMs: command.timeoutMs }),
      ...(command.signal === undefined ? {} : { signal: command.signal }),
    };
    for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt += 1) {
      const outcome = await this.#attempt(fd, request);
      if (outcome !== "not-sent") return outcome instanceof HelperExchangeError ? failed(outcome) : resultOf(outcome, command, bufferBytes);
      if (!(await this.#pause(command.signal))) return bareStatus(ScsiStatus.TASK_ABORTED);
    }
    return senseResult(Sense.LUN_COMMUNICATION_FAILURE);
  }

  /** One try. `not-sent`: the helper cannot have seen the request, so that another try does no harm. */
  async #attempt(fd: number, request: HelperRequest): Promise<HelperResponse | HelperExchangeError | "not-sent"> {
    try {
      const connection = await this.#connect();
      return await connection.exchange(fd, request);
    } catch (error) {
      if (!(error instanceof HelperExchangeError)) {
        if (error instanceof QomError) return "not-sent";
        throw error;
      }
      return error.reason === "closed" && !error.sent ? "not-sent" : error;
    }
  }

  /** The connection, made if there is none; several callers share one attempt. */
  #connect(): Promise<HelperConnection> {
    if (this.#connection?.connected === true) return Promise.resolve(this.#connection);
    this.#connecting ??= this.#open().finally(() => {
      this.#connecting = undefined;
    });
    return this.#connecting;
  }

  async #open(): Promise<HelperConnection> {
    const connection = await HelperConnection.open(this.path, {
      clock: this.#clock,
      handshakeTimeoutMs: HANDSHAKE_TIMEOUT_MS,
      commandTimeoutMs: COMMAND_TIMEOUT_MS,
      signal: this.#ended.signal,
    });
    connection.onClose(() => this.connectionChanged(false));
    this.#connection = connection;
    this.connectionChanged(true);
    return connection;
  }

  /** Waits before the next attempt; false when the command or the manager ended meanwhile. */
  #pause(signal: AbortSignal | undefined): Promise<boolean> {
    const stop = signal === undefined ? this.#ended.signal : AbortSignal.any([signal, this.#ended.signal]);
    if (stop.aborted) return Promise.resolve(false);
    return new Promise((resolve) => {
      const end = (waited: boolean): void => {
        timer.cancel();
        stop.removeEventListener("abort", aborted);
        resolve(waited);
      };
      const aborted = (): void => end(false);
      const timer = this.#clock.after(ATTEMPT_PAUSE_MS, () => end(true));
      stop.addEventListener("abort", aborted, { once: true });
    });
  }
}

/** A command that was sent, or could not be: never sent again, since the helper may have run it. */
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
