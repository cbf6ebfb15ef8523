/** The option languages against QEMU: the records are what QEMU says, and what this library says that follows that version. */
import { expect } from "chai";
import { QEMU_VERSIONS } from "#src/qemu/compat.js";
import { requireQemu } from "../support/qemu-version.js";
import { skipUnlessRequired } from "../support/requirement.js";
import { askOurselves } from "./ours.js";
import { askQemu, isInstalled, PACKAGES } from "./qemu.js";
import { keyOf, RECORD, withFile } from "./record.js";
import { ROWS } from "./rows.js";

/** One process per row, of which each takes some 40 ms on an idle machine. */
const ASKING_TIMEOUT_MS = 300_000;

describe("option texts, as QEMU takes them", () => {
  it("is what the installed QEMU answers", async function () {
    this.timeout(ASKING_TIMEOUT_MS);
    const version = requireQemu(this, PACKAGES);
    if (!isInstalled()) skipUnlessRequired(this, `QEMU is not complete: apt-get install ${PACKAGES}`);
    const answers = await withFile((file) => ROWS.map((row) => [keyOf(row), askQemu(row, file)]));
    expect(Object.fromEntries(answers)).to.deep.equal(Object.fromEntries(RECORD.read(version)));
  });

  for (const version of QEMU_VERSIONS) {
    describe(version, () => {
      const record = RECORD.read(version);

      it("has a record of every row and of nothing else", () => {
        expect([...record.keys()]).to.deep.equal(ROWS.map(keyOf));
        expect(record.size).to.be.at.least(330);
      });

      for (const row of ROWS) {
        const key = keyOf(row);
        const text = key.replaceAll(/(.)\1{9,}/g, "$1…");
        const differs = row.only === undefined || row.only === version ? row.differs : undefined;
        it(differs === undefined ? text : `${text}: differs, ${differs}`, async () => {
          const ours = await withFile((file) => askOurselves(row, file, version));
          if (differs === undefined) expect(ours).to.deep.equal(record.get(key));
          else expect(ours).not.to.deep.equal(record.get(key));
        });
      }
    });
  }
});
