/**
 * REPORT SUPPORTED OPERATION CODES (SPC-4 6.35).
 *
 *     all commands                                one command
 *     0..3  COMMAND DATA LENGTH (n - 3)           1     CTDP (7) | SUPPORT (2..0)
 *     4..   descriptors:                          2..3  CDB SIZE
 *           0     OPERATION CODE                  4..   CDB USAGE DATA, then with RCTD = 1 the timeouts descriptor
 *           2..3  SERVICE ACTION
 *           5     CTDP (1) | SERVACTV (0)         timeouts descriptor, nothing specified
 *           6..7  CDB LENGTH                      0..1  DESCRIPTOR LENGTH (0Ah)
 *           8..   with RCTD = 1 the timeouts      4..11 0
 */

import { readU16, readU32, writeU16, writeU32 } from "../../scsi/bytes.js";
import type { ScsiResult } from "../../scsi/command.js";
import type { DeviceCommand, SupportedCommand, UnitContext } from "../unit/device-command.js";
import { goodWithData, invalidCdbField } from "../unit/reply.js";
import type { Task } from "../unit/task.js";

const RETURN_TIMEOUTS = 0x80;
const REPORTING_OPTIONS_MASK = 0x07;
/** Where a CDB has its service action: bits 4 to 0 of byte 1. */
const SERVICE_ACTION_MASK = 0x1f;

/** REPORTING OPTIONS (SPC-4 table 276). */
const Option = Object.freeze({ ALL: 0, OPERATION_CODE: 1, SERVICE_ACTION: 2, EITHER: 3 });

/** SUPPORT: not at all, or as the standard says. */
const NOT_SUPPORTED = 0x01;
const SUPPORTED = 0x03;
const ONE_HAS_TIMEOUTS = 0x80;
const HAS_TIMEOUTS = 0x02;
const HAS_SERVICE_ACTION = 0x01;

const HEADER_LENGTH = 4;
const DESCRIPTOR_LENGTH = 8;
const TIMEOUTS_LENGTH = 12;

/** The service actions of a command; a single null for one without. */
function serviceActionsOf(command: SupportedCommand): readonly (number | null)[] {
  return command.serviceActions ?? [command.serviceAction ?? null];
}

function reportAll(commands: readonly SupportedCommand[], withTimeouts: boolean): Uint8Array {
  const rows = commands.flatMap((command) => serviceActionsOf(command).map((serviceAction) => ({ command, serviceAction })));
  const rowLength = DESCRIPTOR_LENGTH + (withTimeouts ? TIMEOUTS_LENGTH : 0);
  const bytes = new Uint8Array(HEADER_LENGTH + rows.length * rowLength);
  writeU32(bytes, 0, bytes.length - HEADER_LENGTH);
  rows.forEach(({ command, serviceAction }, index) => {
    const at = HEADER_LENGTH + index * rowLength;
    bytes[at] = command.opcode;
    writeU16(bytes, at + 2, serviceAction ?? 0);
    bytes[at + 5] = (withTimeouts ? HAS_TIMEOUTS : 0) | (serviceAction === null ? 0 : HAS_SERVICE_ACTION);
    writeU16(bytes, at + 6, command.cdbLength);
    if (withTimeouts) writeU16(bytes, at + DESCRIPTOR_LENGTH, TIMEOUTS_LENGTH - 2);
  });
  return bytes;
}

/** The SERVICE ACTION field of CDB USAGE DATA holds the service action; all other bits are ones where the CDB's are evaluated. */
function reportOne(command: SupportedCommand | null, serviceAction: number, withTimeouts: boolean): Uint8Array {
  if (command === null) return Uint8Array.of(0, NOT_SUPPORTED, 0, 0);
  const timeoutsAt = HEADER_LENGTH + command.cdbLength;
  const bytes = new Uint8Array(timeoutsAt + (withTimeouts ? TIMEOUTS_LENGTH : 0));
  bytes[1] = SUPPORTED | (withTimeouts ? ONE_HAS_TIMEOUTS : 0);
  writeU16(bytes, 2, command.cdbLength);
  bytes.set(command.usageMap, HEADER_LENGTH);
  if (serviceActionsOf(command)[0] !== null) {
    bytes[HEADER_LENGTH + 1] = ((command.usageMap[1] ?? 0) & ~SERVICE_ACTION_MASK) | serviceAction;
  }
  if (withTimeouts) writeU16(bytes, timeoutsAt, TIMEOUTS_LENGTH - 2);
  return bytes;
}

/** The command that is asked about, null if it is not supported, or undefined when the option does not fit its operation code. */
function requestedCommand(unit: UnitContext, cdb: Uint8Array, option: number): SupportedCommand | null | undefined {
  const opcode = cdb[3] ?? 0;
  const serviceAction = readU16(cdb, 4);
  const hasServiceActions = unit.commands.hasServiceActions(opcode);
  if (option === Option.OPERATION_CODE && hasServiceActions) return undefined;
  if (option === Option.SERVICE_ACTION && !hasServiceActions) return unit.commands.find(opcode, 0) === null ? null : undefined;
  const command = unit.commands.find(opcode, serviceAction);
  const exists = command === null || !hasServiceActions || serviceActionsOf(command).includes(serviceAction);
  return exists && (hasServiceActions || serviceAction === 0) ? command : null;
}

function reportOperationCodes(unit: UnitContext, task: Task): ScsiResult {
  const { cdb } = task;
  const option = (cdb[2] ?? 0) & REPORTING_OPTIONS_MASK;
  const withTimeouts = ((cdb[2] ?? 0) & RETURN_TIMEOUTS) !== 0;
  const allocationLength = readU32(cdb, 6);
  if (option === Option.ALL) return goodWithData(task, reportAll(unit.commands.commands, withTimeouts), allocationLength);
  if (option > Option.EITHER) return invalidCdbField(2, 2);
  const command = requestedCommand(unit, cdb, option);
  if (command === undefined) return invalidCdbField(3);
  return goodWithData(task, reportOne(command, readU16(cdb, 4), withTimeouts), allocationLength);
}

/** REPORT SUPPORTED OPERATION CODES. */
export const reportOperationCodesCommands: readonly DeviceCommand[] = [
  { opcode: 0xa3, serviceAction: 0x0c, usage: "a3 1f 87 ff ff ff ff ff ff ff 00 04", run: reportOperationCodes },
];
