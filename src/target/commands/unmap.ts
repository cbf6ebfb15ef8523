/**
 * UNMAP (SBC-4 5.35).
 *
 *     parameter list                                    block descriptor
 *     0..1   UNMAP DATA LENGTH (n - 1)                   0..7   UNMAP LOGICAL BLOCK ADDRESS
 *     2..3   UNMAP BLOCK DESCRIPTOR DATA LENGTH (n - 7)  8..11  NUMBER OF LOGICAL BLOCKS
 *     8..    block descriptors, 16 bytes each           12..15  reserved
 */

import { readU16, readU32, readU64 } from "../../scsi/bytes.js";
import type { BlockAccess } from "../../scsi/cdb.js";
import type { ScsiResult } from "../../scsi/command.js";
import { Sense, senseResult } from "../../scsi/sense.js";
import type { DeviceCommand, UnitContext } from "../unit/device-command.js";
import { goodWithoutData, invalidCdbField, invalidParameter } from "../unit/reply.js";
import type { Task } from "../unit/task.js";
import { checkRange } from "./block-range.js";
import { changeMedium, checkWritable, dataOutOf } from "./data-out.js";

/** All blocks of one command together: what a 32-bit field can say, since freeing costs little. */
export const UNMAP_BLOCKS_MAX = 0xffff_ffff;
/** Block descriptors of one command: as many as the 16-bit parameter list length has room for. */
export const UNMAP_DESCRIPTORS_MAX = 4095;

const ANCHOR = 0x01;
const HEADER_LENGTH = 8;
const DESCRIPTOR_LENGTH = 16;

function check(_unit: UnitContext, { cdb }: Task): ScsiResult | null {
  return ((cdb[1] ?? 0) & ANCHOR) === 0 ? null : invalidCdbField(1, 0);
}

/** Frees all ranges, or none when one of them is wrong. A medium that cannot free leaves its blocks as they are. */
function unmap(unit: UnitContext, task: Task): ScsiResult | Promise<ScsiResult> {
  const length = readU16(task.cdb, 7);
  if (length === 0) return goodWithoutData(task);
  const list = dataOutOf(task, length);
  if (list === null || length < HEADER_LENGTH) return senseResult(Sense.PARAMETER_LIST_LENGTH_ERROR);
  const ranges = readRanges(list);
  const blocks = ranges.reduce((sum, range) => sum + range.blocks, 0);
  if (blocks > UNMAP_BLOCKS_MAX || ranges.length > UNMAP_DESCRIPTORS_MAX) return invalidParameter(2);
  for (const range of ranges) {
    const refusal = checkRange(unit, range.lba, range.blocks);
    if (refusal !== null) return refusal;
  }
  const refusal = checkWritable(unit, task);
  if (refusal !== null) return refusal;
  const { blockSizeBytes } = unit.definition;
  return changeMedium(unit, task, false, () => {
    for (const range of ranges) unit.medium.deallocate(range.lba * blockSizeBytes, range.blocks * blockSizeBytes);
    return null;
  });
}

/** The complete descriptors: a last one that is cut is ignored (SBC-4 5.35.2). */
function readRanges(list: Uint8Array): readonly BlockAccess[] {
  const end = Math.min(list.length, HEADER_LENGTH + readU16(list, 2));
  const ranges: BlockAccess[] = [];
  for (let at = HEADER_LENGTH; at + DESCRIPTOR_LENGTH <= end; at += DESCRIPTOR_LENGTH) {
    ranges.push({ lba: Number(readU64(list, at)), blocks: readU32(list, at + 8) });
  }
  return ranges;
}

/** UNMAP. */
export const unmapCommands: readonly DeviceCommand[] = [
  { opcode: 0x42, usage: "42 01 00 00 00 00 00 ff ff 04", needsMedium: true, check, run: unmap },
];
