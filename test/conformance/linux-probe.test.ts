/**
 * What the sd driver of Linux 7.2 asks a disk that is new to it, in its order, and what a simulated disk answers. Page lengths are learned
 * from the first four bytes, as the kernel does.
 */
import "reflect-metadata";
import { expect } from "chai";
import { Machine } from "qom-pr";
import type { ScsiDevice, ScsiResult } from "qom-pr";
import { parseCapacity16 } from "#src/scsi/capacity.js";
import { parseInquiry } from "#src/scsi/inquiry.js";
import { DeviceSpecific, parseModeParameters, parseCachingPage } from "#src/scsi/mode.js";
import { parseReportLuns } from "#src/scsi/report-luns.js";
import { parseBlockDeviceCharacteristics, parseBlockLimits, parseLogicalBlockProvisioning } from "#src/scsi/vpd-block.js";
import { logicalUnitName, parseDeviceIdentification } from "#src/scsi/vpd-identification.js";
import { parseSerialNumber, parseSupportedPages } from "#src/scsi/vpd.js";
import { outcome } from "../support/outcome.js";

const WWN = "naa.5000000000000032";
const BLOCKS = 32_768;

/** A command, what it is answered, and what the answer means. */
interface Step {
  readonly what: string;
  readonly cdb: string;
  /** GOOD unless it says otherwise. */
  readonly expected?: string;
  readonly means?: (dataIn: Uint8Array) => void;
}

function vpd(code: string, means: (page: Uint8Array) => void): readonly Step[] {
  const page = `VPD page ${code.toUpperCase()}h`;
  return [
    { what: `${page}, its header`, cdb: `12 01 ${code} 00 04 00`, means: (header) => expect(header.length).to.equal(4) },
    { what: page, cdb: `12 01 ${code} 00 LENGTH 00`, means },
  ];
}

/** Asked twice: when the disk is found, and when sd has taken it. */
const REVALIDATION: readonly Step[] = [
  { what: "TEST UNIT READY", cdb: "00 00 00 00 00 00" },
  {
    what: "READ CAPACITY(16)",
    cdb: "9e 10 00 00 00 00 00 00 00 00 00 00 00 20 00 00",
    means: (data) =>
      expect(parseCapacity16(data)).to.deep.include({
        ...{ lastLba: BLOCKS - 1, blockSizeBytes: 512, protectionType: 0, physicalBlockExponent: 3 },
        ...{ provisioned: true, unmappedReadsZeros: true, lowestAlignedLba: 0 },
      }),
  },
  {
    what: "MODE SENSE(6) of all pages, for WP",
    cdb: "1a 00 3f 00 04 00",
    means: (header) => {
      expect(header.length).to.equal(4);
      expect((header[2] ?? 0) & DeviceSpecific.WRITE_PROTECTED).to.equal(0);
    },
  },
  { what: "MODE SENSE(6) of the Caching page, its header", cdb: "1a 00 08 00 04 00", means: (header) => expect(header[0]).to.equal(31) },
  {
    what: "MODE SENSE(6) of the Caching page",
    cdb: "1a 00 08 00 20 00",
    means: (data) => {
      const { parameters } = parseModeParameters(data, 6);
      expect((parameters?.deviceSpecific ?? 0) & DeviceSpecific.DPO_FUA).to.equal(DeviceSpecific.DPO_FUA);
      expect(parameters?.pages.map(parseCachingPage)).to.deep.equal([{ writeCache: false, readCacheDisabled: false }]);
    },
  },
  { what: "MODE SENSE(10) of the IO Advice Hints Grouping page", cdb: "5a 08 0a 05 00 00 00 02 00 00", expected: "05/24/00" },
  ...[
    ["INQUIRY", "12", "000300061201ffffff04"],
    ["WRITE SAME(16)", "93", "0003001093f9ffffffffffffffffffffffff0004"],
    ["WRITE SAME(10)", "41", "0003000a41f8ffffffff00ffff04"],
  ].map(([name = "", opcode = "", usage = ""]) => ({
    what: `REPORT SUPPORTED OPERATION CODES for ${name}`,
    cdb: `a3 0c 01 ${opcode} 00 00 00 00 02 00 00 00`,
    means: (data: Uint8Array): void => {
      expect(Buffer.from(data).toString("hex")).to.equal(usage);
    },
  })),
];

