/** The blocks that a CDB addresses, checked. */

import { present } from "../../base/assert.js";
import { blockAccess } from "../../scsi/cdb.js";
import type { BlockAccess } from "../../scsi/cdb.js";
import type { ScsiResult } from "../../scsi/command.js";
import { Sense, senseResult } from "../../scsi/sense.js";
import type { UnitContext } from "../unit/device-command.js";
import { TRANSFER_BYTES_MAX } from "../limits.js";
import { invalidCdbField } from "../unit/reply.js";
import type { Task } from "../unit/task.js";

/**
 * RDPROTECT, WRPROTECT, VRPROTECT in byte 1: no unit here has protection information. 6-byte CDBs, of operation codes below 20h, have
 * LBA bits there.
 */
const PROTECT_MASK = 0xe0;
const PROTECT_TOP_BIT = 7;
const FIRST_WITH_PROTECT = 0x20;

/** The blocks that the CDB of a command of the READ, WRITE, VERIFY, WRITE SAME or SYNCHRONIZE CACHE family addresses. */
export function blockRange(task: Task): BlockAccess {
  return present(blockAccess(task.cdb), "the command addresses blocks");
}

/** Most blocks that a single command transfers. */
export function transferBlocksMax(unit: UnitContext): number {
  return TRANSFER_BYTES_MAX / unit.definition.blockSizeBytes;
}

/** Logical blocks of a physical one. */
export function physicalBlockLength({ definition }: UnitContext): number {
  return definition.physicalBlockSizeBytes / definition.blockSizeBytes;
}

/** LOGICAL BLOCK ADDRESS OUT OF RANGE for blocks beyond the last one, else null. */
export function checkRange(unit: UnitContext, lba: number, blocks: number): ScsiResult | null {
  return lba + blocks > unit.blockCount ? senseResult(Sense.LBA_OUT_OF_RANGE) : null;
}

/** What is illegal in a CDB that addresses blocks, apart from their number: protection information, blocks that there are not. */
export function checkAddress(unit: UnitContext, task: Task): ScsiResult | null {
  return checkAccess(unit, task, blockRange(task));
}

function checkAccess(unit: UnitContext, { cdb }: Task, { lba, blocks }: BlockAccess): ScsiResult | null {
  if ((cdb[0] ?? 0) >= FIRST_WITH_PROTECT && ((cdb[1] ?? 0) & PROTECT_MASK) !== 0) return invalidCdbField(1, PROTECT_TOP_BIT);
  return checkRange(unit, lba, blocks);
}

/** {@link checkAddress}, and INVALID FIELD IN CDB for more blocks than one command transfers. */
export function checkTransfer(unit: UnitContext, task: Task): ScsiResult | null {
  const access = blockRange(task);
  return access.blocks > transferBlocksMax(unit) ? invalidCdbField() : checkAccess(unit, task, access);
}
