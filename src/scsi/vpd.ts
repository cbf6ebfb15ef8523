/**
 * Vital product data pages that are alike in form (SPC-4): the page header, 00h and 80h. Device identification (83h) is in
 * vpd-identification.ts, the pages with one fixed layout (86h, B0h, B1h, B2h) are in vpd-block.ts.
 *
 *     0      PERIPHERAL QUALIFIER (7..5) | PERIPHERAL DEVICE TYPE (4..0)
 *     1      PAGE CODE
 *     2..3   PAGE LENGTH (n - 3)
 *     4..n   00h: page codes in ascending order    80h: PRODUCT SERIAL NUMBER in ASCII
 */

import { readAscii, readU16, writeAscii, writeU16 } from "./bytes.js";

/** Page codes of vital product data. */
export const VpdPage = Object.freeze({
  SUPPORTED_PAGES: 0x00,
  UNIT_SERIAL_NUMBER: 0x80,
  DEVICE_IDENTIFICATION: 0x83,
  EXTENDED_INQUIRY: 0x86,
  BLOCK_LIMITS: 0xb0,
  BLOCK_DEVICE_CHARACTERISTICS: 0xb1,
  LOGICAL_BLOCK_PROVISIONING: 0xb2,
});

/** Bytes before the contents of a page. */
export const VPD_HEADER_LENGTH = 4;

/** Any page. */
export interface VpdData {
  /** First byte of INQUIRY data: qualifier and device type. */
  readonly peripheral: number;
  readonly pageCode: number;
  /** What follows the header, as far as it was received. */
  readonly contents: Uint8Array;
}

/** A page with its header. `peripheral` is the first byte of INQUIRY data; 0 is a disk. */
export function encodeVpdPage(pageCode: number, contents: Uint8Array, peripheral = 0): Uint8Array {
  const bytes = new Uint8Array(VPD_HEADER_LENGTH + contents.length);
  bytes[0] = peripheral;
  bytes[1] = pageCode;
  writeU16(bytes, 2, contents.length);
  bytes.set(contents, VPD_HEADER_LENGTH);
  return bytes;
}

/** Takes the header off a page; null for less than a header. The contents are a view of `bytes`. */
export function parseVpdPage(bytes: Uint8Array): VpdData | null {
  if (bytes.length < VPD_HEADER_LENGTH) return null;
  const contents = bytes.subarray(VPD_HEADER_LENGTH, VPD_HEADER_LENGTH + readU16(bytes, 2));
  return { peripheral: bytes[0] ?? 0, pageCode: bytes[1] ?? 0, contents };
}

/** Contents of `bytes` if they are page `pageCode`, else null. */
export function vpdContents(bytes: Uint8Array, pageCode: number): Uint8Array | null {
  const page = parseVpdPage(bytes);
  return page?.pageCode === pageCode ? page.contents : null;
}

/** Supported VPD pages (00h), in ascending order as the standard wants it. */
export function encodeSupportedPages(pageCodes: readonly number[], peripheral = 0): Uint8Array {
  return encodeVpdPage(VpdPage.SUPPORTED_PAGES, Uint8Array.from(pageCodes).toSorted(), peripheral);
}

/** Page codes listed by page 00h; null when the bytes are another page. */
export function parseSupportedPages(bytes: Uint8Array): readonly number[] | null {
  const contents = vpdContents(bytes, VpdPage.SUPPORTED_PAGES);
  return contents === null ? null : [...contents];
}

/** Unit serial number (80h). Characters that are not ASCII become `?`. */
export function encodeSerialNumber(serialNumber: string, peripheral = 0): Uint8Array {
  const contents = new Uint8Array(serialNumber.length);
  writeAscii(contents, 0, contents.length, serialNumber);
  return encodeVpdPage(VpdPage.UNIT_SERIAL_NUMBER, contents, peripheral);
}

/** Serial number in page 80h without the blanks around it; null when the bytes are another page. */
export function parseSerialNumber(bytes: Uint8Array): string | null {
  const contents = vpdContents(bytes, VpdPage.UNIT_SERIAL_NUMBER);
  return contents === null ? null : readAscii(contents, 0, contents.length).trimStart();
}
