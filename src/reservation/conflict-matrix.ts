/**
 * Which commands a reservation stops: the one table (SPC-5 5.14, table of SPC commands; SBC-4 4.17, table of direct-access commands).
 *
 * A class says what a command does to the unit as reservations see it; who may do that under which type is in access.ts.
 *
 * | class | from whom the reservation does not let through |
 * |---|---|
 * | free | allowed |
 * | read | allowed by the Write Exclusive types, RESERVATION CONFLICT by the Exclusive Access types |
 * | write | RESERVATION CONFLICT |
 * | start-stop | START STOP UNIT: free with START = 1 and POWER CONDITION = 0, else write |
 * | prevent-allow | PREVENT ALLOW MEDIUM REMOVAL: free with PREVENT = 0, else write |
 * | reserve-out | PERSISTENT RESERVE OUT: by service action, see `reserveOutAllowed` of access.ts |
 * | old-reservation | RESERVE and RELEASE of SPC-2: see old-reservation.ts |
 */

import { serviceActionOf } from "../scsi/cdb.js";
import type { AccessClass } from "./access.js";

/** What {@link classify} says of a command; the last two have rules of their own. */
export type CommandClass = AccessClass | "reserve-out" | "old-reservation";

/** A cell of the table: a class, or what decides between two. */
export type MatrixClass = CommandClass | "start-stop" | "prevent-allow";

/** A line of the table: one class for the operation code, or one for each service action. */
export type MatrixEntry = MatrixClass | { readonly serviceActions: Readonly<Record<number, MatrixClass>>; readonly otherwise: MatrixClass };

/**
 * The table, by operation code and service action. A command that is not in it is `write`: a device server refuses what it does not
 * know before it looks here. Service actions that are not in it are `read` where all of the operation code's are queries.
 */
