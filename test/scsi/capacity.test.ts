import { expect } from "chai";
import fc from "fast-check";
import * as capacity from "#src/scsi/capacity.js";
import { anyBytes } from "./arbitraries.js";
import { bytes, digits, hex } from "../support/hex.js";

describe("READ CAPACITY", () => {
  const lastLba = fc.nat(Number.MAX_SAFE_INTEGER);
  const u32 = fc.nat(0xffffffff);

  it("has the layout of the standard", () => {
    expect(hex(capacity.encodeCapacity10({ lastLba: 0x1ffff, blockSizeBytes: 512 }))).to.equal(digits("0001FFFF 00000200"));
    expect(hex(capacity.encodeCapacity10({ lastLba: 2 ** 40, blockSizeBytes: 4096 }))).to.equal(digits("FFFFFFFF 00001000"));
    const whole: capacity.Capacity16 = {
      lastLba: 2 ** 40 + 5,
      blockSizeBytes: 4096,
      protectionType: 3,
      physicalBlockExponent: 3,
      provisioned: true,
      unmappedReadsZeros: true,
      lowestAlignedLba: 0x123,
    };
    expect(hex(capacity.encodeCapacity16(whole))).to.equal(digits(`0000010000000005 00001000 05 03 C123 ${"00".repeat(16)}`));
  });

  it("has the CDBs of the standard", () => {
    expect(hex(capacity.readCapacity10Cdb())).to.equal(digits("25 00 00 00 00 00 00 00 00 00"));
    expect(hex(capacity.readCapacity16Cdb())).to.equal(digits("9E 10 0000000000000000 00000020 00 00"));
    expect(hex(capacity.readCapacity16Cdb(12))).to.equal(digits("9E 10 0000000000000000 0000000C 00 00"));
  });

  it("gives back what was encoded", () => {
    fc.assert(
      fc.property(u32, u32, (last, blockSizeBytes) => {
        const value = { lastLba: last, blockSizeBytes };
        expect(capacity.parseCapacity10(capacity.encodeCapacity10(value))).to.deep.equal(value);
      }),
    );
    const value: fc.Arbitrary<capacity.Capacity16> = fc.record({
      lastLba,
      blockSizeBytes: u32,
      protectionType: fc.nat(3),
      physicalBlockExponent: fc.nat(15),
      provisioned: fc.boolean(),
      unmappedReadsZeros: fc.boolean(),
      lowestAlignedLba: fc.nat(0x3fff),
    });
    fc.assert(
      fc.property(value, (whole) => {
        const data = capacity.encodeCapacity16(whole);
        expect(capacity.parseCapacity16(data)).to.deep.equal(whole);
        for (let length = 0; length < data.length; length += 1) {
          const { lastLba: last, blockSizeBytes } = whole;
          const cut = capacity.parseCapacity16(data.subarray(0, length));
          if (length < 12) expect(cut).to.equal(null);
          else expect(cut).to.deep.include({ lastLba: last, blockSizeBytes });
        }
      }),
    );
  });

  it("is read from any bytes", () => {
    fc.assert(
      fc.property(anyBytes, (data) => {
        expect(capacity.parseCapacity10(data) === null).to.equal(data.length < 8);
        expect(capacity.parseCapacity16(data) === null).to.equal(data.length < 12);
      }),
    );
    expect(capacity.parseCapacity16(bytes("FFFFFFFFFFFFFFFF 00000200"))?.lastLba).to.be.greaterThan(Number.MAX_SAFE_INTEGER);
  });
});
