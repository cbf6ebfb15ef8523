import { ftruncate, read, stat, write } from "node:fs";
import { mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { promisify } from "node:util";
import { expect } from "chai";
import fc from "fast-check";
import { AssertionError } from "#src/base/assert.js";
import { describeError } from "#src/base/errors.js";
import { FileMedium } from "#src/target/medium/file-medium.js";
import { MemoryMedium } from "#src/target/medium/memory-medium.js";
import type { Medium } from "#src/target/medium/medium.js";
import { refusal } from "../support/refusal.js";
import { temporaryFolder } from "../support/folder.js";
import { countTurns } from "../support/turns.js";

const SIZE = 300_000;
const going = { aborted: false };

/** What a medium can be asked to do. */
type Step =
  | { readonly kind: "write"; readonly offset: number; readonly length: number; readonly fill: number }
  | { readonly kind: "deallocate"; readonly offset: number; readonly length: number }
  | { readonly kind: "read"; readonly offset: number; readonly length: number };

const range = fc.nat(SIZE).chain((offset) => fc.record({ offset: fc.constant(offset), length: fc.nat(SIZE - offset) }));
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    fc.tuple(range, fc.integer({ min: 1, max: 255 })).map(([at, fill]): Step => ({ kind: "write", ...at, fill })),
    range.map((at): Step => ({ kind: "deallocate", ...at })),
    range.map((at): Step => ({ kind: "read", ...at })),
  ),
  { maxLength: 12 },
);

/** Does the same to a medium and to an array of bytes, and compares all that is read. */
async function compareWithArray(medium: Medium, commands: readonly Step[]): Promise<void> {
  const model = new Uint8Array(SIZE);
  for (const { kind, offset, length, ...rest } of [...commands, { kind: "read", offset: 0, length: SIZE } as const]) {
    if (kind === "write") {
      const data = new Uint8Array(length).fill("fill" in rest ? rest.fill : 0);
      await medium.write(offset, data, going);
      model.set(data, offset);
    } else if (kind === "deallocate") {
      medium.deallocate(offset, length);
      if (medium.deallocates) model.fill(0, offset, offset + length);
    } else {
      const into = new Uint8Array(length).fill(0xee);
      await medium.read(offset, into, going);
      expect(Buffer.compare(into, model.subarray(offset, offset + length)), `${length} bytes at ${offset}`).to.equal(0);
    }
  }
}

describe("medium in memory", () => {
  it("reads what was written, zeros elsewhere", async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (commands) => compareWithArray(new MemoryMedium(SIZE), commands)),
      { numRuns: 60 },
    );
  });

  it("is done when the call returns, and has no descriptor", () => {
    const medium = new MemoryMedium(SIZE);
    expect(medium.write(0, new Uint8Array(10))).to.equal(null);
    expect(medium.read(0, new Uint8Array(10))).to.equal(null);
    expect(medium.flush()).to.equal(null);
    expect(medium.fd).to.equal(null);
  });

  it("costs what was written, not what it could hold", () => {
    const size = 2 ** 40;
    const medium = new MemoryMedium(size);
    const into = new Uint8Array(4096).fill(1);
    medium.read(size - 4096, into);
    expect(into.every((byte) => byte === 0)).to.equal(true);
    expect(medium.allocatedBytes).to.equal(0);
    for (const offset of [0, size / 2, size - 4096]) medium.write(offset, new Uint8Array(4096).fill(7));
    expect(medium.allocatedBytes).to.be.at.most(3 * 65_536);
  });

  it("gives memory back", () => {
    const size = 2 ** 40;
    const medium = new MemoryMedium(size);
    for (let chunk = 0; chunk < 20; chunk += 1) medium.write(chunk * 65_536, new Uint8Array(65_536).fill(9));
    medium.deallocate(65_536, 4 * 65_536);
    expect(medium.allocatedBytes).to.equal(16 * 65_536);
    medium.deallocate(0, size);
    expect(medium.allocatedBytes).to.equal(0);
  });

  it("takes no address outside: that would be a mistake of the device server", () => {
    const medium = new MemoryMedium(SIZE);
    expect(() => medium.read(SIZE - 1, new Uint8Array(2))).to.throw(AssertionError);
    expect(() => medium.write(SIZE, new Uint8Array(1))).to.throw(AssertionError);
  });
});