export const conflictMatrix = Object.freeze<Readonly<Record<number, MatrixEntry>>>({
  0x00: "free", // TEST UNIT READY
  0x03: "free", // REQUEST SENSE
  0x04: "write", // FORMAT UNIT
  0x07: "write", // REASSIGN BLOCKS
  0x08: "read", // READ(6)
  0x0a: "write", // WRITE(6)
  0x12: "free", // INQUIRY
  0x15: "write", // MODE SELECT(6)
  0x16: "old-reservation", // RESERVE(6)
  0x17: "old-reservation", // RELEASE(6)
  0x1a: "read", // MODE SENSE(6)
  0x1b: "start-stop", // START STOP UNIT
  0x1c: "read", // RECEIVE DIAGNOSTIC RESULTS
  0x1d: "write", // SEND DIAGNOSTIC
  0x1e: "prevent-allow", // PREVENT ALLOW MEDIUM REMOVAL
  0x25: "free", // READ CAPACITY(10)
  0x28: "read", // READ(10)
  0x2a: "write", // WRITE(10)
  0x2b: "write", // SEEK(10)
  0x2e: "write", // WRITE AND VERIFY(10)
  0x2f: "read", // VERIFY(10)
  0x34: "read", // PRE-FETCH(10)
  0x35: "write", // SYNCHRONIZE CACHE(10)
  0x37: "read", // READ DEFECT DATA(10)
  0x38: "write", // FORMAT WITH PRESET
  0x3b: "write", // WRITE BUFFER
  0x3c: "read", // READ BUFFER(10)
  0x3e: "write", // READ LONG(10)
  0x3f: "write", // WRITE LONG(10)
  0x41: "write", // WRITE SAME(10)
  0x42: "write", // UNMAP
  0x48: "write", // SANITIZE
  0x4c: "write", // LOG SELECT
  0x4d: "free", // LOG SENSE
  0x50: "write", // XDWRITE(10)
  0x51: "write", // XPWRITE(10)
  0x52: "read", // XDREAD(10)
  0x53: "write", // XDWRITEREAD(10)
  0x55: "write", // MODE SELECT(10)
  0x56: "old-reservation", // RESERVE(10)
  0x57: "old-reservation", // RELEASE(10)
  0x5a: "read", // MODE SENSE(10)
  0x5e: "free", // PERSISTENT RESERVE IN
  0x5f: "reserve-out", // PERSISTENT RESERVE OUT
  0x7f: {
    serviceActions: {
      0x0009: "read", // READ(32)
      0x000a: "read", // VERIFY(32)
      0x000b: "write", // WRITE(32)
      0x000c: "write", // WRITE AND VERIFY(32)
      0x000d: "write", // WRITE SAME(32)
      0x1800: "write", // RECEIVE CREDENTIAL
      0x1ff0: "write", // ATA PASS-THROUGH(32)
    },
    otherwise: "write",
  },
  0x83: {
    serviceActions: {
      0x00: "write", // EXTENDED COPY(LID1)
      0x01: "write", // EXTENDED COPY(LID4)
      0x10: "read", // POPULATE TOKEN
      0x11: "write", // WRITE USING TOKEN
      0x1c: "write", // COPY OPERATION ABORT
    },
    otherwise: "write",
  },
  0x84: {
    serviceActions: {
      0x00: "free", // RECEIVE COPY STATUS(LID1)
      0x01: "free", // RECEIVE COPY DATA(LID1)
      0x03: "free", // RECEIVE COPY OPERATING PARAMETERS
      0x04: "free", // RECEIVE COPY FAILURE DETAILS(LID1)
      0x05: "free", // RECEIVE COPY STATUS(LID4)
      0x06: "free", // RECEIVE COPY DATA(LID4)
      0x07: "free", // RECEIVE ROD TOKEN INFORMATION
      0x08: "free", // REPORT ALL ROD TOKENS
    },
    otherwise: "read",
  },
  0x85: "write", // ATA PASS-THROUGH(16)
  0x86: "free", // ACCESS CONTROL IN
  0x87: "free", // ACCESS CONTROL OUT
  0x88: "read", // READ(16)
  0x89: "write", // COMPARE AND WRITE
  0x8a: "write", // WRITE(16)
  0x8b: "write", // ORWRITE(16)
  0x8c: "read", // READ ATTRIBUTE
  0x8d: "write", // WRITE ATTRIBUTE
  0x8e: "write", // WRITE AND VERIFY(16)
  0x8f: "read", // VERIFY(16)
  0x90: "read", // PRE-FETCH(16)
  0x91: "write", // SYNCHRONIZE CACHE(16)
  0x93: "write", // WRITE SAME(16)
  0x94: "write", // ZBC OUT
  0x95: "read", // ZBC IN
  0x9a: "write", // WRITE STREAM(16)
  0x9b: "read", // READ BUFFER(16)
  0x9c: "write", // WRITE ATOMIC(16)
  0x9e: {
    serviceActions: {
      0x10: "free", // READ CAPACITY(16)
      0x11: "write", // READ LONG(16)
      0x12: "read", // GET LBA STATUS
      0x13: "free", // REPORT REFERRALS
      0x14: "write", // STREAM CONTROL
      0x15: "write", // BACKGROUND CONTROL
      0x16: "read", // GET STREAM STATUS
      0x17: "read", // GET PHYSICAL ELEMENT STATUS
      0x18: "write", // REMOVE ELEMENT AND TRUNCATE
      0x19: "write", // RESTORE ELEMENTS AND REBUILD
    },
    otherwise: "write",
  },
  0x9f: {
    serviceActions: {
      0x11: "write", // WRITE LONG(16)
      0x12: "write", // WRITE SCATTERED(16)
    },
    otherwise: "write",
  },
  0xa0: "free", // REPORT LUNS
  0xa1: "write", // ATA PASS-THROUGH(12)
  0xa2: "read", // SECURITY PROTOCOL IN
  0xa3: {
    serviceActions: {
      0x05: "free", // REPORT IDENTIFYING INFORMATION
      0x0a: "free", // REPORT TARGET PORT GROUPS
      0x0b: "free", // REPORT ALIASES
      0x0c: "read", // REPORT SUPPORTED OPERATION CODES
      0x0d: "read", // REPORT SUPPORTED TASK MANAGEMENT FUNCTIONS
      0x0e: "free", // REPORT PRIORITY
      0x0f: "free", // REPORT TIMESTAMP
      0x10: "read", // MANAGEMENT PROTOCOL IN
      0x1d: "free", // REPORT PROVISIONING INITIALIZATION PATTERN
    },
    otherwise: "read",
  },
  0xa4: {
    serviceActions: {
      0x06: "write", // SET IDENTIFYING INFORMATION
      0x0a: "write", // SET TARGET PORT GROUPS
      0x0b: "write", // CHANGE ALIASES
      0x0c: "write", // REMOVE I_T NEXUS
      0x0e: "write", // SET PRIORITY
      0x0f: "write", // SET TIMESTAMP
      0x10: "write", // MANAGEMENT PROTOCOL OUT
    },
    otherwise: "write",
  },
  0xa8: "read", // READ(12)
  0xaa: "write", // WRITE(12)
  0xab: {
    serviceActions: {
      0x01: "free", // READ MEDIA SERIAL NUMBER
    },
    otherwise: "read",
  },
  0xae: "write", // WRITE AND VERIFY(12)
  0xaf: "read", // VERIFY(12)
  0xb5: "write", // SECURITY PROTOCOL OUT
  0xb7: "read", // READ DEFECT DATA(12)
});

const UNLISTED: MatrixClass = "write";

/** The class of a command, from its CDB (at least as long as its operation code demands). */
export function classify(cdb: Uint8Array): CommandClass {
  const entry = conflictMatrix[cdb[0] ?? 0] ?? UNLISTED;
  const cell = typeof entry === "string" ? entry : (entry.serviceActions[serviceActionOf(cdb)] ?? entry.otherwise);
  if (cell === "start-stop") return isPlainStart(cdb) ? "free" : "write";
  if (cell === "prevent-allow") return ((cdb[4] ?? 0) & 0x03) === 0 ? "free" : "write";
  return cell;
}

/** START STOP UNIT with START = 1 and POWER CONDITION = 0. */
function isPlainStart(cdb: Uint8Array): boolean {
  return ((cdb[4] ?? 0) & 0xf1) === 0x01;
}
