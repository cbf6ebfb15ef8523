import { expect } from "chai";
import fc from "fast-check";
import { DeviceType, encodeInquiry, INQUIRY_LENGTH, inquiryCdb, parseInquiry, PeripheralQualifier } from "#src/scsi/inquiry.js";
import type { StandardInquiry } from "#src/scsi/inquiry.js";
import { anyBytes } from "./arbitraries.js";
import { bytes, digits, hex } from "../support/hex.js";

const DISK: StandardInquiry = {
  peripheralQualifier: PeripheralQualifier.CONNECTED,
  deviceType: DeviceType.DISK,
  removable: false,
  version: 6,
  targetPortGroups: 1,
  thirdPartyCopy: true,
  protection: false,
  multiPort: true,
  commandQueuing: true,
  vendor: "QOM",
  product: "SIMULATED DISK",
  revision: "1.0",
  versionDescriptors: [0x00a0, 0x0460],
};

const text = (length: number): fc.Arbitrary<string> =>
  fc.array(fc.constantFrom(...Array.from("AZaz09 .-~")), { maxLength: length }).map((characters) => characters.join("").trimEnd());

const inquiry: fc.Arbitrary<StandardInquiry> = fc.record({
  peripheralQualifier: fc.nat(7),
  deviceType: fc.nat(31),
  removable: fc.boolean(),
  version: fc.nat(255),
  targetPortGroups: fc.nat(3),
  thirdPartyCopy: fc.boolean(),
  protection: fc.boolean(),
  multiPort: fc.boolean(),
  commandQueuing: fc.boolean(),
  vendor: text(8),
  product: text(16),
  revision: text(4),
  versionDescriptors: fc.array(fc.integer({ min: 1, max: 0xffff }), { maxLength: 8 }),
});

describe("standard INQUIRY data", () => {
  it("has the layout of the standard", () => {
    const ascii = (value: string): string => hex(new TextEncoder().encode(value));
    const head = `00 00 06 02 5B 18 10 02 ${ascii("QOM     SIMULATED DISK  1.0 ")}`;
    expect(hex(encodeInquiry(DISK))).to.equal(digits(`${head} ${"00".repeat(22)} 00A0 0460 ${"00".repeat(34)}`));
  });

  it("gives back what was encoded", () => {
    fc.assert(
      fc.property(inquiry, (value) => {
        const data = encodeInquiry(value);
        expect(data.length).to.equal(INQUIRY_LENGTH);
        expect(parseInquiry(data)).to.deep.equal(value);
      }),
    );
  });

  it("is what an absent logical unit says in its first byte", () => {
    expect(parseInquiry(bytes("7F 00 05 02 1F"))).to.deep.include({ peripheralQualifier: 3, deviceType: 0x1f, vendor: "" });
  });

  it("counts as zeros and empty texts where it was cut", () => {
    const whole = encodeInquiry(DISK);
    for (let length = 0; length < 5; length += 1) expect(parseInquiry(whole.subarray(0, length))).to.equal(null);
    expect(parseInquiry(whole.subarray(0, 20))).to.deep.equal({ ...DISK, product: "SIMU", revision: "", versionDescriptors: [] });
    expect(parseInquiry(whole.subarray(0, 36))).to.deep.equal({ ...DISK, versionDescriptors: [] });
    for (let length = 5; length <= whole.length; length += 1) expect(parseInquiry(whole.subarray(0, length))).to.not.equal(null);
  });

  it("ends where ADDITIONAL LENGTH says", () => {
    const data = encodeInquiry(DISK);
    data[4] = 31;
    expect(parseInquiry(data)).to.deep.equal({ ...DISK, versionDescriptors: [] });
  });

  it("is read from any bytes", () => {
    fc.assert(fc.property(anyBytes, (data) => void parseInquiry(data)));
  });

  it("is asked for with INQUIRY, as are vital product data", () => {
    expect(hex(inquiryCdb(0x0124))).to.equal(digits("12 00 00 01 24 00"));
    expect(hex(inquiryCdb(250, 0x83))).to.equal(digits("12 01 83 00 FA 00"));
    expect(hex(inquiryCdb(250, 0))).to.equal(digits("12 01 00 00 FA 00"));
  });
});
