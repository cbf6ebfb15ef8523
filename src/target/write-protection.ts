/** Whether a unit's medium refuses writes. */

import type { UnitContext } from "./device-command.js";

/** True when the unit was made so, or the SWP bit of the Control mode page is set. */
export function isWriteProtected(unit: UnitContext): boolean {
  return unit.definition.writeProtected || unit.modes.control.softwareWriteProtect;
}
