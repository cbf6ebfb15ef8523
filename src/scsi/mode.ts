/**
 * Mode parameters of MODE SENSE and MODE SELECT (SPC-4, mode parameters), and four pages: Read-Write Error Recovery and Caching (SBC-4),
 * Control and Informational Exceptions Control (SPC-4).
 *
 *     header(6)                        header(10)                          block descriptor of a disk, short
 *     0   MODE DATA LENGTH (n)         0..1  MODE DATA LENGTH (n - 1)      0..3  NUMBER OF LOGICAL BLOCKS
 *     1   MEDIUM TYPE                  2     MEDIUM TYPE                   5..7  LOGICAL BLOCK LENGTH
 *     2   DEVICE-SPECIFIC PARAMETER    3     DEVICE-SPECIFIC PARAMETER
 *     3   BLOCK DESCRIPTOR LENGTH      4     LONGLBA (0)                   page
 *                                      6..7  BLOCK DESCRIPTOR LENGTH       0     PS (7) | SPF (6) | PAGE CODE (5..0)
 *     then block descriptors,                                              1     PAGE LENGTH; or SUBPAGE CODE, and 2..3 the length
 *     then pages                                                           2..   contents, 4.. with SPF=1
 *
 *     Caching (08h), 20 bytes          Control (0Ah), 12 bytes
 *     2   WCE (2) | RCD (0)            2     TST (7..5) | D_SENSE (2) | GLTSD (1)
 *                                      3     QUEUE ALGORITHM MODIFIER (7..4) | NUAR (3) | QERR (2..1)
 *                                      4     UA_INTLCK_CTRL (5..4) | SWP (3)
 *                                      5     ATO (7) | TAS (6)
 *
 *     Error recovery (01h), 12 bytes   Informational exceptions (1Ch), 12 bytes
 *     2   AWRE (7) | ARRE (6)          2     DEXCPT (3)
 *                                      3     MRIE (3..0)
 */

import { readU16, readU24, readU32, writeU16, writeU24, writeU32 } from "./bytes.js";

/** Page codes. */
export const ModePage = Object.freeze({
  ERROR_RECOVERY: 0x01,
  CACHING: 0x08,
  CONTROL: 0x0a,
  INFORMATIONAL_EXCEPTIONS: 0x1c,
  ALL: 0x3f,
});

/** PAGE CONTROL of MODE SENSE (SPC-4). */
export const PageControl = Object.freeze({ CURRENT: 0, CHANGEABLE: 1, DEFAULT: 2, SAVED: 3 });

/** Bits of DEVICE-SPECIFIC PARAMETER for disks (SBC-4). */
export const DeviceSpecific = Object.freeze({ WRITE_PROTECTED: 0x80, DPO_FUA: 0x10 });

/** The two forms of the header: those of the 6-byte and the 10-byte commands. */
export type ModeHeaderForm = 6 | 10;

/** A mode page, or a subpage. */
export interface ModePageData {
  /** PAGE CODE, 0 to 63. */
  readonly pageCode: number;
  /** SUBPAGE CODE; null in the short form of a page (SPF=0). */
  readonly subpageCode: number | null;
  /** PS: the page can be saved; reserved in MODE SELECT. */
  readonly savable: boolean;
  /** What follows the page's header. */
  readonly contents: Uint8Array;
}

/** A block descriptor of the short form. */
export interface BlockDescriptor {
  /** NUMBER OF LOGICAL BLOCKS; FFFFFFFFh when it needs more than 32 bits. */
  readonly blocks: number;
  readonly blockSizeBytes: number;
}

/** A mode parameter list. */
export interface ModeParameters {
  readonly mediumType: number;
  /** DEVICE-SPECIFIC PARAMETER, see {@link DeviceSpecific}. */
  readonly deviceSpecific: number;
  readonly blockDescriptor: BlockDescriptor | null;
  readonly pages: readonly ModePageData[];
}

/** Why a mode parameter list cannot be read: it is `cut` short, or the field at `offset` is wrong. */
export interface ModeProblem {
  readonly kind: "cut" | "invalid";
  readonly offset: number;
  readonly message: string;
}

