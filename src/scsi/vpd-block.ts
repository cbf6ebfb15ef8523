/**
 * Vital product data pages with one fixed layout: Extended INQUIRY Data (86h, SPC-4), Block Limits (B0h, SBC-4), Block
 * Device Characteristics (B1h, SBC-4) and Logical Block Provisioning (B2h, SBC-4). Offsets count from the page's header.
 *
 *     86h  5       - - UASK_SUP GROUP_SUP PRIOR_SUP HEADSUP ORDSUP SIMPSUP
 *          6       - - - - WU_SUP CRD_SUP NV_SUP V_SUP
 *          7       - - - P_I_I_SUP - - - LUICLR
 *     B0h  4       WSNZ (0)                               20..23  MAXIMUM UNMAP LBA COUNT
 *          5       MAXIMUM COMPARE AND WRITE LENGTH       24..27  MAXIMUM UNMAP BLOCK DESCRIPTOR COUNT
 *          6..7    OPTIMAL TRANSFER LENGTH GRANULARITY    28..31  OPTIMAL UNMAP GRANULARITY
 *          8..11   MAXIMUM TRANSFER LENGTH                32..35  UGAVALID (31) | UNMAP GRANULARITY ALIGNMENT
 *          12..15  OPTIMAL TRANSFER LENGTH                36..43  MAXIMUM WRITE SAME LENGTH
 *          16..19  MAXIMUM PREFETCH LENGTH
 *     B1h  4..5    MEDIUM ROTATION RATE                   7       NOMINAL FORM FACTOR (3..0)
 *     B2h  4       THRESHOLD EXPONENT                     6       PROVISIONING TYPE (2..0)
 *          5       LBPU (7) LBPWS (6) LBPWS10 (5) LBPRZ (4..2) ANC_SUP (1) DP (0)
 */

import { readU16, readU32, readU64, writeU16, writeU32, writeU64 } from "./bytes.js";
import { encodeVpdPage, VPD_HEADER_LENGTH, vpdContents, VpdPage } from "./vpd.js";

/** Contents of the pages 86h, B0h and B1h after the header. */
const LONG_CONTENTS_LENGTH = 0x3c;
const PROVISIONING_CONTENTS_LENGTH = 4;

/** Extended INQUIRY Data (86h). */
export interface ExtendedInquiry {
  /** HEADSUP, ORDSUP, SIMPSUP: task attributes that are supported. */
  readonly headOfQueue: boolean;
  readonly ordered: boolean;
  readonly simple: boolean;
  /** V_SUP: there is a volatile cache. */
  readonly volatileCache: boolean;
  /** LUICLR: a unit attention for changed REPORT LUNS data, reported by one logical unit, is cleared in all. */
  readonly clearsLunsChanged: boolean;
}

/** Block Limits (B0h). Lengths are in logical blocks; 0 means that the device does not say. */
export interface BlockLimits {
  /** WSNZ: WRITE SAME refuses a number of blocks of 0. */
  readonly writeSameNonZero: boolean;
  readonly compareAndWriteBlocksMax: number;
  readonly transferGranularityBlocks: number;
  readonly transferBlocksMax: number;
  readonly transferBlocksOptimal: number;
  readonly prefetchBlocksMax: number;
  readonly unmapBlocksMax: number;
  readonly unmapDescriptorsMax: number;
  readonly unmapGranularityBlocks: number;
  /** UNMAP GRANULARITY ALIGNMENT; null when UGAVALID=0. */
  readonly unmapAlignmentBlocks: number | null;
  readonly writeSameBlocksMax: bigint;
}

/** Block limits of a device that says nothing. */
export const NO_BLOCK_LIMITS: BlockLimits = Object.freeze({
  writeSameNonZero: false,
  compareAndWriteBlocksMax: 0,
  transferGranularityBlocks: 0,
  transferBlocksMax: 0,
  transferBlocksOptimal: 0,
  prefetchBlocksMax: 0,
  unmapBlocksMax: 0,
  unmapDescriptorsMax: 0,
  unmapGranularityBlocks: 0,
  unmapAlignmentBlocks: null,
  writeSameBlocksMax: 0n,
});

