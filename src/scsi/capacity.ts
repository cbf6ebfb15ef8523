/**
 * READ CAPACITY(10) and READ CAPACITY(16), and their parameter data (SBC-4).
 *
 *     READ CAPACITY(10) data                          READ CAPACITY(16) data
 *     0..3   RETURNED LOGICAL BLOCK ADDRESS           0..7    RETURNED LOGICAL BLOCK ADDRESS
 *     4..7   LOGICAL BLOCK LENGTH IN BYTES            8..11   LOGICAL BLOCK LENGTH IN BYTES
 *                                                     12      P_TYPE (3..1) | PROT_EN (0)
 *                                                     13      LOGICAL BLOCKS PER PHYSICAL BLOCK EXPONENT (3..0)
 *                                                     14..15  LBPME (15) | LBPRZ (14) | LOWEST ALIGNED LBA (13..0)
 */

import { readU16, readU32, readU64, writeU16, writeU32, writeU64 } from "./bytes.js";
import { Opcode } from "./cdb.js";

/** Length of READ CAPACITY(10) data. */
export const CAPACITY_10_LENGTH = 8;
/** Length of READ CAPACITY(16) data. */
const CAPACITY_16_LENGTH = 32;

/** READ CAPACITY(10) says this when the last LBA needs more than 32 bits: ask READ CAPACITY(16). */
export const LBA_BEYOND_10 = 0xffff_ffff;

const READ_CAPACITY_16_ACTION = 0x10;

/** What both commands tell. */
export interface Capacity {
  /** The last LBA, that is, number of blocks minus one; {@link LBA_BEYOND_10} from READ CAPACITY(10) means "or more". */
  readonly lastLba: number;
  readonly blockSizeBytes: number;
}

/** What READ CAPACITY(16) tells. */
export interface Capacity16 extends Capacity {
  /** Protection type 1 to 3; 0 without protection information. */
  readonly protectionType: number;
  /** A physical block has 2 to this power logical blocks. */
  readonly physicalBlockExponent: number;
  /** LBPME: blocks may be unmapped. */
  readonly provisioned: boolean;
  /** LBPRZ: unmapped blocks read as zeros. */
  readonly unmappedReadsZeros: boolean;
  readonly lowestAlignedLba: number;
}

/** CDB of READ CAPACITY(10). */
export function readCapacity10Cdb(): Uint8Array {
  const cdb = new Uint8Array(10);
  cdb[0] = Opcode.READ_CAPACITY_10;
  return cdb;
}

/** CDB of READ CAPACITY(16). */
export function readCapacity16Cdb(allocationLength = CAPACITY_16_LENGTH): Uint8Array {
  const cdb = new Uint8Array(16);
  cdb[0] = Opcode.SERVICE_ACTION_IN_16;
  cdb[1] = READ_CAPACITY_16_ACTION;
  writeU32(cdb, 10, allocationLength);
  return cdb;
}

/** READ CAPACITY(10) data. */
export function encodeCapacity10(capacity: Capacity): Uint8Array {
  const bytes = new Uint8Array(CAPACITY_10_LENGTH);
  writeU32(bytes, 0, Math.min(capacity.lastLba, LBA_BEYOND_10));
  writeU32(bytes, 4, capacity.blockSizeBytes);
  return bytes;
}

/** Reads READ CAPACITY(10) data; null when it is not complete. */
export function parseCapacity10(bytes: Uint8Array): Capacity | null {
  if (bytes.length < CAPACITY_10_LENGTH) return null;
  return { lastLba: readU32(bytes, 0), blockSizeBytes: readU32(bytes, 4) };
}

/** READ CAPACITY(16) data. */
export function encodeCapacity16(capacity: Capacity16): Uint8Array {
  const bytes = new Uint8Array(CAPACITY_16_LENGTH);
  writeU64(bytes, 0, BigInt(capacity.lastLba));
  writeU32(bytes, 8, capacity.blockSizeBytes);
  bytes[12] = capacity.protectionType === 0 ? 0 : ((capacity.protectionType - 1) << 1) | 0x01;
  bytes[13] = capacity.physicalBlockExponent & 0x0f;
  const flags = (capacity.provisioned ? 0x8000 : 0) | (capacity.unmappedReadsZeros ? 0x4000 : 0);
  writeU16(bytes, 14, flags | (capacity.lowestAlignedLba & 0x3fff));
  return bytes;
}

/** Reads READ CAPACITY(16) data; null when it ends before the block length, and zeros for what is missing after it. */
export function parseCapacity16(bytes: Uint8Array): Capacity16 | null {
  if (bytes.length < 12) return null;
  const protection = bytes[12] ?? 0;
  const flags = readU16(bytes, 14);
  return {
    lastLba: Number(readU64(bytes, 0)),
    blockSizeBytes: readU32(bytes, 8),
    protectionType: (protection & 0x01) === 0 ? 0 : ((protection >> 1) & 0x07) + 1,
    physicalBlockExponent: (bytes[13] ?? 0) & 0x0f,
    provisioned: (flags & 0x8000) !== 0,
    unmappedReadsZeros: (flags & 0x4000) !== 0,
    lowestAlignedLba: flags & 0x3fff,
  };
}
