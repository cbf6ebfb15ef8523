/** Results of commands, with the residual for the size of the initiator's buffer. */

import { NO_BYTES, ScsiStatus } from "../../scsi/command.js";
import type { ScsiResult } from "../../scsi/command.js";
import { Sense, senseResult } from "../../scsi/sense.js";
import type { Task } from "./task.js";

/** Size in bytes of the initiator's buffer for data-in, `asked` being what the CDB asks for. */
export function bufferLength(task: Task, asked: number): number {
  const { allocationLength, into } = task.command;
  return allocationLength ?? into?.length ?? asked;
}

/** GOOD with the first bytes of `data`: as many as the CDB's allocation length and the buffer allow. */
export function goodWithData(task: Task, data: Uint8Array, allocationLength: number): ScsiResult {
  const buffer = bufferLength(task, allocationLength);
  const sent = data.subarray(0, Math.min(allocationLength, buffer));
  const { into } = task.command;
  into?.set(sent);
  const dataIn = into === undefined ? sent : into.subarray(0, sent.length);
  return { status: ScsiStatus.GOOD, dataIn, residual: buffer - sent.length, sense: NO_BYTES };
}

/** GOOD without data: the buffer, if there is one, stays empty. */
export function goodWithoutData(task: Task): ScsiResult {
  return { status: ScsiStatus.GOOD, dataIn: NO_BYTES, residual: bufferLength(task, 0), sense: NO_BYTES };
}

/** INVALID FIELD IN CDB; points to the field's first byte, and its most significant bit where it is not a whole byte. */
export function invalidCdbField(byte?: number, bit?: number): ScsiResult {
  if (byte === undefined) return senseResult(Sense.INVALID_FIELD_IN_CDB);
  return senseResult(Sense.INVALID_FIELD_IN_CDB, { fieldPointer: { in: "cdb", byte, ...(bit === undefined ? {} : { bit }) } });
}

/** INVALID FIELD IN PARAMETER LIST that points to the byte. */
export function invalidParameter(byte: number): ScsiResult {
  return senseResult(Sense.INVALID_FIELD_IN_PARAMETER_LIST, { fieldPointer: { in: "parameter-list", byte } });
}

/** `result` once `pending` has ended; at once if nothing is pending. */
export function after(pending: Promise<void> | null, result: ScsiResult): ScsiResult | Promise<ScsiResult> {
  return pending === null ? result : pending.then(() => result);
}

/** Does `next` once `pending` has ended; at once if nothing is pending. */
export function inTurn(pending: Promise<void> | null, next: () => Promise<void> | null): Promise<void> | null {
  return pending === null ? next() : pending.then(next).then(() => {});
}
