/** Commands that contradict themselves: a mistake of the program that sent them, which no device could answer for. */

import { QomError } from "../base/errors.js";
import type { ScsiCommand } from "../scsi/command.js";

function problem(option: string, value: number, message: string): QomError {
  return new QomError("invalid-value", message, { context: { option, value: String(value) } });
}

/** A QomError `invalid-value` for a command with data in both directions or with sizes that are none; null for all others. */
export function commandProblem({ allocationLength, dataOut, into }: ScsiCommand): QomError | null {
  if (allocationLength === undefined && into === undefined) return null;
  if (dataOut !== undefined) {
    const option = allocationLength === undefined ? "into" : "allocationLength";
    return problem("dataOut", dataOut.length, `a command has dataOut (${dataOut.length} bytes) together with ${option}`);
  }
  if (allocationLength === undefined) return null;
  if (!Number.isSafeInteger(allocationLength) || allocationLength < 0) {
    return problem("allocationLength", allocationLength, `allocationLength ${allocationLength} is no number of bytes`);
  }
  if (into === undefined || into.length >= allocationLength) return null;
  return problem("into", into.length, `into has ${into.length} bytes, allocationLength is ${allocationLength}`);
}
