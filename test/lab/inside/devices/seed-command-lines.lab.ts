/** The two command lines this project began with, on a disk of a real kernel, with every manager. */

import { expect } from "chai";
import { Machine } from "qom-pr";
import { helperUnderTest } from "../../../support/helpers.js";
import type { HelperUnderTest } from "../../../support/helpers.js";
import { outcome } from "../../../support/outcome.js";
import { firstByte, ready, registeredKeys, reserveOut, writeBlock } from "../support/commands.js";
import { sharedTarget } from "../support/shared-target.js";

const KEY = 0xabcdn;
const WRITE_EXCLUSIVE = 1;

/** As they stand there, for the disk `path`. */
const LINES: Readonly<Record<string, (path: string) => string[]>> = {
  "-drive": (path) => ["-drive", `if=none,id=hd,driver=raw,file.filename=${path},file.pr-manager=helper0`],
  "-blockdev": (path) => ["-blockdev", `node-name=hd,driver=raw,file.driver=host_device,file.filename=${path},file.pr-manager=helper0`],
};

const MANAGERS = ["qom-pr-helper", "qemu-pr-helper", "pr-manager-sgio", "pr-manager-memory"] as const;

for (const manager of MANAGERS) {
  describe(`the command lines of the beginning, on /dev/sdX with ${manager}`, () => {
    let helper: HelperUnderTest | undefined;
    let object = `${manager},id=helper0`;

    before(async function () {
      if (manager !== "qom-pr-helper" && manager !== "qemu-pr-helper") return;
      helper = await helperUnderTest(this, manager);
      object = `pr-manager-helper,id=helper0,path=${helper.socket}`;
    });

    after(() => helper?.stop());

    for (const [name, line] of Object.entries(LINES)) {
      it(`${name}: registers, reserves, reads, writes, lets go`, async () => {
        const [path] = (await sharedTarget()).paths;
        const argv = ["-device", "virtio-scsi", "-object", object, ...line(path?.block ?? ""), "-device", "scsi-block,drive=hd"];
        const machine = await Machine.create(argv);
        try {
          const [disk] = machine.scsiDevices;
          if (disk === undefined) throw new Error("the machine has no disk");
          expect(await ready(disk)).to.equal("GOOD");
          expect(await reserveOut(disk, "reserve", { key: KEY, type: WRITE_EXCLUSIVE })).to.not.equal("GOOD");
          expect(await reserveOut(disk, "register", { serviceActionKey: KEY })).to.equal("GOOD");
          expect(await registeredKeys(disk)).to.deep.equal([KEY]);
          expect(await reserveOut(disk, "reserve", { key: KEY, type: WRITE_EXCLUSIVE })).to.equal("GOOD");
          expect(outcome(await disk.execute(writeBlock(0x77)))).to.equal("GOOD");
          expect(await firstByte(disk)).to.equal(0x77);
          expect(await reserveOut(disk, "clear", { key: KEY })).to.equal("GOOD");
          expect(await registeredKeys(disk)).to.deep.equal([]);
        } finally {
          await machine.close();
        }
      });
    }
  });
}
