/** MODE SELECT (SPC-4 6.11, 6.12); the parameter list is laid out in src/scsi/mode.ts. */

import { readU16 } from "../../scsi/bytes.js";
import type { ScsiResult } from "../../scsi/command.js";
import { PageControl, parseModeParameters } from "../../scsi/mode.js";
import type { BlockDescriptor, ModeHeaderForm, ModePageData } from "../../scsi/mode.js";
import { Sense, senseResult } from "../../scsi/sense.js";
import type { DeviceCommand, UnitContext } from "../unit/device-command.js";
import { goodWithoutData, invalidCdbField, invalidParameter } from "../unit/reply.js";
import type { Task } from "../unit/task.js";
import { isReadOnly } from "../unit/write-protection.js";
import { dataOutOf } from "./data-out.js";

const PAGE_FORMAT = 0x10;
const SAVE_PAGES = 0x01;
const BLOCK_DESCRIPTOR_LENGTH = 8;
const PAGE_HEADER_LENGTH = 2;

/** NUMBER OF LOGICAL BLOCKS that leaves the capacity as it is, beside the capacity itself (SBC-4 6.5.3). */
const BLOCK_COUNTS_UNCHANGED: readonly number[] = [0, 0xffff_ffff];

function check(_unit: UnitContext, { cdb }: Task): ScsiResult | null {
  if (((cdb[1] ?? 0) & PAGE_FORMAT) === 0) return invalidCdbField(1, 4);
  return ((cdb[1] ?? 0) & SAVE_PAGES) === 0 ? null : invalidCdbField(1, 0);
}

function modeSelect(unit: UnitContext, task: Task, form: ModeHeaderForm): ScsiResult {
  const length = form === 6 ? (task.cdb[4] ?? 0) : readU16(task.cdb, 7);
  if (length === 0) return goodWithoutData(task);
  if (isReadOnly(unit, task)) return senseResult(Sense.WRITE_PROTECTED);
  const list = dataOutOf(task, length);
  if (list === null) return senseResult(Sense.PARAMETER_LIST_LENGTH_ERROR);
  const { parameters, problem } = parseModeParameters(list, form);
  if (problem !== undefined) {
    return problem.kind === "cut" ? senseResult(Sense.PARAMETER_LIST_LENGTH_ERROR) : invalidParameter(problem.offset);
  }
  const descriptorAt = form === 6 ? 4 : 8;
  const pagesAt = descriptorAt + (form === 6 ? (list[3] ?? 0) : readU16(list, 6));
  const refusal = descriptorProblem(unit, parameters.blockDescriptor, descriptorAt) ?? pageProblem(unit, parameters.pages, pagesAt);
  if (refusal !== null) return refusal;
  if (unit.modes.select(parameters.pages)) tellOthers(unit, task);
  return goodWithoutData(task);
}

/** A block descriptor may say what is so, or leave it open. */
function descriptorProblem(unit: UnitContext, descriptor: BlockDescriptor | null, at: number): ScsiResult | null {
  if (descriptor === null) return null;
  const { blocks, blockSizeBytes } = descriptor;
  if (blocks !== unit.blockCount && !BLOCK_COUNTS_UNCHANGED.includes(blocks)) return invalidParameter(at);
  return blockSizeBytes === unit.definition.blockSizeBytes ? null : invalidParameter(at + BLOCK_DESCRIPTOR_LENGTH - 3);
}

/** The first objection to one of the pages. */
function pageProblem(unit: UnitContext, pages: readonly ModePageData[], start: number): ScsiResult | null {
  let at = start;
  for (const page of pages) {
    const current = page.subpageCode === null ? unit.modes.page(page.pageCode, PageControl.CURRENT) : null;
    if (current === null) return invalidParameter(at);
    if (current.contents.length !== page.contents.length) return invalidParameter(at + 1);
    const unchangeable = unit.modes.firstUnchangeable(page);
    if (unchangeable !== null) return invalidParameter(at + PAGE_HEADER_LENGTH + unchangeable);
    at += PAGE_HEADER_LENGTH + page.contents.length;
  }
  return null;
}

function tellOthers(unit: UnitContext, task: Task): void {
  for (const nexus of unit.nexuses.values()) {
    if (nexus !== task.nexusState) nexus.attentions.raise(Sense.MODE_PARAMETERS_CHANGED);
  }
}

/** MODE SELECT(6) and MODE SELECT(10). */
export const modeSelectCommands: readonly DeviceCommand[] = [
  { opcode: 0x15, usage: "15 11 00 00 ff 04", check, run: (unit, task) => modeSelect(unit, task, 6) },
  { opcode: 0x55, usage: "55 11 00 00 00 00 00 ff ff 04", check, run: (unit, task) => modeSelect(unit, task, 10) },
];
