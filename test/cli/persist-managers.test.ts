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
    const asMachine = await refusal(() => Machine.create(["-name", "a b"], { strict: true }));
    expect(await stderrOf("--name", "a b", "--manager", "pr-manager-memory")).to.equal(`qom-pr persist: ${describeError(asMachine)}\n`);
  });

  /** What is printed, and nothing else, whether or not a device is named. */
  async function printed(...argv: readonly string[]): Promise<string> {
    const [out, error]: [string[], string[]] = [[], []];
    const output = { out: (text: string) => void out.push(text), error: (text: string) => void error.push(text) };
    expect([await runPersist(argv, { output, variables: {} }), error]).to.deep.equal([0, []]);
    return out.join("");
  }

  it("is listed by help, with the properties of one, as -object lists types", async () => {
    const list = await printed("--manager", "help");
    expect(list).to.match(/^Types of PR managers:\n(?: {2}pr-manager-[a-z]+ +[a-z].*\n){3}$/);
    for (const line of list.trimEnd().split("\n").slice(1)) {
      for (const part of line.trim().split(/ {2,}/)) expect(Machine.help(["-object", "help"])).to.contain(part);
    }
    expect(await printed("--manager=?", disk)).to.equal(list);
    expect(await printed("-k", "--manager", "pr-manager-helper,help", disk)).to.equal(Machine.help(["-object", "pr-manager-helper,help"]));
  });

  it("is told from a text in which help is a value, and a type that there is not is refused", async () => {
    expect(await stderrOf("--manager", "pr-manager-helper,path=/nope/a,,help")).to.contain("/nope/a,help");
    expect(await stderrOf("--manager", "pr-manager-nope,help")).to.match(
      /^qom-pr persist: -object pr-manager-nope,help: .*'pr-manager-nope'/,
    );
  });
});