/** What {@link parseModeParameters} gives: exactly one of the two members. */
export type ModeParsed =
  { readonly parameters: ModeParameters; readonly problem?: never } | { readonly problem: ModeProblem; readonly parameters?: never };

/** Read-Write Error Recovery page, as far as anything of it is ever set. */
export interface ErrorRecoveryPage {
  /** AWRE: blocks that cannot be written are reallocated without being asked. */
  readonly reallocatesOnWrite: boolean;
  /** ARRE: blocks that cannot be read are. */
  readonly reallocatesOnRead: boolean;
}

/** Informational Exceptions Control page, as far as anything of it is ever set. */
export interface InformationalExceptionsPage {
  /** DEXCPT: nothing is reported, LOG SENSE excepted. */
  readonly disabled: boolean;
  /** MRIE, 0 to 15: how exceptions are reported; 0 is only by LOG SENSE. */
  readonly reportMethod: number;
}

/** Caching page. */
export interface CachingPage {
  /** WCE: writes may end before they are on the medium. */
  readonly writeCache: boolean;
  /** RCD: the read cache is off. */
  readonly readCacheDisabled: boolean;
}

/** Control page. */
export interface ControlPage {
  /** TST, 0 to 7: 0 one task set for all nexuses, 1 one for each. */
  readonly taskSetType: number;
  /** D_SENSE: sense data in descriptor format. */
  readonly descriptorSense: boolean;
  /** GLTSD: log parameters are not saved. */
  readonly logSavingDisabled: boolean;
  /** QUEUE ALGORITHM MODIFIER, 0 to 15. */
  readonly queueAlgorithm: number;
  /** NUAR: no unit attention when a reservation is released. */
  readonly noUnitAttentionOnRelease: boolean;
  /** QERR, 0 to 3: what becomes of other commands when one ends with CHECK CONDITION. */
  readonly queueError: number;
  /** UA_INTLCK_CTRL, 0 to 3: whether reporting a unit attention clears it. */
  readonly unitAttentionInterlock: number;
  /** SWP: software write protect. */
  readonly softwareWriteProtect: boolean;
  /** ATO: the application owns the application tag of protection information. */
  readonly applicationTagOwner: boolean;
  /** TAS: commands aborted by another nexus end with TASK ABORTED. */
  readonly taskAbortedStatus: boolean;
}

const BLOCK_DESCRIPTOR_LENGTH = 8;
const ERROR_RECOVERY_CONTENTS_LENGTH = 10;
const INFORMATIONAL_EXCEPTIONS_CONTENTS_LENGTH = 10;
const CACHING_CONTENTS_LENGTH = 18;
const CONTROL_CONTENTS_LENGTH = 10;
const SPF = 0x40;
const PS = 0x80;

function headerLengthOf(form: ModeHeaderForm): number {
  return form === 6 ? 4 : 8;
}

function pageLength(page: ModePageData): number {
  return (page.subpageCode === null ? 2 : 4) + page.contents.length;
}

/**
 * A mode parameter list with its header. MODE DATA LENGTH is what MODE SENSE reports; in MODE SELECT the field is reserved, so that a
 * list to be sent has it set to zero by the caller. In the 6-byte form a length beyond 255 is written as 255.
 */
export function encodeModeParameters(parameters: ModeParameters, form: ModeHeaderForm): Uint8Array {
  const headerLength = headerLengthOf(form);
  const descriptorLength = parameters.blockDescriptor === null ? 0 : BLOCK_DESCRIPTOR_LENGTH;
  const pagesLength = parameters.pages.reduce((length, page) => length + pageLength(page), 0);
  const bytes = new Uint8Array(headerLength + descriptorLength + pagesLength);
  if (form === 6) {
    bytes[0] = Math.min(bytes.length - 1, 0xff);
    bytes[1] = parameters.mediumType;
    bytes[2] = parameters.deviceSpecific;
    bytes[3] = descriptorLength;
  } else {
    writeU16(bytes, 0, bytes.length - 2);
    bytes[2] = parameters.mediumType;
    bytes[3] = parameters.deviceSpecific;
    writeU16(bytes, 6, descriptorLength);
  }
  if (parameters.blockDescriptor !== null) {
    writeU32(bytes, headerLength, parameters.blockDescriptor.blocks);
    writeU24(bytes, headerLength + 5, parameters.blockDescriptor.blockSizeBytes);
  }
  let offset = headerLength + descriptorLength;
  for (const page of parameters.pages) {
    writePage(bytes, offset, page);
    offset += pageLength(page);
  }
  return bytes;
}

