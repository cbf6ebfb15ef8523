/** The option languages against QEMU: the record is what QEMU says, and what this library says. */
import { expect } from "chai";
import { askOurselves } from "./ours.js";
import { askQemu, isInstalled, PACKAGES } from "./qemu.js";
import { keyOf, readRecord, withFile } from "./record.js";
import { ROWS } from "./rows.js";
import { skipUnlessRequired } from "../support/requirement.js";

/** One process per row, of which each takes some 40 ms on an idle machine. */
const ASKING_TIMEOUT_MS = 300_000;

describe("option texts, as QEMU takes them", () => {
  const record = readRecord();

  it("has a record of every row and of nothing else", () => {
    expect([...record.keys()]).to.deep.equal(ROWS.map(keyOf));
    expect(record.size).to.be.at.least(120);
  });

  it("is what QEMU answers", async function () {
    this.timeout(ASKING_TIMEOUT_MS);
    if (!isInstalled()) skipUnlessRequired(this, `there is no QEMU: apt-get install ${PACKAGES}`);
    const answers = await withFile((file) => ROWS.map((row) => [keyOf(row), askQemu(row, file)]));
    expect(Object.fromEntries(answers)).to.deep.equal(Object.fromEntries(record));
  });

  for (const row of ROWS) {
    const key = keyOf(row);
    const text = key.replaceAll(/(.)\1{9,}/g, "$1…");
    if (row.differs === undefined) {
      it(text, async () => expect(await withFile((file) => askOurselves(row, file))).to.deep.equal(record.get(key)));
    } else {
      it(`${text}: differs, ${row.differs}`, async () =>
        expect(await withFile((file) => askOurselves(row, file))).not.to.deep.equal(record.get(key)));
    }
  }
});
