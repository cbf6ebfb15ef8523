/** Whether a command, and what goes with it, is made of what it should be, whoever made it. On the way of every command: no more than a few comparisons. */

import { aDuration, aSignal, aCount, anObject, someBytes, having, isBytes, optional, wrongValue, type Kind } from "../base/check.js";
import type { QomError } from "../base/errors.js";
import type { ScsiCommand } from "./command.js";
import { TransportId } from "./transport-id.js";

/** An I_T nexus. */
export const aNexus: Kind = {
  expects: "an I_T nexus, { initiator: TransportId, targetPort: number }",
  holds: (value) => isObject(value) && value["initiator"] instanceof TransportId && typeof value["targetPort"] === "number",
};

/** A ScsiResult. */
export const aResult: Kind = having("a result, { status, dataIn, residual, sense }", {
  status: aCount,
  dataIn: someBytes,
  residual: aCount,
  sense: someBytes,
  hostStatus: optional(aCount),
});

/** A unit as managers see it. */
export const aScsiUnit: Kind = {
  expects: "a ScsiUnit, { fd, readOnly, identity, nexus, sgio }",
  holds: (value) =>
    isObject(value) &&
    typeof value["identity"] === "string" &&
    typeof value["readOnly"] === "boolean" &&
    typeof value["sgio"] === "function",
};

/** An object, which may be asked for any member. */
function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
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

/** A QomError `invalid-value` for what is no command; null for all others. */
export function commandShapeProblem(where: string, command: ScsiCommand): QomError | null {
  try {
    return isCommand(command) ? null : shapeError(where, command);
  } catch {
    return wrongValue(where, "command", command, "an object whose members can be read");
  }
}

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
