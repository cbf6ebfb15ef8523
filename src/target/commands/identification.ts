/** Who the unit is: INQUIRY with its vital product data (SPC-4 6.6), and REPORT LUNS (SPC-4 6.33). */

import { readU16, readU32, writeAscii } from "../../scsi/bytes.js";
import type { ScsiResult } from "../../scsi/command.js";
import { DeviceType, encodeInquiry, InquiryVersion, PeripheralQualifier } from "../../scsi/inquiry.js";
import { encodeReportLuns, REPORT_LUNS_ALLOCATION_MIN, SelectReport } from "../../scsi/report-luns.js";
import {
  encodeBlockDeviceCharacteristics,
  encodeBlockLimits,
  encodeExtendedInquiry,
  encodeLogicalBlockProvisioning,
  NO_BLOCK_LIMITS,
} from "../../scsi/vpd-block.js";
import {
  CodeSet,
  DesignatorType,
  encodeDeviceIdentification,
  eui64Designator,
  naaDesignator,
  targetPortDesignator,
} from "../../scsi/vpd-identification.js";
import type { Designator } from "../../scsi/vpd-identification.js";
import { encodeSerialNumber, encodeSupportedPages, VpdPage } from "../../scsi/vpd.js";
import type { DeviceCommand, UnitContext } from "../unit/device-command.js";
import { goodWithData, invalidCdbField } from "../unit/reply.js";
import type { Task } from "../unit/task.js";
import { physicalBlockLength, transferBlocksMax } from "./block-range.js";
import { COMPARE_AND_WRITE_BLOCKS_MAX } from "./compare.js";
import { UNMAP_BLOCKS_MAX, UNMAP_DESCRIPTORS_MAX } from "./unmap.js";

const ENABLE_VPD = 0x01;
const VENDOR = "QOM-PR";
const PRODUCT = "SIMULATED DISK";
const REVISION = "1.0";

/** SAM-5, SPC-4 and SBC-3, no version claimed (SPC-4 table 144). */
const VERSION_DESCRIPTORS: readonly number[] = [0x00a0, 0x0460, 0x04c0];

/** TPGS: changes of asymmetric access state are the unit's own affair, and REPORT TARGET PORT GROUPS tells of them. */
const TPGS_IMPLICIT = 1;

/** Medium rotation rate of one that does not rotate (SBC-4 6.6.2). */
const NON_ROTATING = 1;
/** PROVISIONING TYPE and LBPRZ (SBC-4 6.6.6). */
const THIN = 2;
const READS_AS_ZEROS = 1;

/** T10 VENDOR IDENTIFICATION field. */
const VENDOR_LENGTH = 8;
/** Text after the vendor in a designator of at most 255 bytes. */
const VENDOR_TEXT_MAX = 247;

function standardInquiry(unit: UnitContext): Uint8Array {
  return encodeInquiry({
    peripheralQualifier: PeripheralQualifier.CONNECTED,
    deviceType: DeviceType.DISK,
    removable: false,
    version: InquiryVersion.SPC_4,
    targetPortGroups: TPGS_IMPLICIT,
    thirdPartyCopy: false,
    protection: false,
    multiPort: unit.nexuses.targetPortIdentifiers().length > 1,
    commandQueuing: true,
    vendor: VENDOR,
    product: PRODUCT,
    revision: REVISION,
    versionDescriptors: VERSION_DESCRIPTORS,
  });
}

/** A name of another form becomes one of this vendor's. */
function unitDesignator(wwn: string): Designator {
  const digits = wwn.slice(wwn.indexOf(".") + 1);
  const standard = wwn.startsWith("naa.") ? naaDesignator(digits) : wwn.startsWith("eui.") ? eui64Designator(digits) : null;
  if (standard !== null) return standard;
  const bytes = new Uint8Array(VENDOR_LENGTH + Math.min(wwn.length, VENDOR_TEXT_MAX));
  writeAscii(bytes, 0, VENDOR_LENGTH, VENDOR);
  writeAscii(bytes, VENDOR_LENGTH, bytes.length - VENDOR_LENGTH, wwn);
  return { association: "logical-unit", type: DesignatorType.T10_VENDOR_ID, codeSet: CodeSet.ASCII, protocol: null, bytes };
}

/** All ports are in target port group 0. */
const PORT_GROUP: Designator = {
  association: "target-port",
  type: DesignatorType.TARGET_PORT_GROUP,
  codeSet: CodeSet.BINARY,
  protocol: null,
  bytes: new Uint8Array(4),
};

type PageEncoder = (unit: UnitContext, task: Task) => Uint8Array;

/** Pages that every unit has; page 00h lists them. */
const COMMON_PAGES: readonly (readonly [code: number, encode: PageEncoder])[] = [
  [VpdPage.UNIT_SERIAL_NUMBER, (unit) => encodeSerialNumber(unit.definition.serial)],
  [
    VpdPage.DEVICE_IDENTIFICATION,
    (unit, { nexus }) =>
      encodeDeviceIdentification([unitDesignator(unit.definition.wwn), targetPortDesignator(nexus.targetPort), PORT_GROUP]),
  ],
];

