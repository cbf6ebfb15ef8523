/**
 * Standard INQUIRY data (SPC-4, INQUIRY command). Vital product data pages are in vpd.ts.
 *
 *     0      PERIPHERAL QUALIFIER (7..5) | PERIPHERAL DEVICE TYPE (4..0)
 *     1      RMB (7)
 *     2      VERSION
 *     3      NORMACA (5) | HISUP (4) | RESPONSE DATA FORMAT (3..0), 2
 *     4      ADDITIONAL LENGTH (n - 4)
 *     5      SCCS ACC TPGS TPGS 3PC - - PROTECT
 *     6      - ENCSERV VS MULTIP - - - -
 *     7      - - - - - - CMDQUE VS
 *     8..15  T10 VENDOR IDENTIFICATION
 *     16..31 PRODUCT IDENTIFICATION
 *     32..35 PRODUCT REVISION LEVEL
 *     58..73 eight VERSION DESCRIPTORs
 */

import { readAscii, readU16, writeAscii, writeU16 } from "./bytes.js";
import { Opcode } from "./cdb.js";

/** Peripheral device types (SPC-4) that decide something here. */
export const DeviceType = Object.freeze({
  DISK: 0x00,
  TAPE: 0x01,
  WORM: 0x04,
  CD_DVD: 0x05,
  OPTICAL_MEMORY: 0x07,
  ZONED_DISK: 0x14,
  UNKNOWN: 0x1f,
});

/** PERIPHERAL QUALIFIER (SPC-4): whether there is a logical unit at this number. */
export const PeripheralQualifier = Object.freeze({
  CONNECTED: 0,
  /** The device server could have one here and has none. */
  NOT_CONNECTED: 1,
  /** The device server cannot have one here. */
  NOT_CAPABLE: 3,
});

/** VERSION of SPC-3 and SPC-4. */
export const InquiryVersion = Object.freeze({ SPC_3: 0x05, SPC_4: 0x06 });

/** Length of data with version descriptors; 36 is the least that the standard allows. */
export const INQUIRY_LENGTH = 96;
/** Length of the part every device has. */
export const INQUIRY_LENGTH_MIN = 36;

const VERSION_DESCRIPTORS_OFFSET = 58;
const VERSION_DESCRIPTORS_MAX = 8;
/** Data that ends before ADDITIONAL LENGTH says nothing reliable. */
const PARSE_LENGTH_MIN = 5;

/** Standard INQUIRY data. */
export interface StandardInquiry {
  readonly peripheralQualifier: number;
  readonly deviceType: number;
  /** RMB: the medium is removable. */
  readonly removable: boolean;
  readonly version: number;
  /** TPGS, 0 to 3: support of asymmetric logical unit access. */
  readonly targetPortGroups: number;
  /** 3PC: third-party copy commands. */
  readonly thirdPartyCopy: boolean;
  /** PROTECT: protection information. */
  readonly protection: boolean;
  /** MULTIP: more than one target port. */
  readonly multiPort: boolean;
  /** CMDQUE: the full task management model. */
  readonly commandQueuing: boolean;
  /** Up to 8 characters of ASCII. */
  readonly vendor: string;
  /** Up to 16 characters. */
  readonly product: string;
  /** Up to 4 characters. */
  readonly revision: string;
  /** Standards the device claims, by their version descriptor values (SPC-4); at most 8, and none is 0. */
  readonly versionDescriptors: readonly number[];
}

/** CDB of INQUIRY: standard data, or the vital product data page `pageCode`. Lengths in bytes. */
export function inquiryCdb(allocationLength: number, pageCode: number | null = null): Uint8Array {
  const cdb = new Uint8Array(6);
  cdb[0] = Opcode.INQUIRY;
  if (pageCode !== null) {
    cdb[1] = 0x01;
    cdb[2] = pageCode;
  }
  writeU16(cdb, 3, allocationLength);
  return cdb;
}

/** Standard INQUIRY data, {@link INQUIRY_LENGTH} bytes. */
export function encodeInquiry(inquiry: StandardInquiry): Uint8Array {
  const bytes = new Uint8Array(INQUIRY_LENGTH);
  bytes[0] = (inquiry.peripheralQualifier << 5) | (inquiry.deviceType & 0x1f);
  bytes[1] = inquiry.removable ? 0x80 : 0;
  bytes[2] = inquiry.version;
  bytes[3] = 0x02;
  bytes[4] = INQUIRY_LENGTH - 5;
  bytes[5] = ((inquiry.targetPortGroups & 0x03) << 4) | (inquiry.thirdPartyCopy ? 0x08 : 0) | (inquiry.protection ? 0x01 : 0);
  bytes[6] = inquiry.multiPort ? 0x10 : 0;
  bytes[7] = inquiry.commandQueuing ? 0x02 : 0;
  writeAscii(bytes, 8, 8, inquiry.vendor);
  writeAscii(bytes, 16, 16, inquiry.product);
  writeAscii(bytes, 32, 4, inquiry.revision);
  inquiry.versionDescriptors.slice(0, VERSION_DESCRIPTORS_MAX).forEach((descriptor, i) => {
    writeU16(bytes, VERSION_DESCRIPTORS_OFFSET + 2 * i, descriptor);
  });
  return bytes;
}

/** Reads standard INQUIRY data; what was cut off counts as zeros and empty texts. Null for less than 5 bytes. */
export function parseInquiry(bytes: Uint8Array): StandardInquiry | null {
  if (bytes.length < PARSE_LENGTH_MIN) return null;
  const data = bytes.subarray(0, 5 + (bytes[4] ?? 0));
  const flag = (byte: number, mask: number): boolean => ((data[byte] ?? 0) & mask) !== 0;
  const descriptors = Array.from({ length: VERSION_DESCRIPTORS_MAX }, (_, i) => readU16(data, VERSION_DESCRIPTORS_OFFSET + 2 * i));
  return {
    peripheralQualifier: (data[0] ?? 0) >> 5,
    deviceType: (data[0] ?? 0) & 0x1f,
    removable: flag(1, 0x80),
    version: data[2] ?? 0,
    targetPortGroups: ((data[5] ?? 0) >> 4) & 0x03,
    thirdPartyCopy: flag(5, 0x08),
    protection: flag(5, 0x01),
    multiPort: flag(6, 0x10),
    commandQueuing: flag(7, 0x02),
    vendor: readAscii(data, 8, 8),
    product: readAscii(data, 16, 16),
    revision: readAscii(data, 32, 4),
    versionDescriptors: descriptors.filter((descriptor) => descriptor !== 0),
  };
}
