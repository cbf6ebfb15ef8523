import { expect } from "chai";
import { parseCapacity16 } from "#src/scsi/capacity.js";
import { parseSenseData } from "#src/scsi/sense.js";
import { hex } from "../support/hex.js";
import { temporaryFolder } from "../support/folder.js";
import { blocks, disk } from "./support.js";
import type { Disk } from "./support.js";

/** Two forms of one command for the same blocks: LBA 5, 2 blocks. */
const READS = {
  "READ(6)": "08 00 00 05 02 00",
  "READ(10)": "28 00 00 00 00 05 00 00 02 00",
  "READ(12)": "a8 00 00 00 00 05 00 00 00 02 00 00",
  "READ(16)": "88 00 00 00 00 00 00 00 00 05 00 00 00 02 00 00",
};
const WRITES = {
  "WRITE(6)": "0a 00 00 05 02 00",
  "WRITE(10)": "2a 00 00 00 00 05 00 00 02 00",
  "WRITE(12)": "aa 00 00 00 00 05 00 00 00 02 00 00",
  "WRITE(16)": "8a 00 00 00 00 00 00 00 00 05 00 00 00 02 00 00",
  "WRITE AND VERIFY(10)": "2e 00 00 00 00 05 00 00 02 00",
  "WRITE AND VERIFY(12)": "ae 00 00 00 00 05 00 00 00 02 00 00",
  "WRITE AND VERIFY(16)": "8e 00 00 00 00 00 00 00 00 05 00 00 00 02 00 00",
};
const VERIFIES = {
  "VERIFY(10)": "2f 02 00 00 00 05 00 00 02 00",
  "VERIFY(12)": "af 02 00 00 00 05 00 00 00 02 00 00",
  "VERIFY(16)": "8f 02 00 00 00 00 00 00 00 05 00 00 00 02 00 00",
};
const READ_ONE = "28 00 00 00 00 00 00 00 01 00";
const READ_TWO = READS["READ(10)"];

