/**
 * Answers that a guest must not get as the device gave them, since the host sets narrower limits (QEMU: scsi_handle_inquiry_reply and
 * scsi_read_complete in hw/scsi/scsi-generic.c):
 *
 *     INQUIRY, page B0h      the longest transfer is the host's; a disk without the page gets one
 *     INQUIRY, page 00h      lists B0h where it is made up
 *     MODE SENSE(6), (10)    write protected on a node that is read-only
 */
import { readU32, writeU32 } from "../../scsi/bytes.js";
import { expectedTransfer, Opcode } from "../../scsi/cdb.js";
import { ScsiStatus, NO_BYTES } from "../../scsi/command.js";
import type { ScsiCommand, ScsiResult } from "../../scsi/command.js";
import { DeviceSpecific } from "../../scsi/mode.js";
import { parseSense } from "../../scsi/sense.js";
import { encodeBlockLimits, NO_BLOCK_LIMITS } from "../../scsi/vpd-block.js";
import { encodeVpdPage, parseVpdPage, VpdPage } from "../../scsi/vpd.js";
import type { DiskFacts } from "./disk-facts.js";

/** What the patches depend on. */
export interface AnswerLimits {
  readonly facts: DiskFacts;
  readonly readOnly: boolean;
  /** The host's limit of one transfer; null when there is none to tell of. */
  readonly transferBytesMax: number | null;
}

const EVPD = 0x01;
const ILLEGAL_REQUEST = 5;
/** Where page B0h has MAXIMUM and OPTIMAL TRANSFER LENGTH. */
const MAXIMUM_AT = 8;
const OPTIMAL_AT = 12;
/** Where the parameter headers of MODE SENSE(6) and (10) have DEVICE-SPECIFIC PARAMETER. */
const DEVICE_SPECIFIC_AT = { [Opcode.MODE_SENSE_6]: 2, [Opcode.MODE_SENSE_10]: 3 } as const;

/** Whether the answer to a command is looked at here or by {@link DiskFacts}. */
export function isPatched(cdb: Uint8Array): boolean {
  switch (cdb[0]) {
    case Opcode.INQUIRY:
    case Opcode.MODE_SENSE_6:
    case Opcode.MODE_SENSE_10:
    case Opcode.READ_CAPACITY_10:
    case Opcode.SERVICE_ACTION_IN_16:
      return true;
    default:
      return false;
  }
}

/** The answer that the guest gets. */
export function patchAnswer(command: ScsiCommand, result: ScsiResult, limits: AnswerLimits): ScsiResult {
  const [opcode, second = 0, page = 0] = command.cdb;
  if (opcode === Opcode.MODE_SENSE_6 || opcode === Opcode.MODE_SENSE_10) {
    if (!limits.readOnly || !limits.facts.isDisk || result.status !== ScsiStatus.GOOD) return result;
    return replaced(command, result, writeProtected(result.dataIn, DEVICE_SPECIFIC_AT[opcode]));
  }
  if (opcode !== Opcode.INQUIRY || (second & EVPD) === 0 || limits.transferBytesMax === null || !limits.facts.isDisk) return result;
  const blocks = Math.floor(limits.transferBytesMax / limits.facts.blockSizeBytes);
  if (page === VpdPage.BLOCK_LIMITS) return blockLimits(command, result, limits.facts, blocks);
  if (page === VpdPage.SUPPORTED_PAGES && limits.facts.lacksBlockLimits && result.status === ScsiStatus.GOOD) {
    return replaced(command, result, listedPages(result.dataIn));
  }
  return result;
}

function blockLimits(command: ScsiCommand, result: ScsiResult, facts: DiskFacts, blocks: number): ScsiResult {
  if (result.status === ScsiStatus.GOOD) {
    const page = Uint8Array.from(result.dataIn);
    for (const at of [MAXIMUM_AT, OPTIMAL_AT]) if (page.length >= at + 4) writeU32(page, at, shorter(readU32(page, at), blocks, at));
    return replaced(command, result, page);
  }
  if (!facts.lacksBlockLimits || parseSense(result.sense)?.key !== ILLEGAL_REQUEST) return result;
  return replaced(command, result, encodeBlockLimits({ ...NO_BLOCK_LIMITS, transferBlocksMax: blocks }, facts.deviceType));
}

/** The shorter one of two lengths. 0 is no length: of the longest transfer it means any, of the optimal one that there is none. */
function shorter(length: number, limit: number, at: number): number {
  if (length === 0) return at === MAXIMUM_AT ? limit : 0;
  return Math.min(length, limit);
}

/** Page 00h with B0h among the others, in ascending order. */
function listedPages(bytes: Uint8Array): Uint8Array {
  const page = parseVpdPage(bytes);
  if (page === null || page.contents.includes(VpdPage.BLOCK_LIMITS)) return bytes;
  return encodeVpdPage(VpdPage.SUPPORTED_PAGES, Uint8Array.of(...page.contents, VpdPage.BLOCK_LIMITS).toSorted(), page.peripheral);
}

function writeProtected(bytes: Uint8Array, at: number): Uint8Array {
  if (bytes.length <= at) return bytes;
  const data = Uint8Array.from(bytes);
  data[at] = (data[at] ?? 0) | DeviceSpecific.WRITE_PROTECTED;
  return data;
}

/** GOOD with other data, as far as the initiator has room for them. */
function replaced(command: ScsiCommand, result: ScsiResult, data: Uint8Array): ScsiResult {
  if (data === result.dataIn) return result;
  const buffer = command.allocationLength ?? command.into?.length ?? expectedTransfer(command.cdb, 0).bytes;
  // A device sends no more than the CDB asks for, whatever the buffer.
  const bytes = data.subarray(0, Math.min(buffer, expectedTransfer(command.cdb, 0).bytes));
  command.into?.set(bytes);
  const dataIn = command.into === undefined ? bytes : command.into.subarray(0, bytes.length);
  return { status: ScsiStatus.GOOD, dataIn, residual: buffer - bytes.length, sense: NO_BYTES };
}
