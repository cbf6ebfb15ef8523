/** scsi-block and scsi-generic on a device of the host, as far as the device is not needed for it: see scripted-disk.ts. */

import { expect } from "chai";
import type { Machine, ScsiCommand, ScsiDevice } from "qom-pr";
import { encodeCapacity10, encodeCapacity16 } from "#src/scsi/capacity.js";
import { pieceCdb, transferBlocks } from "#src/devices/disk/block-path.js";
import { isPatched, patchAnswer } from "#src/devices/disk/answer-patches.js";
import { DiskFacts } from "#src/devices/disk/disk-facts.js";
import { Sense, senseResult } from "#src/scsi/sense.js";
import { encodeBlockLimits, NO_BLOCK_LIMITS, parseBlockLimits } from "#src/scsi/vpd-block.js";
import { encodeSupportedPages } from "#src/scsi/vpd.js";
import { inquiryCdb } from "#src/scsi/inquiry.js";
import { outcome } from "../support/outcome.js";
import { refusal } from "../support/refusal.js";
import { failed, goodData, ScriptedDisk } from "../support/scripted-disk.js";
import { bytes, hex } from "../support/hex.js";

const READ_OF_1 = bytes("28 00 00000005 00 0001 00");

describe("a device on a disk of the host", () => {
  let disk: ScriptedDisk;
  const machines: Machine[] = [];

  const start = async (type: string, nodeOptions = ""): Promise<ScsiDevice> => {
    const machine = await disk.machine(type, nodeOptions);
    machines.push(machine);
    return machine.scsiDevice("disk0");
  };
  const sent = (): string[] => disk.requests.map(({ cdb }) => hex(cdb));

  beforeEach(() => {
    disk = new ScriptedDisk();
  });
  afterEach(async () => {
    for (const machine of machines.splice(0)) await machine.close();
  });

  it("counts a system call that fails as an error of the disk, and checks before a policy decides", async () => {
    const failing = { errno: 5 };
    const scsi = await start("scsi-block,rerror=stop");
    const machine = machines.at(-1);
    let failures = 1;
    disk.script = ({ cdb }) => (cdb[0] === 0x28 && failures-- > 0 ? failing : undefined);
    const kept = scsi.execute({ cdb: bytes("28 00 00 00 00 00 00 00 01 00") });
    while (machine?.status === "running") await new Promise(setImmediate);
    expect(machine?.status).to.equal("io-error");
    machine?.cont();
    expect((await kept).status).to.equal(0);
    expect(outcome(await scsi.execute({ cdb: bytes("28 00 00 00 ff 00 00 00 01 00") }))).to.equal("05/21/00");
    expect(machine?.status).to.equal("running");
  });

  describe("when it is created", () => {
    const probes = async (type: string): Promise<string[]> => {
      let asked: string[] = [];
      disk.script = ({ cdb }) => void asked.push(hex(cdb).slice(0, 6));
      await start(type);
      asked = [...asked];
      return asked;
    };

    it("asks what QEMU asks, and scsi-block for the capacity", async () => {
      expect(await probes("scsi-generic")).to.deep.equal(["120183", "120000", "120100"]);
      expect(await probes("scsi-block")).to.deep.equal(["120183", "120000", "120100", "250000"]);
    });

    it("asks with the deadline of the device", async () => {
      const timeouts = new Set<number>();
      disk.script = ({ timeoutMs }) => void timeouts.add(timeoutMs);
      await start("scsi-block,io_timeout=7");
      expect([...timeouts]).to.deep.equal([30_000, 7000]);
    });

    for (const type of ["scsi-block", "scsi-generic"]) {
      it(`refuses with one line what does not answer INQUIRY: ${type}`, async () => {
        const none = new Uint8Array(0);
        const failure = { status: 0, hostStatus: 1, driverStatus: 0, residual: 0, sense: none, dataIn: none };
        for (const evpd of [0, 1]) {
          disk.script = ({ cdb }) => (cdb[0] === 0x12 && cdb[1] === evpd ? failure : undefined);
          const error = await refusal(() => disk.machine(type));
          expect(error.message).to.contain("does not answer INQUIRY").and.to.contain("0B/05/00");
        }
      });

      it(`refuses a LUN without unit, and an interface that is too old: ${type}`, async () => {
        disk.deviceType = 0x1f;
        expect((await refusal(() => disk.machine(type))).message).to.contain("no logical unit");
        disk.deviceType = 0;
        disk.version = 29_999;
        expect((await refusal(() => disk.machine(type))).message).to.contain("too old");
      });
    }

    it("asks again while there are unit attentions", async () => {
      let attentions = 2;
      disk.script = ({ cdb }) => (cdb[0] === 0x25 && attentions-- > 0 ? failed(Sense.POWER_ON_OR_RESET) : undefined);
      const device = await start("scsi-block");
      expect(outcome(await device.execute({ cdb: bytes("28 00 000003e8 00 0001 00") }))).to.equal("05/21/00");
    });

    it("goes on without a capacity, and takes it from the guest's question", async () => {
      disk.script = ({ cdb }) => (cdb[0] === 0x25 ? failed(Sense.MEDIUM_NOT_PRESENT) : undefined);
      const device = await start("scsi-block");
      expect(outcome(await device.execute({ cdb: bytes("28 00 ffffff00 00 0001 00") }))).to.equal("GOOD");
      disk.script = (request) =>
        request.cdb[0] === 0x25 ? goodData(request, encodeCapacity10({ lastLba: 9, blockSizeBytes: 4096 })) : undefined;
      await device.execute({ cdb: bytes("25 00 00000000 00 0000 00") });
      expect(outcome(await device.execute({ cdb: bytes("28 00 0000000a 00 0001 00") }))).to.equal("05/21/00");
      expect((await device.execute({ cdb: bytes("28 00 00000009 00 0001 00") })).dataIn).to.have.length(4096);
    });

    it("asks READ CAPACITY(16) of a disk with more than 2^32 blocks", async () => {
      disk.lastLba = 0xffff_ffff;
      disk.script = (request) => {
        if (request.cdb[0] !== 0x9e) return undefined;
        const capacity = { lastLba: 0x1_0000_0000, blockSizeBytes: 512, protectionType: 0, physicalBlockExponent: 0 };
        return goodData(request, encodeCapacity16({ ...capacity, provisioned: false, unmappedReadsZeros: false, lowestAlignedLba: 0 }));
      };
      const device = await start("scsi-block");
      expect(outcome(await device.execute({ cdb: bytes("88 00 0000000100000000 00000001 00 00") }))).to.equal("GOOD");
      expect(outcome(await device.execute({ cdb: bytes("88 00 0000000100000000 00000002 00 00") }))).to.equal("05/21/00");
    });
  });

  describe("scsi-block", () => {
    it("judges the last LBA and protection bits of its family, without asking the device", async () => {
      const device = await start("scsi-block");
      const refused: readonly (readonly [cdb: string, answer: string])[] = [
        ["08 0003e8 01 00", "05/21/00"],
        ["28 00 000003e7 00 0002 00", "05/21/00"],
        ["a8 00 000003e8 00000001 00 00", "05/21/00"],
        ["88 00 00000000000003e8 00000001 00 00", "05/21/00"],
        ["2f 02 000003e8 00 0001 00", "05/21/00"],
        ["28 20 00000000 00 0001 00", "05/24/00"],
        ["8a e0 0000000000000000 00000001 00 00", "05/24/00"],
        ["2f 22 00000000 00 0001 00", "05/24/00"],
      ];
      for (const [cdb, answer] of refused) {
        const data = /^(?:8a|2f)/.test(cdb) ? { dataOut: new Uint8Array(512) } : {};
        expect(outcome(await device.execute({ cdb: bytes(cdb), ...data })), cdb).to.equal(answer);
      }
      expect(sent()).to.deep.equal([]);
    });

    it("leaves these bits to a device of SCSI-2, where they were a LUN, until the guest's INQUIRY says otherwise", async () => {
      disk.scsiVersion = 2;
      const device = await start("scsi-block");
      const cdb = bytes("28 20 00000000 00 0001 00");
      expect(outcome(await device.execute({ cdb }))).to.equal("GOOD");
      disk.scsiVersion = 5;
      await device.execute({ cdb: inquiryCdb(36) });
      expect(outcome(await device.execute({ cdb }))).to.equal("05/24/00");
    });

    it("passes everything else on as it is: VERIFY without data, other opcodes, and all of an optical disk", async () => {
      const device = await start("scsi-block");
      const raw = ["2f 00 000003e8 00 0001 00", "35 00 000003e8 00 0001 00", "c0 00 000000000000000000"].map(bytes);
      for (const cdb of raw) expect(outcome(await device.execute({ cdb }))).to.equal("GOOD");
      expect(sent()).to.deep.equal(raw.map(hex));
      disk.deviceType = 5;
      disk.blockSizeBytes = 2048;
      const optical = await start("scsi-block");
      expect((await optical.execute({ cdb: bytes("28 20 ffffff00 00 0002 00") })).dataIn).to.have.length(4096);
    });

    it("sends exactly as much as the CDB says", async () => {
      const device = await start("scsi-block");
      const write = bytes("2a 00 00000000 00 0001 00");
      expect(outcome(await device.execute({ cdb: write, dataOut: new Uint8Array(511) }))).to.equal("05/24/00");
      expect(outcome(await device.execute({ cdb: READ_OF_1, allocationLength: 511 }))).to.equal("05/24/00");
      expect(sent()).to.deep.equal([]);
      expect(await device.execute({ cdb: write, dataOut: new Uint8Array(600) })).to.include({ status: 0, residual: 0 });
      expect(disk.requests[0]?.dataOut).to.have.length(512);
      const read = await device.execute({ cdb: READ_OF_1, allocationLength: 600 });
      expect([read.dataIn.length, read.residual, disk.requests[1]?.dataInLength]).to.deep.equal([512, 88, 512]);
      const into = new Uint8Array(600);
      expect((await device.execute({ cdb: READ_OF_1, into })).dataIn.buffer).to.equal(into.buffer);
    });

    it("protects a read-only node itself, where scsi-generic leaves that to the device", async () => {
      const write: ScsiCommand = { cdb: bytes("2a 00 00000000 00 0001 00"), dataOut: new Uint8Array(512) };
      expect(outcome(await (await start("scsi-block", ",read-only=on")).execute(write))).to.equal("07/27/00");
      expect(outcome(await (await start("scsi-generic", ",read-only=on")).execute(write))).to.equal("GOOD");
    });
  });

  it("says in MODE SENSE that a read-only node is write protected", async () => {
    const device = await start("scsi-generic", ",read-only=on");
    expect((await device.execute({ cdb: bytes("1a 00 3f 00 08 00") })).dataIn[2]).to.equal(0x80);
    expect((await device.execute({ cdb: bytes("5a 00 3f 00000000 0008 00") })).dataIn[3]).to.equal(0x80);
    const writable = await start("scsi-generic");
    expect((await writable.execute({ cdb: bytes("1a 00 3f 00 08 00") })).dataIn[2]).to.equal(0);
  });

  it("passes the transport's failure on, with the sense that stands for it", async () => {
    const device = await start("scsi-generic");
    disk.script = () => ({ status: 0, hostStatus: 3, driverStatus: 0, residual: 0, sense: new Uint8Array(0), dataIn: new Uint8Array(0) });
    const result = await device.execute({ cdb: new Uint8Array(6) });
    expect([outcome(result), result.hostStatus]).to.deep.equal(["0B/2E/02", 3]);
  });
});

