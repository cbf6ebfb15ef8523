/** Whether a command may change the medium. */

import type { UnitContext } from "./device-command.js";
import type { Task } from "./task.js";

/** True if the unit is write-protected by definition, or the command's path is read-only: then MODE SELECT is refused as well. */
export function isReadOnly(unit: UnitContext, task: Task): boolean {
  return unit.definition.writeProtected || task.readOnly;
}

/** True in the same cases, and if the SWP bit of the Control mode page is set, which MODE SELECT can clear. */
export function isWriteProtected(unit: UnitContext, task: Task): boolean {
  return isReadOnly(unit, task) || unit.modes.control.softwareWriteProtect;
}
