/**
 * Command descriptor blocks (SPC-4): the name, the length and the data of a command, and the blocks it addresses. All of it
 * comes from the table in cdb-table.ts. A CDB that is shorter than it should be reads as if zeros followed.
 */

import { readU16, readU24, readU32 } from "./bytes.js";
import { blockCount, COMMANDS } from "./cdb-table.js";
import type { CommandRow, DataDirection } from "./cdb-table.js";

export type { DataDirection } from "./cdb-table.js";

/** Longest CDB a device here takes: that of SG_IO's usual hosts, and the longest of fixed length. */
export const CDB_LENGTH_MAX = 16;

/** The operation codes the library itself sends or answers; those of persistent reservations are PR_IN and PR_OUT. */
export const Opcode = Object.freeze({
  TEST_UNIT_READY: 0x00,
  REQUEST_SENSE: 0x03,
  READ_6: 0x08,
  WRITE_6: 0x0a,
  INQUIRY: 0x12,
  MODE_SELECT_6: 0x15,
  RESERVE_6: 0x16,
  RELEASE_6: 0x17,
  MODE_SENSE_6: 0x1a,
  START_STOP_UNIT: 0x1b,
  SEND_DIAGNOSTIC: 0x1d,
  PREVENT_ALLOW_MEDIUM_REMOVAL: 0x1e,
  READ_CAPACITY_10: 0x25,
  READ_10: 0x28,
  WRITE_10: 0x2a,
  WRITE_AND_VERIFY_10: 0x2e,
  VERIFY_10: 0x2f,
  PRE_FETCH_10: 0x34,
  SYNCHRONIZE_CACHE_10: 0x35,
  WRITE_SAME_10: 0x41,
  UNMAP: 0x42,
  GET_CONFIGURATION: 0x46,
  GET_EVENT_STATUS_NOTIFICATION: 0x4a,
  LOG_SENSE: 0x4d,
  MODE_SELECT_10: 0x55,
  RESERVE_10: 0x56,
  RELEASE_10: 0x57,
  MODE_SENSE_10: 0x5a,
  READ_16: 0x88,
  COMPARE_AND_WRITE: 0x89,
  WRITE_16: 0x8a,
  WRITE_AND_VERIFY_16: 0x8e,
  VERIFY_16: 0x8f,
  PRE_FETCH_16: 0x90,
  SYNCHRONIZE_CACHE_16: 0x91,
  WRITE_SAME_16: 0x93,
  SERVICE_ACTION_IN_16: 0x9e,
  REPORT_LUNS: 0xa0,
  MAINTENANCE_IN: 0xa3,
  MAINTENANCE_OUT: 0xa4,
  READ_12: 0xa8,
  WRITE_12: 0xaa,
  WRITE_AND_VERIFY_12: 0xae,
  VERIFY_12: 0xaf,
});

/** What a command does with the initiator's buffer. */
export interface Transfer {
  /** `none` exactly when `bytes` is 0. */
  readonly direction: DataDirection;
  readonly bytes: number;
}

/** The blocks a command addresses. */
export interface BlockAccess {
  /** First LBA. Beyond 2^53 it is rounded, which no medium reaches. */
  readonly lba: number;
  /** Number of blocks; 0 means none, or for PRE-FETCH and SYNCHRONIZE CACHE all up to the end. */
  readonly blocks: number;
}

const VARIABLE_LENGTH = 0x7f;
const NO_TRANSFER: Transfer = Object.freeze({ direction: "none", bytes: 0 });

/** The table by operation code, and for those with service actions by these too. Built once, never changed. */
const BY_OPCODE: readonly (CommandRow | undefined)[] = opcodeRows();
const BY_ACTION: readonly (ReadonlyMap<number, CommandRow> | undefined)[] = actionRows();

function opcodeRows(): readonly (CommandRow | undefined)[] {
  const rows = Array.from({ length: 256 }, (): CommandRow | undefined => undefined);
  for (const row of COMMANDS) if (row.serviceAction === null) rows[row.opcode] = row;
  return rows;
}

function actionRows(): readonly (ReadonlyMap<number, CommandRow> | undefined)[] {
  const rows = Array.from({ length: 256 }, (): Map<number, CommandRow> | undefined => undefined);
  for (const row of COMMANDS) {
    if (row.serviceAction !== null) rows[row.opcode] = (rows[row.opcode] ?? new Map()).set(row.serviceAction, row);
  }
  return rows;
}

function rowOf(cdb: Uint8Array): CommandRow | undefined {
  const opcode = cdb[0] ?? 0;
  return BY_ACTION[opcode]?.get(serviceActionOf(cdb)) ?? BY_OPCODE[opcode];
}

/**
 * SERVICE ACTION of a CDB: bytes 8 and 9 of a variable-length one, else bits 4 to 0 of byte 1. It means something only for operation
 * codes that have service actions.
 */
export function serviceActionOf(cdb: Uint8Array): number {
  return cdb[0] === VARIABLE_LENGTH ? readU16(cdb, 8) : (cdb[1] ?? 0) & 0x1f;
}

/** The name SPC or SBC prints for the command, by service action where it has one; `UNKNOWN COMMAND (C0h)` for others. */
export function opcodeName(cdb: Uint8Array): string {
  const opcode = cdb[0] ?? 0;
  return rowOf(cdb)?.name ?? `UNKNOWN COMMAND (${opcode.toString(16).toUpperCase().padStart(2, "0")}h)`;
}

/** Length in bytes of the CDBs of an operation code's group (SPC-4); null for variable length, reserved and vendor groups. */
export function cdbLengthOf(opcode: number): 6 | 10 | 12 | 16 | null {
  switch (opcode >> 5) {
    case 0:
      return 6;
    case 1:
    case 2:
      return 10;
    case 4:
      return 16;
    case 5:
      return 12;
    default:
      return null;
  }
}

/**
 * Direction and amount of data a CDB announces, for a device with blocks of `blockSizeBytes`. Protection information is not counted.
 * A command that is not in the table, or does not say how much, counts as one without data.
 */
export function expectedTransfer(cdb: Uint8Array, blockSizeBytes: number): Transfer {
  const row = rowOf(cdb);
  const bytes = row === undefined ? 0 : row.transfer(cdb, blockSizeBytes);
  if (row === undefined || bytes === 0) return NO_TRANSFER;
  return { direction: typeof row.direction === "string" ? row.direction : row.direction(cdb), bytes };
}

/** The blocks a command of the READ, WRITE, VERIFY, WRITE SAME, PRE-FETCH or SYNCHRONIZE CACHE family addresses; null for all others. */
export function blockAccess(cdb: Uint8Array): BlockAccess | null {
  const access = BY_OPCODE[cdb[0] ?? 0]?.access ?? null;
  if (access === null) return null;
  return { lba: readLba(cdb, access.lbaAt, access.lbaBytes), blocks: blockCount(cdb, access) };
}

function readLba(cdb: Uint8Array, at: number, size: 3 | 4 | 8): number {
  if (size === 3) return readU24(cdb, at) & 0x1f_ffff;
  return size === 4 ? readU32(cdb, at) : readU32(cdb, at) * 0x1_0000_0000 + readU32(cdb, at + 4);
}
