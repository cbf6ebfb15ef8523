/** What commands that change the medium have in common. */

import { NO_BYTES } from "../../scsi/command.js";
import type { ScsiResult } from "../../scsi/command.js";
import { Sense, senseResult } from "../../scsi/sense.js";
import type { UnitContext } from "../unit/device-command.js";
import { after, goodWithoutData, inTurn } from "../unit/reply.js";
import { taskAborted } from "../unit/task.js";
import type { Task } from "../unit/task.js";
import { isWriteProtected } from "../unit/write-protection.js";

/** FUA, in byte 1 of CDBs from 10 bytes on. */
const FORCE_UNIT_ACCESS = 0x08;

/** The first `length` bytes of data-out, or null when there are fewer. */
export function dataOutOf(task: Task, length: number): Uint8Array | null {
  const dataOut = task.command.dataOut ?? NO_BYTES;
  return dataOut.length < length ? null : dataOut.subarray(0, length);
}

/** WRITE PROTECTED, or null for a medium that takes writes from there. */
export function checkWritable(unit: UnitContext, task: Task): ScsiResult | null {
  return isWriteProtected(unit, task) ? senseResult(Sense.WRITE_PROTECTED) : null;
}

/** True when the data must survive a crash before the command ends: FUA = 1, or no write cache. */
export function mustFlush(unit: UnitContext, task: Task): boolean {
  return !unit.modes.caching.writeCache || ((task.cdb[1] ?? 0) & FORCE_UNIT_ACCESS) !== 0;
}

/** Runs `change` when no other change is under way, and GOOD follows; with `flush` what was changed survives a crash by then. */
export function changeMedium(
  unit: UnitContext,
  task: Task,
  flush: boolean,
  change: () => Promise<void> | null,
): ScsiResult | Promise<ScsiResult> {
  return unit.writes.run(() => {
    if (task.aborted) return taskAborted();
    const changed = change();
    return after(flush ? inTurn(changed, () => unit.medium.flush()) : changed, goodWithoutData(task));
  });
}
