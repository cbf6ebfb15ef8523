import { expect } from "chai";
import { ScsiStatus } from "#src/scsi/command.js";
import { formatSense, parseSense } from "#src/scsi/sense.js";
import { Errno } from "#src/native/errno.js";
import type { SgIoCompletion } from "#src/native/sg-io/sg-io.js";
import { resultOfErrno, resultOfSgIo } from "#src/native/sg-io/result.js";

const SENSE = Uint8Array.of(0x70, 0, 5, 0, 0, 0, 0, 10, 0, 0, 0, 0, 0x24, 0, 0, 0, 0, 0);

function completion(parts: Partial<SgIoCompletion> = {}): SgIoCompletion {
  return { status: 0, hostStatus: 0, driverStatus: 0, residual: 0, sense: new Uint8Array(0), dataIn: new Uint8Array(0), ...parts };
}

/** `05/24/00`, or the status where there is no sense. */
function brief(result: { status: number; sense: Uint8Array }): string {
  const code = parseSense(result.sense);
  return code === null ? `status ${result.status.toString(16)}` : (/\((.*)\)$/.exec(formatSense(code))?.[1] ?? "?");
}

describe("native: result of SG_IO", () => {
  const errnos: readonly (readonly [errno: number, expected: string])[] = [
    [Errno.EDOM, "status 28"],
    [Errno.EBADE, "status 18"],
    [Errno.EREMOTEIO, "04/44/00"],
    [Errno.ENOMEM, "04/44/00"],
    [Errno.ENODATA, "03/11/00"],
    [Errno.ENOMEDIUM, "02/3A/00"],
    [Errno.EINVAL, "05/24/00"],
    [Errno.ENOSPC, "07/27/07"],
    [Errno.ECANCELED, "status 40"],
    [Errno.ENOTTY, "0B/00/06"],
    [Errno.EIO, "0B/00/06"],
    [1, "0B/00/06"],
    [Errno.EAGAIN, "0B/00/06"],
    [Errno.ENODEV, "04/44/00"],
    [Errno.ENOTCONN, "0B/00/06"],
    [9999, "0B/00/06"],
  ];
  for (const [errno, expected] of errnos) {
    it(`maps errno ${errno} to ${expected}`, () => {
      expect(brief(resultOfErrno(errno))).to.equal(expected);
      expect(resultOfSgIo({ errno }, 8)).to.deep.equal(resultOfErrno(errno));
      expect(resultOfErrno(errno).residual).to.equal(0);
    });
  }

  const hosts: readonly (readonly [hostStatus: number, expected: string])[] = [
    [0x01, "0B/05/00"],
    [0x02, "status 8"],
    [0x03, "0B/2E/02"],
    [0x04, "0B/08/00"],
    [0x05, "0B/2F/02"],
    [0x07, "0B/00/06"],
    [0x08, "06/29/00"],
    [0x0e, "0B/29/07"],
    [0x10, "04/44/00"],
    [0x11, "status 18"],
    [0x12, "07/27/07"],
    [0x13, "03/11/00"],
    [0x1f, "0B/00/06"],
  ];
  for (const [hostStatus, expected] of hosts) {
    it(`maps host status ${hostStatus.toString(16)} to ${expected}, and hands it on`, () => {
      const result = resultOfSgIo(completion({ hostStatus, dataIn: new Uint8Array(4) }), 8);
      expect(brief(result)).to.equal(expected);
      expect(result.hostStatus).to.equal(hostStatus);
      expect(result.dataIn).to.have.length(0);
      expect(result.residual).to.equal(0);
    });
  }

  it("believes the device where the host status has no meaning of its own", () => {
    expect(brief(resultOfSgIo(completion({ hostStatus: 0x07, status: 2, sense: SENSE }), 0))).to.equal("05/24/00");
    expect(brief(resultOfSgIo(completion({ hostStatus: 0x07, status: 0x18 }), 0))).to.equal("status 18");
  });

  it("maps the driver's timeout to BUSY, and nothing else of the driver's", () => {
    for (const driverStatus of [0x06, 0x26]) expect(brief(resultOfSgIo(completion({ driverStatus }), 0))).to.equal("status 8");
    expect(brief(resultOfSgIo(completion({ driverStatus: 0x08, status: 2, sense: SENSE }), 0))).to.equal("05/24/00");
    expect(resultOfSgIo(completion({ driverStatus: 0x08 }), 0).status).to.equal(ScsiStatus.GOOD);
  });

  it("passes on what the device said", () => {
    const check = resultOfSgIo(completion({ status: 2, sense: SENSE, dataIn: new Uint8Array(4) }), 8);
    expect(check).to.deep.equal({ status: 2, dataIn: new Uint8Array(0), residual: 0, sense: SENSE });
    expect(resultOfSgIo(completion({ status: 2 }), 8).sense).to.have.length(0);
    for (const status of [0x04, 0x08, 0x18, 0x28, 0x30, 0x40])
      expect(brief(resultOfSgIo(completion({ status }), 0))).to.equal(`status ${status.toString(16)}`);
  });

  it("reckons the residual from the initiator's buffer", () => {
    const dataIn = Uint8Array.of(1, 2, 3, 4);
    expect(resultOfSgIo(completion({ dataIn, residual: 4 }), 8)).to.deep.equal({
      status: 0,
      dataIn,
      residual: 4,
      sense: new Uint8Array(0),
    });
    expect(resultOfSgIo(completion({ dataIn }), 3)).to.deep.include({ dataIn: dataIn.slice(0, 3), residual: 0 });
    expect(resultOfSgIo(completion({ residual: 24 }), 0).residual).to.equal(0);
  });
});
