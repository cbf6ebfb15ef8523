/** Whether a command may change the medium. */

import type { UnitContext } from "./device-command.js";
import type { Task } from "./task.js";

/** True when the unit was made write-protected, or the command came by a path that is read-only: MODE SELECT is refused as well. */
export function isReadOnly(unit: UnitContext, task: Task): boolean {
  return unit.definition.writeProtected || task.readOnly;
}

/** True when that is so, or the SWP bit of the Control mode page is set, which MODE SELECT can clear. */
export function isWriteProtected(unit: UnitContext, task: Task): boolean {
  return isReadOnly(unit, task) || unit.modes.control.softwareWriteProtect;
}
