/** Who may use the unit: PERSISTENT RESERVE IN and OUT (SPC-4 6.15, 6.16), RESERVE and RELEASE (SPC-2 7.21, 7.22). */

import type { ScsiResult } from "../../scsi/command.js";
import { allocationLengthOf } from "../../scsi/persistent-reserve-in.js";
import type { DeviceCommand, UnitContext } from "../unit/device-command.js";
import { invalidCdbField } from "../unit/reply.js";
import type { Task } from "../unit/task.js";

/** RESERVE and RELEASE, byte 1: reservations for a third party, with long identifiers, of extents. SPC-2 lets a device do without. */
const THIRD_PARTY = 0x10;
const LONG_ID = 0x02;
const EXTENT = 0x01;

function checkWholeUnit(_unit: UnitContext, { cdb }: Task): ScsiResult | null {
  const unsupported = (cdb[1] ?? 0) & (THIRD_PARTY | LONG_ID | EXTENT);
  return unsupported === 0 ? null : invalidCdbField(1, 31 - Math.clz32(unsupported));
}

function reserve(unit: UnitContext, task: Task): ScsiResult {
  return unit.reservations.oldReservation(task, "reserve");
}

function release(unit: UnitContext, task: Task): ScsiResult {
  return unit.reservations.oldReservation(task, "release");
}

/** PERSISTENT RESERVE IN and PERSISTENT RESERVE OUT. */
export const persistentReserveCommands: readonly DeviceCommand[] = [
  {
    opcode: 0x5e,
    serviceActions: [0x00, 0x01, 0x02, 0x03],
    usage: "5e 1f 00 00 00 00 00 ff ff 04",
    reservation: true,
    run: (unit, task) => unit.reservations.reserveIn(task, allocationLengthOf(task.cdb)),
  },
  {
    opcode: 0x5f,
    serviceActions: [0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07],
    usage: "5f 1f ff 00 00 ff ff ff ff 04",
    reservation: true,
    run: (unit, task) => unit.reservations.reserveOut(task),
  },
];

/** RESERVE and RELEASE, (6) and (10). */
export const oldReserveCommands: readonly DeviceCommand[] = [
  { opcode: 0x16, usage: "16 13 00 00 00 04", reservation: true, check: checkWholeUnit, run: reserve },
  { opcode: 0x17, usage: "17 13 00 00 00 04", reservation: true, check: checkWholeUnit, run: release },
  { opcode: 0x56, usage: "56 13 00 00 00 00 00 00 00 04", reservation: true, check: checkWholeUnit, run: reserve },
  { opcode: 0x57, usage: "57 13 00 00 00 00 00 00 00 04", reservation: true, check: checkWholeUnit, run: release },
];
