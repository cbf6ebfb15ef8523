/** How the unit is: TEST UNIT READY (SPC-4 6.47), REQUEST SENSE (SPC-4 6.39), START STOP UNIT (SBC-4 5.31). */

import type { ScsiResult } from "../../scsi/command.js";
import { fixedSense, Sense } from "../../scsi/sense.js";
import type { DeviceCommand, UnitContext } from "../unit/device-command.js";
import { after, goodWithData, goodWithoutData, invalidCdbField } from "../unit/reply.js";
import type { Task } from "../unit/task.js";

/** DESC of REQUEST SENSE. */
const DESCRIPTOR_FORMAT = 0x01;
/** START STOP UNIT, byte 4. */
const START = 0x01;
const LOAD_EJECT = 0x02;
const NO_FLUSH = 0x04;
const POWER_CONDITION = 0xf0;

/**
 * Reports the next unit attention as data and clears it; else why the unit is not ready. Sense data is of fixed format only, as in CHECK
 * CONDITION.
 */
function requestSense(unit: UnitContext, task: Task): ScsiResult {
  if (((task.cdb[1] ?? 0) & DESCRIPTOR_FORMAT) !== 0) return invalidCdbField(1, 0);
  const code = task.nexusState.attentions.take() ?? (unit.power.stopped ? Sense.INITIALIZING_COMMAND_REQUIRED : Sense.NO_SENSE);
  return goodWithData(task, fixedSense(code), task.cdb[4] ?? 0);
}

function checkStartStop(_unit: UnitContext, task: Task): ScsiResult | null {
  const flags = task.cdb[4] ?? 0;
  if ((flags & POWER_CONDITION) !== 0) return invalidCdbField(4, 7);
  return (flags & LOAD_EJECT) === 0 ? null : invalidCdbField(4, 1);
}

/**
 * START = 0 empties the cache first unless NO_FLUSH says that it need not; a unit that cannot do so stays ready. With IMMED = 1 as well
 * the answer comes when everything is done. It writes nothing, so a path that may not write may do it, as in Linux (scsi_cmd_allowed).
 */
function startStop(unit: UnitContext, task: Task): ScsiResult | Promise<ScsiResult> {
  const flags = task.cdb[4] ?? 0;
  if ((flags & START) !== 0) {
    unit.power.start();
    return goodWithoutData(task);
  }
  // before the flush, so that no later write is left in the cache
  unit.power.stop();
  if ((flags & NO_FLUSH) !== 0) return goodWithoutData(task);
  const flushed = unit.writes.run(() => after(unit.medium.flush(), goodWithoutData(task)));
  if (!(flushed instanceof Promise)) return flushed;
  return flushed.catch((error: unknown) => {
    unit.power.start();
    throw error;
  });
}

/** TEST UNIT READY and REQUEST SENSE. */
export const statusCommands: readonly DeviceCommand[] = [
  { opcode: 0x00, usage: "00 00 00 00 00 04", needsMedium: true, run: (_unit, task) => goodWithoutData(task) },
  { opcode: 0x03, usage: "03 01 00 00 ff 04", unconditional: true, run: requestSense },
];

/** START STOP UNIT. */
export const startStopCommands: readonly DeviceCommand[] = [
  { opcode: 0x1b, usage: "1b 00 00 00 f7 04", check: checkStartStop, run: startStop },
];
