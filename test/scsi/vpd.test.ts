import { expect } from "chai";
import fc from "fast-check";
import {
  encodeSerialNumber,
  encodeSupportedPages,
  encodeVpdPage,
  parseSerialNumber,
  parseSupportedPages,
  parseVpdPage,
  VpdPage,
} from "#src/scsi/vpd.js";
import * as block from "#src/scsi/vpd-block.js";
import * as identification from "#src/scsi/vpd-identification.js";
import type { Designator } from "#src/scsi/vpd-identification.js";
import { anyBytes, hexDigits } from "./arbitraries.js";
import { bytes, digits, hex } from "../support/hex.js";

const ascii = (text: string): string => hex(new TextEncoder().encode(text));
const u32 = fc.nat(0xffffffff);

describe("vital product data", () => {
  it("lists the supported pages in ascending order", () => {
    const page = encodeSupportedPages([
      VpdPage.BLOCK_LIMITS,
      VpdPage.SUPPORTED_PAGES,
      VpdPage.DEVICE_IDENTIFICATION,
      VpdPage.UNIT_SERIAL_NUMBER,
    ]);
    expect(hex(page)).to.equal(digits("00 00 00 04 00 80 83 B0"));
    expect(parseSupportedPages(page)).to.deep.equal([0, 0x80, 0x83, 0xb0]);
    expect(parseSupportedPages(page.subarray(0, 6))).to.deep.equal([0, 0x80]);
  });

  it("has the serial number", () => {
    const page = encodeSerialNumber("ABC-1", 0x05);
    expect(hex(page)).to.equal(digits(`05 80 00 05 ${ascii("ABC-1")}`));
    expect(parseSerialNumber(page)).to.equal("ABC-1");
    expect(parseSerialNumber(encodeSerialNumber("  12 "))).to.equal("12");
  });

  it("is not taken for another page", () => {
    const page = encodeVpdPage(0x90, new Uint8Array(80));
    expect(parseVpdPage(page)).to.deep.include({ pageCode: 0x90, peripheral: 0 });
    for (const parse of PARSERS) expect(parse(page), parse.name).to.equal(null);
  });

  it("is read from any bytes", () => {
    fc.assert(
      fc.property(fc.constantFrom(...Object.values(VpdPage)), fc.nat(400), anyBytes, (code, length, rest) => {
        const data = Uint8Array.of(0, code, length >> 8, length & 0xff, ...rest);
        for (const parse of PARSERS) {
          parse(data);
          parse(rest);
        }
      }),
    );
  });
});

