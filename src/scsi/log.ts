/**
 * Log pages of LOG SENSE (SPC-4 7.3).
 *
 *     page                                              parameter
 *     0     DS (7) | SPF (6) | PAGE CODE (5..0)         0..1  PARAMETER CODE
 *     1     SUBPAGE CODE                                2     control byte: FORMAT AND LINKING (1..0)
 *     2..3  PAGE LENGTH (n - 3)                         3     PARAMETER LENGTH (n - 3)
 *     4..   parameters; of page 00h page codes,         4..   value
 *           of 00h/FFh pairs of page and subpage code
 *
 *     Temperature (0Dh), each parameter                 Informational Exceptions (2Fh), parameter 0000h
 *     4     reserved                                    4     ASC        6     most recent temperature reading
 *     5     degrees Celsius                             5     ASCQ       7     vendor specific: temperature threshold
 */

import { writeU16 } from "./bytes.js";

/** Page codes. */
export const LogPage = Object.freeze({ SUPPORTED_PAGES: 0x00, TEMPERATURE: 0x0d, INFORMATIONAL_EXCEPTIONS: 0x2f });

/** SUBPAGE CODE of the list of pages and subpages. */
export const ALL_SUBPAGES = 0xff;

/** A parameter of a log page. */
export interface LogParameter {
  /** PARAMETER CODE, 0 to 65,535. */
  readonly code: number;
  /** At most 255 bytes. */
  readonly value: Uint8Array;
}

const SPF = 0x40;
/** FORMAT AND LINKING: a list of binary values, which nobody sets, saves or compares. */
const BINARY_LIST = 0x03;
const PAGE_HEADER_LENGTH = 4;
const PARAMETER_HEADER_LENGTH = 4;

function encodePage(pageCode: number, subpageCode: number, contents: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(PAGE_HEADER_LENGTH + contents.length);
  bytes[0] = (subpageCode === 0 ? 0 : SPF) | (pageCode & 0x3f);
  bytes[1] = subpageCode;
  writeU16(bytes, 2, contents.length);
  bytes.set(contents, PAGE_HEADER_LENGTH);
  return bytes;
}

/** A page of binary list parameters, in the order given, which is that of their codes. */
export function encodeLogPage(pageCode: number, parameters: readonly LogParameter[]): Uint8Array {
  const lengths = parameters.map(({ value }) => PARAMETER_HEADER_LENGTH + value.length);
  const contents = new Uint8Array(lengths.reduce((sum, length) => sum + length, 0));
  let at = 0;
  for (const { code, value } of parameters) {
    writeU16(contents, at, code);
    contents[at + 2] = BINARY_LIST;
    contents[at + 3] = value.length;
    contents.set(value, at + PARAMETER_HEADER_LENGTH);
    at += PARAMETER_HEADER_LENGTH + value.length;
  }
  return encodePage(pageCode, 0, contents);
}

/** Supported log pages (00h), in ascending order as the standard wants it. */
export function encodeSupportedLogPages(pageCodes: readonly number[]): Uint8Array {
  return encodePage(LogPage.SUPPORTED_PAGES, 0, Uint8Array.from(pageCodes).toSorted());
}

/** Supported log pages and subpages (00h/FFh); every pair is a page code and a subpage code. */
export function encodeSupportedLogSubpages(pairs: readonly (readonly [pageCode: number, subpageCode: number])[]): Uint8Array {
  return encodePage(LogPage.SUPPORTED_PAGES, ALL_SUBPAGES, Uint8Array.from(pairs.flat()));
}

/** Value of a parameter of the Temperature page. */
export function temperatureValue(celsius: number): Uint8Array {
  return Uint8Array.of(0, celsius);
}

/** Value of the parameter of the Informational Exceptions page for a unit that nothing is wrong with. */
export function noExceptionsValue(celsius: number, thresholdCelsius: number): Uint8Array {
  return Uint8Array.of(0, 0, celsius, thresholdCelsius);
}
