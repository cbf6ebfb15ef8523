/** QMP against QEMU: the records are what QEMU says, and what this library says that follows that version. */
import { readFileSync } from "node:fs";
import { expect } from "chai";
import { QEMU_VERSIONS } from "#src/qemu/compat.js";
import { requireQemu } from "../support/qemu-version.js";
import { EXEMPTIONS } from "./exemptions.js";
import { askOurselves } from "./ours.js";
import { askQemu, comparable, PACKAGE } from "./qemu.js";
import { SCRIPTS } from "./scripts.js";
import { RECORD } from "./steps.js";
import { withSurroundings } from "./surroundings.js";

/** One process per script, of which each takes some 100 ms on an idle machine. */
const ASKING_TIMEOUT_MS = 300_000;

describe("QMP, as QEMU speaks it", () => {
  it("is what the installed QEMU answers", async function () {
    this.timeout(ASKING_TIMEOUT_MS);
    const version = requireQemu(this, PACKAGE);
    const record = RECORD.read(version);
    await withSurroundings(async (words) => {
      for (const script of SCRIPTS) {
        const answers = comparable(await askQemu(script, words), version);
        expect(answers, script.name).to.deep.equal(record.get(script.name));
      }
    });
  });

  for (const version of QEMU_VERSIONS) {
    describe(version, () => {
      const record = RECORD.read(version);

      it("has a record of every script and of nothing else", () => {
        expect([...record.keys()]).to.deep.equal(SCRIPTS.map(({ name }) => name));
        expect(record.size).to.be.at.least(79);
      });

      for (const script of SCRIPTS) {
        const reason = EXEMPTIONS.find(({ scripts, only = version }) => only === version && scripts.includes(script.name))?.reason;
        it(reason === undefined ? script.name : `${script.name}: differs, ${reason}`, async () => {
          const ours = comparable(await withSurroundings((words) => askOurselves(script, words, version)), version);
          if (reason === undefined) expect(ours).to.deep.equal(record.get(script.name));
          else expect(ours).not.to.deep.equal(record.get(script.name));
        });
      }
    });
  }

  it("says every difference in docs/qmp.md", () => {
    const page = readFileSync(new URL("../../../docs/qmp.md", import.meta.url), "utf8").replaceAll(/\s+/g, " ");
    for (const { reason } of EXEMPTIONS) expect(page).to.contain(reason);
    expect(SCRIPTS.map(({ name }) => name)).to.include.members(EXEMPTIONS.flatMap(({ scripts }) => scripts));
  });
});
