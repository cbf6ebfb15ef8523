/** Commands that contradict themselves: a mistake of the program that sent them, which no device could answer for. */

import { QomError } from "../base/errors.js";
import { commandShapeProblem } from "../scsi/command-check.js";
import type { ScsiCommand } from "../scsi/command.js";

function problem(option: string, value: number, message: string): QomError {
  return new QomError("invalid-value", message, { context: { option, value: String(value) } });
}

/**
 * A QomError `invalid-value` for what is no command, for one with data in both directions or with sizes that are none; null for all others.
 * @param where what was called, as in `LogicalUnit.execute`
 */
export function commandProblem(where: string, command: ScsiCommand): QomError | null {
  return commandShapeProblem(where, command) ?? contradictionIn(command);
}

/** The same of what is a command. */
export function contradictionIn({ allocationLength, dataOut, into }: ScsiCommand): QomError | null {
  if (allocationLength === undefined && into === undefined) return null;
  if (dataOut !== undefined) {
    const option = allocationLength === undefined ? "into" : "allocationLength";
    return problem("dataOut", dataOut.length, `a command has dataOut (${dataOut.length} bytes) together with ${option}`);
  }
  if (allocationLength === undefined || into === undefined || into.length >= allocationLength) return null;
  return problem("into", into.length, `into has ${into.length} bytes, allocationLength is ${allocationLength}`);
}
