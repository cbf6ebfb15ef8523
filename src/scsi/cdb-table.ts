/**
 * THE table of commands: what each is called and how much data its CDB announces (SPC-4, SBC-4; ATA PASS-THROUGH from SAT-3).
 * Operation codes that other device types give another meaning have the one of disks. Functions over the table are in cdb.ts.
 */

import { readU16, readU24, readU32 } from "./bytes.js";

/** Which way data goes: `in` is from the device to the initiator. */
export type DataDirection = "none" | "in" | "out";

/** Where a CDB that addresses blocks has its first LBA and their number. */
export interface AccessLayout {
  readonly lbaAt: number;
  /** 3 means READ(6) and its kin: 21 bits. */
  readonly lbaBytes: 3 | 4 | 8;
  readonly countAt: number;
  readonly countBytes: 1 | 2 | 4;
  /** What a count of 0 stands for: 256 in 6-byte CDBs. */
  readonly countOfZero: number;
}

/** Bytes of data the CDB announces. */
export type TransferRule = (cdb: Uint8Array, blockSizeBytes: number) => number;

/** One command. */
export interface CommandRow {
  readonly opcode: number;
  /** SERVICE ACTION, for a command that has one of its own; null for the row of the operation code as such. */
  readonly serviceAction: number | null;
  readonly name: string;
  readonly direction: DataDirection | ((cdb: Uint8Array) => DataDirection);
  readonly transfer: TransferRule;
  /** Only where the CDB addresses a range of blocks. */
  readonly access: AccessLayout | null;
}

const ACCESS_6: AccessLayout = { lbaAt: 1, lbaBytes: 3, countAt: 4, countBytes: 1, countOfZero: 256 };
const ACCESS_10: AccessLayout = { lbaAt: 2, lbaBytes: 4, countAt: 7, countBytes: 2, countOfZero: 0 };
const ACCESS_12: AccessLayout = { lbaAt: 2, lbaBytes: 4, countAt: 6, countBytes: 4, countOfZero: 0 };
const ACCESS_16: AccessLayout = { lbaAt: 2, lbaBytes: 8, countAt: 10, countBytes: 4, countOfZero: 0 };
/** COMPARE AND WRITE. */
const ACCESS_COMPARE: AccessLayout = { lbaAt: 2, lbaBytes: 8, countAt: 13, countBytes: 1, countOfZero: 0 };
/** WRITE ATOMIC(16) and WRITE STREAM(16), which have something else in bytes 10 and 11. */
const ACCESS_16_SHORT: AccessLayout = { lbaAt: 2, lbaBytes: 8, countAt: 12, countBytes: 2, countOfZero: 0 };

/** Number of blocks a CDB of this layout addresses. */
export function blockCount(cdb: Uint8Array, layout: AccessLayout): number {
  const count = readField(cdb, layout.countAt, layout.countBytes);
  return count === 0 ? layout.countOfZero : count;
}

/** A field of 1 to 4 bytes. */
function readField(cdb: Uint8Array, at: number, size: 1 | 2 | 3 | 4): number {
  if (size === 1) return cdb[at] ?? 0;
  if (size === 2) return readU16(cdb, at);
  return size === 3 ? readU24(cdb, at) : readU32(cdb, at);
}

const nothing: TransferRule = () => 0;

function bytesAt(at: number, size: 1 | 2 | 3 | 4): TransferRule {
  return (cdb) => readField(cdb, at, size);
}

function fixedBytes(bytes: number): TransferRule {
  return () => bytes;
}

function blocksOf(layout: AccessLayout, factor = 1): TransferRule {
  return (cdb, blockSizeBytes) => blockCount(cdb, layout) * factor * blockSizeBytes;
}

/** VERIFY by BYTCHK: 00b compares nothing, 01b all blocks, 11b one block with all (SBC-4, VERIFY(10)); 10b is reserved. */
function verifiedBlocks(layout: AccessLayout): TransferRule {
  return (cdb, blockSizeBytes) => {
    const byteCheck = ((cdb[1] ?? 0) >> 1) & 0x03;
    if (byteCheck === 0x03) return blockSizeBytes;
    return byteCheck === 0x01 ? blockCount(cdb, layout) * blockSizeBytes : 0;
  };
}

