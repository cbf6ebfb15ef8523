import { expect } from "chai";
import fc from "fast-check";
import * as fields from "#src/scsi/bytes.js";
import { hex } from "../support/hex.js";

describe("big-endian fields", () => {
  it("are what DataView says, in both directions", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 12, maxLength: 12 }), fc.nat(4), (data, offset) => {
        const view = new DataView(data.buffer, data.byteOffset);
        expect(fields.readU16(data, offset)).to.equal(view.getUint16(offset));
        expect(fields.readU24(data, offset)).to.equal(view.getUint32(offset) >>> 8);
        expect(fields.readU32(data, offset)).to.equal(view.getUint32(offset));
        expect(fields.readU64(data, offset)).to.equal(view.getBigUint64(offset));
        const copy = new Uint8Array(12);
        fields.writeU64(copy, 0, fields.readU64(data, 0));
        fields.writeU16(copy, 8, fields.readU16(data, 8));
        fields.writeU16(copy, 10, fields.readU16(data, 10));
        expect(hex(copy)).to.equal(hex(data));
        fields.writeU32(copy, 0, fields.readU32(data, 4));
        fields.writeU24(copy, 4, fields.readU24(data, 9));
        expect(hex(copy.subarray(0, 7))).to.equal(hex(data.subarray(4, 8)) + hex(data.subarray(9, 12)));
      }),
    );
  });

  it("read as zeros past the end, and write nothing there", () => {
    expect(fields.readU32(Uint8Array.of(1, 2), 0)).to.equal(0x01020000);
    const data = Uint8Array.of(0, 0, 0);
    fields.writeU64(data, 1, 0x0102030405060708n);
    expect(hex(data)).to.equal("000102");
  });

  it("are hexadecimal text in both directions", () => {
    expect(fields.toHex(Uint8Array.of(0, 0x0f, 0xa0))).to.equal("000fa0");
    expect(fields.fromHex("000FA0")).to.deep.equal(Uint8Array.of(0, 0x0f, 0xa0));
    expect(fields.fromHex("")).to.deep.equal(new Uint8Array());
    for (const wrong of ["0", "0g", "0x00", " 00", "00\n"]) expect(fields.fromHex(wrong), wrong).to.equal(null);
  });

  it("are ASCII text, padded with blanks", () => {
    const data = new Uint8Array(10).fill(0xee);
    fields.writeAscii(data, 1, 8, "QEMU ü");
    expect(hex(data)).to.equal(`ee${hex(new TextEncoder().encode("QEMU ?  "))}ee`);
    expect(fields.readAscii(data, 1, 8)).to.equal("QEMU ?");
    expect(fields.readAscii(Uint8Array.of(0x41, 0, 0x42, 0x80, 0, 0x20), 0, 9)).to.equal("A?B?");
    const edges = new Uint8Array(4);
    fields.writeAscii(edges, 0, 4, "\u001f ~\u007f");
    expect(hex(edges)).to.equal(hex(new TextEncoder().encode("? ~?")));
    expect(fields.readAscii(Uint8Array.of(0x1f, 0x20, 0x7e, 0x7f), 0, 4)).to.equal("? ~?");
    fields.writeAscii(data, 0, 4, "longer than the field");
    expect(fields.readAscii(data, 0, 4)).to.equal("long");
  });
});