const PROBE: readonly Step[] = [
  {
    what: "INQUIRY, 36 bytes",
    cdb: "12 00 00 00 24 00",
    means: (data) => {
      expect([data.length, data[4]]).to.deep.equal([36, 91]);
      expect(parseInquiry(data)).to.include({
        deviceType: 0,
        version: 6,
        vendor: "QOM-PR",
        product: "SIMULATED DISK",
        commandQueuing: true,
      });
    },
  },
  {
    what: "INQUIRY, all of it",
    cdb: "12 00 00 00 60 00",
    means: (data) => expect(parseInquiry(data)?.versionDescriptors).to.have.length(3),
  },
  ...vpd("00", (page) => expect(parseSupportedPages(page)).to.include.members([0x80, 0x83, 0xb0, 0xb1, 0xb2])),
  ...vpd("80", (page) => expect(parseSerialNumber(page)).to.equal("5000000000000032")),
  ...vpd("83", (page) => expect(logicalUnitName(parseDeviceIdentification(page) ?? [])).to.equal(WWN)),
  ...vpd("b0", (page) =>
    expect(parseBlockLimits(page)).to.include({ transferBlocksMax: 16_384, transferGranularityBlocks: 8, unmapGranularityBlocks: 8 }),
  ),
  ...vpd("b1", (page) => expect(parseBlockDeviceCharacteristics(page)).to.deep.equal({ rotationRate: 1, formFactor: 0 })),
  ...vpd("b2", (page) =>
    expect(parseLogicalBlockProvisioning(page)).to.include({ unmap: true, writeSame16Unmaps: true, provisioningType: 2 }),
  ),
  {
    what: "REPORT LUNS",
    cdb: "a0 00 00 00 00 00 00 00 10 00 00 00",
    means: (data) => expect(parseReportLuns(data)?.luns).to.deep.equal([0]),
  },
  ...REVALIDATION,
  ...REVALIDATION,
  ...["00", "08", "18"].map((lba) => ({
    what: `READ(10) of LBA ${Number.parseInt(lba, 16)}`,
    cdb: `28 00 00 00 00 ${lba} 00 00 08 00`,
    means: (data: Uint8Array): void => {
      expect(data.length).to.equal(4096);
      expect(data.every((byte) => byte === 0)).to.equal(true);
    },
  })),
];

/** Sends the steps in order; `LENGTH` in a CDB is what the last header of a page said. */
async function probe(disk: ScsiDevice): Promise<void> {
  let last: ScsiResult | null = null;
  for (const { cdb, expected = "GOOD", means, what } of PROBE) {
    const length = 4 + ((last?.dataIn[2] ?? 0) << 8) + (last?.dataIn[3] ?? 0);
    const digits = cdb.replace("LENGTH", length.toString(16).padStart(2, "0")).replaceAll(" ", "");
    last = await disk.execute({ cdb: Uint8Array.from(Buffer.from(digits, "hex")) });
    expect(outcome(last), what).to.equal(expected);
    means?.(last.dataIn);
  }
}

describe("a simulated disk that Linux 7.2 finds", () => {
  for (const type of ["scsi-block", "scsi-generic"]) {
    it(`has an answer to each question, behind ${type}`, async () => {
      const node = `node-name=hd,driver=sim-lun,wwn=${WWN},size=16M,physical-block-size=4K`;
      const machine = await Machine.create(["-device", "virtio-scsi", "-blockdev", node, "-device", `${type},drive=hd,id=disk0`]);
      await probe(machine.scsiDevice("disk0"));
      await machine.close();
    });
  }
});
