/** WRITE SAME (SBC-4 5.52, 5.53): one block of data-out, or zeros, into many. */

import type { ScsiResult } from "../../scsi/command.js";
import type { DeviceCommand, UnitContext } from "../unit/device-command.js";
import { invalidCdbField } from "../unit/reply.js";
import type { Task } from "../unit/task.js";
import { blockRange, checkTransfer } from "./block-range.js";
import { changeMedium, checkWritable, dataOutOf } from "./data-out.js";

const ANCHOR = 0x10;
const UNMAP = 0x08;
const OBSOLETE_DATA_FLAGS = 0x06;
const NO_DATA_OUT_BUFFER = 0x01;

/** NUMBER OF LOGICAL BLOCKS 0 would mean all up to the end; VPD page B0h says that it is refused (WSNZ = 1). */
function check(unit: UnitContext, task: Task): ScsiResult | null {
  const flags = task.cdb[1] ?? 0;
  if ((flags & ANCHOR) !== 0) return invalidCdbField(1, 4);
  if ((flags & UNMAP) !== 0 && !unit.definition.thinProvisioned) return invalidCdbField(1, 3);
  if ((flags & OBSOLETE_DATA_FLAGS) !== 0) return invalidCdbField(1, 2);
  return blockRange(task).blocks === 0 ? invalidCdbField() : checkTransfer(unit, task);
}

/** UNMAP = 1 asks for what a medium that can do so does in any case: blocks of zeros are freed. */
function writeSame(unit: UnitContext, task: Task, hasData: boolean): ScsiResult | Promise<ScsiResult> {
  const { lba, blocks } = blockRange(task);
  const { blockSizeBytes } = unit.definition;
  const block = hasData ? dataOutOf(task, blockSizeBytes) : new Uint8Array(blockSizeBytes);
  if (block === null) return invalidCdbField();
  const refusal = checkWritable(unit, task);
  if (refusal !== null) return refusal;
  const offset = lba * blockSizeBytes;
  const length = blocks * blockSizeBytes;
  const frees = unit.medium.deallocates && block.every((byte) => byte === 0);
  return changeMedium(unit, task, !unit.modes.caching.writeCache, () => {
    if (!frees) return unit.medium.write(offset, Buffer.alloc(length, block), task);
    unit.medium.deallocate(offset, length);
    return null;
  });
}

function writeSame16(unit: UnitContext, task: Task): ScsiResult | Promise<ScsiResult> {
  return writeSame(unit, task, ((task.cdb[1] ?? 0) & NO_DATA_OUT_BUFFER) === 0);
}

/** WRITE SAME(10) and (16). */
export const writeSameCommands: readonly DeviceCommand[] = [
  { opcode: 0x41, usage: "41 f8 ff ff ff ff 00 ff ff 04", needsMedium: true, check, run: (unit, task) => writeSame(unit, task, true) },
  { opcode: 0x93, usage: "93 f9 ff ff ff ff ff ff ff ff ff ff ff ff 00 04", needsMedium: true, check, run: writeSame16 },
];