describe("device identification", () => {
  const designator: fc.Arbitrary<Designator> = fc.record({
    association: fc.constantFrom("logical-unit", "target-port", "target-device"),
    type: fc.nat(15),
    codeSet: fc.nat(15),
    protocol: fc.option(fc.nat(15)),
    bytes: fc.uint8Array({ maxLength: 40 }),
  });

  it("has the layout of the standard", () => {
    const naa = identification.naaDesignator("5000000000000001");
    const page = identification.encodeDeviceIdentification([...(naa === null ? [] : [naa]), identification.targetPortDesignator(0x0203)]);
    expect(hex(page)).to.equal(digits("00 83 00 14  01 03 00 08 5000000000000001  01 14 00 04 0000 0203"));
  });

  it("gives back what was encoded, as many designators as are complete", () => {
    fc.assert(
      fc.property(fc.array(designator, { maxLength: 6 }), (designators) => {
        const page = identification.encodeDeviceIdentification(designators);
        expect(identification.parseDeviceIdentification(page)).to.deep.equal(designators);
        let count = 0;
        for (let length = 4; length <= page.length; length += 1) {
          const parsed = identification.parseDeviceIdentification(page.subarray(0, length)) ?? [];
          expect(parsed).to.deep.equal(designators.slice(0, parsed.length));
          expect(parsed.length).to.be.at.least(count);
          count = parsed.length;
        }
        expect(count).to.equal(designators.length);
      }),
    );
  });

  it("leaves out a designator of the reserved association", () => {
    const page = bytes("00 83 00 10  01 33 00 04 01020304  01 14 00 04 00000005");
    expect(identification.relativeTargetPortOf(identification.parseDeviceIdentification(page) ?? [])).to.equal(5);
    expect(identification.relativeTargetPortOf([])).to.equal(null);
  });

  it("makes names of hexadecimal digits only where they have a right length", () => {
    fc.assert(
      fc.property(hexDigits(16), hexDigits(24), hexDigits(32), (short, middle, long) => {
        for (const [prefix, make, lengths] of [
          ["naa.", identification.naaDesignator, [short, long]],
          ["eui.", identification.eui64Designator, [short, middle, long]],
        ] as const) {
          for (const name of lengths) {
            const made = make(name);
            expect(made === null ? null : identification.logicalUnitName([made])).to.equal(prefix + name);
          }
          expect(make(short.slice(2))).to.equal(null);
          expect(make(`${short.slice(1)}g`)).to.equal(null);
        }
        expect(identification.naaDesignator(middle)).to.equal(null);
      }),
    );
  });

  it("names the logical unit by the best designator it has", () => {
    const make = (type: number, codeSet: number, value: string, association: Designator["association"] = "logical-unit"): Designator => ({
      association,
      type,
      codeSet,
      protocol: null,
      bytes: bytes(value),
    });
    const t10 = make(1, 2, ascii("QOM     disk 1  "));
    const eui = make(2, 1, "0123456789abcdef");
    const shortNaa = make(3, 1, "5000000000000001");
    const longNaa = make(3, 1, "60000000000000010000000000000002");
    const portNaa = make(3, 1, "5000000000000009", "target-port");
    const nameString = identification.nameStringDesignator("iqn.2026-11.org.example:disk", "logical-unit");
    const name = identification.logicalUnitName;
    expect(name([t10, nameString, eui, portNaa, shortNaa, longNaa])).to.equal("naa.60000000000000010000000000000002");
    expect(name([t10, nameString, eui, portNaa, shortNaa])).to.equal("naa.5000000000000001");
    expect(name([t10, nameString, portNaa, eui])).to.equal("eui.0123456789abcdef");
    expect(name([t10, nameString, portNaa])).to.equal("iqn.2026-11.org.example:disk");
    expect(name([portNaa, t10])).to.equal("t10.QOM     disk 1");
    expect(name([portNaa])).to.equal(null);
    expect(name([])).to.equal(null);
  });

  it("pads a name string with NULs to a multiple of 4", () => {
    for (const length of [1, 2, 3, 4, 5]) {
      const { bytes: padded } = identification.nameStringDesignator("x".repeat(length), "target-device");
      expect(padded.length % 4).to.equal(0);
      expect(padded.length).to.be.greaterThan(length);
    }
  });
});

