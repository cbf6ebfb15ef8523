/** LOG SENSE (SPC-4 6.7): what a monitoring program asks a disk, laid out in src/scsi/log.ts. */

import { readU16 } from "../../scsi/bytes.js";
import type { ScsiResult } from "../../scsi/command.js";
import {
  ALL_SUBPAGES,
  encodeLogPage,
  encodeSupportedLogPages,
  encodeSupportedLogSubpages,
  LogPage,
  noExceptionsValue,
  temperatureValue,
} from "../../scsi/log.js";
import type { LogParameter } from "../../scsi/log.js";
import type { DeviceCommand, UnitContext } from "../unit/device-command.js";
import { goodWithData, invalidCdbField } from "../unit/reply.js";
import type { Task } from "../unit/task.js";

const PARAMETER_POINTER_CONTROL = 0x02;
const SAVE_PARAMETERS = 0x01;
const PAGE_CODE_MASK = 0x3f;

/** What a disk without heat says: a room's temperature, and one that disks stand. */
const TEMPERATURE_CELSIUS = 25;
const REFERENCE_TEMPERATURE_CELSIUS = 65;

/** Pages with parameters, by page code. */
const PAGES: ReadonlyMap<number, readonly LogParameter[]> = new Map([
  [
    LogPage.TEMPERATURE,
    [
      { code: 0x0000, value: temperatureValue(TEMPERATURE_CELSIUS) },
      { code: 0x0001, value: temperatureValue(REFERENCE_TEMPERATURE_CELSIUS) },
    ],
  ],
  [LogPage.INFORMATIONAL_EXCEPTIONS, [{ code: 0x0000, value: noExceptionsValue(TEMPERATURE_CELSIUS, REFERENCE_TEMPERATURE_CELSIUS) }]],
]);

function check(_unit: UnitContext, { cdb }: Task): ScsiResult | null {
  const flags = cdb[1] ?? 0;
  if ((flags & PARAMETER_POINTER_CONTROL) !== 0) return invalidCdbField(1, 1);
  return (flags & SAVE_PARAMETERS) === 0 ? null : invalidCdbField(1, 0);
}

/** Page 00h, or with its subpage FFh; null for another subpage. */
function supportedPages(subpageCode: number): Uint8Array | null {
  if (subpageCode === 0) return encodeSupportedLogPages([LogPage.SUPPORTED_PAGES, ...PAGES.keys()]);
  if (subpageCode !== ALL_SUBPAGES) return null;
  const lists = [0, ALL_SUBPAGES].map((subpage) => [LogPage.SUPPORTED_PAGES, subpage] as const);
  return encodeSupportedLogSubpages([...lists, ...[...PAGES.keys()].map((code) => [code, 0] as const)]);
}

/** PAGE CONTROL means nothing for parameters that are lists: there is one value of each. */
function logSense(_unit: UnitContext, task: Task): ScsiResult {
  const { cdb } = task;
  const pageCode = (cdb[2] ?? 0) & PAGE_CODE_MASK;
  const subpageCode = cdb[3] ?? 0;
  const pointer = readU16(cdb, 5);
  const allocationLength = readU16(cdb, 7);
  if (pageCode === LogPage.SUPPORTED_PAGES) {
    const page = supportedPages(subpageCode);
    if (page === null) return invalidCdbField(3);
    return pointer === 0 ? goodWithData(task, page, allocationLength) : invalidCdbField(5);
  }
  const parameters = PAGES.get(pageCode);
  if (parameters === undefined) return invalidCdbField(2, 5);
  if (subpageCode !== 0) return invalidCdbField(3);
  const wanted = parameters.filter(({ code }) => code >= pointer);
  return wanted.length === 0 ? invalidCdbField(5) : goodWithData(task, encodeLogPage(pageCode, wanted), allocationLength);
}

/** LOG SENSE. */
export const logSenseCommands: readonly DeviceCommand[] = [{ opcode: 0x4d, usage: "4d 03 3f ff 00 ff ff ff ff 04", check, run: logSense }];
