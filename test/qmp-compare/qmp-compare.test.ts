/** QMP against QEMU: the record is what QEMU says, and what this library says. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { expect } from "chai";
import { EXEMPTIONS } from "./exemptions.js";
import { askOurselves } from "./ours.js";
import { askQemu, PACKAGE, PROGRAM } from "./qemu.js";
import { readRecord } from "./record.js";
import { SCRIPTS } from "./scripts.js";
import { withSurroundings } from "./surroundings.js";
import { skipUnlessRequired } from "../support/requirement.js";

/** One process per script, of which each takes some 100 ms on an idle machine. */
const ASKING_TIMEOUT_MS = 300_000;

describe("QMP, as QEMU speaks it", () => {
  const record = readRecord();

  it("has a record of every script and of nothing else", () => {
    expect([...record.keys()]).to.deep.equal(SCRIPTS.map(({ name }) => name));
    expect(record.size).to.be.at.least(40);
    expect(SCRIPTS.map(({ name }) => name)).to.include.members([...EXEMPTIONS.keys()]);
  });

  it("is what QEMU answers", async function () {
    this.timeout(ASKING_TIMEOUT_MS);
    if (spawnSync(PROGRAM, ["--version"]).status !== 0) skipUnlessRequired(this, `there is no QEMU: apt-get install ${PACKAGE}`);
    await withSurroundings(async (words) => {
      for (const script of SCRIPTS) expect(await askQemu(script, words), script.name).to.deep.equal(record.get(script.name));
    });
  });

  for (const script of SCRIPTS) {
    const reason = EXEMPTIONS.get(script.name);
    it(reason === undefined ? script.name : `${script.name}: differs, ${reason}`, async () => {
      const ours = await withSurroundings((words) => askOurselves(script, words));
      if (reason === undefined) expect(ours).to.deep.equal(record.get(script.name));
      else expect(ours).not.to.deep.equal(record.get(script.name));
    });
  }

  it("says every difference in docs/qmp.md", () => {
    const page = readFileSync(new URL("../../../docs/qmp.md", import.meta.url), "utf8").replaceAll(/\s+/g, " ");
    for (const reason of EXEMPTIONS.values()) expect(page).to.contain(reason);
  });
});