const oneBlock: TransferRule = (_cdb, blockSizeBytes) => blockSizeBytes;

/** WRITE SAME(16) has no data-out when NDOB=1 (SBC-4, WRITE SAME(16)). */
const oneBlockUnlessNdob: TransferRule = (cdb, blockSizeBytes) => (((cdb[1] ?? 0) & 0x01) === 0 ? blockSizeBytes : 0);

/** The CDB of FORMAT UNIT does not say how long its list is; its header is certain when FMTDATA=1, 8 bytes when LONGLIST=1. */
const formatHeader: TransferRule = (cdb) => {
  const flags = cdb[1] ?? 0;
  if ((flags & 0x10) === 0) return 0;
  return (flags & 0x20) === 0 ? 4 : 8;
};

/** SECURITY PROTOCOL IN and OUT count in 512 bytes when INC_512=1 (SPC-4, SECURITY PROTOCOL IN). */
const securityBytes: TransferRule = (cdb) => readU32(cdb, 6) * (((cdb[4] ?? 0) & 0x80) === 0 ? 1 : 512);

/** ATA PASS-THROUGH: T_LENGTH names the ATA field that has the count, BYT_BLOK and T_TYPE its unit (SAT-3, ATA PASS-THROUGH commands). */
function ataBytes(featuresAt: number, countAt: number): TransferRule {
  return (cdb, blockSizeBytes) => {
    const flags = cdb[2] ?? 0;
    const lengthField = flags & 0x03;
    if (lengthField === 0 || lengthField === 3) return 0;
    const count = cdb[lengthField === 1 ? featuresAt : countAt] ?? 0;
    if ((flags & 0x04) === 0) return count;
    return count * ((flags & 0x10) === 0 ? 512 : blockSizeBytes);
  };
}

function ataDirection(cdb: Uint8Array): DataDirection {
  return ((cdb[2] ?? 0) & 0x08) === 0 ? "out" : "in";
}

type Direction = CommandRow["direction"];

function row(
  opcode: number,
  name: string,
  direction: Direction = "none",
  transfer = nothing,
  access: AccessLayout | null = null,
): CommandRow {
  return { opcode, serviceAction: null, name, direction, transfer, access };
}

function action(opcode: number, serviceAction: number, name: string, direction: Direction = "none", transfer = nothing): CommandRow {
  return { opcode, serviceAction, name, direction, transfer, access: null };
}

