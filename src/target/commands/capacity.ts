/** READ CAPACITY (SBC-4 5.20, 5.21). */

import { readU32 } from "../../scsi/bytes.js";
import { CAPACITY_10_LENGTH, encodeCapacity10, encodeCapacity16 } from "../../scsi/capacity.js";
import type { Capacity } from "../../scsi/capacity.js";
import type { ScsiResult } from "../../scsi/command.js";
import type { DeviceCommand, UnitContext } from "../unit/device-command.js";
import { goodWithData } from "../unit/reply.js";
import type { Task } from "../unit/task.js";
import { physicalBlockLength } from "./block-range.js";

function capacityOf(unit: UnitContext): Capacity {
  return { lastLba: unit.blockCount - 1, blockSizeBytes: unit.definition.blockSizeBytes };
}

function readCapacity10(unit: UnitContext, task: Task): ScsiResult {
  return goodWithData(task, encodeCapacity10(capacityOf(unit)), CAPACITY_10_LENGTH);
}

function readCapacity16(unit: UnitContext, task: Task): ScsiResult {
  const data = encodeCapacity16({
    ...capacityOf(unit),
    protectionType: 0,
    physicalBlockExponent: Math.log2(physicalBlockLength(unit)),
    provisioned: unit.definition.thinProvisioned,
    unmappedReadsZeros: unit.definition.thinProvisioned && unit.medium.deallocates,
    lowestAlignedLba: 0,
  });
  return goodWithData(task, data, readU32(task.cdb, 10));
}

/** READ CAPACITY(10) and READ CAPACITY(16). */
export const capacityCommands: readonly DeviceCommand[] = [
  { opcode: 0x25, usage: "25 00 00 00 00 00 00 00 00 04", run: readCapacity10 },
  { opcode: 0x9e, serviceAction: 0x10, usage: "9e 1f 00 00 00 00 00 00 00 00 ff ff ff ff 00 04", run: readCapacity16 },
];
