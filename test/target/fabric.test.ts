import { link, readFile, stat, symlink, writeFile } from "node:fs/promises";
import { expect } from "chai";
import { QomError } from "#src/base/errors.js";
import { Fabric } from "#src/target/fabric/fabric.js";
import type { UnitSpec } from "#src/target/unit/unit-spec.js";
import { openDescriptors } from "../support/descriptors.js";
import { refusal } from "../support/refusal.js";
import { temporaryFolder } from "../support/folder.js";
import { blocks, command, disk, nexus, WWN } from "./support.js";
import { outcome } from "../support/outcome.js";

const OTHER = "naa.5000000000000002";

describe("fabric", () => {
  const { path } = temporaryFolder();
  let fabric: Fabric;
  beforeEach(() => {
    fabric = new Fabric();
  });
  afterEach(async () => fabric.close());

  it("gives the same unit for the same name, in any case of letters", async () => {
    const first = await fabric.attach({ wwn: "naa.500000000000ABCD" });
    expect(await fabric.attach({ wwn: "NAA.500000000000abcd" })).to.equal(first);
    expect(fabric.unit("naa.500000000000AbCd")).to.equal(first);
    expect(first.wwn).to.equal("naa.500000000000abcd");
    expect(fabric.units).to.deep.equal([first]);
  });

  it("has a size of 64 MiB, blocks of 512 bytes and no descriptor when nobody says otherwise", async () => {
    const unit = await fabric.attach({ wwn: WWN });
    expect([unit.sizeBytes, unit.blockSizeBytes, unit.fd]).to.deep.equal([64 * 1024 * 1024, 512, null]);
  });

  it("does not know a unit that nobody attached", async () => {
    const error = await refusal(() => fabric.unit(WWN));
    expect(error.kind).to.equal("not-found");
    expect(error.message).to.contain(WWN);
  });

  it("shares nothing with another fabric", async () => {
    const other = new Fabric();
    const here = await fabric.attach({ wwn: WWN });
    expect(await other.attach({ wwn: WWN })).not.to.equal(here);
    const join = ({ members }: Fabric, name = members.nextName()): string => {
      members.join({ name, warn: (line) => expect.fail(line) });
      return name;
    };
    const names = [undefined, "m2", undefined, "a", undefined].map((given) => join(fabric, given));
    expect([...names, join(other)]).to.deep.equal(["m0", "m2", "m1", "a", "m3", "m0"]);
    await other.close();
  });

  it("gives a unit that works to who asks while its maker takes it back", async () => {
    const spec: UnitSpec = { wwn: WWN, filename: path("taken back"), sizeBytes: 1024 * 1024 };
    const taken = await fabric.attach(spec);
    const asked = fabric.attach(spec);
    const discarded = fabric.discard(taken);
    const unit = await asked;
    await discarded;
    expect(unit).not.to.equal(taken);
    expect(outcome(await unit.execute(nexus("A1"), command("00 00 00 00 00 00")))).to.equal("GOOD");
    expect(fabric.units).to.deep.equal([unit]);
  });

  describe("attach once more", () => {
    const first: UnitSpec = { wwn: WWN, sizeBytes: 1024 * 1024, blockSizeBytes: 4096, serial: "abc", writeProtected: true };
    beforeEach(async () => void (await fabric.attach(first)));

    it("may leave everything out, or say the same", async () => {
      const unit = fabric.unit(WWN);
      expect(await fabric.attach({ wwn: WWN })).to.equal(unit);
      expect(await fabric.attach(first)).to.equal(unit);
    });

    const contradictions: readonly (readonly [Partial<UnitSpec>, string, string])[] = [
      [{ sizeBytes: 2 * 1024 * 1024 }, "2097152", "1048576"],
      [{ blockSizeBytes: 512 }, "512", "4096"],
      [{ physicalBlockSizeBytes: 8192 }, "8192", "4096"],
      [{ serial: "xyz" }, "xyz", "abc"],
      [{ writeProtected: false }, "false", "true"],
      [{ thinProvisioned: false }, "false", "true"],
      [{ filename: "/tmp/elsewhere" }, "/tmp/elsewhere", "(in memory)"],
      [{ locking: "off" }, "off", "auto"],
    ];
    for (const [spec, given, actual] of contradictions) {
      it(`refuses another ${Object.keys(spec).join()}, naming both`, async () => {
        const error = await refusal(() => fabric.attach({ wwn: WWN, ...spec }));
        expect(error.kind).to.equal("conflict");
        expect(error.message).to.contain(given).and.to.contain(actual).and.to.contain(WWN);
      });
    }
  });

  const mistakes: readonly (readonly [string, Partial<UnitSpec>])[] = [
    ["no name", { wwn: "" }],
    ["a name of another kind", { wwn: "iqn.2026-11.org.example:disk" }],
    ["a name with 15 digits", { wwn: "naa.500000000000001" }],
    ["size 0", { sizeBytes: 0 }],
    ["a negative size", { sizeBytes: -512 }],
    ["half a byte", { sizeBytes: 512.5 }],
    ["a size that is no number", { sizeBytes: Number.NaN }],
    ["a size beyond the limit", { sizeBytes: 2 ** 52 + 512 }],
    ["a size that is no multiple of the block size", { sizeBytes: 1000 }],
    ["a block size of 520", { blockSizeBytes: 520 }],
    ["physical blocks that are smaller than logical ones", { blockSizeBytes: 4096, physicalBlockSizeBytes: 512 }],
    ["physical blocks of three logical ones", { physicalBlockSizeBytes: 1536 }],
    ["physical blocks of 4 MiB", { physicalBlockSizeBytes: 4 * 1024 * 1024 }],
    ["physical blocks that are no number", { physicalBlockSizeBytes: Number.NaN }],
    ["an empty file name", { filename: "" }],
    ["an empty serial number", { serial: "" }],
    ["a serial number with a line break", { serial: "a\nb" }],
    ["a serial number that is too long", { serial: "x".repeat(252) }],
    ["a way of locking that is none", JSON.parse('{ "locking": "maybe" }') as UnitSpec], // as a caller without types can
  ];
  for (const [what, spec] of mistakes) {
    it(`refuses ${what}`, async () => {
      const error = await refusal(() => fabric.attach({ wwn: WWN, ...spec }));
      expect(error.kind).to.equal("invalid-value");
      expect(fabric.units).to.deep.equal([]);
    });
  }

  describe("with a file", () => {
    it("creates a missing one with the size given", async () => {
      const unit = await fabric.attach({ wwn: WWN, filename: path("new"), sizeBytes: 3 * 4096 });
      expect((await stat(path("new"))).size).to.equal(3 * 4096);
      expect(unit.fd).to.be.a("number");
      await unit.execute(nexus("A1"), command("2a 00 00 00 00 01 00 00 01 00", { dataOut: blocks(1, 7) }));
      const content = await readFile(path("new"));
      expect([content[511], content[512], content[1023], content[1024]]).to.deep.equal([0, 7, 7, 0]);
    });

    it("takes the size of an existing one, and a later path may say so", async () => {
      await writeFile(path("old"), Buffer.alloc(8192));
      const unit = await fabric.attach({ wwn: WWN, filename: path("old") });
      expect(unit.sizeBytes).to.equal(8192);
      await symlink(path("old"), path("also-old"));
      expect(await fabric.attach({ wwn: WWN, sizeBytes: 8192, filename: path("also-old") })).to.equal(unit);
    });

    it("refuses another size than the file has, naming both, and closes the file", async () => {
      await writeFile(path("small"), Buffer.alloc(8192));
      const error = await refusal(() => fabric.attach({ wwn: WWN, filename: path("small"), sizeBytes: 16_384 }));
      expect(error.kind).to.equal("conflict");
      expect(error.message).to.contain("16384").and.to.contain("8192");
      expect((await fabric.attach({ wwn: OTHER, filename: path("small") })).sizeBytes).to.equal(8192);
    });

    it("refuses a length that is no multiple of the block size", async () => {
      await writeFile(path("odd"), Buffer.alloc(1000));
      const error = await refusal(() => fabric.attach({ wwn: WWN, filename: path("odd") }));
      expect(error.kind).to.equal("invalid-value");
      expect(error.message).to.contain("1000");
    });

    it("refuses the file of another unit, by whatever name", async () => {
      await fabric.attach({ wwn: WWN, filename: path("owned"), sizeBytes: 4096 });
      await link(path("owned"), path("hard-link"));
      const error = await refusal(() => fabric.attach({ wwn: OTHER, filename: path("hard-link") }));
      expect(error.kind).to.equal("in-use");
      expect(error.message).to.contain(WWN).and.to.contain(OTHER);
    });

    it("refuses another file for the same unit", async () => {
      await fabric.attach({ wwn: WWN, filename: path("this"), sizeBytes: 4096 });
      await writeFile(path("that"), Buffer.alloc(4096));
      const error = await refusal(() => fabric.attach({ wwn: WWN, filename: path("that") }));
      expect(error.kind).to.equal("conflict");
      expect(error.message).to.contain(path("that")).and.to.contain(path("this"));
    });

    it("opens it once for paths that come at the same time", async () => {
      const specs = [{ sizeBytes: 4096 }, {}, { sizeBytes: 4096 }, { sizeBytes: 8192 }];
      const outcomes = await Promise.allSettled(specs.map((spec) => fabric.attach({ wwn: WWN, filename: path("together"), ...spec })));
      const units = new Set(outcomes.map((each) => (each.status === "fulfilled" ? each.value : null)));
      expect([...units]).to.deep.equal([fabric.unit(WWN), null]);
      const [, , , last] = outcomes;
      expect(last?.status === "rejected" && last.reason instanceof QomError && last.reason.kind).to.equal("conflict");
    });

    it("lets go of it when the store cannot tell the unit's reservations", async () => {
      const store = {
        durable: true,
        load: (unit: string): null => {
          if (unit === WWN) throw new QomError("io", "it cannot be read");
          return null;
        },
        commit: () => "done" as const,
        close: () => Promise.resolve(),
      };
      const failing = new Fabric({ store });
      const filename = path("unreadable");
      await writeFile(filename, new Uint8Array(1024));
      expect((await refusal(() => failing.attach({ wwn: WWN, filename }))).message).to.equal("it cannot be read");
      expect(openDescriptors()).not.to.include(filename);
      expect((await failing.attach({ wwn: OTHER, filename })).sizeBytes).to.equal(1024);
      await failing.close();
    });

    it("tries again after a failure", async () => {
      const [first, second] = await Promise.allSettled([
        fabric.attach({ wwn: WWN, filename: path("no/such/folder") }),
        fabric.attach({ wwn: WWN, filename: path("retry"), sizeBytes: 4096 }),
      ]);
      expect([first.status, second.status]).to.deep.equal(["rejected", "fulfilled"]);
    });
  });

  describe("shadow unit", () => {
    it("is the same for the same identity, and no unit of the network", async () => {
      const shadow = fabric.shadow("naa.600140500000aaaa");
      expect(fabric.shadow("naa.600140500000aaaa")).to.equal(shadow);
      expect(fabric.shadow("8:16")).not.to.equal(shadow);
      expect(fabric.units).to.deep.equal([]);
      expect([shadow.sizeBytes, shadow.fd]).to.deep.equal([0, null]);
      expect((await refusal(() => fabric.unit("naa.600140500000aaaa"))).kind).to.equal("not-found");
    });

    it("has reservations and knows who it is, and nothing else", async () => {
      const shadow = fabric.shadow("dev 8:16");
      const send = async (cdb: string): Promise<string> => outcome(await shadow.execute(nexus("A1"), command(cdb)));
      for (const cdb of [
        "00 00 00 00 00 00",
        "03 00 00 00 12 00",
        "12 00 00 00 60 00",
        "12 01 83 00 ff 00",
        "5e 00 00 00 00 00 00 00 08 00",
      ]) {
        expect(await send(cdb), cdb).to.equal("GOOD");
      }
      expect(await send("a0 00 00 00 00 00 00 00 00 10 00 00")).to.equal("GOOD");
      for (const cdb of [
        "28 00 00 00 00 00 00 00 00 00",
        "25 00 00 00 00 00 00 00 00 00",
        "1a 00 3f 00 ff 00",
        "16 00 00 00 00 00",
        "1b 00 00 00 01 00",
      ]) {
        expect(await send(cdb), cdb).to.equal("05/20/00");
      }
    });

    it("keeps its state apart from a simulated unit of that name", async () => {
      const unit = await fabric.attach({ wwn: WWN });
      const shadow = fabric.shadow(WWN);
      const register = command("5f 00 00 00 00 00 00 00 18 00", { dataOut: new Uint8Array(24).fill(1, 8, 16) });
      expect(outcome(await shadow.execute(nexus("A1"), register))).to.equal("GOOD");
      expect(shadow.reservations.registrants).to.have.length(1);
      expect(unit.reservations.registrants).to.have.length(0);
    });
  });

  describe("close", () => {
    it("can be asked for twice, and refuses everything afterwards", async () => {
      const { fabric: closed, unit, nexuses } = await disk();
      await Promise.all([closed.close(), closed.close()]);
      await closed.close();
      for (const attempt of [
        () => closed.attach({ wwn: WWN }),
        () => closed.shadow("x"),
        () => closed.powerCycle(),
        () => unit.execute(nexuses.A, command("00 00 00 00 00 00")),
        () => unit.reset("target", nexuses.A),
        () => unit.login(nexuses.A),
      ]) {
        expect((await refusal(attempt)).kind).to.equal("closed");
      }
    });

    it("waits for a unit that is being opened, and then has none", async () => {
      const pending = fabric.attach({ wwn: WWN, filename: path("late"), sizeBytes: 4096 });
      const closing = fabric.close();
      expect((await refusal(() => pending)).kind).to.equal("closed");
      await closing;
      expect(fabric.units).to.deep.equal([]);
    });

    it("leaves the content of files", async () => {
      const unit = await fabric.attach({ wwn: WWN, filename: path("kept"), sizeBytes: 4096 });
      await unit.execute(nexus("A1"), command("0a 00 00 00 01 00", { dataOut: blocks(1, 0x5a) }));
      await fabric.close();
      expect((await readFile(path("kept"))).subarray(0, 512).every((byte) => byte === 0x5a)).to.equal(true);
    });
  });
});
