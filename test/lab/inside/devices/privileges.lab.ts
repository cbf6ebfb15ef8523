/** Why there are managers: an emulator without privileges, and one identity for all paths to a disk. */

import { expect } from "chai";
import { spawnSync } from "node:child_process";
import { chmodSync } from "node:fs";
import { dirname } from "node:path";
import { runPersist } from "#src/cli/persist/persist.js";
import { Machine } from "qom-pr";
import { makeFolder } from "../../../support/folder.js";
import { helperUnderTest } from "../../../support/helpers.js";
import { ready, registeredKeys, reserveOut } from "../support/commands.js";
import { sharedTarget } from "../support/shared-target.js";

const NOBODY = 65_534;

/** Prints the answers to READ KEYS and to INQUIRY. */
const SCRIPT = `
  import { Machine, parseSense, PersistentReserveIn } from "qom-pr";
  const machine = await Machine.create(JSON.parse(process.argv[1]));
  const disk = machine.scsiDevice("disk0");
  for (const command of [PersistentReserveIn.readKeys(64), { cdb: Uint8Array.of(0x12, 0, 0, 0, 36, 0) }]) {
    const { status, sense } = await disk.execute(command);
    console.log(status, JSON.stringify(parseSense(sense)));
  }
  await machine.close();
`;

function asNobody(argv: readonly string[]): string {
  const { stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "--eval", SCRIPT, JSON.stringify(argv)], {
    uid: NOBODY,
    gid: NOBODY,
    encoding: "utf8",
  });
  return stdout + stderr;
}

describe("an emulator without privileges, which may open the disk", () => {
  const argv = async (objects: readonly string[], manager: string): Promise<readonly string[]> => {
    const [path] = (await sharedTarget()).paths;
    chmodSync(path?.block ?? "", 0o666);
    const node = `node-name=hd,driver=host_device,filename=${path?.block}${manager}`;
    return ["-device", "virtio-scsi", ...objects, "-blockdev", node, "-device", "scsi-block,drive=hd,id=disk0"];
  };

  it("is refused reservation commands by the kernel, and not INQUIRY", async () => {
    expect(asNobody(await argv([], ""))).to.equal('2 {"key":11,"asc":0,"ascq":6}\n0 null\n');
    const sgio = await argv(["-object", "pr-manager-sgio,id=pr0"], ",pr-manager=pr0");
    expect(asNobody(sgio)).to.equal('2 {"key":11,"asc":0,"ascq":6}\n0 null\n');
  });

  it("has them carried out by the helper", async function () {
    const helper = await helperUnderTest(this, "qom-pr-helper");
    try {
      chmodSync(dirname(helper.socket), 0o755);
      chmodSync(helper.socket, 0o666);
      const objects = ["-object", `pr-manager-helper,id=pr0,path=${helper.socket}`];
      expect(asNobody(await argv(objects, ",pr-manager=pr0"))).to.equal("0 null\n0 null\n");
    } finally {
      await helper.stop();
    }
  });
});

describe("pr-manager-memory on a real disk", () => {
  it("keeps one state for all paths, by the name that the disk has for itself", async () => {
    const [first, second] = (await sharedTarget()).paths;
    const machine = await Machine.create(
      [
        ["-device", "virtio-scsi"],
        ["-object", "pr-manager-memory,id=pr0"],
        ["-blockdev", `node-name=hd0,driver=host_device,filename=${first?.block},pr-manager=pr0`],
        ["-blockdev", `node-name=hd1,driver=host_device,filename=${second?.generic},pr-manager=pr0`],
        ["-device", "scsi-block,drive=hd0,id=disk0"],
        ["-device", "scsi-generic,drive=hd1,id=disk1"],
      ].flat(),
    );
    try {
      const [one, other] = [machine.scsiDevice("disk0"), machine.scsiDevice("disk1")];
      expect(await ready(one)).to.equal("GOOD");
      expect(await reserveOut(one, "register", { serviceActionKey: 5n })).to.equal("GOOD");
      expect(await registeredKeys(other)).to.deep.equal([5n]);
    } finally {
      await machine.close();
    }
  });

  it("is found by a machine where qom-pr persist has left it, by another path", async () => {
    const [first, second] = (await sharedTarget()).paths;
    const state = makeFolder();
    const fabric = `scsi-fabric,id=san0,state=${state}`;
    const output = { out: (): void => {}, error: (text: string): void => expect.fail(text) };
    const register = ["--out", "--register", "--param-sark=6", "--param-aptpl", first?.generic ?? ""];
    const argv = ["--object", fabric, "--manager", "pr-manager-memory,fabric=san0", ...register];
    expect(await runPersist(argv, { output, variables: {} })).to.equal(0);
    const machine = await Machine.create(
      [
        ["-device", "virtio-scsi", "-object", fabric, "-object", "pr-manager-memory,id=pr0,fabric=san0"],
        ["-blockdev", `node-name=hd0,driver=host_device,filename=${second?.block},pr-manager=pr0`],
        ["-device", "scsi-block,drive=hd0,id=disk0"],
      ].flat(),
    );
    try {
      expect(await registeredKeys(machine.scsiDevice("disk0"))).to.deep.equal([6n]);
    } finally {
      await machine.close();
    }
  });
});