describe("medium in a file", () => {
  const { path } = temporaryFolder();

  async function withMedium(name: string, use: (medium: FileMedium) => Promise<void>): Promise<void> {
    const medium = await FileMedium.open(path(name), SIZE);
    try {
      await use(medium);
    } finally {
      await medium.close();
    }
  }

  it("reads what was written, zeros elsewhere", async () => {
    let runs = 0;
    await fc.assert(
      fc.asyncProperty(steps, async (commands) => withMedium(`model-${(runs += 1)}`, (medium) => compareWithArray(medium, commands))),
      { numRuns: 15 },
    );
  });

  it("is created sparse, for its owner only", async () => {
    const medium = await FileMedium.open(path("sparse"), 2 ** 40);
    const stats = await promisify(stat)(path("sparse"));
    expect(stats.size).to.equal(2 ** 40);
    expect(stats.blocks).to.be.below(64);
    expect(stats.mode & 0o777).to.equal(0o600);
    await medium.close();
  });

  it("lends a descriptor that reads and writes the same bytes", async () => {
    await withMedium("descriptor", async (medium) => {
      await medium.write(1000, Uint8Array.of(1, 2, 3), going);
      const back = Buffer.alloc(3);
      await promisify(read)(medium.fd, back, 0, 3, 1000);
      expect([...back]).to.deep.equal([1, 2, 3]);
      await promisify(write)(medium.fd, Uint8Array.of(9), 0, 1, 1001);
      const into = new Uint8Array(3);
      await medium.read(1000, into, going);
      expect([...into]).to.deep.equal([1, 9, 3]);
    });
  });

  it("takes the size of an existing file and keeps its content", async () => {
    await writeFile(path("existing"), Buffer.alloc(2048, 5));
    const medium = await FileMedium.open(path("existing"), SIZE);
    expect(medium.sizeBytes).to.equal(2048);
    const into = new Uint8Array(2048);
    await medium.read(0, into, going);
    expect(into.every((byte) => byte === 5)).to.equal(true);
    await medium.close();
  });

  it("reads what somebody has cut off as zeros", async () => {
    await withMedium("cut", async (medium) => {
      await medium.write(0, new Uint8Array(SIZE).fill(3), going);
      await promisify(ftruncate)(medium.fd, 100);
      const into = new Uint8Array(200).fill(0xee);
      await medium.read(0, into, going);
      expect(into.subarray(0, 100).every((byte) => byte === 3)).to.equal(true);
      expect(into.subarray(100).every((byte) => byte === 0)).to.equal(true);
    });
  });

  it("stops between two steps when the command is aborted, and what is being read reaches nobody", async () => {
    const cancellation = { aborted: false };
    const size = 4 * 1024 * 1024;
    const medium = await FileMedium.open(path("aborted"), size);
    const pending = medium.write(0, new Uint8Array(size).fill(1), cancellation);
    cancellation.aborted = true;
    await pending;
    const content = await readFile(path("aborted"));
    const written = content.lastIndexOf(1) + 1;
    expect(written, "the step that was under way is complete").to.equal(256 * 1024);
    await medium.write(0, new Uint8Array(size).fill(1), { aborted: false });
    const into = new Uint8Array(size);
    const reading = { aborted: false };
    const ended = medium.read(0, into, reading);
    reading.aborted = true;
    await ended;
    expect(into.lastIndexOf(1) + 1, "the caller may have given its memory to somebody else").to.equal(0);
    await medium.close();
  });

  describe("and its reads", () => {
    const MIB = 1024 * 1024;
    const size = 4 * MIB;
    const content = Uint8Array.from({ length: size }, (_, index) => (index >> 9) % 251);

    /** With a kernel that has in memory what `cached` says: so many of the bytes that are asked for. */
    async function opened(name: string, cached: (asked: number) => number): Promise<FileMedium> {
      await writeFile(path(name), content);
      const readCached = (offset: number, into: Uint8Array): number => {
        const length = cached(into.length);
        into.set(content.subarray(offset, offset + length));
        return length;
      };
      return FileMedium.open(path(name), size, { cachedReads: () => ({ read: readCached }) });
    }

    it("what is in memory is there on return, in the caller's memory", async () => {
      const medium = await opened("cached", (asked) => asked);
      const into = new Uint8Array(MIB);
      expect(medium.read(4096, into, going)).to.equal(null);
      expect(Buffer.compare(into, content.subarray(4096, 4096 + MIB))).to.equal(0);
      await medium.close();
    });

    it("others have their turn, however much of it is read without a pause", async () => {
      const medium = await opened("turns", (asked) => asked);
      const into = new Uint8Array(MIB);
      const turns = countTurns();
      let atOnce = 0;
      for (let count = 0; count < 64; count += 1) {
        const pending = medium.read((count % 4) * MIB, into.fill(0), going);
        if (pending === null) atOnce += 1;
        await pending;
        expect(Buffer.compare(into, content.subarray((count % 4) * MIB, (count % 4) * MIB + MIB))).to.equal(0);
      }
      turns.end();
      expect(turns.count).to.be.at.least(3);
      expect(atOnce).to.be.at.least(60);
      await medium.close();
    });

    it("the rest comes from the disk", async () => {
      for (const [name, cached] of [
        ["nothing", () => 0],
        ["half", (asked: number) => asked >> 1],
        ["some", (asked: number) => Math.min(asked, 1000)],
      ] as const) {
        const medium = await opened(name, cached);
        for (const length of [1, 4096, MIB, MIB + 1, size - 512]) {
          const into = new Uint8Array(length + 1).fill(0xee);
          await medium.read(512, into.subarray(0, length), going);
          expect(Buffer.compare(into.subarray(0, length), content.subarray(512, 512 + length)), `${name}, ${length}`).to.equal(0);
          expect(into[length], "nothing beyond").to.equal(0xee);
        }
        await medium.close();
      }
    });

    it("several at once do not share memory", async () => {
      const medium = await opened("together", () => 0);
      const reads = [0, 1, 2, 3].map((index) => ({ offset: index * MIB, into: new Uint8Array(MIB) }));
      for (let round = 0; round < 2; round += 1) {
        await Promise.all(reads.map(async ({ offset, into }) => medium.read(offset, into.fill(0), going)));
        for (const { offset, into } of reads) expect(Buffer.compare(into, content.subarray(offset, offset + MIB))).to.equal(0);
      }
      await medium.close();
    });

    it("of an aborted one nothing arrives, although all is in memory", async () => {
      const medium = await opened("long", (asked) => asked);
      const cancellation = { aborted: false };
      const into = new Uint8Array(size);
      const pending = medium.read(0, into, cancellation);
      cancellation.aborted = true;
      await pending;
      expect(into.every((byte) => byte === 0)).to.equal(true);
      await medium.close();
    });

    it("what somebody has cut off reads as zeros, however long", async () => {
      const medium = await opened("shortened", () => 0);
      await promisify(ftruncate)(medium.fd, MIB + 100);
      const into = new Uint8Array(size).fill(0xee);
      await medium.read(0, into, going);
      expect(Buffer.compare(into.subarray(0, MIB + 100), content.subarray(0, MIB + 100))).to.equal(0);
      expect(into.subarray(MIB + 100).every((byte) => byte === 0)).to.equal(true);
      await medium.close();
    });
  });

  it("writes up to 1 MiB in one step, which an abort does not divide", async () => {
    for (const [shortWrites, expected] of [
      [false, 1024 * 1024],
      [true, 256 * 1024],
    ] as const) {
      const name = `steps-${shortWrites}`;
      const medium = await FileMedium.open(path(name), 4 * 1024 * 1024, { shortWrites });
      const cancellation = { aborted: false };
      const pending = medium.write(0, new Uint8Array(1024 * 1024).fill(1), cancellation);
      cancellation.aborted = true;
      await pending;
      expect((await readFile(path(name))).lastIndexOf(1) + 1).to.equal(expected);
      await medium.close();
    }
  });

  it("refuses what is no medium", async () => {
    await mkdir(path("folder"));
    await writeFile(path("empty"), "");
    await symlink(path("nowhere/at/all"), path("dangling"));
    const folder = await refusal(() => FileMedium.open(path("folder"), SIZE));
    expect(folder.kind).to.equal("io");
    expect(describeError(folder)).to.contain(path("folder")).and.to.contain("illegal operation on a directory");
    expect((await refusal(() => FileMedium.open(path("empty"), SIZE))).kind).to.equal("invalid-value");
    expect((await refusal(() => FileMedium.open(path("dangling"), SIZE))).kind).to.equal("io");
    expect((await refusal(() => FileMedium.open("/dev/null", SIZE))).kind).to.equal("invalid-value");
    expect((await refusal(() => FileMedium.open(path("missing/folder"), SIZE))).kind).to.equal("io");
  });

  it("says when it may not write", async () => {
    // No mode keeps root from writing; the kernel's own read-only files do.
    expect(describeError(await refusal(() => FileMedium.open("/sys/kernel/uevent_seqnum", SIZE)))).to.contain("permission denied");
  });
});
