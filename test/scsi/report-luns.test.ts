import { expect } from "chai";
import fc from "fast-check";
import { encodeReportLuns, LUN_MAX, parseReportLuns, readLun, reportLunsCdb, SelectReport, writeLun } from "#src/scsi/report-luns.js";
import { anyBytes } from "./arbitraries.js";
import { bytes, digits, hex } from "../support/hex.js";

describe("REPORT LUNS", () => {
  it("has the layout of the standard", () => {
    expect(hex(encodeReportLuns([0, 255, 256, LUN_MAX]))).to.equal(
      digits("00000020 00000000 0000000000000000 00FF000000000000 4100000000000000 7FFF000000000000"),
    );
    expect(hex(reportLunsCdb(4096))).to.equal(digits("A0 00 00 00 00 00 00 00 10 00 00 00"));
    expect(hex(reportLunsCdb(16, SelectReport.ALL))).to.equal(digits("A0 00 02 00 00 00 00 00 00 10 00 00"));
  });

  it("gives back what was encoded, and says when it was cut", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(LUN_MAX), { maxLength: 20 }), (luns) => {
        const data = encodeReportLuns(luns);
        for (let length = 0; length <= data.length; length += 1) {
          const parsed = parseReportLuns(data.subarray(0, length));
          if (length < 8) expect(parsed).to.equal(null);
          else expect(parsed).to.deep.equal({ luns: luns.slice(0, (length - 8) >> 3), complete: length === data.length });
        }
      }),
    );
  });

  it("has no number for well-known, extended and nested LUNs", () => {
    for (const lun of ["C101000000000000", "0101000000000000", "8000000000000000", "0001000200000000", "0001000000000001"]) {
      expect(readLun(bytes(lun), 0), lun).to.equal(null);
    }
    expect(readLun(bytes("4005000000000000"), 0)).to.equal(5);
  });

  it("writes a LUN over whatever was there", () => {
    const data = new Uint8Array(10).fill(0xee);
    writeLun(data, 1, 300);
    expect(hex(data)).to.equal(digits("EE 412C000000000000 EE"));
  });

  it("is read from any bytes", () => {
    fc.assert(fc.property(anyBytes, (data) => void parseReportLuns(data)));
  });
});
