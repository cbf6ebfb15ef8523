/**
 * What a SCSI target answers itself, whatever its logical units are: REPORT LUNS, and commands to units that do not exist (QEMU:
 * hw/scsi/scsi-bus.c, reqops_target_command). The answers are QEMU's, except for the list of VPD pages of an absent unit, which it
 * puts one byte too early.
 *
 *     INQUIRY of an absent LUN other than 0    0 7Fh    1..35 zeros
 *     INQUIRY of an absent LUN 0               0 3Fh    2 version 5    3 HISUP, format 2    4 n - 4    7 SYNC, CMDQUE
 *                                              8..15 QEMU    16..31 QEMU TARGET    32..35 2.5
 */
import { readU16, readU32, writeAscii } from "../../scsi/bytes.js";
import { Opcode } from "../../scsi/cdb.js";
import { good, ScsiStatus } from "../../scsi/command.js";
import type { ScsiResult } from "../../scsi/command.js";
import { DeviceType, INQUIRY_LENGTH_MIN, InquiryVersion, PeripheralQualifier } from "../../scsi/inquiry.js";
import { encodeReportLuns, REPORT_LUNS_ALLOCATION_MIN, SelectReport } from "../../scsi/report-luns.js";
import { descriptorFormat, fixedFormat, fixedSense, Sense, senseResult } from "../../scsi/sense.js";

/** A command as the target sees it. */
export interface TargetCommand {
  readonly cdb: Uint8Array;
  /** The LUN that the command is for. */
  readonly lun: number;
  /** Whether there is a unit at that LUN. */
  readonly exists: boolean;
  /** The other units of the target, the youngest first. */
  readonly luns: readonly number[];
  /** Sense data that the unit has not been asked for yet; empty when there is none. */
  readonly sense: Uint8Array;
}

/** REPORT LUNS lists 8 bytes per unit; an allocation length is cut to whole ones, as in QEMU. */
const LUN_ENTRY_MASK = ~7;

const ENABLE_VPD = 0x01;
const COMMAND_SUPPORT_DATA = 0x02;
const DESCRIPTOR_FORMAT = 0x01;
const SUPPORTED_PAGES = 0x00;
/** HISUP, and RESPONSE DATA FORMAT of SPC. */
const HIERARCHICAL_FORMAT_2 = 0x12;
const SYNC_AND_QUEUING = 0x12;
/** A LUN that cannot have a unit: qualifier 3, type unknown. */
const NO_UNIT = (PeripheralQualifier.NOT_CAPABLE << 5) | DeviceType.UNKNOWN;
/** A LUN that could have a unit and has none. */
const UNIT_NOT_CONNECTED = (PeripheralQualifier.NOT_CONNECTED << 5) | DeviceType.UNKNOWN;
/** What is told of remembered sense data: the fixed format without a vendor's additions. */
const SENSE_LENGTH = 18;

/** The answer to a command for a unit that does not exist, to REPORT LUNS, or to a REQUEST SENSE that asks for what is remembered. */
export function answerAsTarget(command: TargetCommand): ScsiResult {
  const [opcode = 0] = command.cdb;
  if (opcode === Opcode.INQUIRY) return inquire(command);
  if (opcode === Opcode.REQUEST_SENSE) return requestSense(command);
  if (command.lun !== 0) return senseResult(Sense.LUN_NOT_SUPPORTED);
  if (opcode === Opcode.REPORT_LUNS) return reportLuns(command);
  return opcode === Opcode.TEST_UNIT_READY ? good() : senseResult(Sense.INVALID_COMMAND_OPERATION_CODE);
}

function goodWith(data: Uint8Array, allocationLength: number): ScsiResult {
  return { ...good(), status: ScsiStatus.GOOD, dataIn: data.subarray(0, allocationLength) };
}

/** LUN 0 comes first, even where there is none: it is the one that can always be asked (SPC-4 6.33). */
function reportLuns({ cdb, luns }: TargetCommand): ScsiResult {
  const allocationLength = readU32(cdb, 6);
  if (allocationLength < REPORT_LUNS_ALLOCATION_MIN || (cdb[2] ?? 0) > SelectReport.ALL) return senseResult(Sense.INVALID_FIELD_IN_CDB);
  const list = encodeReportLuns([0, ...luns.filter((lun) => lun !== 0)]);
  return goodWith(list, Math.min(list.length, allocationLength & LUN_ENTRY_MASK) >>> 0);
}

function inquire({ cdb, lun }: TargetCommand): ScsiResult {
  const flags = cdb[1] ?? 0;
  const page = cdb[2] ?? 0;
  const allocationLength = readU16(cdb, 3);
  const present = lun === 0 ? UNIT_NOT_CONNECTED : NO_UNIT;
  if ((flags & COMMAND_SUPPORT_DATA) !== 0 || page !== SUPPORTED_PAGES) return senseResult(Sense.INVALID_FIELD_IN_CDB);
  if ((flags & ENABLE_VPD) !== 0) return goodWith(Uint8Array.of(present, SUPPORTED_PAGES, 0, 1, SUPPORTED_PAGES), allocationLength);
  const data = new Uint8Array(INQUIRY_LENGTH_MIN);
  data[0] = present;
  if (lun === 0) describeTarget(data, Math.min(allocationLength, INQUIRY_LENGTH_MIN));
  return goodWith(data, allocationLength);
}

/** @param length bytes that are sent; QEMU counts the additional length by them */
function describeTarget(data: Uint8Array, length: number): void {
  data[2] = InquiryVersion.SPC_3;
  data[3] = HIERARCHICAL_FORMAT_2;
  data[4] = length - 5;
  data[7] = SYNC_AND_QUEUING;
  writeAscii(data, 8, 8, "QEMU");
  writeAscii(data, 16, 16, "QEMU TARGET");
  writeAscii(data, 32, 3, "2.5");
}

/** Of an absent unit the sense data say that there is none; of an absent LUN 0 what the target remembers. */
function requestSense({ cdb, lun, exists, sense }: TargetCommand): ScsiResult {
  const code = exists || lun === 0 ? Sense.NO_SENSE : Sense.LUN_NOT_SUPPORTED;
  const remembered = (exists || lun === 0) && sense.length > 0 ? sense : fixedSense(code);
  const wantsDescriptors = ((cdb[1] ?? 0) & DESCRIPTOR_FORMAT) !== 0;
  const data = wantsDescriptors ? descriptorFormat(remembered) : fixedFormat(remembered).subarray(0, SENSE_LENGTH);
  return goodWith(data, cdb[4] ?? 0);
}
