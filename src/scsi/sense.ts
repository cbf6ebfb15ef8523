/**
 * Sense data: why a command ended with CHECK CONDITION (SPC-4, sense data).
 *
 *     fixed format (70h current, 71h deferred)           descriptor format (72h current, 73h deferred)
 *      0      VALID | RESPONSE CODE                       0      RESPONSE CODE
 *      2      ... | SENSE KEY (3..0)                      1      SENSE KEY (3..0)
 *      3..6   INFORMATION                                 2      ADDITIONAL SENSE CODE
 *      7      ADDITIONAL SENSE LENGTH (0Ah)               3      ADDITIONAL SENSE CODE QUALIFIER
 *      8..11  COMMAND-SPECIFIC INFORMATION                7      ADDITIONAL SENSE LENGTH
 *     12      ADDITIONAL SENSE CODE                       8..    descriptors:
 *     13      ADDITIONAL SENSE CODE QUALIFIER                    00 0A VALID 00 INFORMATION (8 bytes)
 *     14      FIELD REPLACEABLE UNIT CODE                        02 06 00 00 SENSE KEY SPECIFIC (3 bytes) 00
 *     15..17  SKSV | SENSE KEY SPECIFIC
 *
 *     sense key specific bytes of ILLEGAL REQUEST:  SKSV C/D - - BPV BIT POINTER(2..0) | FIELD POINTER (2 bytes)
 */

import { aBoolean, aCount, someBytes, check, checkMembers, having, oneOf, optional } from "../base/check.js";
import type { Kind } from "../base/check.js";
import { readU16, readU32, readU64, writeU16, writeU32, writeU64 } from "./bytes.js";
import { checkCondition } from "./command.js";
import type { ScsiResult } from "./command.js";
import { additionalSenseName, senseKeyName } from "./sense-names.js";

/** What went wrong: sense key, additional sense code and its qualifier. */
export interface SenseCode {
  readonly key: number;
  readonly asc: number;
  readonly ascq: number;
}

/** The field that an ILLEGAL REQUEST complains about. */
export interface FieldPointer {
  /** `cdb`, or the data-out of the command. */
  readonly in: "cdb" | "parameter-list";
  /** Zero-based offset of the field's first byte. */
  readonly byte: number;
  /** Most significant bit of the field, 7 to 0; absent when the field has whole bytes. */
  readonly bit?: number;
}

const aByte: Kind = { expects: "a number from 0 to 255", holds: (value) => aCount.holds(value) && Number(value) <= 0xff };

/** A {@link SenseCode}. */
export const aSenseCode: Kind = having("a sense code, { key, asc, ascq }, each from 0 to 255", { key: aByte, asc: aByte, ascq: aByte });

/** What sense data may say beside its code. */
export interface SenseOptions {
  readonly fieldPointer?: FieldPointer;
  /** INFORMATION field; for disks the first LBA concerned. Left out of fixed format when it needs more than 32 bits. */
  readonly information?: number;
  /** The error belongs to an earlier command. */
  readonly deferred?: boolean;
}

const OPTIONS = {
  fieldPointer: optional(
    having("a field pointer, { in, byte, bit }", { in: oneOf(["cdb", "parameter-list"]), byte: aCount, bit: optional(aCount) }),
  ),
  information: optional(aCount),
  deferred: optional(aBoolean),
} as const;

/** Decoded sense data: code and everything of {@link SenseOptions} that was there. */
export interface SenseData extends SenseOptions {
  readonly code: SenseCode;
}

function code(key: number, asc: number, ascq: number): SenseCode {
  return Object.freeze({ key, asc, ascq });
}

/** Sense key UNIT ATTENTION. */
export const UNIT_ATTENTION = 0x6;