/** Block Device Characteristics (B1h). */
export interface BlockDeviceCharacteristics {
  /** MEDIUM ROTATION RATE: 0 not reported, 1 not rotating, else revolutions per minute. */
  readonly rotationRate: number;
  /** NOMINAL FORM FACTOR, 0 to 15; 0 not reported. */
  readonly formFactor: number;
}

/** Logical Block Provisioning (B2h). */
export interface LogicalBlockProvisioning {
  readonly thresholdExponent: number;
  /** LBPU: UNMAP is supported. */
  readonly unmap: boolean;
  /** LBPWS: WRITE SAME(16) can unmap. */
  readonly writeSame16Unmaps: boolean;
  /** LBPWS10: WRITE SAME(10) can unmap. */
  readonly writeSame10Unmaps: boolean;
  /** LBPRZ, 0 to 7: what unmapped blocks read as; 1 is zeros. */
  readonly unmappedReadsAs: number;
  /** ANC_SUP: blocks can be anchored. */
  readonly anchor: boolean;
  /** PROVISIONING TYPE: 0 not reported, 1 resource, 2 thin. */
  readonly provisioningType: number;
}

/** An empty page of the given length, addressed by offsets that count from its header. */
function blankPage(pageCode: number, contentsLength: number, peripheral: number): Uint8Array {
  return encodeVpdPage(pageCode, new Uint8Array(contentsLength), peripheral);
}

/** The page, when `bytes` are that page and reach up to `lengthMin` at least; cut where its length field says. */
function checkedPage(bytes: Uint8Array, pageCode: number, lengthMin: number): Uint8Array | null {
  const contents = vpdContents(bytes, pageCode);
  if (contents === null || VPD_HEADER_LENGTH + contents.length < lengthMin) return null;
  return bytes.subarray(0, VPD_HEADER_LENGTH + contents.length);
}

/** Page 86h. */
export function encodeExtendedInquiry(data: ExtendedInquiry, peripheral = 0): Uint8Array {
  const bytes = blankPage(VpdPage.EXTENDED_INQUIRY, LONG_CONTENTS_LENGTH, peripheral);
  bytes[5] = (data.headOfQueue ? 0x04 : 0) | (data.ordered ? 0x02 : 0) | (data.simple ? 0x01 : 0);
  bytes[6] = data.volatileCache ? 0x01 : 0;
  bytes[7] = data.clearsLunsChanged ? 0x01 : 0;
  return bytes;
}

/** Reads page 86h; null for another page or one that ends before byte 8. */
export function parseExtendedInquiry(bytes: Uint8Array): ExtendedInquiry | null {
  const page = checkedPage(bytes, VpdPage.EXTENDED_INQUIRY, 8);
  if (page === null) return null;
  const attributes = page[5] ?? 0;
  return {
    headOfQueue: (attributes & 0x04) !== 0,
    ordered: (attributes & 0x02) !== 0,
    simple: (attributes & 0x01) !== 0,
    volatileCache: ((page[6] ?? 0) & 0x01) !== 0,
    clearsLunsChanged: ((page[7] ?? 0) & 0x01) !== 0,
  };
}

/** Page B0h. */
export function encodeBlockLimits(limits: BlockLimits, peripheral = 0): Uint8Array {
  const bytes = blankPage(VpdPage.BLOCK_LIMITS, LONG_CONTENTS_LENGTH, peripheral);
  bytes[4] = limits.writeSameNonZero ? 0x01 : 0;
  bytes[5] = limits.compareAndWriteBlocksMax;
  writeU16(bytes, 6, limits.transferGranularityBlocks);
  writeU32(bytes, 8, limits.transferBlocksMax);
  writeU32(bytes, 12, limits.transferBlocksOptimal);
  writeU32(bytes, 16, limits.prefetchBlocksMax);
  writeU32(bytes, 20, limits.unmapBlocksMax);
  writeU32(bytes, 24, limits.unmapDescriptorsMax);
  writeU32(bytes, 28, limits.unmapGranularityBlocks);
  if (limits.unmapAlignmentBlocks !== null) writeU32(bytes, 32, limits.unmapAlignmentBlocks | UGAVALID);
  writeU64(bytes, 36, limits.writeSameBlocksMax);
  return bytes;
}

