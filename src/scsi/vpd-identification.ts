/**
 * Device identification, VPD page 83h (SPC-4): the names of a logical unit and of the port it is reached through.
 *
 *     each designation descriptor
 *     0      PROTOCOL IDENTIFIER (7..4) | CODE SET (3..0)
 *     1      PIV (7) | ASSOCIATION (5..4) | DESIGNATOR TYPE (3..0)
 *     3      DESIGNATOR LENGTH (n - 3)
 *     4..n   DESIGNATOR
 */

import { fromHex, readU16, toHex, writeU16 } from "./bytes.js";
import { encodeVpdPage, vpdContents, VpdPage } from "./vpd.js";

/** What a designator names, by ASSOCIATION. */
export type Association = "logical-unit" | "target-port" | "target-device";

/** DESIGNATOR TYPE (SPC-4). */
export const DesignatorType = Object.freeze({
  VENDOR_SPECIFIC: 0x0,
  T10_VENDOR_ID: 0x1,
  EUI_64: 0x2,
  NAA: 0x3,
  RELATIVE_TARGET_PORT: 0x4,
  TARGET_PORT_GROUP: 0x5,
  LOGICAL_UNIT_GROUP: 0x6,
  SCSI_NAME_STRING: 0x8,
});

/** CODE SET: how the designator's bytes are meant. */
export const CodeSet = Object.freeze({ BINARY: 1, ASCII: 2, UTF_8: 3 });

/** One designation descriptor. */
export interface Designator {
  readonly association: Association;
  readonly type: number;
  readonly codeSet: number;
  /** PROTOCOL IDENTIFIER; null when PIV=0. */
  readonly protocol: number | null;
  readonly bytes: Uint8Array;
}

const ASSOCIATIONS: readonly Association[] = ["logical-unit", "target-port", "target-device"];
const DESCRIPTOR_HEADER_LENGTH = 4;
/** DESIGNATOR LENGTH has 8 bits. */
const DESIGNATOR_LENGTH_MAX = 0xff;

/** Page 83h. Designators longer than 255 bytes are cut. */
export function encodeDeviceIdentification(designators: readonly Designator[], peripheral = 0): Uint8Array {
  const parts = designators.map(encodeDesignator);
  const contents = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    contents.set(part, offset);
    offset += part.length;
  }
  return encodeVpdPage(VpdPage.DEVICE_IDENTIFICATION, contents, peripheral);
}

function encodeDesignator(designator: Designator): Uint8Array {
  const length = Math.min(designator.bytes.length, DESIGNATOR_LENGTH_MAX);
  const bytes = new Uint8Array(DESCRIPTOR_HEADER_LENGTH + length);
  bytes[0] = ((designator.protocol ?? 0) << 4) | designator.codeSet;
  bytes[1] = (designator.protocol === null ? 0 : 0x80) | (ASSOCIATIONS.indexOf(designator.association) << 4) | designator.type;
  bytes[3] = length;
  bytes.set(designator.bytes.subarray(0, length), DESCRIPTOR_HEADER_LENGTH);
  return bytes;
}

/** Complete designators of page 83h; those of the reserved association are left out. Null when the bytes are another page. */
export function parseDeviceIdentification(bytes: Uint8Array): readonly Designator[] | null {
  const contents = vpdContents(bytes, VpdPage.DEVICE_IDENTIFICATION);
  if (contents === null) return null;
  const designators: Designator[] = [];
  let offset = 0;
  while (offset + DESCRIPTOR_HEADER_LENGTH <= contents.length) {
    const start = offset + DESCRIPTOR_HEADER_LENGTH;
    const end = start + (contents[offset + 3] ?? 0);
    if (end > contents.length) break;
    const designator = parseDesignator(contents[offset] ?? 0, contents[offset + 1] ?? 0, contents.slice(start, end));
    if (designator !== null) designators.push(designator);
    offset = end;
  }
  return designators;
}