/** The codes this library raises itself. Names are those of SPC-4, some of them shortened, except where the comment says otherwise. */
export const Sense = Object.freeze({
  NO_SENSE: code(0x0, 0x00, 0x00),
  LUN_NOT_READY: code(0x2, 0x04, 0x00),
  INITIALIZING_COMMAND_REQUIRED: code(0x2, 0x04, 0x02),
  MEDIUM_NOT_PRESENT: code(0x2, 0x3a, 0x00),
  UNRECOVERED_READ_ERROR: code(0x3, 0x11, 0x00),
  WRITE_ERROR: code(0x3, 0x0c, 0x00),
  INTERNAL_TARGET_FAILURE: code(0x4, 0x44, 0x00),
  PARAMETER_LIST_LENGTH_ERROR: code(0x5, 0x1a, 0x00),
  INVALID_COMMAND_OPERATION_CODE: code(0x5, 0x20, 0x00),
  LBA_OUT_OF_RANGE: code(0x5, 0x21, 0x00),
  INVALID_FIELD_IN_CDB: code(0x5, 0x24, 0x00),
  LUN_NOT_SUPPORTED: code(0x5, 0x25, 0x00),
  INVALID_FIELD_IN_PARAMETER_LIST: code(0x5, 0x26, 0x00),
  INVALID_RELEASE_OF_PERSISTENT_RESERVATION: code(0x5, 0x26, 0x04),
  SAVING_PARAMETERS_NOT_SUPPORTED: code(0x5, 0x39, 0x00),
  INSUFFICIENT_REGISTRATION_RESOURCES: code(0x5, 0x55, 0x04),
  POWER_ON_OR_RESET: code(0x6, 0x29, 0x00),
  POWER_ON: code(0x6, 0x29, 0x01),
  SCSI_BUS_RESET: code(0x6, 0x29, 0x02),
  BUS_DEVICE_RESET: code(0x6, 0x29, 0x03),
  I_T_NEXUS_LOSS: code(0x6, 0x29, 0x07),
  MODE_PARAMETERS_CHANGED: code(0x6, 0x2a, 0x01),
  RESERVATIONS_PREEMPTED: code(0x6, 0x2a, 0x03),
  RESERVATIONS_RELEASED: code(0x6, 0x2a, 0x04),
  REGISTRATIONS_PREEMPTED: code(0x6, 0x2a, 0x05),
  CAPACITY_DATA_CHANGED: code(0x6, 0x2a, 0x09),
  PREVIOUS_RESERVATION_CONFLICT: code(0x6, 0x2c, 0x09),
  COMMANDS_CLEARED_BY_ANOTHER_INITIATOR: code(0x6, 0x2f, 0x00),
  REPORTED_LUNS_DATA_CHANGED: code(0x6, 0x3f, 0x0e),
  WRITE_PROTECTED: code(0x7, 0x27, 0x00),
  SPACE_ALLOCATION_FAILED: code(0x7, 0x27, 0x07),
  RESERVATION_INFORMATION_LOST: code(0x7, 0x44, 0x01),
  /** I/O PROCESS TERMINATED; QEMU's answer to an errno that says nothing better. */
  IO_ERROR: code(0xb, 0x00, 0x06),
  LUN_NOT_RESPONDING: code(0xb, 0x05, 0x00),
  LUN_COMMUNICATION_FAILURE: code(0xb, 0x08, 0x00),
  TRANSPORT_NEXUS_LOSS: code(0xb, 0x29, 0x07),
  COMMAND_TIMEOUT: code(0xb, 0x2e, 0x02),
  COMMAND_ABORTED: code(0xb, 0x2f, 0x02),
  MISCOMPARE_DURING_VERIFY: code(0xe, 0x1d, 0x00),
});

/** Length of {@link fixedSense}: everything the format defines. */
const FIXED_SENSE_LENGTH = 18;

const SKSV = 0x80;
const IN_CDB = 0x40;
const BIT_POINTER_VALID = 0x08;
const VALID = 0x80;
const DEFERRED = 0x01;
const INFORMATION_MAX_FIXED = 0xffffffff;
const DESCRIPTOR_INFORMATION = 0x00;
const DESCRIPTOR_SENSE_KEY_SPECIFIC = 0x02;