for (const kind of ["memory", "a file"] as const) {
  describe(`blocks of a medium in ${kind}`, () => {
    const { path } = temporaryFolder();
    let san: Disk;
    let made = 0;
    beforeEach(async () => {
      made += 1;
      san = await disk(kind === "memory" ? {} : { filename: path(`disk${made}`), sizeBytes: 1024 * 1024 });
    });
    afterEach(async () => san.fabric.close());

    for (const [name, write] of Object.entries(WRITES)) {
      it(`${name} stores what every READ brings back`, async () => {
        const data = Uint8Array.from({ length: 1024 }, (_, index) => index % 251);
        expect(await san.try("A", write, { dataOut: data })).to.equal("GOOD");
        for (const read of Object.values(READS)) expect(hex((await san.send("B", read)).dataIn)).to.equal(hex(data));
        const around = (await san.send("A", "28 00 00 00 00 04 00 00 04 00")).dataIn;
        expect(around.subarray(0, 512).every((byte) => byte === 0)).to.equal(true);
        expect(around.subarray(1536).every((byte) => byte === 0)).to.equal(true);
      });

      it(`${name} with less data than it announces is refused whole`, async () => {
        expect(await san.try("A", write, { dataOut: blocks(2, 7).subarray(1) })).to.equal("05/24/00");
        expect(await san.try("A", write)).to.equal("05/24/00");
        expect((await san.send("A", READ_TWO)).dataIn.every((byte) => byte === 0)).to.equal(true);
      });
    }

    it("FUA is taken", async () => {
      expect(await san.try("A", "2a 08 00 00 00 05 00 00 02 00", { dataOut: blocks(2, 7) })).to.equal("GOOD");
      expect((await san.send("A", READ_TWO)).dataIn.every((byte) => byte === 7)).to.equal(true);
    });

    for (const [name, verify] of Object.entries(VERIFIES)) {
      it(`${name} compares`, async () => {
        await san.send("A", WRITES["WRITE(10)"], { dataOut: blocks(2, 7) });
        expect(await san.try("A", verify, { dataOut: blocks(2, 7) })).to.equal("GOOD");
        const other = blocks(2, 7);
        other[700] = 8;
        const miscompare = await san.send("A", verify, { dataOut: other });
        expect(parseSenseData(miscompare.sense)).to.deep.include({ code: { key: 0xe, asc: 0x1d, ascq: 0 }, information: 700 });
        expect(await san.try("A", verify, { dataOut: blocks(1, 7) })).to.equal("05/24/00");
      });

      it(`${name} compares one block with all, or none, by BYTCHK`, async () => {
        await san.send("A", WRITES["WRITE(10)"], { dataOut: blocks(2, 7) });
        expect(await san.try("A", verify.replace(" 02", " 06"), { dataOut: blocks(1, 7) })).to.equal("GOOD");
        expect(await san.try("A", verify.replace(" 02", " 06"), { dataOut: blocks(1, 8) })).to.equal("0E/1D/00");
        expect(await san.try("A", verify.replace(" 02", " 00"))).to.equal("GOOD");
        expect(await san.try("A", verify.replace(" 02", " 04"))).to.equal("05/24/00");
      });
    }

    it("COMPARE AND WRITE writes if the blocks are as expected, and else tells the first difference", async () => {
      const swap = "89 00 00 00 00 00 00 00 00 05 00 00 00 02 00 00";
      expect(await san.try("A", swap, { dataOut: Buffer.concat([blocks(2, 0), blocks(2, 7)]) })).to.equal("GOOD");
      expect((await san.send("A", READ_TWO)).dataIn.every((byte) => byte === 7)).to.equal(true);
      const expected = blocks(2, 7);
      expected[513] = 0;
      const refused = await san.send("A", swap, { dataOut: Buffer.concat([expected, blocks(2, 9)]) });
      expect(parseSenseData(refused.sense)).to.deep.include({ code: { key: 0xe, asc: 0x1d, ascq: 0 }, information: 513 });
      expect((await san.send("A", READ_TWO)).dataIn.every((byte) => byte === 7)).to.equal(true);
      expect(await san.try("A", swap, { dataOut: blocks(3, 7) })).to.equal("05/24/00");
      expect(await san.try("A", "89 00 00 00 00 00 00 00 00 05 00 00 00 00 00 00")).to.equal("GOOD");
    });

    it("COMPARE AND WRITE is won by one of many", async () => {
      const attempts = Array.from({ length: 8 }, async (_, index) =>
        san.try("A", "89 00 00 00 00 00 00 00 00 00 00 00 00 01 00 00", { dataOut: Buffer.concat([blocks(1, 0), blocks(1, index + 1)]) }),
      );
      const outcomes = await Promise.all(attempts);
      expect(outcomes.filter((each) => each === "GOOD")).to.have.length(1);
      const [winner] = (await san.send("A", READ_ONE)).dataIn;
      expect(outcomes[(winner ?? 0) - 1]).to.equal("GOOD");
    });

    it("COMPARE AND WRITE lets no write come between", async () => {
      const swap = san.try("A", "89 00 00 00 00 00 00 00 00 00 00 00 00 01 00 00", {
        dataOut: Buffer.concat([blocks(1, 0), blocks(1, 1)]),
      });
      const write = san.try("B", "2a 00 00 00 00 00 00 00 01 00", { dataOut: blocks(1, 2) });
      expect(await Promise.all([swap, write])).to.deep.equal(["GOOD", "GOOD"]);
      expect((await san.send("A", READ_ONE)).dataIn[0]).to.equal(2);
    });

    it("WRITE SAME fills a range with one block", async () => {
      expect(await san.try("A", "41 00 00 00 00 02 00 00 05 00", { dataOut: blocks(1, 3) })).to.equal("GOOD");
      const { dataIn } = await san.send("A", "28 00 00 00 00 00 00 00 08 00");
      expect([...dataIn].findIndex((byte) => byte === 3)).to.equal(1024);
      expect([...dataIn].filter((byte) => byte === 3)).to.have.length(2560);
      expect(await san.try("A", "41 00 00 00 00 02 00 00 05 00")).to.equal("05/24/00");
    });

    it("WRITE SAME(16) with NDOB writes zeros", async () => {
      await san.send("A", WRITES["WRITE(10)"], { dataOut: blocks(2, 7) });
      expect(await san.try("A", "93 09 00 00 00 00 00 00 00 05 00 00 00 01 00 00")).to.equal("GOOD");
      const { dataIn } = await san.send("A", READ_TWO);
      expect([dataIn[0], dataIn[511], dataIn[512]]).to.deep.equal([0, 0, 7]);
    });

    const badWriteSame = {
      "no blocks": "41 00 00 00 00 02 00 00 00 00",
      anchor: "41 18 00 00 00 02 00 00 01 00",
      "PBDATA and LBDATA": "41 02 00 00 00 02 00 00 01 00",
      "more than the limit": "93 00 00 00 00 00 00 00 00 00 00 00 40 01 00 00",
    };
    for (const [what, cdb] of Object.entries(badWriteSame)) {
      it(`WRITE SAME with ${what} is refused`, async () => {
        expect(await san.try("A", cdb, { dataOut: blocks(1, 3) })).to.equal("05/24/00");
      });
    }

    it("UNMAP takes blocks away where the medium can, and leaves all others", async () => {
      await san.send("A", "41 00 00 00 00 00 00 00 08 00", { dataOut: blocks(1, 9) });
      const list = Buffer.alloc(8 + 2 * 16);
      list.writeUInt16BE(38, 0);
      list.writeUInt16BE(32, 2);
      list.writeBigUInt64BE(1n, 8);
      list.writeUInt32BE(2, 16);
      list.writeBigUInt64BE(6n, 24);
      list.writeUInt32BE(1, 32);
      expect(await san.try("A", "42 00 00 00 00 00 00 00 28 00", { dataOut: list })).to.equal("GOOD");
      const { dataIn } = await san.send("A", "28 00 00 00 00 00 00 00 08 00");
      const left = Array.from({ length: 8 }, (_, block) => dataIn[512 * block]);
      expect(left).to.deep.equal(kind === "memory" ? [9, 0, 0, 9, 9, 9, 0, 9] : [9, 9, 9, 9, 9, 9, 9, 9]);
      const { dataIn: capacity } = await san.send("A", "9e 10 00 00 00 00 00 00 00 00 00 00 00 20 00 00");
      expect(parseCapacity16(capacity)).to.include({ provisioned: true, unmappedReadsZeros: kind === "memory" });
    });

    it("SYNCHRONIZE CACHE answers when everything is safe", async () => {
      expect(await san.try("A", "35 00 00 00 00 00 00 00 00 00")).to.equal("GOOD");
      expect(await san.try("A", "91 02 00 00 00 00 00 00 00 05 00 00 00 02 00 00")).to.equal("GOOD");
      expect(await san.try("A", "35 00 00 00 08 00 00 00 01 00")).to.equal("05/21/00");
    });

    it("reads into the caller's memory", async () => {
      await san.send("A", WRITES["WRITE(10)"], { dataOut: blocks(2, 7) });
      const memory = new Uint8Array(2048).fill(0xee);
      const { dataIn, residual } = await san.send("A", READ_TWO, { into: memory.subarray(256) });
      expect([dataIn.buffer === memory.buffer, dataIn.byteOffset, dataIn.length, residual]).to.deep.equal([true, 256, 1024, 768]);
      expect([memory[255], memory[256], memory[1279], memory[1280]]).to.deep.equal([0xee, 7, 7, 0xee]);
    });

    it("gives a buffer that is too small its first bytes", async () => {
      await san.send("A", WRITES["WRITE(10)"], { dataOut: blocks(2, 7) });
      const { dataIn, residual } = await san.send("A", READ_TWO, { allocationLength: 100 });
      expect([dataIn.length, residual]).to.deep.equal([100, 0]);
    });
  });
}