describe("pages of block devices", () => {
  it("have the layout of the standard", () => {
    const limits: block.BlockLimits = {
      writeSameNonZero: true,
      compareAndWriteBlocksMax: 0x11,
      transferGranularityBlocks: 0x2122,
      transferBlocksMax: 0x31323334,
      transferBlocksOptimal: 0x41424344,
      prefetchBlocksMax: 0x51525354,
      unmapBlocksMax: 0x61626364,
      unmapDescriptorsMax: 0x71727374,
      unmapGranularityBlocks: 0x81828384,
      unmapAlignmentBlocks: 0x11929394,
      writeSameBlocksMax: 0xa1a2a3a4a5a6a7a8n,
    };
    expect(hex(block.encodeBlockLimits(limits))).to.equal(
      digits(`00 B0 00 3C 01 11 2122 31323334 41424344 51525354 61626364 71727374 81828384 91929394 A1A2A3A4A5A6A7A8 ${"00".repeat(20)}`),
    );
    expect(hex(block.encodeBlockLimits(block.NO_BLOCK_LIMITS, 5))).to.equal(digits(`05 B0 00 3C ${"00".repeat(60)}`));
    expect(hex(block.encodeBlockDeviceCharacteristics({ rotationRate: 1, formFactor: 5 }))).to.equal(
      digits(`00 B1 00 3C 0001 00 05 ${"00".repeat(56)}`),
    );
    const thin = { thresholdExponent: 3, unmap: true, writeSame16Unmaps: true, writeSame10Unmaps: false };
    expect(hex(block.encodeLogicalBlockProvisioning({ ...thin, unmappedReadsAs: 1, anchor: false, provisioningType: 2 }))).to.equal(
      digits("00 B2 00 04 03 C4 02 00"),
    );
    const extended = { headOfQueue: true, ordered: true, simple: true, volatileCache: true, clearsLunsChanged: true };
    expect(hex(block.encodeExtendedInquiry(extended))).to.equal(digits(`00 86 00 3C 00 07 01 01 ${"00".repeat(56)}`));
  });

  it("give back what was encoded, and nothing when their head is cut", () => {
    const check = <T>(value: T, encode: (value: T) => Uint8Array, parse: (data: Uint8Array) => T | null, lengthMin: number): void => {
      const page = encode(value);
      expect(parse(page)).to.deep.equal(value);
      for (let length = 0; length <= page.length; length += 1) {
        expect(parse(page.subarray(0, length)) === null, `${length}`).to.equal(length < lengthMin);
      }
    };
    const limits: fc.Arbitrary<block.BlockLimits> = fc.record({
      writeSameNonZero: fc.boolean(),
      compareAndWriteBlocksMax: fc.nat(255),
      transferGranularityBlocks: fc.nat(0xffff),
      transferBlocksMax: u32,
      transferBlocksOptimal: u32,
      prefetchBlocksMax: u32,
      unmapBlocksMax: u32,
      unmapDescriptorsMax: u32,
      unmapGranularityBlocks: u32,
      unmapAlignmentBlocks: fc.option(fc.nat(0x7fffffff)),
      writeSameBlocksMax: fc.bigInt(0n, 2n ** 64n - 1n),
    });
    const characteristics = fc.record({ rotationRate: fc.nat(0xffff), formFactor: fc.nat(15) });
    const provisioning = fc.record({
      thresholdExponent: fc.nat(255),
      unmap: fc.boolean(),
      writeSame16Unmaps: fc.boolean(),
      writeSame10Unmaps: fc.boolean(),
      unmappedReadsAs: fc.nat(7),
      anchor: fc.boolean(),
      provisioningType: fc.nat(7),
    });
    const extended = fc.record({
      headOfQueue: fc.boolean(),
      ordered: fc.boolean(),
      simple: fc.boolean(),
      volatileCache: fc.boolean(),
      clearsLunsChanged: fc.boolean(),
    });
    fc.assert(
      fc.property(limits, characteristics, provisioning, extended, (b0, b1, b2, x86) => {
        check(b0, block.encodeBlockLimits, block.parseBlockLimits, 16);
        check(b1, block.encodeBlockDeviceCharacteristics, block.parseBlockDeviceCharacteristics, 8);
        check(b2, block.encodeLogicalBlockProvisioning, block.parseLogicalBlockProvisioning, 8);
        check(x86, block.encodeExtendedInquiry, block.parseExtendedInquiry, 8);
      }),
      { numRuns: 30 },
    );
  });
});

const PARSERS: readonly ((data: Uint8Array) => unknown)[] = [
  parseSupportedPages,
  parseSerialNumber,
  identification.parseDeviceIdentification,
  block.parseExtendedInquiry,
  block.parseBlockLimits,
  block.parseBlockDeviceCharacteristics,
  block.parseLogicalBlockProvisioning,
];
