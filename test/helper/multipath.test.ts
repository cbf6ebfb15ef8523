/** dm-multipath devices are recognised, and what lies on one. */

import { expect } from "chai";
import { spawnSync } from "node:child_process";
import { accessSync, closeSync, constants, mkdirSync, openSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { MultipathDetector } from "#src/helper/workers/multipath.js";
import { temporaryFolder } from "../support/folder.js";
import { HelperProcess, OUR_PROGRAM } from "./support/helper-process.js";
import { RawClient } from "./support/raw-client.js";
import { cdb } from "./support/scenarios.js";
import { skipUnlessRequired } from "../support/requirement.js";

const LOOP = "/dev/loop0";

/** Whether a file system can be mounted over another one, and there is a block device to pretend things of. */
function canPretend(): boolean {
  try {
    accessSync(LOOP, constants.R_OK | constants.W_OK);
    return spawnSync("unshare", ["--mount", "true"]).status === 0;
  } catch {
    return false;
  }
}

describe("dm-multipath in qom-pr-helper", () => {
  const folder = temporaryFolder();

  /** Makes a device known to a sysfs of the tests. */
  function device(root: string, path: string, uuid: string | null): void {
    const at = join(root, "dev/block", path);
    mkdirSync(uuid === null ? at : join(at, "dm"), { recursive: true });
    if (uuid !== null) writeFileSync(join(at, "dm/uuid"), `${uuid}\n`);
  }

  it("is recognised by its UUID, below other device-mapper devices too", () => {
    const sysfs = folder.path("sys");
    device(sysfs, "253:0", "mpath-360000000000000000e00000000010001");
    device(sysfs, "253:1", "LVM-abc");
    device(sysfs, "253:1/slaves/dm-0", "mpath-360000000000000000e00000000010001");
    device(sysfs, "253:2", "CRYPT-LUKS2-x");
    device(sysfs, "253:2/slaves/dm-1", "LVM-abc");
    device(sysfs, "253:2/slaves/dm-1/slaves/dm-0", "mpath-3600");
    device(sysfs, "253:3", "LVM-def");
    device(sysfs, "253:3/slaves/sda", null);
    device(sysfs, "253:4", "");
    device(sysfs, "8:0", null);
    const detector = new MultipathDetector(sysfs);
    const found = ["253:0", "253:1", "253:2", "253:3", "253:4", "8:0", "8:16"].filter((number) => detector.isMultipath(number));
    expect(found).to.deep.equal(["253:0", "253:1", "253:2"]);
  });

  it("is assumed where sysfs cannot be read", () => {
    const sysfs = folder.path("broken");
    mkdirSync(join(sysfs, "dev/block/253:0/dm/uuid"), { recursive: true });
    expect(new MultipathDetector(sysfs).isMultipath("253:0")).to.be.true;
  });

  it("is a block device, and no SCSI disk, which has a number of its own", () => {
    const sysfs = folder.path("by-number");
    for (const number of ["8:0", "135:15", "253:0"]) device(sysfs, number, "mpath-3600");
    const detector = new MultipathDetector(sysfs);
    expect(detector.find({ kind: "block", major: 253, minor: 0 })).to.equal("253:0");
    for (const [kind, major, minor] of [
      ["block", 8, 0],
      ["block", 135, 15],
      ["block", 253, 1],
      ["character", 253, 0],
      ["file", 253, 0],
      ["other", 253, 0],
    ] as const) {
      expect(detector.find({ kind, major, minor }), `${kind} ${major}:${minor}`).to.equal(null);
    }
  });

  for (const [allowed, outcome] of [
    [false, "05/20"],
    [true, "05/24"], // what the loop device itself has to say
  ] as const) {
    it(`is ${allowed ? "reached with --allow-dm" : "refused, with one line for each client"}`, async function () {
      if (!canPretend()) skipUnlessRequired(this, `there is no ${LOOP}, or no unshare --mount, which takes root`);
      const sysfs = folder.path(`running-${allowed}`);
      device(sysfs, "7:0", "mpath-3600");
      const socket = folder.path(`socket-${allowed}`);
      const script = `mount --bind '${sysfs}/dev/block' /sys/dev/block && exec "$0" "$@"`;
      const helper = new HelperProcess("unshare", [
        ...["--mount", "sh", "-c", script, OUR_PROGRAM, "-k", socket],
        ...(allowed ? ["--allow-dm"] : []),
      ]);
      const disk = openSync(LOOP, constants.O_RDWR);
      try {
        await helper.serves(socket);
        const client = await RawClient.greeted(socket);
        for (const operationCode of [0x5e, 0x5f, 0x5e]) {
          client.send(cdb(operationCode, 0, operationCode === 0x5e ? 8 : 0), [disk]);
          const answer = await client.readAnswer();
          expect([answer[10], answer[20]].map((byte) => byte?.toString(16).padStart(2, "0")).join("/")).to.equal(outcome);
        }
        const refusals = helper.stderr.match(/device 7:0 refused: SG_IO on dm-multipath would register on one path only/g) ?? [];
        expect(refusals).to.have.lengthOf(allowed ? 0 : 1);
      } finally {
        closeSync(disk);
        await helper.stop();
      }
      return undefined;
    });
  }
});