describe("blocks that there are not", () => {
  let san: Disk;
  beforeEach(async () => {
    san = await disk();
  });
  afterEach(async () => san.fabric.close());

  // 1 MiB has the LBAs 0 to 7FFh
  const cdbs: Readonly<Record<string, string>> = {
    "READ(6), last block and one more": "08 00 07 ff 02 00",
    "READ(6), 256 blocks by 0": "08 00 07 01 00 00",
    "READ(10)": "28 00 00 00 08 00 00 00 01 00",
    "READ(10), no blocks": "28 00 00 00 08 01 00 00 00 00",
    "READ(12), LBA of 32 bits": "a8 00 ff ff ff ff 00 00 00 01 00 00",
    "READ(16), LBA of 64 bits": "88 00 ff ff ff ff ff ff ff ff 00 00 00 01 00 00",
    "READ(16), no blocks": "88 00 00 01 00 00 00 00 00 00 00 00 00 00 00 00",
    "WRITE(10)": "2a 00 00 00 08 00 00 00 01 00",
    "WRITE AND VERIFY(16)": "8e 00 00 00 00 00 00 00 08 00 00 00 00 01 00 00",
    "VERIFY(10), BYTCHK 0": "2f 00 00 00 07 ff 00 ff ff 00",
    "COMPARE AND WRITE": "89 00 00 00 00 00 00 00 07 ff 00 00 00 02 00 00",
    "WRITE SAME(10)": "41 00 00 00 07 ff 00 00 02 00",
  };
  for (const [name, cdb] of Object.entries(cdbs)) {
    it(`${name}: LBA out of range`, async () => {
      const rest = /^(?:0a|2a|8e|89|41)/.test(cdb) ? { dataOut: blocks(4, 1) } : {};
      expect(await san.try("A", cdb, rest)).to.equal("05/21/00");
    });
  }

  it("the last block is there", async () => {
    expect(await san.try("A", "28 00 00 00 07 ff 00 00 01 00")).to.equal("GOOD");
    expect(await san.try("A", "28 00 00 00 08 00 00 00 00 00")).to.equal("GOOD");
  });

  it("READ(6) with 0 reads 256 blocks", async () => {
    expect((await san.send("A", "08 00 07 00 00 00")).dataIn).to.have.length(256 * 512);
  });

  it("more than the limit of one command: invalid field in CDB", async () => {
    const large = await disk({ sizeBytes: 2 ** 40 });
    expect((await large.send("A", "88 00 00 00 00 00 00 00 00 00 00 00 40 00 00 00")).dataIn).to.have.length(8 * 1024 * 1024);
    expect(await large.try("A", "88 00 00 00 00 00 00 00 00 00 00 00 40 01 00 00")).to.equal("05/24/00");
    expect(await large.try("A", "a8 00 00 00 00 00 ff ff ff ff 00 00")).to.equal("05/24/00");
    expect(await large.try("A", "8f 00 00 00 00 00 00 00 00 00 7f ff ff ff 00 00")).to.equal("GOOD");
    expect(await large.try("A", "8f 02 00 00 00 00 00 00 00 00 00 00 40 01 00 00")).to.equal("05/24/00");
    await large.fabric.close();
  });

  it("protection information: invalid field in CDB", async () => {
    for (const cdb of ["28 20 00 00 00 00 00 00 01 00", "2a 60 00 00 00 00 00 00 01 00", "2f 20 00 00 00 00 00 00 01 00"]) {
      expect(await san.try("A", cdb, cdb.startsWith("28") ? {} : { dataOut: blocks(1, 1) }), cdb).to.equal("05/24/00");
    }
    expect(await san.try("A", "08 20 00 00 01 00"), "bits of byte 1 of READ(6) that are reserved").to.equal("GOOD");
  });

  it("data in the wrong direction: invalid field in CDB", async () => {
    expect(await san.try("A", "28 00 00 00 00 00 00 00 01 00", { dataOut: blocks(1, 1) })).to.equal("05/24/00");
    expect(await san.try("A", "12 00 00 00 60 00", { dataOut: blocks(1, 1) })).to.equal("05/24/00");
    expect(await san.try("A", "2a 00 00 00 00 00 00 00 01 00", { allocationLength: 512 })).to.equal("05/24/00");
    expect(await san.try("A", "00 00 00 00 00 00", { dataOut: blocks(1, 1) }), "data nobody asked for").to.equal("GOOD");
  });
});

