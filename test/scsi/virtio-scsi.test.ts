/** Layouts of virtio-scsi, byte by byte. */
import { expect } from "chai";
import {
  controlRequestKind,
  encodeConfig,
  encodeEvent,
  parseCommandRequest,
  parseConfig,
  parseTaskManagement,
  TransportResetReason,
  VirtioScsiEvent,
  VirtioScsiResponse,
  VirtioScsiTmf,
  writeCommandResponse,
} from "#src/scsi/virtio-scsi.js";
import type { CommandResponse } from "#src/scsi/virtio-scsi.js";
import { fixedSense, Sense } from "#src/scsi/sense.js";
import { bytes as unhex, hex } from "../support/hex.js";

/** Words and longer fields are little-endian. */
const TAG = "8877665544332211";
const TAG_VALUE = 0x1122_3344_5566_7788n;

function encodeCommandResponse(response: CommandResponse, senseSize: number): Uint8Array {
  const bytes = new Uint8Array(12 + senseSize).fill(0xee);
  writeCommandResponse(bytes, response);
  return bytes;
}

describe("virtio-scsi layouts", () => {
  it("reads a command request", () => {
    const request = parseCommandRequest(unhex(`0105412c00000000 ${TAG} 02 03 04 1200000024 00`));
    expect(request.address).to.deep.equal({ target: 5, lun: 300 });
    expect(request.tag).to.equal(TAG_VALUE);
    expect(hex(request.cdb)).to.equal("120000002400");
  });

  it("copies of the CDB field what its operation code says, or what there is", () => {
    const read = (field: string, cdbSize?: number): string => {
      const bytes = unhex(`0105412c00000000 ${TAG} 02 03 04 ${field}`);
      const { cdb } = parseCommandRequest(bytes, cdbSize);
      bytes.fill(0xff);
      return hex(cdb);
    };
    expect(read("120000002400 eeeeeeee")).to.equal("120000002400");
    expect(read("28000000000000000800 eeee")).to.equal("28000000000000000800");
    expect(read(`c0${"11".repeat(19)}`)).to.equal(`c0${"11".repeat(15)}`);
    expect(read("280000 eeeeeeeeeeeeee", 3)).to.equal("280000");
    expect(read("28", 0)).to.equal("");
  });

  for (const [field, address] of [
    ["0107000900000000", { target: 7, lun: 9 }],
    ["0107400900000000", { target: 7, lun: 9 }],
    ["01077fff00000000", { target: 7, lun: 16383 }],
    ["0107400901020304", { target: 7, lun: 9 }],
    ["0107010900000000", null],
    ["0107800900000000", null],
    ["0107c10900000000", null],
    ["c101000000000000", null],
    ["0000000000000000", null],
    ["0207400900000000", null],
  ] as const) {
    it(`finds ${address === null ? "no unit" : `target ${address.target}, LUN ${address.lun}`} in ${field}`, () => {
      expect(parseCommandRequest(unhex(`${field} ${TAG} 000000`)).address).to.deep.equal(address);
    });
  }

  it("writes a response with its sense field", () => {
    const sense = fixedSense(Sense.LUN_NOT_SUPPORTED);
    const response = { response: VirtioScsiResponse.OK, status: 2, residual: 0, sense };
    expect(hex(encodeCommandResponse(response, 20))).to.equal("120000000000000000000200700005000000000a000000002500000000000000");
    expect(hex(encodeCommandResponse(response, 4))).to.equal("04000000000000000000020070000500");
    expect(hex(encodeCommandResponse(response, 0))).to.equal("000000000000000000000200");
    const empty = { response: VirtioScsiResponse.OVERRUN, status: 0, residual: 0x0102_0304, sense: new Uint8Array(0) };
    expect(hex(encodeCommandResponse(empty, 2))).to.equal("0000000004030201000000010000");
  });

  it("reads control requests", () => {
    const tmf = unhex(`00000000 05000000 0109400300000000 ${TAG}`);
    expect(controlRequestKind(tmf)).to.equal("task-management");
    expect(parseTaskManagement(tmf)).to.deep.equal({
      function: VirtioScsiTmf.LOGICAL_UNIT_RESET,
      address: { target: 9, lun: 3 },
      target: 9,
      tag: TAG_VALUE,
    });
    expect(parseTaskManagement(unhex(`00000000 04000000 0009ffff00000000 ${TAG}`))).to.include({ address: null, target: 9 });
    expect(["01000000", "02000000", "03000000", "00000001"].map((type) => controlRequestKind(unhex(type)))).to.deep.equal([
      "notification",
      "notification",
      null,
      null,
    ]);
  });

  it("writes events", () => {
    const removed = { event: VirtioScsiEvent.TRANSPORT_RESET, reason: TransportResetReason.REMOVED, address: { target: 4, lun: 2 } };
    expect(hex(encodeEvent(removed, false))).to.equal("01000000010400020000000002000000");
    const changed = { event: VirtioScsiEvent.PARAMETER_CHANGE, reason: 0x092a, address: { target: 4, lun: 300 } };
    expect(hex(encodeEvent(changed, true))).to.equal("030000800104412c000000002a090000");
    expect(hex(encodeEvent({ event: VirtioScsiEvent.NONE, reason: 0, address: null }, true))).to.equal("00000080000000000000000000000000");
  });

  it("writes the configuration space, and reads what a driver may write", () => {
    const config = encodeConfig({
      numQueues: 1,
      segMax: 2,
      maxSectors: 3,
      cmdPerLun: 4,
      senseSize: 5,
      cdbSize: 6,
      maxChannel: 7,
      maxTarget: 8,
      maxLun: 9,
    });
    expect(hex(config)).to.equal("010000000200000003000000040000001000000005000000060000000700080009000000");
    expect(parseConfig(config)).to.deep.equal({ senseSize: 5, cdbSize: 6 });
  });
});