describe("block limits of the host", () => {
  const facts = (lacksBlockLimits: boolean): DiskFacts => Object.assign(new DiskFacts(), { lacksBlockLimits });
  const limits = (lacks: boolean): Parameters<typeof patchAnswer>[2] => ({
    facts: facts(lacks),
    readOnly: false,
    transferBytesMax: 65_536,
  });
  const page = (transferBlocksMax: number, transferBlocksOptimal: number): Uint8Array =>
    encodeBlockLimits({ ...NO_BLOCK_LIMITS, transferBlocksMax, transferBlocksOptimal });
  const good = (dataIn: Uint8Array): ReturnType<typeof patchAnswer> => ({ status: 0, dataIn, residual: 0, sense: new Uint8Array(0) });

  it("are those of page B0h, unless the device's are narrower", () => {
    const command = { cdb: inquiryCdb(64, 0xb0) };
    for (const [maximum, optimal, expected] of [
      [0, 0, [128, 0]],
      [1000, 500, [128, 128]],
      [100, 50, [100, 50]],
    ] as const) {
      const patched = parseBlockLimits(patchAnswer(command, good(page(maximum, optimal)), limits(false)).dataIn);
      expect([patched?.transferBlocksMax, patched?.transferBlocksOptimal]).to.deep.equal(expected);
    }
  });

  it("have a page of their own on a disk without one, which is listed", () => {
    const command = { cdb: inquiryCdb(64, 0xb0), allocationLength: 70 };
    const unsupported = senseResult(Sense.INVALID_FIELD_IN_CDB);
    const made = patchAnswer(command, unsupported, limits(true));
    expect([made.status, made.dataIn.length, made.residual, parseBlockLimits(made.dataIn)?.transferBlocksMax]).to.deep.equal([
      0, 64, 6, 128,
    ]);
    expect(patchAnswer(command, unsupported, limits(false))).to.equal(unsupported);
    const list = good(encodeSupportedPages([0x00, 0x83, 0xb1]));
    expect(hex(patchAnswer({ cdb: inquiryCdb(64, 0) }, list, limits(true)).dataIn)).to.equal("000000040083b0b1");
    expect(hex(patchAnswer({ cdb: inquiryCdb(5, 0) }, list, limits(true)).dataIn)).to.equal("0000000400");
    expect(patchAnswer({ cdb: inquiryCdb(64, 0) }, list, limits(false))).to.equal(list);
  });

  it("are written into the initiator's memory", () => {
    const into = page(0, 0);
    const patched = patchAnswer({ cdb: inquiryCdb(64, 0xb0), into }, good(into), limits(false));
    expect(patched.dataIn.buffer).to.equal(into.buffer);
    expect(parseBlockLimits(into)?.transferBlocksMax).to.equal(128);
  });

  it("leave other commands alone", () => {
    for (const opcode of [0x00, 0x28, 0x2a, 0x5e, 0x5f]) expect(isPatched(Uint8Array.of(opcode))).to.equal(false);
  });
});

