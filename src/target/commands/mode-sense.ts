/** MODE SENSE (SPC-4 6.13, 6.14); the data is laid out in src/scsi/mode.ts. */

import { readU16 } from "../../scsi/bytes.js";
import type { ScsiResult } from "../../scsi/command.js";
import { DeviceSpecific, encodeModeParameters, ModePage, PageControl } from "../../scsi/mode.js";
import type { BlockDescriptor, ModeHeaderForm, ModePageData } from "../../scsi/mode.js";
import { Sense, senseResult } from "../../scsi/sense.js";
import type { DeviceCommand, UnitContext } from "../unit/device-command.js";
import { goodWithData, invalidCdbField } from "../unit/reply.js";
import type { Task } from "../unit/task.js";
import { MODE_PAGE_CODES } from "../unit/unit-modes.js";
import { isWriteProtected } from "../unit/write-protection.js";

const DISABLE_BLOCK_DESCRIPTORS = 0x08;
const PAGE_CODE_MASK = 0x3f;
const ALL_SUBPAGES = 0xff;
const BLOCK_COUNT_MAX = 0xffff_ffff;

function modeSense(unit: UnitContext, task: Task, form: ModeHeaderForm): ScsiResult {
  const { cdb } = task;
  const pageControl = (cdb[2] ?? 0) >> 6;
  if (pageControl === PageControl.SAVED) {
    return senseResult(Sense.SAVING_PARAMETERS_NOT_SUPPORTED, { fieldPointer: { in: "cdb", byte: 2, bit: 7 } });
  }
  const subpage = cdb[3] ?? 0;
  if (subpage !== 0 && subpage !== ALL_SUBPAGES) return invalidCdbField(3);
  const pages = requestedPages(unit, (cdb[2] ?? 0) & PAGE_CODE_MASK, pageControl);
  if (pages.length === 0) return invalidCdbField(2, 5);
  const withDescriptor = ((cdb[1] ?? 0) & DISABLE_BLOCK_DESCRIPTORS) === 0;
  const parameters = {
    mediumType: 0,
    deviceSpecific: DeviceSpecific.DPO_FUA | (isWriteProtected(unit, task) ? DeviceSpecific.WRITE_PROTECTED : 0),
    blockDescriptor: withDescriptor ? blockDescriptor(unit) : null,
    pages,
  };
  return goodWithData(task, encodeModeParameters(parameters, form), form === 6 ? (cdb[4] ?? 0) : readU16(cdb, 7));
}

/** Empty when there is no such page. */
function requestedPages(unit: UnitContext, pageCode: number, pageControl: number): readonly ModePageData[] {
  const codes = pageCode === ModePage.ALL ? MODE_PAGE_CODES : [pageCode];
  return codes.map((code) => unit.modes.page(code, pageControl)).filter((page) => page !== null);
}

/** Long LBA descriptors are not made: LLBAA = 1 only allows them, and READ CAPACITY tells what does not fit. */
function blockDescriptor(unit: UnitContext): BlockDescriptor {
  return { blocks: Math.min(unit.blockCount, BLOCK_COUNT_MAX), blockSizeBytes: unit.definition.blockSizeBytes };
}

/** MODE SENSE(6) and MODE SENSE(10). */
export const modeSenseCommands: readonly DeviceCommand[] = [
  { opcode: 0x1a, usage: "1a 08 ff ff ff 04", run: (unit, task) => modeSense(unit, task, 6) },
  { opcode: 0x5a, usage: "5a 08 ff ff 00 00 00 ff ff 04", run: (unit, task) => modeSense(unit, task, 10) },
];