function writePage(bytes: Uint8Array, offset: number, page: ModePageData): void {
  bytes[offset] = (page.savable ? PS : 0) | (page.subpageCode === null ? 0 : SPF) | (page.pageCode & 0x3f);
  if (page.subpageCode === null) {
    bytes[offset + 1] = page.contents.length;
  } else {
    bytes[offset + 1] = page.subpageCode;
    writeU16(bytes, offset + 2, page.contents.length);
  }
  bytes.set(page.contents, offset + (page.subpageCode === null ? 2 : 4));
}

/**
 * Reads a mode parameter list: what MODE SELECT brings or MODE SENSE answered. MODE DATA LENGTH is not looked at, since MODE SELECT
 * reserves it. Of several block descriptors the first counts. Never throws.
 */
export function parseModeParameters(bytes: Uint8Array, form: ModeHeaderForm): ModeParsed {
  const headerLength = headerLengthOf(form);
  if (bytes.length < headerLength) return cut(0, "the header");
  const longLba = form === 10 && ((bytes[4] ?? 0) & 0x01) !== 0;
  const lengthOffset = form === 6 ? 3 : 6;
  const descriptorsLength = form === 6 ? (bytes[lengthOffset] ?? 0) : readU16(bytes, lengthOffset);
  if (longLba) return { problem: { kind: "invalid", offset: 4, message: "long LBA block descriptors are not supported" } };
  if (descriptorsLength % BLOCK_DESCRIPTOR_LENGTH !== 0) {
    return { problem: { kind: "invalid", offset: lengthOffset, message: `block descriptors of ${descriptorsLength} bytes` } };
  }
  const pagesOffset = headerLength + descriptorsLength;
  if (pagesOffset > bytes.length) return cut(headerLength, "the block descriptors");
  const blockDescriptor =
    descriptorsLength === 0 ? null : { blocks: readU32(bytes, headerLength), blockSizeBytes: readU24(bytes, headerLength + 5) };
  const pages = parsePages(bytes, pagesOffset);
  if ("problem" in pages) return pages;
  const mediumType = bytes[form === 6 ? 1 : 2] ?? 0;
  const deviceSpecific = bytes[form === 6 ? 2 : 3] ?? 0;
  return { parameters: { mediumType, deviceSpecific, blockDescriptor, pages: pages.pages } };
}

function parsePages(bytes: Uint8Array, start: number): { readonly pages: readonly ModePageData[] } | { readonly problem: ModeProblem } {
  const pages: ModePageData[] = [];
  let offset = start;
  while (offset < bytes.length) {
    const first = bytes[offset] ?? 0;
    const isSubpage = (first & SPF) !== 0;
    const headerLength = isSubpage ? 4 : 2;
    const contentsLength = isSubpage ? readU16(bytes, offset + 2) : (bytes[offset + 1] ?? 0);
    const end = offset + headerLength + contentsLength;
    if (offset + headerLength > bytes.length || end > bytes.length) return cut(offset, `mode page ${(first & 0x3f).toString(16)}h`);
    pages.push({
      pageCode: first & 0x3f,
      subpageCode: isSubpage ? (bytes[offset + 1] ?? 0) : null,
      savable: (first & PS) !== 0,
      contents: bytes.slice(offset + headerLength, end),
    });
    offset = end;
  }
  return { pages };
}