/** All commands known, by operation code; the service actions of an operation code follow its own row. */
export const COMMANDS: readonly CommandRow[] = [
  row(0x00, "TEST UNIT READY"),
  row(0x01, "REZERO UNIT"),
  row(0x03, "REQUEST SENSE", "in", bytesAt(4, 1)),
  row(0x04, "FORMAT UNIT", "out", formatHeader),
  row(0x07, "REASSIGN BLOCKS", "out", fixedBytes(4)),
  row(0x08, "READ(6)", "in", blocksOf(ACCESS_6), ACCESS_6),
  row(0x0a, "WRITE(6)", "out", blocksOf(ACCESS_6), ACCESS_6),
  row(0x0b, "SEEK(6)"),
  row(0x12, "INQUIRY", "in", bytesAt(3, 2)),
  row(0x15, "MODE SELECT(6)", "out", bytesAt(4, 1)),
  row(0x16, "RESERVE(6)"),
  row(0x17, "RELEASE(6)"),
  row(0x1a, "MODE SENSE(6)", "in", bytesAt(4, 1)),
  row(0x1b, "START STOP UNIT"),
  row(0x1c, "RECEIVE DIAGNOSTIC RESULTS", "in", bytesAt(3, 2)),
  row(0x1d, "SEND DIAGNOSTIC", "out", bytesAt(3, 2)),
  row(0x1e, "PREVENT ALLOW MEDIUM REMOVAL"),
  row(0x25, "READ CAPACITY(10)", "in", fixedBytes(8)),
  row(0x28, "READ(10)", "in", blocksOf(ACCESS_10), ACCESS_10),
  row(0x2a, "WRITE(10)", "out", blocksOf(ACCESS_10), ACCESS_10),
  row(0x2b, "SEEK(10)"),
  row(0x2e, "WRITE AND VERIFY(10)", "out", blocksOf(ACCESS_10), ACCESS_10),
  row(0x2f, "VERIFY(10)", "out", verifiedBlocks(ACCESS_10), ACCESS_10),
  row(0x34, "PRE-FETCH(10)", "none", nothing, ACCESS_10),
  row(0x35, "SYNCHRONIZE CACHE(10)", "none", nothing, ACCESS_10),
  row(0x37, "READ DEFECT DATA(10)", "in", bytesAt(7, 2)),
  row(0x38, "FORMAT WITH PRESET"),
  row(0x3b, "WRITE BUFFER", "out", bytesAt(6, 3)),
  row(0x3c, "READ BUFFER(10)", "in", bytesAt(6, 3)),
  row(0x3e, "READ LONG(10)", "in", bytesAt(7, 2)),
  row(0x3f, "WRITE LONG(10)", "out", bytesAt(7, 2)),
  row(0x41, "WRITE SAME(10)", "out", oneBlock, ACCESS_10),
  row(0x42, "UNMAP", "out", bytesAt(7, 2)),
  row(0x43, "READ TOC/PMA/ATIP", "in", bytesAt(7, 2)),
  row(0x46, "GET CONFIGURATION", "in", bytesAt(7, 2)),
  row(0x48, "SANITIZE", "out", bytesAt(7, 2)),
  row(0x4a, "GET EVENT STATUS NOTIFICATION", "in", bytesAt(7, 2)),
  row(0x4c, "LOG SELECT", "out", bytesAt(7, 2)),
  row(0x4d, "LOG SENSE", "in", bytesAt(7, 2)),
  row(0x50, "XDWRITE(10)", "out", blocksOf(ACCESS_10), ACCESS_10),
  row(0x51, "XPWRITE(10)", "out", blocksOf(ACCESS_10), ACCESS_10),
  row(0x52, "XDREAD(10)", "in", blocksOf(ACCESS_10), ACCESS_10),
  row(0x53, "XDWRITEREAD(10)", "out", blocksOf(ACCESS_10), ACCESS_10),
  row(0x55, "MODE SELECT(10)", "out", bytesAt(7, 2)),
  row(0x56, "RESERVE(10)", "out", bytesAt(7, 2)),
  row(0x57, "RELEASE(10)", "out", bytesAt(7, 2)),
  row(0x5a, "MODE SENSE(10)", "in", bytesAt(7, 2)),
  row(0x5e, "PERSISTENT RESERVE IN", "in", bytesAt(7, 2)),
  row(0x5f, "PERSISTENT RESERVE OUT", "out", bytesAt(5, 4)),
  row(0x7f, "VARIABLE LENGTH CDB"),
  action(0x7f, 0x0009, "READ(32)"),
  action(0x7f, 0x000a, "VERIFY(32)"),
  action(0x7f, 0x000b, "WRITE(32)"),
  action(0x7f, 0x000c, "WRITE AND VERIFY(32)"),
  action(0x7f, 0x000d, "WRITE SAME(32)"),
  action(0x7f, 0x1800, "RECEIVE CREDENTIAL"),
  action(0x7f, 0x1ff0, "ATA PASS-THROUGH(32)"),
  row(0x83, "THIRD-PARTY COPY OUT", "out", bytesAt(10, 4)),
  action(0x83, 0x00, "EXTENDED COPY(LID1)", "out", bytesAt(10, 4)),
  action(0x83, 0x01, "EXTENDED COPY(LID4)", "out", bytesAt(10, 4)),
  action(0x83, 0x10, "POPULATE TOKEN", "out", bytesAt(10, 4)),
  action(0x83, 0x11, "WRITE USING TOKEN", "out", bytesAt(10, 4)),
  action(0x83, 0x1c, "COPY OPERATION ABORT"),
  row(0x84, "THIRD-PARTY COPY IN", "in", bytesAt(10, 4)),
  action(0x84, 0x00, "RECEIVE COPY STATUS(LID1)", "in", bytesAt(10, 4)),
  action(0x84, 0x01, "RECEIVE COPY DATA(LID1)", "in", bytesAt(10, 4)),
  action(0x84, 0x03, "RECEIVE COPY OPERATING PARAMETERS", "in", bytesAt(10, 4)),
  action(0x84, 0x04, "RECEIVE COPY FAILURE DETAILS(LID1)", "in", bytesAt(10, 4)),
  action(0x84, 0x05, "RECEIVE COPY STATUS(LID4)", "in", bytesAt(10, 4)),
  action(0x84, 0x06, "RECEIVE COPY DATA(LID4)", "in", bytesAt(10, 4)),
  action(0x84, 0x07, "RECEIVE ROD TOKEN INFORMATION", "in", bytesAt(10, 4)),
  action(0x84, 0x08, "REPORT ALL ROD TOKENS", "in", bytesAt(10, 4)),
  row(0x85, "ATA PASS-THROUGH(16)", ataDirection, ataBytes(4, 6)),
  row(0x86, "ACCESS CONTROL IN", "in", bytesAt(10, 4)),
  row(0x87, "ACCESS CONTROL OUT", "out", bytesAt(10, 4)),
  row(0x88, "READ(16)", "in", blocksOf(ACCESS_16), ACCESS_16),
  row(0x89, "COMPARE AND WRITE", "out", blocksOf(ACCESS_COMPARE, 2), ACCESS_COMPARE),
  row(0x8a, "WRITE(16)", "out", blocksOf(ACCESS_16), ACCESS_16),
  row(0x8b, "ORWRITE(16)", "out", blocksOf(ACCESS_16), ACCESS_16),
  row(0x8c, "READ ATTRIBUTE", "in", bytesAt(10, 4)),
  row(0x8d, "WRITE ATTRIBUTE", "out", bytesAt(10, 4)),
  row(0x8e, "WRITE AND VERIFY(16)", "out", blocksOf(ACCESS_16), ACCESS_16),
  row(0x8f, "VERIFY(16)", "out", verifiedBlocks(ACCESS_16), ACCESS_16),
  row(0x90, "PRE-FETCH(16)", "none", nothing, ACCESS_16),
  row(0x91, "SYNCHRONIZE CACHE(16)", "none", nothing, ACCESS_16),
  row(0x93, "WRITE SAME(16)", "out", oneBlockUnlessNdob, ACCESS_16),
  row(0x94, "ZBC OUT"),
  row(0x95, "ZBC IN", "in", bytesAt(10, 4)),
  action(0x95, 0x00, "REPORT ZONES", "in", bytesAt(10, 4)),
  row(0x9a, "WRITE STREAM(16)", "out", blocksOf(ACCESS_16_SHORT), ACCESS_16_SHORT),
  row(0x9b, "READ BUFFER(16)", "in", bytesAt(10, 4)),
  row(0x9c, "WRITE ATOMIC(16)", "out", blocksOf(ACCESS_16_SHORT), ACCESS_16_SHORT),
  row(0x9e, "SERVICE ACTION IN(16)", "in", bytesAt(10, 4)),
  action(0x9e, 0x10, "READ CAPACITY(16)", "in", bytesAt(10, 4)),
  action(0x9e, 0x11, "READ LONG(16)", "in", bytesAt(12, 2)),
  action(0x9e, 0x12, "GET LBA STATUS", "in", bytesAt(10, 4)),
  action(0x9e, 0x13, "REPORT REFERRALS", "in", bytesAt(10, 4)),
  action(0x9e, 0x14, "STREAM CONTROL", "in", bytesAt(10, 4)),
  action(0x9e, 0x15, "BACKGROUND CONTROL"),
  action(0x9e, 0x16, "GET STREAM STATUS", "in", bytesAt(10, 4)),
  action(0x9e, 0x17, "GET PHYSICAL ELEMENT STATUS", "in", bytesAt(10, 4)),
  action(0x9e, 0x18, "REMOVE ELEMENT AND TRUNCATE"),
  action(0x9e, 0x19, "RESTORE ELEMENTS AND REBUILD"),
  row(0x9f, "SERVICE ACTION OUT(16)", "out", bytesAt(10, 4)),
  action(0x9f, 0x11, "WRITE LONG(16)", "out", bytesAt(12, 2)),
  action(0x9f, 0x12, "WRITE SCATTERED(16)", "out", (cdb, blockSizeBytes) => readU32(cdb, 10) * blockSizeBytes),
  row(0xa0, "REPORT LUNS", "in", bytesAt(6, 4)),
  row(0xa1, "ATA PASS-THROUGH(12)", ataDirection, ataBytes(3, 4)),
  row(0xa2, "SECURITY PROTOCOL IN", "in", securityBytes),
  row(0xa3, "MAINTENANCE IN", "in", bytesAt(6, 4)),
  action(0xa3, 0x05, "REPORT IDENTIFYING INFORMATION", "in", bytesAt(6, 4)),
  action(0xa3, 0x0a, "REPORT TARGET PORT GROUPS", "in", bytesAt(6, 4)),
  action(0xa3, 0x0b, "REPORT ALIASES", "in", bytesAt(6, 4)),
  action(0xa3, 0x0c, "REPORT SUPPORTED OPERATION CODES", "in", bytesAt(6, 4)),
  action(0xa3, 0x0d, "REPORT SUPPORTED TASK MANAGEMENT FUNCTIONS", "in", bytesAt(6, 4)),
  action(0xa3, 0x0e, "REPORT PRIORITY", "in", bytesAt(6, 4)),
  action(0xa3, 0x0f, "REPORT TIMESTAMP", "in", bytesAt(6, 4)),
  action(0xa3, 0x10, "MANAGEMENT PROTOCOL IN", "in", bytesAt(6, 4)),
  row(0xa4, "MAINTENANCE OUT", "out", bytesAt(6, 4)),
  action(0xa4, 0x06, "SET IDENTIFYING INFORMATION", "out", bytesAt(6, 4)),
  action(0xa4, 0x0a, "SET TARGET PORT GROUPS", "out", bytesAt(6, 4)),
  action(0xa4, 0x0b, "CHANGE ALIASES", "out", bytesAt(6, 4)),
  action(0xa4, 0x0c, "REMOVE I_T NEXUS", "out", bytesAt(6, 4)),
  action(0xa4, 0x0e, "SET PRIORITY", "out", bytesAt(6, 4)),
  action(0xa4, 0x0f, "SET TIMESTAMP", "out", bytesAt(6, 4)),
  action(0xa4, 0x10, "MANAGEMENT PROTOCOL OUT", "out", bytesAt(6, 4)),
  row(0xa8, "READ(12)", "in", blocksOf(ACCESS_12), ACCESS_12),
  row(0xa9, "SERVICE ACTION OUT(12)", "out", bytesAt(6, 4)),
  row(0xaa, "WRITE(12)", "out", blocksOf(ACCESS_12), ACCESS_12),
  row(0xab, "SERVICE ACTION IN(12)", "in", bytesAt(6, 4)),
  action(0xab, 0x01, "READ MEDIA SERIAL NUMBER", "in", bytesAt(6, 4)),
  row(0xae, "WRITE AND VERIFY(12)", "out", blocksOf(ACCESS_12), ACCESS_12),
  row(0xaf, "VERIFY(12)", "out", verifiedBlocks(ACCESS_12), ACCESS_12),
  row(0xb5, "SECURITY PROTOCOL OUT", "out", securityBytes),
  row(0xb7, "READ DEFECT DATA(12)", "in", bytesAt(6, 4)),
];