describe("write protection", () => {
  const writing: Readonly<Record<string, number>> = {
    ...Object.fromEntries(Object.values(WRITES).map((cdb) => [cdb, 2])),
    "89 00 00 00 00 00 00 00 00 05 00 00 00 01 00 00": 2,
    "41 00 00 00 00 05 00 00 01 00": 1,
    "93 00 00 00 00 00 00 00 00 05 00 00 00 01 00 00": 1,
  };
  const unmap = { dataOut: Buffer.from("001600100000000000000000000000000000000100000000", "hex") };

  it("refuses everything that would change the medium", async () => {
    const san = await disk({ writeProtected: true });
    for (const [cdb, count] of Object.entries(writing))
      expect(await san.try("A", cdb, { dataOut: blocks(count, 1) }), cdb).to.equal("07/27/00");
    expect(await san.try("A", "42 00 00 00 00 00 00 00 18 00", unmap)).to.equal("07/27/00");
    expect(await san.try("A", READ_ONE)).to.equal("GOOD");
    expect(await san.try("A", "2a 00 00 00 08 00 00 00 01 00", { dataOut: blocks(1, 1) }), "what is illegal comes first").to.equal(
      "05/21/00",
    );
    expect((await san.send("A", "1a 00 0a 00 ff 00")).dataIn[2]).to.equal(0x90);
    await san.fabric.close();
  });

  it("comes and goes with SWP", async () => {
    const san = await disk();
    const select = async (flags: string): Promise<string> =>
      san.try("A", "15 10 00 00 10 00", { dataOut: Buffer.from(`000000000a0a0210${flags}0000000000000000`.slice(0, 32), "hex") });
    expect(await select("08")).to.equal("GOOD");
    expect(await san.try("A", WRITES["WRITE(10)"], { dataOut: blocks(2, 1) })).to.equal("07/27/00");
    expect((await san.send("A", "1a 00 0a 00 ff 00")).dataIn[2]).to.equal(0x90);
    expect(await select("00")).to.equal("GOOD");
    expect(await san.try("A", WRITES["WRITE(10)"], { dataOut: blocks(2, 1) })).to.equal("GOOD");
    await san.fabric.close();
  });
});