function writeFieldPointer(bytes: Uint8Array, offset: number, pointer: FieldPointer): void {
  const bit = pointer.bit === undefined ? 0 : BIT_POINTER_VALID | (pointer.bit & 0x07);
  bytes[offset] = SKSV | (pointer.in === "cdb" ? IN_CDB : 0) | bit;
  writeU16(bytes, offset + 1, pointer.byte);
}

function readFieldPointer(bytes: Uint8Array, offset: number): FieldPointer | undefined {
  const flags = bytes[offset] ?? 0;
  if ((flags & SKSV) === 0) return undefined;
  const where = (flags & IN_CDB) === 0 ? "parameter-list" : "cdb";
  const byte = readU16(bytes, offset + 1);
  return (flags & BIT_POINTER_VALID) === 0 ? { in: where, byte } : { in: where, byte, bit: flags & 0x07 };
}

/** Sense data in fixed format, 18 bytes. */
export function fixedSense(sense: SenseCode, options: SenseOptions = {}): Uint8Array {
  const bytes = new Uint8Array(FIXED_SENSE_LENGTH);
  bytes[0] = 0x70 | (options.deferred === true ? DEFERRED : 0);
  bytes[2] = sense.key;
  if (options.information !== undefined && options.information <= INFORMATION_MAX_FIXED) {
    bytes[0] |= VALID;
    writeU32(bytes, 3, options.information);
  }
  bytes[7] = FIXED_SENSE_LENGTH - 8;
  bytes[12] = sense.asc;
  bytes[13] = sense.ascq;
  if (options.fieldPointer !== undefined) writeFieldPointer(bytes, 15, options.fieldPointer);
  return bytes;
}

/** Sense data in descriptor format: 8 bytes, and one descriptor for each of the options. */
export function descriptorSense(sense: SenseCode, options: SenseOptions = {}): Uint8Array {
  const informationLength = options.information === undefined ? 0 : 12;
  const bytes = new Uint8Array(8 + informationLength + (options.fieldPointer === undefined ? 0 : 8));
  bytes[0] = 0x72 | (options.deferred === true ? DEFERRED : 0);
  bytes[1] = sense.key;
  bytes[2] = sense.asc;
  bytes[3] = sense.ascq;
  bytes[7] = bytes.length - 8;
  if (options.information !== undefined) {
    bytes[8] = DESCRIPTOR_INFORMATION;
    bytes[9] = 10;
    bytes[10] = VALID;
    writeU64(bytes, 12, BigInt(options.information));
  }
  if (options.fieldPointer !== undefined) {
    const at = 8 + informationLength;
    bytes[at] = DESCRIPTOR_SENSE_KEY_SPECIFIC;
    bytes[at + 1] = 6;
    writeFieldPointer(bytes, at + 4, options.fieldPointer);
  }
  return bytes;
}

function isFixed(responseCode: number): boolean {
  return responseCode === 0x70 || responseCode === 0x71;
}

function isDescriptor(responseCode: number): boolean {
  return responseCode === 0x72 || responseCode === 0x73;
}

/**
 * The code in sense data of either format, or null when the bytes are no sense data (too short, other response code).
 * Fixed format that ends before its ADDITIONAL SENSE CODE still has a sense key: hosts that leave room for 8 bytes get just that,
 * and the missing bytes count as zero.
 */
export function parseSense(bytes: Uint8Array): SenseCode | null {
  if (!someBytes.holds(bytes)) check("parseSense", "bytes", bytes, someBytes);
  const responseCode = (bytes[0] ?? 0) & 0x7f;
  if (isFixed(responseCode) && bytes.length >= 8) {
    return { key: (bytes[2] ?? 0) & 0x0f, asc: bytes[12] ?? 0, ascq: bytes[13] ?? 0 };
  }
  if (isDescriptor(responseCode) && bytes.length >= 4) {
    return { key: (bytes[1] ?? 0) & 0x0f, asc: bytes[2] ?? 0, ascq: bytes[3] ?? 0 };
  }
  return null;
}

