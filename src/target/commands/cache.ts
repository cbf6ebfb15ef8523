/** SYNCHRONIZE CACHE (SBC-4 5.33, 5.34). */

import type { ScsiResult } from "../../scsi/command.js";
import type { DeviceCommand, UnitContext } from "../unit/device-command.js";
import { after, goodWithoutData } from "../unit/reply.js";
import type { Task } from "../unit/task.js";
import { blockRange, checkRange } from "./block-range.js";

/** Byte 1 has no protection field here. */
function check(unit: UnitContext, task: Task): ScsiResult | null {
  const { lba, blocks } = blockRange(task);
  return checkRange(unit, lba, blocks);
}

/** Whatever the range, everything is synchronised; and with IMMED = 1 as well the answer comes when that is done. */
function synchronizeCache(unit: UnitContext, task: Task): ScsiResult | Promise<ScsiResult> {
  return after(unit.medium.flush(), goodWithoutData(task));
}

/** SYNCHRONIZE CACHE(10) and (16). */
export const cacheCommands: readonly DeviceCommand[] = [
  { opcode: 0x35, usage: "35 02 ff ff ff ff 00 ff ff 04", needsMedium: true, check, run: synchronizeCache },
  { opcode: 0x91, usage: "91 02 ff ff ff ff ff ff ff ff ff ff ff ff 00 04", needsMedium: true, check, run: synchronizeCache },
];
