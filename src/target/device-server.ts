/** The kinds of units and the commands of each: everything else is INVALID COMMAND OPERATION CODE. */

import { CommandTable } from "./command-table.js";
import { cacheCommands } from "./commands/cache.js";
import { capacityCommands } from "./commands/capacity.js";
import { compareCommands } from "./commands/compare.js";
import { diskIdentificationCommands, shadowIdentificationCommands } from "./commands/identification.js";
import { logSenseCommands } from "./commands/log-sense.js";
import { modeSelectCommands } from "./commands/mode-select.js";
import { modeSenseCommands } from "./commands/mode-sense.js";
import { readCommands } from "./commands/read.js";
import { reportOperationCodesCommands } from "./commands/report-operation-codes.js";
import { reportTargetPortGroupsCommands } from "./commands/report-target-port-groups.js";
import { oldReserveCommands, persistentReserveCommands } from "./commands/reserve.js";
import { startStopCommands, statusCommands } from "./commands/status.js";
import { unmapCommands } from "./commands/unmap.js";
import { writeCommands } from "./commands/write.js";
import { writeSameCommands } from "./commands/write-same.js";

/** The commands of a simulated disk; one that is not thinly provisioned has no UNMAP, and some have no PERSISTENT RESERVE IN and OUT. */
export function diskCommands(thinProvisioned: boolean, persistentReservations = true): CommandTable {
  return new CommandTable([
    ...statusCommands,
    ...diskIdentificationCommands,
    ...capacityCommands,
    ...readCommands,
    ...writeCommands,
    ...compareCommands,
    ...cacheCommands,
    ...writeSameCommands,
    ...(thinProvisioned ? unmapCommands : []),
    ...modeSenseCommands,
    ...logSenseCommands,
    ...modeSelectCommands,
    ...startStopCommands,
    ...(persistentReservations ? persistentReserveCommands : []),
    ...oldReserveCommands,
    ...reportOperationCodesCommands,
    ...reportTargetPortGroupsCommands,
  ]);
}

/** The commands of a unit that has reservations and no medium: it stands for a disk that is somewhere else. */
export function shadowCommands(persistentReservations: boolean): CommandTable {
  return new CommandTable([
    ...statusCommands,
    ...shadowIdentificationCommands,
    ...(persistentReservations ? persistentReserveCommands : []),
  ]);
}
