/**
 * The kinds of units and the commands of each: everything else is INVALID COMMAND OPERATION CODE. A table has no state and is the same for
 * every unit of its kind.
 */

import { lazily } from "../../base/lazily.js";
import { CommandTable } from "../unit/command-table.js";
import { cacheCommands } from "./cache.js";
import { capacityCommands } from "./capacity.js";
import { compareCommands } from "./compare.js";
import { diskIdentificationCommands, shadowIdentificationCommands } from "./identification.js";
import { logSenseCommands } from "./log-sense.js";
import { modeSelectCommands } from "./mode-select.js";
import { modeSenseCommands } from "./mode-sense.js";
import { readCommands } from "./read.js";
import { reportOperationCodesCommands } from "./report-operation-codes.js";
import { reportTargetPortGroupsCommands } from "./report-target-port-groups.js";
import { oldReserveCommands, persistentReserveCommands } from "./reserve.js";
import { startStopCommands, statusCommands } from "./status.js";
import { unmapCommands } from "./unmap.js";
import { writeCommands } from "./write.js";
import { writeSameCommands } from "./write-same.js";

/** What a kind of unit has beside what all have. */
interface UnitKind {
  readonly thinProvisioned: boolean;
  readonly persistentReservations: boolean;
}

function diskTable({ thinProvisioned, persistentReservations }: UnitKind): CommandTable {
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

function shadowTable(persistentReservations: boolean): CommandTable {
  return new CommandTable([
    ...statusCommands,
    ...shadowIdentificationCommands,
    ...(persistentReservations ? persistentReserveCommands : []),
  ]);
}

const thinDisk = lazily(() => diskTable({ thinProvisioned: true, persistentReservations: true }));
const fullDisk = lazily(() => diskTable({ thinProvisioned: false, persistentReservations: true }));
const thinDiskWithoutReservations = lazily(() => diskTable({ thinProvisioned: true, persistentReservations: false }));
const fullDiskWithoutReservations = lazily(() => diskTable({ thinProvisioned: false, persistentReservations: false }));
const shadow = lazily(() => shadowTable(true));
const shadowWithoutReservations = lazily(() => shadowTable(false));

/** The commands of a simulated disk; one that is not thinly provisioned has no UNMAP, and some have no PERSISTENT RESERVE IN and OUT. */
export function diskCommands(thinProvisioned: boolean, persistentReservations = true): CommandTable {
  if (persistentReservations) return thinProvisioned ? thinDisk() : fullDisk();
  return thinProvisioned ? thinDiskWithoutReservations() : fullDiskWithoutReservations();
}

/** The commands of a unit that has reservations and no medium: it stands for a disk that is somewhere else. */
export function shadowCommands(persistentReservations: boolean): CommandTable {
  return persistentReservations ? shadow() : shadowWithoutReservations();
}
