/**
 * A dm-multipath device over two paths to one unit, as the device mapper of this kernel makes it. SG_IO on it goes down the path that is
 * current: what that means for a registration is shown here, and that qom-pr-helper refuses it.
 */

import { expect } from "chai";
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { Machine, PersistentReserveIn } from "qom-pr";
import type { ScsiDevice } from "qom-pr";
import { helperUnderTest } from "../../../support/helpers.js";
import type { HelperUnderTest } from "../../../support/helpers.js";
import { outcome } from "../../../support/outcome.js";
import { ready, reserveOut, writeBlock } from "../support/commands.js";
import { loadModule } from "../support/modules.js";
import type { TargetPath } from "../support/linux-target.js";
import { sharedTarget } from "../support/shared-target.js";
import { skipUnlessRequired } from "../../../support/requirement.js";

const NAME = "mpatha";
const DEVICE = `/dev/mapper/${NAME}`;
const KEY = 0x77n;
const SECTOR_BYTES = 512;
const UNIT_SECTORS = (16 * 1024 * 1024) / SECTOR_BYTES;

function dmsetup(...words: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync("dmsetup", words, { encoding: "utf8" });
  if (status !== 0) throw new Error(`dmsetup ${words.join(" ")}: ${stderr}`);
  return stdout;
}

/** `MAJOR:MINOR` of a path. */
function deviceNumber({ block }: TargetPath): string {
  return readFileSync(`/sys/class/block/${block?.slice("/dev/".length)}/dev`, "utf8").trim();
}

/** One group of paths, taken in turns: from one command to the next it is another one. */
function table(paths: readonly TargetPath[]): string {
  const list = paths.map((path) => `${deviceNumber(path)} 1`).join(" ");
  return `0 ${UNIT_SECTORS} multipath 0 0 1 1 round-robin 0 ${paths.length} 1 ${list}`;
}

describe("a dm-multipath device", () => {
  let helper: HelperUnderTest | undefined;
  let machine: Machine | undefined;
  let paths: readonly TargetPath[] = [];

  /** A disk on the multipath device behind a new helper. */
  const diskBehind = async (context: Mocha.Context, ...options: readonly string[]): Promise<ScsiDevice> => {
    helper = await helperUnderTest(context, "qom-pr-helper", options);
    machine = await Machine.create(
      [
        ["-device", "virtio-scsi", "-object", `pr-manager-helper,id=pr0,path=${helper.socket}`],
        ["-blockdev", `node-name=hd,driver=host_device,filename=${DEVICE},pr-manager=pr0`],
        ["-device", "scsi-block,drive=hd,id=disk0"],
      ].flat(),
    );
    return machine.scsiDevice("disk0");
  };

  /** What `act` gives on each path by itself. */
  const onEachPath = async (act: (disk: ScsiDevice) => Promise<string>): Promise<readonly string[]> => {
    const outcomes: string[] = [];
    for (const { block } of paths) {
      const node = `node-name=hd,driver=host_device,filename=${block},pr-manager=pr0`;
      const devices = [
        "-device",
        "virtio-scsi",
        "-object",
        "pr-manager-sgio,id=pr0",
        "-blockdev",
        node,
        "-device",
        "scsi-block,drive=hd,id=disk0",
      ];
      const single = await Machine.create(devices);
      try {
        await ready(single.scsiDevice("disk0"));
        outcomes.push(await act(single.scsiDevice("disk0")));
      } finally {
        await single.close();
      }
    }
    return outcomes;
  };

  before(async function () {
    if (!existsSync("/bin/dmsetup")) skipUnlessRequired(this, "there is no dmsetup: apt-get install dmsetup");
    paths = (await sharedTarget()).paths.slice(1);
    loadModule("dm_round_robin");
    dmsetup("create", NAME, "--noudevsync", "--uuid", "mpath-36001405111122223333444455556666", "--table", table(paths));
    dmsetup("mknodes", NAME);
  });

  afterEach(async () => {
    await machine?.close();
    await helper?.stop();
    machine = undefined;
    helper = undefined;
  });

  after(() => {
    if (existsSync(DEVICE)) dmsetup("remove", "--noudevsync", "--retry", NAME);
  });

  it("is refused by qom-pr-helper, with one line; the disk goes on", async function () {
    const disk = await diskBehind(this);
    expect(await ready(disk)).to.equal("GOOD");
    expect(await reserveOut(disk, "register", { serviceActionKey: KEY })).to.equal("05/20/00");
    expect(await reserveOut(disk, "register", { serviceActionKey: KEY })).to.equal("05/20/00");
    expect(helper?.output.match(/refused: SG_IO on dm-multipath would register on one path only/g)).to.have.lengthOf(1);
    expect(outcome(await disk.execute(writeBlock(0x12)))).to.equal("GOOD");
  });

  it("is reached with --allow-dm, and then one path is registered and the other is not", async function () {
    const disk = await diskBehind(this, "--allow-dm");
    expect(await ready(disk)).to.equal("GOOD");
    expect(await reserveOut(disk, "register", { serviceActionKey: KEY })).to.equal("GOOD");
    const report = await disk.execute(PersistentReserveIn.readFullStatus(1024));
    expect(PersistentReserveIn.parse("read-full-status", report.dataIn).registrants.map(({ key }) => key)).to.deep.equal([KEY]);
    // The key of a path, and no key on the other one: what a guest must never meet.
    const outcomes = await onEachPath((path) => reserveOut(path, "register", { key: KEY, serviceActionKey: 0n }));
    expect(outcomes.toSorted()).to.deep.equal(["GOOD", "RC"]);
  });
});
