/**
 * REPORT TARGET PORT GROUPS (SPC-4 6.37).
 *
 *     0..3  RETURN DATA LENGTH (n - 3)
 *     4..   target port group descriptors:
 *           0     PREF (7) | ASYMMETRIC ACCESS STATE (3..0)
 *           1     T_SUP O_SUP - LBD_SUP U_SUP S_SUP AN_SUP AO_SUP
 *           2..3  TARGET PORT GROUP
 *           5     STATUS CODE
 *           7     TARGET PORT COUNT
 *           8..   target ports: 2..3 RELATIVE TARGET PORT IDENTIFIER
 */

import { readU32, writeU16, writeU32 } from "../../scsi/bytes.js";
import type { ScsiResult } from "../../scsi/command.js";
import type { DeviceCommand, UnitContext } from "../unit/device-command.js";
import { goodWithData, invalidCdbField } from "../unit/reply.js";
import type { Task } from "../unit/task.js";

/** PARAMETER DATA FORMAT, byte 1: only the one without the extended header. */
const DATA_FORMAT_MASK = 0xe0;
/** States a host has to expect, the same as of Linux' target: all but LBA dependent. The unit itself never leaves active/optimized. */
const STATES_SUPPORTED = 0xcf;
const GROUP_AT = 4;
const PORTS_AT = GROUP_AT + 8;
const PORT_LENGTH = 4;
/** TARGET PORT COUNT has 8 bits. */
const PORTS_MAX = 255;

/** All target ports are active/optimized, and form group 0. */
function reportTargetPortGroups(unit: UnitContext, task: Task): ScsiResult {
  const ports = unit.nexuses.targetPortIdentifiers().slice(0, PORTS_MAX);
  const bytes = new Uint8Array(PORTS_AT + PORT_LENGTH * ports.length);
  writeU32(bytes, 0, bytes.length - GROUP_AT);
  bytes[GROUP_AT + 1] = STATES_SUPPORTED;
  bytes[GROUP_AT + 7] = ports.length;
  ports.forEach((port, index) => {
    writeU16(bytes, PORTS_AT + PORT_LENGTH * index + 2, port);
  });
  return goodWithData(task, bytes, readU32(task.cdb, 6));
}

function check(_unit: UnitContext, { cdb }: Task): ScsiResult | null {
  return ((cdb[1] ?? 0) & DATA_FORMAT_MASK) === 0 ? null : invalidCdbField(1, 7);
}

/** REPORT TARGET PORT GROUPS. */
export const reportTargetPortGroupsCommands: readonly DeviceCommand[] = [
  { opcode: 0xa3, serviceAction: 0x0a, usage: "a3 ff 00 00 00 00 ff ff ff ff 00 04", check, run: reportTargetPortGroups },
];