const UGAVALID = 0x8000_0000;

/** Reads page B0h; null for another page or one that ends before byte 16. What older devices left out counts as not said. */
export function parseBlockLimits(bytes: Uint8Array): BlockLimits | null {
  const page = checkedPage(bytes, VpdPage.BLOCK_LIMITS, 16);
  if (page === null) return null;
  const alignment = readU32(page, 32);
  return {
    writeSameNonZero: ((page[4] ?? 0) & 0x01) !== 0,
    compareAndWriteBlocksMax: page[5] ?? 0,
    transferGranularityBlocks: readU16(page, 6),
    transferBlocksMax: readU32(page, 8),
    transferBlocksOptimal: readU32(page, 12),
    prefetchBlocksMax: readU32(page, 16),
    unmapBlocksMax: readU32(page, 20),
    unmapDescriptorsMax: readU32(page, 24),
    unmapGranularityBlocks: readU32(page, 28),
    unmapAlignmentBlocks: alignment < UGAVALID ? null : alignment - UGAVALID,
    writeSameBlocksMax: readU64(page, 36),
  };
}

/** Page B1h. */
export function encodeBlockDeviceCharacteristics(data: BlockDeviceCharacteristics, peripheral = 0): Uint8Array {
  const bytes = blankPage(VpdPage.BLOCK_DEVICE_CHARACTERISTICS, LONG_CONTENTS_LENGTH, peripheral);
  writeU16(bytes, 4, data.rotationRate);
  bytes[7] = data.formFactor & 0x0f;
  return bytes;
}

/** Reads page B1h; null for another page or one that ends before byte 8. */
export function parseBlockDeviceCharacteristics(bytes: Uint8Array): BlockDeviceCharacteristics | null {
  const page = checkedPage(bytes, VpdPage.BLOCK_DEVICE_CHARACTERISTICS, 8);
  return page === null ? null : { rotationRate: readU16(page, 4), formFactor: (page[7] ?? 0) & 0x0f };
}

/** Page B2h, without a provisioning group descriptor. */
export function encodeLogicalBlockProvisioning(data: LogicalBlockProvisioning, peripheral = 0): Uint8Array {
  const bytes = blankPage(VpdPage.LOGICAL_BLOCK_PROVISIONING, PROVISIONING_CONTENTS_LENGTH, peripheral);
  bytes[4] = data.thresholdExponent;
  bytes[5] =
    (data.unmap ? 0x80 : 0) |
    (data.writeSame16Unmaps ? 0x40 : 0) |
    (data.writeSame10Unmaps ? 0x20 : 0) |
    ((data.unmappedReadsAs & 0x07) << 2) |
    (data.anchor ? 0x02 : 0);
  bytes[6] = data.provisioningType & 0x07;
  return bytes;
}

/** Reads page B2h; null for another page or one that ends before byte 8. */
export function parseLogicalBlockProvisioning(bytes: Uint8Array): LogicalBlockProvisioning | null {
  const page = checkedPage(bytes, VpdPage.LOGICAL_BLOCK_PROVISIONING, VPD_HEADER_LENGTH + PROVISIONING_CONTENTS_LENGTH);
  if (page === null) return null;
  const flags = page[5] ?? 0;
  return {
    thresholdExponent: page[4] ?? 0,
    unmap: (flags & 0x80) !== 0,
    writeSame16Unmaps: (flags & 0x40) !== 0,
    writeSame10Unmaps: (flags & 0x20) !== 0,
    unmappedReadsAs: (flags >> 2) & 0x07,
    anchor: (flags & 0x02) !== 0,
    provisioningType: (page[6] ?? 0) & 0x07,
  };
}
