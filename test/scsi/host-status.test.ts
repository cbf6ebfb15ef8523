import { expect } from "chai";
import * as fc from "fast-check";
import { hostFailure, HostStatus, normalizeHostStatus } from "#src/scsi/host-status.js";
import { NO_BYTES } from "#src/scsi/command.js";
import type { ScsiResult } from "#src/scsi/command.js";
import { Sense, senseResult } from "#src/scsi/sense.js";
import { outcome } from "../support/outcome.js";

const GOOD: ScsiResult = { status: 0, dataIn: Uint8Array.of(1, 2), residual: 3, sense: NO_BYTES };

describe("results with a host status", () => {
  /** The answers of QEMU's helper and of its host adapters that have no response of their own. */
  const answers: readonly (readonly [hostStatus: number, expected: string])[] = [
    [0x01, "0B/05/00"],
    [0x02, "BUSY"],
    [0x03, "0B/2E/02"],
    [0x04, "0B/08/00"],
    [0x05, "0B/2F/02"],
    [0x07, "0B/00/06"],
    [0x08, "06/29/00"],
    [0x0e, "0B/29/07"],
    [0x10, "04/44/00"],
    [0x11, "RC"],
    [0x12, "07/27/07"],
    [0x13, "03/11/00"],
    [0xff, "0B/00/06"],
  ];
  for (const [hostStatus, expected] of answers) {
    it(`${hostStatus.toString(16)}h is ${expected}, without data`, () => {
      const result = normalizeHostStatus({ ...GOOD, hostStatus });
      expect(outcome(result)).to.equal(expected);
      expect([result.hostStatus, result.dataIn.length, result.residual]).to.deep.equal([hostStatus, 0, 0]);
      expect(hostFailure(hostStatus)).to.deep.equal(result);
    });
  }

  it("one that the table does not know leaves what the device itself reported", () => {
    const refused = { ...senseResult(Sense.INVALID_FIELD_IN_CDB), hostStatus: 0x07 };
    expect(normalizeHostStatus(refused)).to.equal(refused);
    expect(outcome(normalizeHostStatus({ ...refused, hostStatus: HostStatus.TIME_OUT }))).to.equal("0B/2E/02");
    expect(outcome(normalizeHostStatus({ ...GOOD, status: 0x04, hostStatus: 0x07 }))).to.equal("0B/00/06");
  });

  it("OK is no host status", () => {
    expect(normalizeHostStatus({ ...GOOD, hostStatus: HostStatus.OK })).to.deep.equal(GOOD);
    expect(normalizeHostStatus(GOOD)).to.equal(GOOD);
  });

  it("are never GOOD, and normal for good", () => {
    const results = fc.record({ status: fc.nat(255), hostStatus: fc.nat(255) });
    fc.assert(
      fc.property(results, ({ status, hostStatus }) => {
        const result = normalizeHostStatus({ ...GOOD, status, hostStatus });
        expect(result.hostStatus === undefined || result.status !== 0).to.equal(true);
        expect(normalizeHostStatus(result)).to.deep.equal(result);
      }),
    );
  });
});
