/** WRITE and WRITE AND VERIFY (SBC-4 5.40 to 5.48). */

import type { ScsiResult } from "../../scsi/command.js";
import type { DeviceCommand, UnitContext } from "../unit/device-command.js";
import { invalidCdbField } from "../unit/reply.js";
import type { Task } from "../unit/task.js";
import { blockRange, checkTransfer } from "./block-range.js";
import { changeMedium, checkWritable, dataOutOf, mustFlush } from "./data-out.js";

/** BYTCHK of WRITE AND VERIFY: what is compared after the write. */
const BYTE_CHECK_TOP_BIT = 2;
const BYTE_CHECK_RESERVED = 2;

/** Writes all blocks, or none when data-out is shorter than the CDB says. */
function write(unit: UnitContext, task: Task, flush: boolean): ScsiResult | Promise<ScsiResult> {
  const { lba, blocks } = blockRange(task);
  const { blockSizeBytes } = unit.definition;
  const data = dataOutOf(task, blocks * blockSizeBytes);
  if (data === null) return invalidCdbField();
  return checkWritable(unit, task) ?? changeMedium(unit, task, flush, () => unit.medium.write(lba * blockSizeBytes, data, task));
}

/** 6-byte CDBs have no FUA. */
function write6(unit: UnitContext, task: Task): ScsiResult | Promise<ScsiResult> {
  return write(unit, task, !unit.modes.caching.writeCache);
}

function writeCached(unit: UnitContext, task: Task): ScsiResult | Promise<ScsiResult> {
  return write(unit, task, mustFlush(unit, task));
}

/** The medium reads back what was written; to verify means that it has left the cache. */
function writeAndVerify(unit: UnitContext, task: Task): ScsiResult | Promise<ScsiResult> {
  return write(unit, task, true);
}

function checkVerify(unit: UnitContext, task: Task): ScsiResult | null {
  const byteCheck = ((task.cdb[1] ?? 0) >> 1) & 0x03;
  return byteCheck === BYTE_CHECK_RESERVED ? invalidCdbField(1, BYTE_CHECK_TOP_BIT) : checkTransfer(unit, task);
}

/** WRITE(6), (10), (12), (16) and WRITE AND VERIFY(10), (12), (16). */
export const writeCommands: readonly DeviceCommand[] = [
  { opcode: 0x0a, usage: "0a 1f ff ff ff 04", needsMedium: true, check: checkTransfer, run: write6 },
  { opcode: 0x2a, usage: "2a f8 ff ff ff ff 00 ff ff 04", needsMedium: true, check: checkTransfer, run: writeCached },
  { opcode: 0x2e, usage: "2e f6 ff ff ff ff 00 ff ff 04", needsMedium: true, check: checkVerify, run: writeAndVerify },
  { opcode: 0x8a, usage: "8a f8 ff ff ff ff ff ff ff ff ff ff ff ff 00 04", needsMedium: true, check: checkTransfer, run: writeCached },
  {
    opcode: 0x8e,
    usage: "8e f6 ff ff ff ff ff ff ff ff ff ff ff ff 00 04",
    needsMedium: true,
    check: checkVerify,
    run: writeAndVerify,
  },
  { opcode: 0xaa, usage: "aa f8 ff ff ff ff ff ff ff ff 00 04", needsMedium: true, check: checkTransfer, run: writeCached },
  { opcode: 0xae, usage: "ae f6 ff ff ff ff ff ff ff ff 00 04", needsMedium: true, check: checkVerify, run: writeAndVerify },
];
