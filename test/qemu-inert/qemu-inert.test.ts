/** Wrong values of options, with and without effect here: refused here, each with its option's name, as QEMU refuses all of them. */
import { expect } from "chai";
import { skipUnlessRequired } from "../support/requirement.js";
import { askOurselves, askQemu, PACKAGE, qemuVersion } from "./ask.js";
import { keyOf, ROWS } from "./rows.js";
import type { Row } from "./rows.js";

const ASKING_TIMEOUT_MS = 300_000;

/** device_add of QMP takes the texts of numbers and booleans before this version; the command line's JSON does not. */
const STRICT_SINCE = 10;

/** Whether a refusal is about the row's option: it has its name, or the value where that is the name of something else. */
function isAbout({ option, wrong, way }: Row, text: string): boolean {
  const isSlot = way === "device-json" && option === "addr" && text.includes("slot");
  return text.includes(option) || (typeof wrong === "string" && wrong !== "" && text.includes(`'${wrong}'`)) || isSlot;
}

describe("wrong values of options", () => {
  it("are made for every kind of option", () => {
    expect(ROWS.length).to.be.at.least(1000);
    expect(new Set(ROWS.map(keyOf)).size).to.equal(ROWS.length);
    for (const option of ["cache", "aio", "iothread-vq-mapping", "ioeventfd", "migrate-pr", "limits", "rules", "host-nodes"])
      expect(
        ROWS.some((row) => row.option === option),
        option,
      ).to.equal(true);
  });

  it("are refused by QEMU, all of them", async function () {
    this.timeout(ASKING_TIMEOUT_MS);
    const version = qemuVersion();
    if (version === null) return skipUnlessRequired(this, `there is no QEMU: apt-get install ${PACKAGE}`);
    const rows = ROWS.filter(({ way }) => way !== "device-json" || version >= STRICT_SINCE);
    const answers = askQemu(rows);
    for (const row of rows) {
      const answer = answers.get(keyOf(row)) ?? null;
      expect(answer, `${keyOf(row)} was accepted`).not.to.equal(null);
      // An older QEMU lacks some types.
      const text = String(answer);
      expect(isAbout(row, text) || text.includes("'qom-type'"), `${keyOf(row)}: ${text}`).to.equal(true);
    }
  });

  const groupOf = ({ way, type }: Row): string => `${type}, ${way}`;
  for (const name of new Set(ROWS.map(groupOf))) {
    const rows = ROWS.filter((row) => groupOf(row) === name);
    it(`are refused here with the option's name: ${name}`, async () => {
      for (const row of rows) {
        const answer = await askOurselves(row);
        expect(answer, `${keyOf(row)} was accepted`).not.to.equal(null);
        expect(isAbout(row, String(answer)), `${keyOf(row)}: ${answer}`).to.equal(true);
      }
    });
  }
});
