/** READ (SBC-4 5.15 to 5.18). */

import { unfilledBytes } from "../../base/unfilled-bytes.js";
import { NO_BYTES, ScsiStatus } from "../../scsi/command.js";
import type { ScsiResult } from "../../scsi/command.js";
import type { Medium } from "../medium/medium.js";
import type { DeviceCommand, UnitContext } from "../unit/device-command.js";
import { after, bufferLength } from "../unit/reply.js";
import type { Task } from "../unit/task.js";
import { blockRange, checkTransfer } from "./block-range.js";

/** Reads into the caller's memory if there is some, else into new memory. A buffer that is too small for all blocks gets the first bytes. */
function read(unit: UnitContext, task: Task): ScsiResult | Promise<ScsiResult> {
  const { lba, blocks } = blockRange(task);
  const { blockSizeBytes } = unit.definition;
  const wanted = blocks * blockSizeBytes;
  const buffer = bufferLength(task, wanted);
  const length = Math.min(wanted, buffer);
  const { into } = task.command;
  // a view costs more than to see that none is needed
  const dataIn = into?.length === length ? into : (into?.subarray(0, length) ?? newBytes(unit.medium, length));
  const result = { status: ScsiStatus.GOOD, dataIn, residual: buffer - length, sense: NO_BYTES };
  return after(unit.medium.read(lba * blockSizeBytes, dataIn, task), result);
}

/** What a medium of somebody else's leaves as it was is nothing of this process. */
function newBytes({ fillsAll }: Medium, length: number): Uint8Array {
  return fillsAll === true ? unfilledBytes(length) : new Uint8Array(length);
}

/** READ(6), READ(10), READ(12) and READ(16). */
export const readCommands: readonly DeviceCommand[] = [
  { opcode: 0x08, usage: "08 1f ff ff ff 04", needsMedium: true, check: checkTransfer, run: read },
  { opcode: 0x28, usage: "28 f8 ff ff ff ff 00 ff ff 04", needsMedium: true, check: checkTransfer, run: read },
  { opcode: 0x88, usage: "88 f8 ff ff ff ff ff ff ff ff ff ff ff ff 00 04", needsMedium: true, check: checkTransfer, run: read },
  { opcode: 0xa8, usage: "a8 f8 ff ff ff ff ff ff ff ff 00 04", needsMedium: true, check: checkTransfer, run: read },
];
