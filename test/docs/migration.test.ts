/** docs/migration.md says what can be called, what comes of it, and how much is compared with QEMU. */
import { expect } from "chai";
import { allCommands } from "#src/monitor/commands/all.js";
import { FollowingMigration } from "#src/devices/disk/migration.js";
import { readMigrationRecord } from "../devices/support/migration-record.js";
import { projectFile } from "../lint/planted-tree.js";
import { quoted, tableOf } from "../support/page-table.js";

const PAGE = projectFile("docs/migration.md");

/** Of the class, and for the device that it is of. */
const INSIDE = ["constructor", "underWay", "hasBrought", "admit", "follow"];

describe("docs/migration.md", () => {
  it("has every call, and no other", () => {
    const told = tableOf(PAGE, ["Call", "Where, when", "What it does"]).flatMap(([call = ""]) =>
      quoted(call).map((text) => text.replace(/\(.*/, "")),
    );
    const calls = Object.getOwnPropertyNames(FollowingMigration.prototype).filter((name) => !INSIDE.includes(name));
    expect(new Set(told)).to.deep.equal(new Set(calls));
  });

  it("has everything that may be taken, and so has QMP", () => {
    const told = tableOf(PAGE, ["State", "On the disk", "Commands", "`taken`"]).flatMap(([, , , taken = ""]) => quoted(taken));
    expect(new Set(told)).to.have.all.keys("reservation", "registration", "nothing");
    const command = allCommands().find(({ name }) => name === "x-migrate-reservations");
    for (const taken of told) expect(command?.result.safeParse({ taken }).success, taken).to.equal(true);
  });

  it("has every action of QMP, on its page", () => {
    const rows = tableOf(projectFile("docs/qmp.md"), ['`"action"`', "Where", "Besides", "Answer"]);
    const command = allCommands().find(({ name }) => name === "x-migrate-reservations");
    const accepted = (action: string): boolean => command?.arguments.safeParse({ device: "disk0", action }).success === true;
    expect(rows.flatMap(([action = ""]) => quoted(action)).filter(accepted)).to.deep.equal(["save", "restore", "forget", "reclaim"]);
  });

  it("counts what is compared with QEMU, as docs/conformance.md does", () => {
    const { subsections, version } = readMigrationRecord();
    const count = Object.keys(subsections).length;
    expect(PAGE).to.contain(`after ${count} sequences of commands`);
    expect(PAGE).to.contain(`QEMU ${version}`);
    expect(projectFile("docs/conformance.md")).to.contain(`QEMU ${version} saves after ${count} sequences`);
  });
});
