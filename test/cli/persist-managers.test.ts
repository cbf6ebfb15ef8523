/** The manager of `qom-pr persist`: whichever way it is made, what is wrong with its text is said as by a machine. */
import { writeFileSync } from "node:fs";
import { expect } from "chai";
import { Machine } from "qom-pr";
import { runPersist } from "#src/cli/persist/persist.js";
import { describeError } from "#src/base/errors.js";
import { refusal } from "../support/refusal.js";
import { temporaryFolder } from "../support/folder.js";

describe("the manager of persist", () => {
  const folder = temporaryFolder();
  let disk = "";
  before(() => writeFileSync((disk = folder.path("disk.img")), ""));

  async function stderrOf(...argv: readonly string[]): Promise<string> {
    let stderr = "";
    const output = { out: () => undefined, error: (text: string) => void (stderr += text) };
    await runPersist(["-k", ...argv, disk], { output, variables: {} });
    return stderr;
  }

  for (const manager of [
    "pr-manager-helper",
    "pr-manager-helper,path=",
    "pr-manager-helper,path=/nope",
    "pr-manager-helper,path=/x path=2",
    "pr-manager-helper,path=/x,timeout=0",
    "pr-manager",
    "pr-manager-memry",
    "pr-manager-memory,fabric=san",
    "pr-manager-sgio,x",
    "virtio-scsi",
    "",
  ]) {
    it(`'${manager}' is refused in the words of -object`, async () => {
      const asObject = await refusal(() => Machine.create(["-object", `${manager},id=manager`]));
      expect(await stderrOf("--manager", manager)).to.equal(`qom-pr persist: ${describeError(asObject)}\n`);
    });
  }

  it("lives on a host that has a name, which is checked", async () => {
    const asMachine = await refusal(() => Machine.create(["-name", "a b"]));
    expect(await stderrOf("--name", "a b", "--manager", "pr-manager-memory")).to.equal(`qom-pr persist: ${describeError(asMachine)}\n`);
  });

  it("is no text that asks for help, which another program gives", async () => {
    expect(await stderrOf("--manager", "help")).to.equal(
      "qom-pr persist: -object help,id=manager asks for help and does not describe an object ('qom-pr run -object help' gives it)\n",
    );
  });
});
