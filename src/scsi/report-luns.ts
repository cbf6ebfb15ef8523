/**
 * REPORT LUNS (SPC-4) and the forms of a logical unit number (SAM-5, logical unit number).
 *
 *     data                            8-byte LUN, single level
 *     0..3   LUN LIST LENGTH (n - 7)  00b: 00 LUN 0 0 0 0 0 0                peripheral device addressing, LUN 0 to 255
 *     4..7   reserved                 01b: 40 | LUN(13..8) LUN(7..0) 0 ...   flat space addressing, LUN 0 to 16383
 *     8..    LUNs, 8 bytes each
 */

import { readU16, readU32, writeU32 } from "./bytes.js";
import { Opcode } from "./cdb.js";

/** Bytes of a LUN. */
const LUN_LENGTH = 8;
/** Highest logical unit number flat space addressing can name. */
export const LUN_MAX = 0x3fff;
/** The least allocation length that REPORT LUNS takes. */
export const REPORT_LUNS_ALLOCATION_MIN = 16;

const HEADER_LENGTH = 8;
const PERIPHERAL_LUN_MAX = 0xff;

/** SELECT REPORT (SPC-4). */
export const SelectReport = Object.freeze({ ADDRESSED: 0x00, WELL_KNOWN: 0x01, ALL: 0x02 });

/** A REPORT LUNS answer. */
export interface ReportedLuns {
  /** Logical unit numbers in the device's order; null for a LUN of another form, such as a well-known one. */
  readonly luns: readonly (number | null)[];
  /** False when the allocation length cut the list. */
  readonly complete: boolean;
}

/** CDB of REPORT LUNS. */
export function reportLunsCdb(allocationLength: number, selectReport: number = SelectReport.ADDRESSED): Uint8Array {
  const cdb = new Uint8Array(12);
  cdb[0] = Opcode.REPORT_LUNS;
  cdb[2] = selectReport;
  writeU32(cdb, 6, allocationLength);
  return cdb;
}

/** Writes a logical unit number, 0 to {@link LUN_MAX}, as 8 bytes: peripheral device addressing up to 255, else flat space. */
export function writeLun(bytes: Uint8Array, offset: number, lun: number): void {
  bytes.fill(0, offset, offset + LUN_LENGTH);
  bytes[offset] = lun > PERIPHERAL_LUN_MAX ? 0x40 | (lun >> 8) : 0;
  bytes[offset + 1] = lun;
}

/** The logical unit number in 8 bytes of either form; null for other forms and for more than one level. */
export function readLun(bytes: Uint8Array, offset: number): number | null {
  const first = readU16(bytes, offset);
  if (readU16(bytes, offset + 2) !== 0 || readU32(bytes, offset + 4) !== 0) return null;
  const method = first >> 14;
  if (method === 1) return first & LUN_MAX;
  return method === 0 && first <= PERIPHERAL_LUN_MAX ? first : null;
}

/** REPORT LUNS data. */
export function encodeReportLuns(luns: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(HEADER_LENGTH + LUN_LENGTH * luns.length);
  writeU32(bytes, 0, LUN_LENGTH * luns.length);
  luns.forEach((lun, i) => {
    writeLun(bytes, HEADER_LENGTH + LUN_LENGTH * i, lun);
  });
  return bytes;
}

/** Reads REPORT LUNS data, as much of it as there is; null for less than the header. */
export function parseReportLuns(bytes: Uint8Array): ReportedLuns | null {
  if (bytes.length < HEADER_LENGTH) return null;
  const end = HEADER_LENGTH + readU32(bytes, 0);
  const luns: (number | null)[] = [];
  for (let offset = HEADER_LENGTH; offset + LUN_LENGTH <= Math.min(end, bytes.length); offset += LUN_LENGTH) {
    luns.push(readLun(bytes, offset));
  }
  return { luns, complete: end <= bytes.length };
}