function cut(offset: number, what: string): { readonly problem: ModeProblem } {
  return { problem: { kind: "cut", offset, message: `the mode parameter list ends within ${what}` } };
}

function shortPage(pageCode: number, contents: Uint8Array): ModePageData {
  return { pageCode, subpageCode: null, savable: false, contents };
}

/** The Read-Write Error Recovery page (01h), 12 bytes with its header. */
export function encodeErrorRecoveryPage(page: ErrorRecoveryPage): ModePageData {
  const contents = new Uint8Array(ERROR_RECOVERY_CONTENTS_LENGTH);
  contents[0] = (page.reallocatesOnWrite ? 0x80 : 0) | (page.reallocatesOnRead ? 0x40 : 0);
  return shortPage(ModePage.ERROR_RECOVERY, contents);
}

/** The Informational Exceptions Control page (1Ch), 12 bytes with its header. */
export function encodeInformationalExceptionsPage(page: InformationalExceptionsPage): ModePageData {
  const contents = new Uint8Array(INFORMATIONAL_EXCEPTIONS_CONTENTS_LENGTH);
  contents[0] = page.disabled ? 0x08 : 0;
  contents[1] = page.reportMethod & 0x0f;
  return shortPage(ModePage.INFORMATIONAL_EXCEPTIONS, contents);
}

/** The Caching page (08h), version 2 of it, 20 bytes with its header. */
export function encodeCachingPage(page: CachingPage): ModePageData {
  const contents = new Uint8Array(CACHING_CONTENTS_LENGTH);
  contents[0] = (page.writeCache ? 0x04 : 0) | (page.readCacheDisabled ? 0x01 : 0);
  return shortPage(ModePage.CACHING, contents);
}

/** Reads the Caching page; null for another page or an empty one. */
export function parseCachingPage(page: ModePageData): CachingPage | null {
  const flags = page.contents[0];
  if (page.pageCode !== ModePage.CACHING || page.subpageCode !== null || flags === undefined) return null;
  return { writeCache: (flags & 0x04) !== 0, readCacheDisabled: (flags & 0x01) !== 0 };
}

/** The Control page (0Ah), 12 bytes with its header. All ones in a field make the page of changeable values. */
export function encodeControlPage(page: ControlPage): ModePageData {
  const contents = new Uint8Array(CONTROL_CONTENTS_LENGTH);
  contents[0] = ((page.taskSetType & 0x07) << 5) | (page.descriptorSense ? 0x04 : 0) | (page.logSavingDisabled ? 0x02 : 0);
  contents[1] = ((page.queueAlgorithm & 0x0f) << 4) | (page.noUnitAttentionOnRelease ? 0x08 : 0) | ((page.queueError & 0x03) << 1);
  contents[2] = ((page.unitAttentionInterlock & 0x03) << 4) | (page.softwareWriteProtect ? 0x08 : 0);
  contents[3] = (page.applicationTagOwner ? 0x80 : 0) | (page.taskAbortedStatus ? 0x40 : 0);
  return shortPage(ModePage.CONTROL, contents);
}

/** Reads the Control page; null for another page or subpage, or one shorter than its first four bytes. */
export function parseControlPage(page: ModePageData): ControlPage | null {
  if (page.pageCode !== ModePage.CONTROL || page.subpageCode !== null || page.contents.length < 4) return null;
  const byte = (offset: number): number => page.contents[offset] ?? 0;
  return {
    taskSetType: byte(0) >> 5,
    descriptorSense: (byte(0) & 0x04) !== 0,
    logSavingDisabled: (byte(0) & 0x02) !== 0,
    queueAlgorithm: byte(1) >> 4,
    noUnitAttentionOnRelease: (byte(1) & 0x08) !== 0,
    queueError: (byte(1) >> 1) & 0x03,
    unitAttentionInterlock: (byte(2) >> 4) & 0x03,
    softwareWriteProtect: (byte(2) & 0x08) !== 0,
    applicationTagOwner: (byte(3) & 0x80) !== 0,
    taskAbortedStatus: (byte(3) & 0x40) !== 0,
  };
}
