/** SG_IO on a disk that has errors on demand, and host_device with what is a disk and what is none. */

import { expect } from "chai";
import { setMaxListeners } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { stat } from "node:fs/promises";
import { basename } from "node:path";
import { Machine } from "qom-pr";
import type { ScsiDevice, ScsiResult } from "qom-pr";
import { SG_IO_THREADS_PER_DESCRIPTOR } from "#src/native/sg-io/executor.js";
import { parseSenseData } from "#src/scsi/sense.js";
import { parseBlockLimits } from "#src/scsi/vpd-block.js";
import { outcome } from "../../../support/outcome.js";
import { refusal } from "../../../support/refusal.js";
import { bytes } from "../../../support/hex.js";
import { ready, transferCdb } from "../support/commands.js";
import {
  BAD_SECTOR,
  DEBUG_BLOCKS,
  debugDisk,
  DebugOption,
  setDelay,
  setDescriptorSense,
  setErrors,
  unplug,
} from "../support/debug-disk.js";
import type { DeviceNodes } from "../support/scsi-host.js";
import { sharedTarget } from "../support/shared-target.js";

const READ_CAPACITY = bytes("25 00 00000000 00 0000 00");

describe("SG_IO on a disk with errors", () => {
  let nodes: DeviceNodes;
  const machines: Machine[] = [];

  const start = async (type: string, path: string | null, options = ""): Promise<ScsiDevice> => {
    const argv = [
      ["-device", "virtio-scsi"],
      ["-blockdev", `driver=host_device,node-name=hd,filename=${path}${options}`],
      // Machines of one test have the same disk.
      ["-device", `${type},drive=hd,id=disk0,share-rw=on`],
    ].flat();
    const machine = await Machine.create(argv);
    machines.push(machine);
    const device = machine.scsiDevice("disk0");
    await ready(device);
    return device;
  };

  before(async () => {
    nodes = await debugDisk();
  });

  afterEach(async () => {
    setErrors(0);
    for (const machine of machines.splice(0)) await machine.close();
  });

  it("knows the last block from the start, and lets the disk judge what scsi-generic sends", async () => {
    const block = await start("scsi-block", nodes.block);
    expect(outcome(await block.execute({ cdb: transferCdb(0x28, DEBUG_BLOCKS - 1, 1) }))).to.equal("GOOD");
    expect(outcome(await block.execute({ cdb: transferCdb(0x28, DEBUG_BLOCKS - 1, 2) }))).to.equal("05/21/00");
    const generic = await start("scsi-generic", nodes.generic);
    expect(outcome(await generic.execute({ cdb: transferCdb(0x28, DEBUG_BLOCKS - 1, 2) }))).to.equal("05/21/00");
  });

  it("tells the residual of a shorter answer", async () => {
    for (const path of [nodes.block, nodes.generic]) {
      const result = await (await start("scsi-generic", path)).execute({ cdb: bytes("12 00 00 00 ff 00"), allocationLength: 300 });
      expect([result.status, result.dataIn.length + result.residual]).to.deep.equal([0, 300]);
      expect(result.residual).to.be.greaterThan(45);
    }
  });

  it("brings the sense data of the disk, in both formats", async () => {
    const device = await start("scsi-block", nodes.block);
    setErrors(DebugOption.MEDIUM_ERROR);
    for (const descriptor of [false, true]) {
      setDescriptorSense(descriptor);
      const result = await device.execute({ cdb: transferCdb(0x28, BAD_SECTOR - 2, 8) });
      expect(outcome(result)).to.equal("03/11/00");
      expect((result.sense[0] ?? 0) & 0x7f).to.equal(descriptor ? 0x72 : 0x70);
      // The module knows where the information is in fixed format only.
      expect(parseSenseData(result.sense)?.information).to.equal(descriptor ? undefined : BAD_SECTOR);
      expect(result.hostStatus).to.equal(undefined);
    }
    setDescriptorSense(false);
    expect(outcome(await device.execute({ cdb: transferCdb(0x28, 0, 8) }))).to.equal("GOOD");
  });

  it("ends a command at its deadline, with the host's status and the sense that stands for it", async () => {
    const device = await start("scsi-generic", nodes.generic);
    setErrors(DebugOption.TIMEOUT);
    const result = await device.execute({ cdb: transferCdb(0x28, 0, 1), timeoutMs: 500 });
    expect([outcome(result), result.hostStatus]).to.deep.equal(["0B/2E/02", 3]);
    setErrors(0);
    expect(await ready(device)).to.equal("GOOD");
  });

  it("tells the guest the host's longest transfer, and splits what is longer", async () => {
    const queue = `/sys/block/${basename(nodes.block ?? "")}/queue`;
    const before = readFileSync(`${queue}/max_sectors_kb`, "utf8");
    writeFileSync(`${queue}/max_sectors_kb`, "64");
    try {
      for (const [type, path] of [
        ["scsi-block", nodes.block],
        ["scsi-generic", nodes.generic],
      ] as const) {
        const device = await start(type, path);
        const limits = await device.execute({ cdb: bytes("12 01 b0 00 40 00") });
        expect(parseBlockLimits(limits.dataIn)?.transferBlocksMax, type).to.equal(128);
      }
      const device = await start("scsi-block", nodes.block);
      const dataOut = Uint8Array.from({ length: 1000 * 512 }, (_, i) => (i >> 9) + i);
      expect(await device.execute({ cdb: transferCdb(0x2a, 100, 1000), dataOut })).to.include({ status: 0, residual: 0 });
      const read = await device.execute({ cdb: transferCdb(0x28, 100, 1000) });
      expect([outcome(read), Buffer.compare(read.dataIn, dataOut)]).to.deep.equal(["GOOD", 0]);
    } finally {
      writeFileSync(`${queue}/max_sectors_kb`, before.trim());
    }
  });

  it("opens a node read-only, and says so to the guest", async () => {
    const device = await start("scsi-block", nodes.block, ",read-only=on");
    expect(outcome(await device.execute({ cdb: transferCdb(0x2a, 0, 1), dataOut: new Uint8Array(512) }))).to.equal("07/27/00");
    expect(((await device.execute({ cdb: bytes("1a 00 3f 00 40 00") })).dataIn[2] ?? 0) & 0x80).to.equal(0x80);
    expect(outcome(await device.execute({ cdb: READ_CAPACITY }))).to.equal("GOOD");
  });

  it("is not for an sg node with scsi-block, nor for what is no SCSI device", async () => {
    expect((await refusal(() => start("scsi-block", nodes.generic))).message).to.contain("is an sg node");
    for (const path of ["/dev/null", "/dev/ttyS3"]) {
      expect((await refusal(() => start("scsi-generic", path))).message).to.contain("does not take SG_IO");
    }
  });

  it("does not hold up another disk, nor the files of the embedder, while this one hangs", async () => {
    const slow = await start("scsi-block", nodes.block);
    const [path] = (await sharedTarget()).paths;
    const other = await start("scsi-block", path?.block ?? null);
    await setDelay(15); // longer than the reads of the other disk take, on a busy host too
    const controller = new AbortController();
    setMaxListeners(0, controller.signal);
    const results: ScsiResult[] = [];
    const hanging = Array.from({ length: 5 * SG_IO_THREADS_PER_DESCRIPTOR }, async () => {
      results.push(await slow.execute({ cdb: transferCdb(0x28, 0, 1), signal: controller.signal }));
    });
    for (let i = 0; i < 20; i += 1) {
      expect(outcome(await other.execute({ cdb: transferCdb(0x28, 0, 1) }))).to.equal("GOOD");
      await stat("/proc/self/status");
    }
    expect(results).to.deep.equal([]);
    controller.abort();
    await Promise.all(hanging);
    expect(results.map(outcome)).to.deep.equal(hanging.map(() => "ABORTED"));
    await setDelay(0);
    expect(await ready(slow)).to.equal("GOOD");
  });

  it("answers for a disk that was pulled out, and does not hang", async () => {
    const device = await start("scsi-generic", nodes.generic);
    unplug();
    expect(outcome(await device.execute({ cdb: transferCdb(0x28, 0, 1) }))).to.match(/^(?:04\/44|0B\/05)\//);
  });
});