function parseDesignator(first: number, second: number, bytes: Uint8Array): Designator | null {
  const association = ASSOCIATIONS[(second >> 4) & 0x03];
  if (association === undefined) return null;
  return { association, type: second & 0x0f, codeSet: first & 0x0f, protocol: (second & 0x80) === 0 ? null : first >> 4, bytes };
}

/** The NAA designator of a logical unit: `hexDigits` is its name without `naa.`, 16 or 32 digits. Null for anything else. */
export function naaDesignator(hexDigits: string): Designator | null {
  const bytes = fromHex(hexDigits);
  if (bytes?.length !== 8 && bytes?.length !== 16) return null;
  return { association: "logical-unit", type: DesignatorType.NAA, codeSet: CodeSet.BINARY, protocol: null, bytes };
}

/** The EUI-64 based designator of a logical unit: 16, 24 or 32 hexadecimal digits. Null for anything else. */
export function eui64Designator(hexDigits: string): Designator | null {
  const bytes = fromHex(hexDigits);
  if (bytes?.length !== 8 && bytes?.length !== 12 && bytes?.length !== 16) return null;
  return { association: "logical-unit", type: DesignatorType.EUI_64, codeSet: CodeSet.BINARY, protocol: null, bytes };
}

/** The designator of a target port by its relative identifier. */
export function targetPortDesignator(relativeTargetPort: number): Designator {
  const bytes = new Uint8Array(4);
  writeU16(bytes, 2, relativeTargetPort);
  return { association: "target-port", type: DesignatorType.RELATIVE_TARGET_PORT, codeSet: CodeSet.BINARY, protocol: null, bytes };
}

/** The SCSI name string of a logical unit or target: UTF-8, NUL-terminated, padded to a multiple of 4 bytes (SPC-4). */
export function nameStringDesignator(name: string, association: Association): Designator {
  const utf8 = new TextEncoder().encode(name);
  const bytes = new Uint8Array(Math.ceil((utf8.length + 1) / 4) * 4);
  bytes.set(utf8);
  return { association, type: DesignatorType.SCSI_NAME_STRING, codeSet: CodeSet.UTF_8, protocol: null, bytes };
}

/** Relative identifier of the target port that answered, or null when the page does not say. */
export function relativeTargetPortOf(designators: readonly Designator[]): number | null {
  const found = designators.find((d) => d.type === DesignatorType.RELATIVE_TARGET_PORT && d.association === "target-port");
  return found === undefined || found.bytes.length < 4 ? null : readU16(found.bytes, 2);
}

/**
 * Designator types that identify a logical unit worldwide, best first, and the prefix of their text. A name made of
 * a vendor's own text comes last, since nobody allots those.
 */
const UNIQUE_TYPES: readonly (readonly [type: number, prefix: string])[] = [
  [DesignatorType.NAA, "naa."],
  [DesignatorType.EUI_64, "eui."],
  [DesignatorType.SCSI_NAME_STRING, ""],
  [DesignatorType.T10_VENDOR_ID, "t10."],
];

/**
 * The worldwide name of the logical unit: `naa.` or `eui.` and hexadecimal digits, a SCSI name string as it stands, or `t10.` and the
 * vendor's text. Of several NAA names the longest counts. Null when the page has none.
 */
export function logicalUnitName(designators: readonly Designator[]): string | null {
  for (const [type, prefix] of UNIQUE_TYPES) {
    const named = designators.filter((d) => d.association === "logical-unit" && d.type === type && d.bytes.length > 0);
    const [first, ...others] = named;
    if (first === undefined) continue;
    const best = others.reduce((longest, d) => (d.bytes.length > longest.bytes.length ? d : longest), first);
    return prefix + (best.codeSet === CodeSet.BINARY ? toHex(best.bytes) : textOf(best.bytes));
  }
  return null;
}

/** Text up to the first NUL, its trailing blanks cut; bytes that are no UTF-8 become U+FFFD. */
function textOf(bytes: Uint8Array): string {
  const nul = bytes.indexOf(0);
  return new TextDecoder().decode(nul < 0 ? bytes : bytes.subarray(0, nul)).trimEnd();
}