describe("a transfer that is longer than the host's limit", () => {
  const path = (answers: readonly number[], sent: ScsiCommand[]): Parameters<typeof transferBlocks>[2] => ({
    blockSizeBytes: 512,
    transferBytesMax: 1500,
    send: (command) => {
      sent.push(command);
      const fill = sent.length;
      const length = answers[sent.length - 1] ?? command.allocationLength ?? 0;
      if (length < 0) return Promise.resolve(senseResult(Sense.UNRECOVERED_READ_ERROR));
      command.into?.fill(fill, 0, length);
      const dataIn = command.into?.subarray(0, length) ?? new Uint8Array(0);
      return Promise.resolve({ status: 0, dataIn, residual: (command.allocationLength ?? 0) - dataIn.length, sense: new Uint8Array(0) });
    },
  });
  const READ_OF_5 = bytes("28 08 00000005 1f 0005 04");

  it("goes in pieces, in turn, and comes back as one", async () => {
    const sent: ScsiCommand[] = [];
    const result = await transferBlocks({ cdb: READ_OF_5 }, { lba: 5, blocks: 5 }, path([], sent));
    expect(sent.map(({ cdb }) => hex(cdb))).to.deep.equal(["2808000000051f000204", "2808000000071f000204", "2808000000091f000104"]);
    expect([result.status, result.dataIn.length, result.residual]).to.deep.equal([0, 2560, 0]);
    expect([result.dataIn[1023], result.dataIn[1024], result.dataIn[2559]]).to.deep.equal([1, 2, 3]);
    const dataOut = Uint8Array.from({ length: 2560 }, (_, i) => i >> 9);
    const written: ScsiCommand[] = [];
    await transferBlocks({ cdb: bytes("2a 00 00000000 00 0005 00"), dataOut }, { lba: 0, blocks: 5 }, path([], written));
    expect(written.map((piece) => [piece.dataOut?.length, piece.dataOut?.[0]])).to.deep.equal([
      [1024, 0],
      [1024, 2],
      [512, 4],
    ]);
  });

  it("ends with the first piece that fails or is short", async () => {
    const sent: ScsiCommand[] = [];
    expect(outcome(await transferBlocks({ cdb: READ_OF_5 }, { lba: 5, blocks: 5 }, path([1024, -1], sent)))).to.equal("03/11/00");
    expect(sent).to.have.length(2);
    const short = await transferBlocks({ cdb: READ_OF_5 }, { lba: 5, blocks: 5 }, path([1024, 512], []));
    expect([short.dataIn.length, short.residual]).to.deep.equal([1536, 1024]);
  });

  it("keeps flags, group number and CONTROL, and its size unless the LBA needs a longer CDB", () => {
    const pieces: readonly (readonly [cdb: string, lba: number, piece: string])[] = [
      ["08 000001 00 07", 0x1f_ffff, "08 1fffff 03 07"],
      ["0a 1fffff 10 07", 0x20_0000, "2a 00 00200000 00 0003 07"],
      ["2e 18 00000001 15 ffff 07", 9, "2e 18 00000009 15 0003 07"],
      ["28 18 ffffffff 15 ffff 07", 0x1_0000_0000, "88 18 0000000100000000 00000003 15 07"],
      ["a8 18 00000001 00000009 15 07", 9, "a8 18 00000009 00000003 15 07"],
      ["aa 18 ffffffff 00000009 15 07", 0x1_0000_0001, "8a 18 0000000100000001 00000003 15 07"],
      ["8f 1a 0000000000000001 00000009 15 07", 0x1_0000_0001, "8f 1a 0000000100000001 00000003 15 07"],
    ];
    for (const [cdb, lba, piece] of pieces) expect(hex(pieceCdb(bytes(cdb), lba, 3)), cdb).to.equal(piece.replaceAll(" ", ""));
  });
});