describe("UNMAP", () => {
  const list = (dataLength: number, descriptors: string): Buffer =>
    Buffer.from(`0000${dataLength.toString(16).padStart(4, "0")}00000000${descriptors}`, "hex");
  const block0 = "00000000000000000000000100000000";
  const beyond = "00000000000008000000000100000000";

  const cases: readonly (readonly [string, string, Buffer, string])[] = [
    ["an empty list", "42 00 00 00 00 00 00 00 00 00", Buffer.alloc(0), "GOOD"],
    ["a header without descriptors", "42 00 00 00 00 00 00 00 08 00", list(0, ""), "GOOD"],
    ["a list shorter than its header", "42 00 00 00 00 00 00 00 07 00", Buffer.alloc(7), "05/1A/00"],
    ["less data than announced", "42 00 00 00 00 00 00 00 18 00", list(16, ""), "05/1A/00"],
    ["a block that there is not", "42 00 00 00 00 00 00 00 28 00", list(32, block0 + beyond), "05/21/00"],
    ["a descriptor that is cut", "42 00 00 00 00 00 00 00 10 00", list(16, block0.slice(0, 16)), "GOOD"],
    ["anchor", "42 01 00 00 00 00 00 00 18 00", list(16, block0), "05/24/00"],
  ];
  for (const [what, cdb, dataOut, expected] of cases) {
    it(`${what}: ${expected}`, async () => {
      const san = await disk();
      await san.send("A", "0a 00 00 00 01 00", { dataOut: blocks(1, 5) });
      expect(await san.try("A", cdb, { dataOut })).to.equal(expected);
      expect((await san.send("A", READ_ONE)).dataIn[0], "nothing happened").to.equal(5);
      await san.fabric.close();
    });
  }

  it("is unknown to a fully provisioned unit", async () => {
    const san = await disk({ thinProvisioned: false });
    expect(await san.try("A", "42 00 00 00 00 00 00 00 18 00", { dataOut: list(16, block0) })).to.equal("05/20/00");
    expect(await san.try("A", "41 08 00 00 00 02 00 00 01 00", { dataOut: blocks(1, 0) })).to.equal("05/24/00");
    expect(await san.try("A", "41 00 00 00 00 02 00 00 01 00", { dataOut: blocks(1, 0) })).to.equal("GOOD");
    const { dataIn } = await san.send("A", "9e 10 00 00 00 00 00 00 00 00 00 00 00 20 00 00");
    expect(parseCapacity16(dataIn)).to.include({ provisioned: false, unmappedReadsZeros: false });
    await san.fabric.close();
  });
});