/** Everything this library can tell from sense data of either format; null as in {@link parseSense}. */
export function parseSenseData(bytes: Uint8Array): SenseData | null {
  const parsed = parseSense(bytes);
  if (parsed === null) return null;
  const responseCode = (bytes[0] ?? 0) & 0x7f;
  const options = isFixed(responseCode) ? fixedOptions(bytes) : descriptorOptions(bytes);
  return { code: parsed, ...((responseCode & DEFERRED) === 0 ? {} : { deferred: true }), ...options };
}

function fixedOptions(bytes: Uint8Array): SenseOptions {
  const pointer = bytes.length >= FIXED_SENSE_LENGTH ? readFieldPointer(bytes, 15) : undefined;
  return {
    ...(((bytes[0] ?? 0) & VALID) === 0 ? {} : { information: readU32(bytes, 3) }),
    ...(pointer === undefined ? {} : { fieldPointer: pointer }),
  };
}

function descriptorOptions(bytes: Uint8Array): SenseOptions {
  const end = Math.min(bytes.length, 8 + (bytes[7] ?? 0));
  let options: SenseOptions = {};
  for (let at = 8; at + 2 <= end; at += 2 + (bytes[at + 1] ?? 0)) {
    if (bytes[at] === DESCRIPTOR_INFORMATION && at + 12 <= end) {
      options = { ...options, information: Number(readU64(bytes, at + 4)) };
    } else if (bytes[at] === DESCRIPTOR_SENSE_KEY_SPECIFIC && at + 8 <= end) {
      const pointer = readFieldPointer(bytes, at + 4);
      if (pointer !== undefined) options = { ...options, fieldPointer: pointer };
    }
  }
  return options;
}

/** Sense data in fixed format: as they are, or made from descriptor format. Bytes that are no sense data stay as they are. */
export function fixedFormat(bytes: Uint8Array): Uint8Array {
  const data = isDescriptor((bytes[0] ?? 0) & 0x7f) ? parseSenseData(bytes) : null;
  return data === null ? bytes : fixedSense(data.code, data);
}

/** The same in descriptor format. */
export function descriptorFormat(bytes: Uint8Array): Uint8Array {
  const data = isFixed((bytes[0] ?? 0) & 0x7f) ? parseSenseData(bytes) : null;
  return data === null ? bytes : descriptorSense(data.code, data);
}

/** CHECK CONDITION with fixed-format sense. */
export function senseResult(sense: SenseCode, options: SenseOptions = {}): ScsiResult {
  check("senseResult", "sense", sense, aSenseCode);
  checkMembers("senseResult", "options", options, OPTIONS);
  return checkCondition(fixedSense(sense, options));
}

/** True when both are the same key, code and qualifier. */
export function sameSense(a: SenseCode, b: SenseCode): boolean {
  return a.key === b.key && a.asc === b.asc && a.ascq === b.ascq;
}

/** For people: `ILLEGAL REQUEST, INVALID FIELD IN CDB (05/24/00)`; a code without a name has only its key's. */
export function formatSense(sense: SenseCode): string {
  check("formatSense", "sense", sense, aSenseCode);
  const name = additionalSenseName(sense.asc, sense.ascq);
  const digits = [sense.key, sense.asc, sense.ascq].map((n) => n.toString(16).toUpperCase().padStart(2, "0")).join("/");
  return `${senseKeyName(sense.key)}${name === null ? "" : `, ${name}`} (${digits})`;
}

/** For people: why a command failed, by its sense data, else by its status. */
export function formatFailure({ status, sense: bytes }: ScsiResult): string {
  const sense = parseSense(bytes);
  return sense === null ? `status ${status.toString(16)}h` : formatSense(sense);
}