/** Pages of units with a medium. */
const DISK_PAGES: typeof COMMON_PAGES = [
  ...COMMON_PAGES,
  [
    VpdPage.EXTENDED_INQUIRY,
    (unit) =>
      encodeExtendedInquiry({
        headOfQueue: false,
        ordered: false,
        simple: true,
        volatileCache: unit.modes.caching.writeCache,
        clearsLunsChanged: false,
      }),
  ],
  [VpdPage.BLOCK_LIMITS, (unit) => encodeBlockLimits(blockLimits(unit))],
  [VpdPage.BLOCK_DEVICE_CHARACTERISTICS, () => encodeBlockDeviceCharacteristics({ rotationRate: NON_ROTATING, formFactor: 0 })],
  [VpdPage.LOGICAL_BLOCK_PROVISIONING, (unit) => encodeLogicalBlockProvisioning(provisioning(unit))],
];

function blockLimits(unit: UnitContext): Parameters<typeof encodeBlockLimits>[0] {
  const transferMax = transferBlocksMax(unit);
  const { thinProvisioned } = unit.definition;
  // 1 would say no more than the field's absence
  const granularity = physicalBlockLength(unit) === 1 ? 0 : physicalBlockLength(unit);
  return {
    ...NO_BLOCK_LIMITS,
    transferGranularityBlocks: granularity,
    writeSameNonZero: true,
    compareAndWriteBlocksMax: COMPARE_AND_WRITE_BLOCKS_MAX,
    transferBlocksMax: transferMax,
    ...(thinProvisioned
      ? { unmapBlocksMax: UNMAP_BLOCKS_MAX, unmapDescriptorsMax: UNMAP_DESCRIPTORS_MAX, unmapGranularityBlocks: granularity }
      : {}),
    writeSameBlocksMax: BigInt(transferMax),
  };
}

function provisioning(unit: UnitContext): Parameters<typeof encodeLogicalBlockProvisioning>[0] {
  const { thinProvisioned } = unit.definition;
  return {
    thresholdExponent: 0,
    unmap: thinProvisioned,
    writeSame16Unmaps: thinProvisioned,
    writeSame10Unmaps: thinProvisioned,
    unmappedReadsAs: thinProvisioned && unit.medium.deallocates ? READS_AS_ZEROS : 0,
    anchor: false,
    provisioningType: thinProvisioned ? THIN : 0,
  };
}

function inquiry(unit: UnitContext, task: Task, pages: typeof COMMON_PAGES): ScsiResult {
  const { cdb } = task;
  const allocationLength = readU16(cdb, 3);
  const pageCode = cdb[2] ?? 0;
  if (((cdb[1] ?? 0) & ENABLE_VPD) === 0) {
    return pageCode === 0 ? goodWithData(task, standardInquiry(unit), allocationLength) : invalidCdbField(2);
  }
  if (pageCode === VpdPage.SUPPORTED_PAGES) {
    return goodWithData(task, encodeSupportedPages([VpdPage.SUPPORTED_PAGES, ...pages.map(([code]) => code)]), allocationLength);
  }
  const page = pages.find(([code]) => code === pageCode);
  return page === undefined ? invalidCdbField(2) : goodWithData(task, page[1](unit, task), allocationLength);
}

/** The unit is the only one of its target, at LUN 0, and there are no well-known ones. */
function reportLuns(_unit: UnitContext, task: Task): ScsiResult {
  const allocationLength = readU32(task.cdb, 6);
  const select = task.cdb[2] ?? 0;
  if (allocationLength < REPORT_LUNS_ALLOCATION_MIN) return invalidCdbField(6);
  if (select > SelectReport.ALL) return invalidCdbField(2);
  return goodWithData(task, encodeReportLuns(select === SelectReport.WELL_KNOWN ? [] : [0]), allocationLength);
}

const reportLunsCommand: DeviceCommand = {
  opcode: 0xa0,
  usage: "a0 00 ff 00 00 00 ff ff ff ff 00 04",
  unconditional: true,
  run: reportLuns,
};

function inquiryCommand(pages: typeof COMMON_PAGES): DeviceCommand {
  return { opcode: 0x12, usage: "12 01 ff ff ff 04", unconditional: true, run: (unit, task) => inquiry(unit, task, pages) };
}

/** INQUIRY and REPORT LUNS of a disk. */
export const diskIdentificationCommands: readonly DeviceCommand[] = [inquiryCommand(DISK_PAGES), reportLunsCommand];

/** INQUIRY and REPORT LUNS of a unit without medium. */
export const shadowIdentificationCommands: readonly DeviceCommand[] = [inquiryCommand(COMMON_PAGES), reportLunsCommand];
