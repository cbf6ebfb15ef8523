/**
 * What is wrong with a command, whatever disk it is for. Each entry point (a device, a PR manager, a simulated unit) checks a command here
 * once, and nothing behind it checks again. This is on the path of every command, so it takes only a few comparisons.
 *
 *     commandProblem     a mistake of the program that sent it            a QomError
 *     cdbRefusal         a CDB that no device here takes                  05/24/00
 *     reserveRefusal     one that no PR manager can run                   05/20/00, 05/24/00
 */

import { aCount, aDuration, anObject, aSignal, isBytes, optional, someBytes, wrongValue } from "../base/check.js";
import type { Kind } from "../base/check.js";
import { QomError } from "../base/errors.js";
import { CDB_LENGTH_MAX } from "./cdb.js";
import type { ScsiCommand, ScsiResult } from "./command.js";
import { allocationLengthOf } from "./persistent-reserve-in.js";
import { parameterListLengthOf } from "./persistent-reserve-out.js";
import { PR_IN, PR_OUT } from "./persistent-reserve.js";
import { Sense, senseResult } from "./sense.js";
import { TIMEOUT_MS_MAX } from "./unit.js";

/**
 * A QomError for a malformed or contradictory command: `conflict` for data in both directions, `invalid-value` for everything else. Null
 * for a good command.
 * @param where the method that was called, such as `ScsiDevice.execute`
 */
export function commandProblem(where: string, command: ScsiCommand): QomError | null {
  try {
    return isCommand(command) ? contradictionIn(where, command) : shapeError(where, command);
  } catch {
    return wrongValue(where, "command", command, "an object whose members can be read");
  }
}

/** The result for a CDB of an impossible length; null for 1 to 16 bytes. Without a field pointer, as in QEMU and Linux' target. */
export function cdbRefusal(cdb: Uint8Array): ScsiResult | null {
  return cdb.length === 0 || cdb.length > CDB_LENGTH_MAX ? invalidField() : null;
}

/**
 * The result of a command that no manager can run: another operation code, data in the wrong direction, less data-out than the CDB
 * announces, a buffer smaller than ALLOCATION LENGTH, PERSISTENT RESERVE OUT on a read-only unit. Null for a command that a manager can
 * run.
 */
export function reserveRefusal({ cdb, dataOut, allocationLength, into }: ScsiCommand, readOnly: boolean): ScsiResult | null {
  switch (cdb[0]) {
    case PR_IN: {
      const bufferBytes = allocationLength ?? into?.length;
      const tooSmall = bufferBytes !== undefined && bufferBytes < allocationLengthOf(cdb);
      return dataOut !== undefined || tooSmall ? invalidField() : null;
    }
    case PR_OUT:
      if (readOnly) return senseResult(Sense.INVALID_COMMAND_OPERATION_CODE);
      return (dataOut?.length ?? 0) < parameterListLengthOf(cdb) ? invalidField() : null;
    default:
      return senseResult(Sense.INVALID_COMMAND_OPERATION_CODE);
  }
}

function invalidField(): ScsiResult {
  return senseResult(Sense.INVALID_FIELD_IN_CDB);
}

function contradictionIn(where: string, { allocationLength, dataOut, into, timeoutMs }: ScsiCommand): QomError | null {
  if (timeoutMs !== undefined && !(timeoutMs >= 1 && timeoutMs <= TIMEOUT_MS_MAX)) {
    return wrongValue(where, "command.timeoutMs", timeoutMs, `a number of milliseconds from 1 to ${TIMEOUT_MS_MAX}`);
  }
  if (allocationLength === undefined && into === undefined) return null;
  if (dataOut !== undefined) {
    const other = allocationLength === undefined ? "into" : "allocationLength";
    const message = `${where}: a command has data in both directions: dataOut (${dataOut.length} bytes) together with ${other}`;
    return new QomError("conflict", message, { context: { option: "dataOut", value: String(dataOut.length) } });
  }
  if (allocationLength === undefined || into === undefined || into.length >= allocationLength) return null;
  const message = `${where}: into has ${into.length} bytes, allocationLength is ${allocationLength}`;
  return new QomError("invalid-value", message, { context: { option: "into", value: String(into.length) } });
}

/** Members of a command, and what they are. */
const MEMBERS: Readonly<Record<keyof ScsiCommand, Kind>> = {
  cdb: someBytes,
  dataOut: optional(someBytes),
  into: optional(someBytes),
  allocationLength: optional(aCount),
  timeoutMs: optional(aDuration),
  signal: optional(aSignal),
};

function isCommand(command: ScsiCommand | null | undefined): boolean {
  if (typeof command !== "object" || command === null) return false;
  const { cdb, dataOut, into, allocationLength, timeoutMs, signal } = command;
  return (
    isBytes(cdb) &&
    (dataOut === undefined || isBytes(dataOut)) &&
    (into === undefined || isBytes(into)) &&
    (allocationLength === undefined || (Number.isSafeInteger(allocationLength) && allocationLength >= 0)) &&
    (timeoutMs === undefined || (typeof timeoutMs === "number" && timeoutMs >= 0)) &&
    (signal === undefined || aSignal.holds(signal))
  );
}

function shapeError(where: string, command: unknown): QomError {
  if (!anObject.holds(command)) return wrongValue(where, "command", command, "an object");
  for (const [name, kind] of Object.entries(MEMBERS)) {
    const value: unknown = Reflect.get(command as object, name); // it was just found to be one
    if (!kind.holds(value)) return wrongValue(where, `command.${name}`, value, kind.expects);
  }
  return wrongValue(where, "command", command, "the same when it is looked at twice");
}
