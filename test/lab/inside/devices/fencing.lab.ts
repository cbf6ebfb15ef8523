/** Two nodes of a cluster and their disk: whoever was fenced does not write any more. */

import { expect } from "chai";
import { Machine } from "qom-pr";
import type { ScsiDevice } from "qom-pr";
import { outcome } from "../../../support/outcome.js";
import { firstByte, ready, registeredKeys, reserveOut, writeBlock } from "../support/commands.js";
import { sharedTarget } from "../support/shared-target.js";

/** Write exclusive, registrants only. */
const TYPE = 5;
const [KEY_A, KEY_B] = [0xaan, 0xbbn];

describe("fencing on real block I/O", () => {
  const machines: Machine[] = [];
  let a: ScsiDevice;
  let b: ScsiDevice;
  let stranger: ScsiDevice;

  before(async () => {
    const { paths } = await sharedTarget();
    const devices: ScsiDevice[] = [];
    for (const { block } of paths) {
      const machine = await Machine.create(
        [
          ["-device", "virtio-scsi"],
          ["-object", "pr-manager-sgio,id=pr0"],
          ["-blockdev", `node-name=hd,driver=raw,file.driver=host_device,file.filename=${block},file.pr-manager=pr0`],
          ["-device", "scsi-block,drive=hd,id=disk0"],
        ].flat(),
      );
      machines.push(machine);
      devices.push(machine.scsiDevice("disk0"));
    }
    const [first, second, third] = devices;
    if (first === undefined || second === undefined || third === undefined) throw new Error("the target has three paths");
    [a, b, stranger] = [first, second, third];
    for (const device of devices) expect(await ready(device)).to.equal("GOOD");
  });

  after(async () => {
    for (const machine of machines) await machine.close();
  });

  const write = async (device: ScsiDevice, value: number): Promise<string> => outcome(await device.execute(writeBlock(value)));

  it("lets registrants write and nobody else", async () => {
    expect(await reserveOut(a, "register", { serviceActionKey: KEY_A })).to.equal("GOOD");
    expect(await reserveOut(b, "register", { serviceActionKey: KEY_B })).to.equal("GOOD");
    expect(await reserveOut(a, "reserve", { key: KEY_A, type: TYPE })).to.equal("GOOD");
    expect([await write(a, 1), await write(b, 2), await write(stranger, 3)]).to.deep.equal(["GOOD", "GOOD", "RC"]);
    expect([await firstByte(a), await firstByte(b), await firstByte(stranger)]).to.deep.equal([2, 2, 2]);
  });

  it("stops the node that was preempted, and its write does not reach the medium", async () => {
    expect(await reserveOut(b, "preempt", { key: KEY_B, serviceActionKey: KEY_A, type: TYPE })).to.equal("GOOD");
    expect(outcome(await a.execute({ cdb: new Uint8Array(6) }))).to.equal("06/2A/05");
    expect([await write(a, 4), await write(b, 5)]).to.deep.equal(["RC", "GOOD"]);
    expect(await firstByte(a)).to.equal(5);
    expect(await registeredKeys(a)).to.deep.equal([KEY_B]);
  });

  it("works the other way round, with PREEMPT AND ABORT", async () => {
    expect(await reserveOut(a, "register", { serviceActionKey: KEY_A })).to.equal("GOOD");
    expect(await reserveOut(a, "preempt-and-abort", { key: KEY_A, serviceActionKey: KEY_B, type: TYPE })).to.equal("GOOD");
    expect(await ready(b)).to.equal("GOOD");
    expect([await write(a, 6), await write(b, 7)]).to.deep.equal(["GOOD", "RC"]);
    expect(await firstByte(b)).to.equal(6);
  });

  it("ends with CLEAR", async () => {
    expect(await reserveOut(a, "clear", { key: KEY_A })).to.equal("GOOD");
    for (const device of [a, b, stranger]) expect(await ready(device)).to.equal("GOOD");
    expect(await write(stranger, 8)).to.equal("GOOD");
  });
});
