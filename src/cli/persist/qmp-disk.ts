/** A device of a running machine, by the command x-scsi-execute of its QMP monitor. */
import { QomError } from "../../base/errors.js";
import { PATIENCE_MS, QmpClient } from "../../monitor/client.js";
import { isOptionMap } from "../../options/value.js";
import type { OptionMap, PlainValue } from "../../options/value.js";
import { fromHex, toHex } from "../../scsi/bytes.js";
import type { ScsiCommand, ScsiResult } from "../../scsi/command.js";
import { PR_OUT } from "../../scsi/persistent-reserve.js";
import { Sense, senseResult } from "../../scsi/sense.js";
import type { DiskAnswer, PersistDisk } from "./disk.js";

/** See the module text. */
export class QmpDisk implements PersistDisk {
  readonly takesInquiry = true;
  /** The machine has said it. */
  readonly warnings: readonly string[] = [];
  readonly #monitor: QmpClient;
  readonly #device: string;
  readonly #readOnly: boolean;

  private constructor(monitor: QmpClient, device: string, readOnly: boolean) {
    this.#monitor = monitor;
    this.#device = device;
    this.#readOnly = readOnly;
  }

  /**
   * @param readOnly PERSISTENT RESERVE OUT is refused as on a device of this host that was opened so
   * @throws QomError `connection` when nobody answers at that path, or somebody who does not speak QMP
   */
  static async open(path: string, device: string, readOnly: boolean): Promise<QmpDisk> {
    return new QmpDisk(await QmpClient.connect(path), device, readOnly);
  }

  /** @throws QomError `invalid-value` for what the machine refuses, such as a device that it does not have; `connection` */
  async execute({ cdb, dataOut, allocationLength, timeoutMs = 0 }: ScsiCommand): Promise<DiskAnswer> {
    if (this.#readOnly && cdb[0] === PR_OUT) return { result: senseResult(Sense.INVALID_COMMAND_OPERATION_CODE) };
    const given: [string, PlainValue][] = [
      ["device", this.#device],
      ["cdb", toHex(cdb)],
    ];
    if (dataOut !== undefined) given.push(["data-out", toHex(dataOut)]);
    if (allocationLength !== undefined) given.push(["allocation-length", allocationLength]);
    if (timeoutMs > 0) given.push(["timeout-ms", timeoutMs]);
    const answer = await this.#monitor.execute("x-scsi-execute", new Map(given), timeoutMs + PATIENCE_MS);
    return { result: resultOf(answer) };
  }

  notesBefore(): readonly string[] {
    return [];
  }

  notesAfter(): Promise<readonly string[]> {
    return Promise.resolve([]);
  }

  close(): Promise<void> {
    this.#monitor.close();
    return Promise.resolve();
  }
}

/** @throws QomError `connection` for an answer that is none */
function resultOf(answer: PlainValue): ScsiResult {
  const members: OptionMap = isOptionMap(answer) ? answer : new Map();
  const bytes = (name: string): Uint8Array | null => {
    const digits = members.get(name);
    return typeof digits === "string" ? fromHex(digits) : null;
  };
  const number = (name: string): number => Number(members.get(name) ?? Number.NaN);
  const [status, dataIn, sense] = [number("status"), bytes("data-in"), bytes("sense")];
  if (!Number.isInteger(status) || dataIn === null || sense === null) {
    throw new QomError("connection", "the monitor's answer to x-scsi-execute makes no sense");
  }
  const hostStatus = number("host-status");
  return { status, dataIn, sense, residual: number("residual"), ...(Number.isInteger(hostStatus) ? { hostStatus } : {}) };
}