describe("READ CAPACITY", () => {
  it("tells the last block and the block length", async () => {
    const san = await disk({ blockSizeBytes: 4096 });
    expect(hex((await san.send("A", "25 00 00 00 00 00 00 00 00 00")).dataIn)).to.equal("000000ff00001000");
    const { dataIn, residual } = await san.send("A", "9e 10 00 00 00 00 00 00 00 00 00 00 00 ff 00 00");
    expect([dataIn.length, residual]).to.deep.equal([32, 223]);
    expect(parseCapacity16(dataIn)).to.include({ lastLba: 255, blockSizeBytes: 4096 });
    await san.fabric.close();
  });

  it("(10) has all ones where (16) is to be asked", async () => {
    const san = await disk({ sizeBytes: 2 ** 42 });
    expect(hex((await san.send("A", "25 00 00 00 00 00 00 00 00 00")).dataIn)).to.equal("ffffffff00000200");
    const { dataIn } = await san.send("A", "9e 10 00 00 00 00 00 00 00 00 00 00 00 20 00 00");
    expect(parseCapacity16(dataIn)?.lastLba).to.equal(2 ** 33 - 1);
    await san.fabric.close();
  });

  it("an unknown service action beside it: invalid field in CDB", async () => {
    const san = await disk();
    expect(await san.try("A", "9e 1f 00 00 00 00 00 00 00 00 00 00 00 20 00 00")).to.equal("05/24/00");
    await san.fabric.close();
  });
});

describe("a terabyte that nobody wrote to", () => {
  it("costs nearly nothing, and what is written to it little", async () => {
    const san = await disk({ sizeBytes: 2 ** 40 });
    const before = process.memoryUsage();
    for (let index = 0; index < 1024; index += 1) {
      const lba = Math.floor((index * 2 ** 31) / 1024)
        .toString(16)
        .padStart(8, "0");
      expect(await san.try("A", `28 00 ${lba} 00 00 01 00`)).to.equal("GOOD");
    }
    expect(await san.try("A", "2a 00 7f ff ff ff 00 00 01 00", { dataOut: blocks(1, 7) })).to.equal("GOOD");
    expect((await san.send("A", "28 00 7f ff ff ff 00 00 01 00")).dataIn[511]).to.equal(7);
    const after = process.memoryUsage();
    expect(after.arrayBuffers - before.arrayBuffers).to.be.below(1024 * 1024);
    await san.fabric.close();
  });

  it("costs nothing either when zeros are written all over it by WRITE SAME", async () => {
    const san = await disk({ sizeBytes: 2 ** 40 });
    const before = process.memoryUsage();
    for (let index = 0; index < 64; index += 1) {
      const lba = (index * 16_384).toString(16).padStart(16, "0");
      expect(await san.try("A", `93 00 ${lba} 00 00 40 00 00 00`, { dataOut: blocks(1, 0) })).to.equal("GOOD");
    }
    const after = process.memoryUsage();
    expect(after.arrayBuffers - before.arrayBuffers).to.be.below(64 * 1024 * 1024);
    await san.fabric.close();
  });
});
