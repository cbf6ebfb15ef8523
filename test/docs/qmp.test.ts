/** docs/qmp.md has the commands and events that there are. */
import { expect } from "chai";
import { allCommands } from "#src/monitor/commands/all.js";
import { DIFFERENCES } from "#src/qemu/compat.js";
import { eventSchemas } from "#src/monitor/event-schemas.js";
import { projectFile } from "../lint/planted-tree.js";
import { quoted, tableOf } from "../support/page-table.js";

const PAGE = projectFile("docs/qmp.md");

describe("docs/qmp.md", () => {
  it("has every command, and no other", () => {
    const told = tableOf(PAGE, ["About", "Commands"]).flatMap(([, commands = ""]) => quoted(commands));
    expect(told).to.have.members(allCommands().map(({ name }) => name));
  });

  it("says which commands are beyond QEMU's", () => {
    const beyond = tableOf(PAGE, ["About", "Commands"]).find(([about]) => about === "beyond QEMU");
    expect(quoted(beyond?.[1] ?? "")).to.have.members(
      allCommands()
        .map(({ name }) => name)
        .filter((name) => name.startsWith("x-")),
    );
  });

  it("has every difference between versions of QEMU, in the words of the code's table", () => {
    const rows = Object.values(DIFFERENCES).map(({ what, says }) => [what, says["7.2"], says["11.1"]]);
    expect(tableOf(PAGE, ["What", "7.2", "11.1"])).to.deep.equal(rows);
  });

  it("has every event, and no other", () => {
    const told = tableOf(PAGE, ["Event", "When"]).flatMap(([event = ""]) => quoted(event));
    expect(told).to.have.members(Object.keys(eventSchemas()));
  });
});
