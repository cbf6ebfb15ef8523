/**
 * QEMU 11.1 and a scsi-block of ours: what one saves the other takes. What QEMU does is in migration.json (`npm run record:migration`). With
 * NEWER_QEMU=FOLDER, a folder that the script has filled, guests move between the two, and the record is held against the program.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { expect } from "chai";
import type { ReserveOutRequest } from "qom-pr";
import { bytes } from "../support/hex.js";
import { temporaryFolder } from "../support/folder.js";
import { LentDisks } from "../support/lent-disk.js";
import { NewerQemu } from "../support/newer-qemu.js";
import { contentAt, MigratingQemu, subsectionOf } from "./support/migrating-qemu.js";
import { Cluster, KEY, OTHER_KEY } from "./support/migrating.js";
import type { Node } from "./support/migrating.js";
import { MigrationAsking } from "./support/migration-qemu.js";
import { readMigrationRecord } from "./support/migration-record.js";
import { ignoring, K, REGISTER, reserve, ROWS } from "./support/migration-rows.js";

const FOLDER = process.env["NEWER_QEMU"];

const record = readMigrationRecord();

const streamOf = (row: string): Uint8Array => bytes(record.subsections[row] ?? expect.fail(`QEMU saves nothing after ${row}`));

/** What is on the disk when a stream of QEMU arrives, commands of c meanwhile, the stream, and what is there in the end; QEMU's, if left out. */
const TAKEOVERS: readonly (readonly [what: string, before: readonly ReserveOutRequest[], row: string, reserved?: string])[] = [
  ["reservation", [REGISTER, reserve(5)], "RESERVE of type 5"],
  ["registration", [REGISTER], "REGISTER"],
  ["registration of a lost reservation", [REGISTER], "RESERVE of type 5"],
  ["nothing", [], "RESERVE of type 5"],
  ["nothing of a fenced guest", [], "RESERVE of type 5"],
  ["reservation of all registrants", [REGISTER, reserve(7)], "RESERVE of type 7", `b0=${K}, type 7 of all`],
];

describe(`a stream of QEMU ${record.version}`, () => {
  const cluster = Cluster.ofTests();

  for (const [what, before, row, reserved] of TAKEOVERS) {
    it(`is taken over${reserved === undefined ? " with its destination's PERSISTENT RESERVE OUT" : ", as QEMU does not"}: ${what}`, async () => {
      const [a, b, c] = [await cluster.node("a"), await cluster.node("b"), await cluster.node("c")];
      for (const request of before) await a.out(request);
      if (what.includes("fenced")) {
        await c.out(ignoring(OTHER_KEY));
        await c.out(reserve(5, OTHER_KEY));
      }
      const { taken } = await b.disk().migration.restore(streamOf(row));
      expect(taken).to.equal(what.split(" ", 1)[0]);
      const theirs = record.takeovers[what] ?? expect.fail("it was not recorded");
      if (reserved !== undefined) expect(theirs.reserved).not.to.equal(reserved);
      expect(cluster.reserved).to.equal(reserved ?? theirs.reserved);
      const outs = theirs.commands.filter((command) => command.startsWith("5f"));
      if (reserved === undefined) expect(b.raw.filter((command) => command.startsWith("5f"))).to.deep.equal(outs);
    });
  }

  it("hides the same capabilities from its guest", async () => {
    const a = await cluster.node("a");
    expect(record.capabilities).to.equal(`response 0, status 00, residual 0, data ${(await a.capabilities()).replace(/(00)+$/, "")}`);
  });
});

/** Guests that move between QEMU and machines of ours. */
function tellLive(folder: string): void {
  const cluster = Cluster.ofTests();
  const disks = LentDisks.ofTests();
  const own = temporaryFolder();
  const file = (name: string): string => own.path(name);
  const qemu = NewerQemu.fetch(folder);

  /** A node behind the disk of a QEMU; what QEMU sends must pass as it is. */
  const lender = (name: string): Promise<Node> => cluster.node(name, { device: "scsi-generic" });

  for (const type of [0, 1, 5]) {
    it(`take a guest from each other and back, type ${type}, and the other node stays fenced`, async () => {
      const [a, b, c, d] = [await lender("a"), await cluster.node("b"), await cluster.node("c"), await lender("d")];
      const held = (name: string): string => `${name}0=${K}${type === 0 ? "" : `, type ${type} of ${name}0`}`;
      const source = await MigratingQemu.start(qemu, disks, a.disk());
      try {
        expect(await source.out(REGISTER)).to.match(/status 00/);
        if (type !== 0) expect(await source.out(reserve(type))).to.match(/status 00/);
        await source.save(file("stream"));
      } finally {
        await source.close();
      }
      expect(cluster.reserved).to.equal(held("a"));
      await b.disk().migration.restore(subsectionOf(file("stream")) ?? expect.fail("QEMU has saved nothing"));
      expect(cluster.reserved).to.equal(held("b"));
      if (type !== 0) expect(await c.write()).to.equal("RC");

      // Another key, so that it is ours that QEMU takes.
      await b.out({ action: "register", key: KEY, serviceActionKey: OTHER_KEY });
      const stream = readFileSync(file("stream"));
      stream.set(b.disk().migration.save() ?? [], contentAt(stream) ?? 0);
      writeFileSync(file("ours"), stream);
      const destination = await MigratingQemu.start(qemu, disks, d.disk(), true);
      try {
        await destination.load(file("ours"));
      } finally {
        await destination.close();
      }
      expect(cluster.reserved).to.equal(held("d").replace(K, OTHER_KEY.toString(16)));
      if (type !== 0) expect(await c.write()).to.equal("RC");
      expect((await b.disk().migration.reclaim()).taken).to.equal(type === 0 ? "registration" : "reservation");
      expect(cluster.reserved).to.equal(held("b").replace(K, OTHER_KEY.toString(16)));
    });
  }

  it("do what the record says", async () => {
    const asking = new MigrationAsking(qemu, disks, cluster);
    try {
      const subsections: Record<string, string | null> = {};
      for (const row of ROWS) subsections[row[0]] = await asking.subsection(row);
      expect(subsections).to.deep.equal(record.subsections);
      expect(await asking.capabilities()).to.equal(record.capabilities);
      expect(await asking.takeovers()).to.deep.equal(record.takeovers);
    } finally {
      asking.close();
    }
  });
}

// Without it the suite is not there: the packages are large, and no ordinary run fetches them.
if (FOLDER !== undefined) {
  describe("QEMU 11.1 and a machine of ours", function () {
    this.timeout(120_000);
    tellLive(FOLDER);
  });
}
