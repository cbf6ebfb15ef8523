import { expect } from "chai";
import { parseInquiry } from "#src/scsi/inquiry.js";
import { parseCapacity16 } from "#src/scsi/capacity.js";
import { parseReportLuns } from "#src/scsi/report-luns.js";
import { parseBlockLimits, parseLogicalBlockProvisioning } from "#src/scsi/vpd-block.js";
import { logicalUnitName, parseDeviceIdentification, relativeTargetPortOf } from "#src/scsi/vpd-identification.js";
import { parseSerialNumber, parseSupportedPages } from "#src/scsi/vpd.js";
import { hex } from "../support/hex.js";
import { disk, nexus, command, WWN } from "./support.js";
import type { Disk } from "./support.js";

describe("who a unit is", () => {
  let san: Disk;
  beforeEach(async () => {
    san = await disk();
  });
  afterEach(async () => san.fabric.close());

  async function page(code: string): Promise<Uint8Array> {
    const { dataIn, status } = await san.send("A", `12 01 ${code} 01 00 00`);
    expect(status).to.equal(0);
    return dataIn;
  }

  it("INQUIRY tells of a disk", async () => {
    const inquiry = parseInquiry((await san.send("A", "12 00 00 00 60 00")).dataIn);
    expect(inquiry).to.include({ peripheralQualifier: 0, deviceType: 0, version: 6, removable: false, commandQueuing: true });
    expect(inquiry).to.include({ vendor: "QOM-PR", multiPort: true });
    const alone = await san.fabric.attach({ wwn: "naa.5000000000000002" });
    const { dataIn } = await alone.execute(nexus("A1"), command("12 00 00 00 60 00"));
    expect(parseInquiry(dataIn)).to.include({ multiPort: false });
  });

  it("INQUIRY is cut by its allocation length and by the buffer; the residual tells by how much", async () => {
    const all = await san.send("A", "12 00 00 00 60 00");
    expect([all.dataIn.length, all.residual]).to.deep.equal([96, 0]);
    const cut = await san.send("A", "12 00 00 00 05 00");
    expect([hex(cut.dataIn), cut.residual]).to.deep.equal([hex(all.dataIn.subarray(0, 5)), 0]);
    const larger = await san.send("A", "12 00 00 00 05 00", { allocationLength: 36 });
    expect([larger.dataIn.length, larger.residual]).to.deep.equal([5, 31]);
    const smaller = await san.send("A", "12 00 00 00 60 00", { allocationLength: 4 });
    expect([smaller.dataIn.length, smaller.residual]).to.deep.equal([4, 0]);
    const none = await san.send("A", "12 00 00 00 00 00");
    expect([none.status, none.dataIn.length, none.residual]).to.deep.equal([0, 0, 0]);
  });

  it("INQUIRY fills the caller's memory", async () => {
    const into = new Uint8Array(200).fill(0xee);
    const { dataIn, residual } = await san.send("A", "12 00 00 00 60 00", { into });
    expect(dataIn.buffer).to.equal(into.buffer);
    expect([dataIn.length, residual, into[95], into[96]]).to.deep.equal([96, 104, 0, 0xee]);
  });

  it("names its vital product data pages, and each of them is there", async () => {
    const codes = parseSupportedPages(await page("00"));
    expect(codes).to.deep.equal([0x00, 0x80, 0x83, 0x86, 0xb0, 0xb1, 0xb2]);
    for (const code of codes ?? []) expect((await page(code.toString(16).padStart(2, "0")))[1]).to.equal(code);
  });

  it("has the serial number it was given, or the digits of its name", async () => {
    expect(parseSerialNumber(await page("80"))).to.equal("5000000000000001");
    const other = await disk({ serial: "S/N 4711" });
    expect(parseSerialNumber((await other.send("A", "12 01 80 00 ff 00")).dataIn)).to.equal("S/N 4711");
    await other.fabric.close();
  });

  it("has its name and the port of the nexus in page 83h", async () => {
    const designators = parseDeviceIdentification(await page("83")) ?? [];
    expect(logicalUnitName(designators)).to.equal(WWN);
    expect(relativeTargetPortOf(designators)).to.equal(1);
    const throughPort2 = await san.send("A2", "12 01 83 00 ff 00");
    expect(relativeTargetPortOf(parseDeviceIdentification(throughPort2.dataIn) ?? [])).to.equal(2);
  });

  it("has names of other forms", async () => {
    for (const [name, expected] of [
      ["naa.600140500000000100000000000000ab", "naa.600140500000000100000000000000ab"],
      ["eui.0002c90300012345", "eui.0002c90300012345"],
    ] as const) {
      const unit = await san.fabric.attach({ wwn: name });
      const { dataIn } = await unit.execute(nexus("A1"), command("12 01 83 00 ff 00"));
      expect(logicalUnitName(parseDeviceIdentification(dataIn) ?? [])).to.equal(expected);
    }
    const { dataIn } = await san.fabric.shadow("dev 8:16").execute(nexus("A1"), command("12 01 83 00 ff 00"));
    expect(logicalUnitName(parseDeviceIdentification(dataIn) ?? [])).to.equal("t10.QOM-PR  dev 8:16");
  });

  it("tells its limits in blocks", async () => {
    const limits = parseBlockLimits(await page("b0"));
    expect(limits).to.include({ transferBlocksMax: 16_384, compareAndWriteBlocksMax: 255, writeSameNonZero: true });
    const large = await disk({ blockSizeBytes: 4096 });
    expect(parseBlockLimits((await large.send("A", "12 01 b0 00 ff 00")).dataIn)?.transferBlocksMax).to.equal(2048);
    await large.fabric.close();
  });

  it("tells of physical blocks by the exponent, the alignment and the granularity", async () => {
    const capacity = async (of: Disk): Promise<ReturnType<typeof parseCapacity16>> =>
      parseCapacity16((await of.send("A", "9e 10 00 00 00 00 00 00 00 00 00 00 00 20 00 00")).dataIn);
    expect(await capacity(san)).to.include({ physicalBlockExponent: 0, lowestAlignedLba: 0 });
    expect(parseBlockLimits(await page("b0"))).to.include({ transferGranularityBlocks: 0, unmapGranularityBlocks: 0 });
    for (const [blockSizeBytes, physicalBlockSizeBytes, physicalBlockExponent] of [
      [512, 4096, 3],
      [4096, 4096, 0],
      [512, 2 * 1024 * 1024, 12],
      [1024, 8192, 3],
    ] as const) {
      const other = await disk({ blockSizeBytes, physicalBlockSizeBytes, sizeBytes: 4 * 1024 * 1024 });
      expect(await capacity(other)).to.include({ physicalBlockExponent, lowestAlignedLba: 0, blockSizeBytes });
      const blocks = physicalBlockExponent === 0 ? 0 : 2 ** physicalBlockExponent;
      const limits = parseBlockLimits((await other.send("A", "12 01 b0 00 ff 00")).dataIn);
      expect(limits).to.include({ transferGranularityBlocks: blocks, unmapGranularityBlocks: blocks });
      await other.fabric.close();
    }
  });

  it("tells whether it is thinly provisioned", async () => {
    expect(parseLogicalBlockProvisioning(await page("b2"))).to.include({ unmap: true, unmappedReadsAs: 1, provisioningType: 2 });
    const full = await disk({ thinProvisioned: false });
    expect(parseLogicalBlockProvisioning((await full.send("A", "12 01 b2 00 ff 00")).dataIn)).to.include({
      unmap: false,
      provisioningType: 0,
    });
    await full.fabric.close();
  });

  it("refuses pages there are not, and a page code without EVPD", async () => {
    expect(await san.try("A", "12 01 84 00 ff 00")).to.equal("05/24/00");
    expect(await san.try("A", "12 00 80 00 ff 00")).to.equal("05/24/00");
  });

  it("REPORT LUNS lists the one unit", async () => {
    const luns = async (select: string): Promise<unknown> =>
      parseReportLuns((await san.send("A", `a0 00 ${select} 00 00 00 00 00 01 00 00 00`)).dataIn)?.luns;
    expect(await luns("00")).to.deep.equal([0]);
    expect(await luns("02")).to.deep.equal([0]);
    expect(await luns("01")).to.deep.equal([]);
    expect(await san.try("A", "a0 00 03 00 00 00 00 00 01 00 00 00")).to.equal("05/24/00");
    expect(await san.try("A", "a0 00 00 00 00 00 00 00 00 0f 00 00")).to.equal("05/24/00");
  });

  it("REPORT TARGET PORT GROUPS lists the ports that are in use", async () => {
    const { dataIn } = await san.send("A", "a3 0a 00 00 00 00 00 00 00 ff 00 00");
    expect(hex(dataIn)).to.equal("0000001000cf0000000000020000000100000002");
    expect(await san.try("A", "a3 2a 00 00 00 00 00 00 00 ff 00 00")).to.equal("05/24/00");
  });

  describe("REPORT SUPPORTED OPERATION CODES", () => {
    it("lists all commands", async () => {
      const { dataIn } = await san.send("A", "a3 0c 00 00 00 00 00 00 ff ff 00 00");
      const view = new DataView(dataIn.buffer, dataIn.byteOffset, dataIn.length);
      expect(view.getUint32(0)).to.equal(dataIn.length - 4);
      const rows: string[] = [];
      for (let at = 4; at < dataIn.length; at += 8) {
        rows.push(`${hex(dataIn.subarray(at, at + 1))}/${view.getUint16(at + 2)}/${dataIn[at + 5]}/${view.getUint16(at + 6)}`);
      }
      expect(rows).to.include.members(["00/0/0/6", "28/0/0/10", "88/0/0/16", "5e/3/1/10", "5f/7/1/10", "9e/16/1/16", "a3/12/1/12"]);
      expect(rows).not.to.include("5f/8/1/10");
    });

    it("adds timeouts when asked to", async () => {
      const without = (await san.send("A", "a3 0c 00 00 00 00 00 00 ff ff 00 00")).dataIn.length - 4;
      const { dataIn } = await san.send("A", "a3 0c 80 00 00 00 00 00 ff ff 00 00");
      expect((dataIn.length - 4) / 20).to.equal(without / 8);
      expect(hex(dataIn.subarray(4, 24))).to.equal("0000000000020006000a00000000000000000000");
    });

    const questions: readonly (readonly [string, string, string])[] = [
      ["an operation code", "01 28 00 00", "0003000a28f8ffffffff00ffff04"],
      ["one with timeouts", "81 00 00 00", "00830006000000000004000a00000000000000000000"],
      ["an unknown operation code", "01 ff 00 00", "00010000"],
      ["a service action", "02 9e 00 10", "000300109e100000000000000000ffffffff0004"],
      ["a service action of PERSISTENT RESERVE OUT", "02 5f 00 05", "0003000a5f05ff0000ffffffff04"],
      ["an unknown service action", "02 9e 00 1f", "00010000"],
      ["REPLACE LOST RESERVATION", "03 5f 00 08", "00010000"],
      ["either, with a service action", "03 a3 00 0c", "0003000ca30c87ffffffffffffff0004"],
      ["either, without", "03 12 00 00", "000300061201ffffff04"],
      ["a service action where there are none", "03 12 00 01", "00010000"],
    ];
    for (const [what, fields, answer] of questions) {
      it(`answers for ${what}`, async () => {
        const { dataIn } = await san.send("A", `a3 0c ${fields} 00 00 ff ff 00 00`);
        expect(hex(dataIn)).to.equal(answer);
      });
    }

    const serviceActions: readonly (readonly [opcode: number, size: string, actions: readonly number[], rest: string])[] = [
      [0x5e, "0a", [0, 1, 2, 3], "0000000000ffff04"],
      [0x5f, "0a", [0, 1, 2, 3, 4, 5, 6, 7], "ff0000ffffffff04"],
      [0x9e, "10", [0x10], "0000000000000000ffffffff0004"],
      [0xa3, "0c", [0x0c], "87ffffffffffffff0004"],
    ];
    const digits = (byte: number): string => byte.toString(16).padStart(2, "0");
    for (const [opcode, size, actions, rest] of serviceActions) {
      for (const action of actions) {
        it(`has the service action, not a mask, for ${digits(opcode)}h/${digits(action)}h`, async () => {
          const { dataIn } = await san.send("A", `a3 0c 02 ${digits(opcode)} 00 ${digits(action)} 00 00 ff ff 00 00`);
          expect(hex(dataIn)).to.equal(`000300${size}${digits(opcode)}${digits(action)}${rest}`);
        });
      }
    }

    it("has the bits beside the service action, too", async () => {
      const { dataIn } = await san.send("A", "a3 0c 03 a3 00 0a 00 00 ff ff 00 00");
      expect(hex(dataIn)).to.equal("0003000ca3ea00000000ffffffff0004");
    });

    for (const [what, fields] of [
      ["an operation code that has service actions", "01 5e 00 00"],
      ["a service action of a command without", "02 28 00 00"],
      ["a reserved option", "04 28 00 00"],
    ] as const) {
      it(`refuses ${what}`, async () => {
        expect(await san.try("A", `a3 0c ${fields} 00 00 ff ff 00 00`)).to.equal("05/24/00");
      });
    }
  });
});
