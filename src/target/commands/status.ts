/** How the unit is: TEST UNIT READY (SPC-4 6.47), REQUEST SENSE (SPC-4 6.39), START STOP UNIT (SBC-4 5.31). */

import type { ScsiResult } from "../../scsi/command.js";
import { fixedSense, Sense } from "../../scsi/sense.js";
import type { DeviceCommand, UnitContext } from "../device-command.js";
import { after, goodWithData, goodWithoutData, invalidCdbField } from "../reply.js";
import type { Task } from "../task.js";

/** DESC of REQUEST SENSE. */
const DESCRIPTOR_FORMAT = 0x01;
/** START STOP UNIT, byte 4. */
const START = 0x01;
const LOAD_EJECT = 0x02;
const NO_FLUSH = 0x04;
const POWER_CONDITION = 0xf0;

/** Reports the next unit attention as data and clears it. Sense data is of fixed format only, as in CHECK CONDITION. */
function requestSense(_unit: UnitContext, task: Task): ScsiResult {
  if (((task.cdb[1] ?? 0) & DESCRIPTOR_FORMAT) !== 0) return invalidCdbField(1, 0);
  const code = task.nexusState.attentions.take() ?? Sense.NO_SENSE;
  return goodWithData(task, fixedSense(code), task.cdb[4] ?? 0);
}

function checkStartStop(_unit: UnitContext, task: Task): ScsiResult | null {
  const flags = task.cdb[4] ?? 0;
  if ((flags & POWER_CONDITION) !== 0) return invalidCdbField(4, 7);
  return (flags & LOAD_EJECT) === 0 ? null : invalidCdbField(4, 1);
}

/** The unit is always ready: stopping it only empties the cache, so that no host can stop the disk that others use. */
function startStop(unit: UnitContext, task: Task): ScsiResult | Promise<ScsiResult> {
  const flush = ((task.cdb[4] ?? 0) & (START | NO_FLUSH)) === 0;
  return after(flush ? unit.medium.flush() : null, goodWithoutData(task));
}

/** TEST UNIT READY and REQUEST SENSE. */
export const statusCommands: readonly DeviceCommand[] = [
  { opcode: 0x00, usage: "00 00 00 00 00 04", run: (_unit, task) => goodWithoutData(task) },
  { opcode: 0x03, usage: "03 01 00 00 ff 04", unconditional: true, run: requestSense },
];

/** START STOP UNIT. */
export const startStopCommands: readonly DeviceCommand[] = [
  { opcode: 0x1b, usage: "1b 00 00 00 f7 04", check: checkStartStop, run: startStop },
];
