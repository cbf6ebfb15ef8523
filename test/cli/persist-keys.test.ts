/** Reservation keys that are text. */
import { writeFileSync } from "node:fs";
import { expect } from "chai";
import { textOfKey } from "#src/cli/persist/key-text.js";
import { runPersist } from "#src/cli/persist/persist.js";
import { temporaryFolder } from "../support/folder.js";
import type { Ended } from "./support/programs.js";

describe("keys of persist as text", () => {
  const folder = temporaryFolder();

  async function persist(...argv: readonly string[]): Promise<Ended> {
    const disk = folder.path("disk.img");
    writeFileSync(disk, "");
    const fabric = [
      "--name",
      "a",
      "--object",
      `scsi-fabric,id=san,state=${folder.path("san")}`,
      "--manager",
      "pr-manager-memory,fabric=san",
    ];
    let [stdout, stderr] = ["", ""];
    const output = { out: (text: string) => void (stdout += text), error: (text: string) => void (stderr += text) };
    const code = await runPersist([...fabric, ...argv, disk], { output, variables: {} });
    return { code, stdout, stderr };
  }

  it("are taken, and shown beside what other programs read", async () => {
    expect(await persist("-o", "-G", "-S", "text:hostA", "-Z")).to.deep.equal({ code: 0, stdout: "", stderr: "" });
    expect((await persist("-o", "-R", "-K", "text:hostA", "-T", "5")).code).to.equal(0);
    const note = "qom-pr persist: key 0x686f737441000000 is the text 'hostA'\n";
    expect(await persist("-k")).to.deep.equal({
      code: 0,
      stdout: "  PR generation=0x0, 1 registered reservation key follows:\n    0x686f737441000000\n",
      stderr: note,
    });
    for (const action of ["-r", "-s"]) {
      const { stdout, stderr } = await persist(action);
      expect(stderr).to.equal(note);
      expect(stdout).to.contain("Key=0x686f737441000000\n").and.not.to.contain("hostA");
    }
    const { stderr, stdout } = await persist("-k", "--json");
    expect(stderr).to.equal("");
    expect(JSON.parse(stdout)).to.deep.nested.include({ "data.key-texts": ["hostA"], "data.keys": ["0x686f737441000000"] });
    expect(JSON.parse((await persist("-r", "--json")).stdout)).to.deep.nested.include({ "data.reservation.key-text": "hostA" });
    expect(JSON.parse((await persist("-s", "--json")).stdout)).to.deep.nested.include({ "data.registrants[0].key-text": "hostA" });
    expect((await persist("-o", "-G", "-K", "text:hostA", "-S", "text:A", "-Z")).code).to.equal(0);
    expect(await persist("-k")).to.deep.include({ stderr: "" });
    expect((await persist("-o", "-C", "-K", "4100000000000000")).code).to.equal(0);
  });

  it("have 1 to 8 printable characters", async () => {
    for (const text of ["", "123456789", "a\tb", "h\u00f6st"]) {
      const { code, stderr } = await persist("-o", "-G", "-S", `text:${text}`);
      expect(code, text).to.equal(1);
      expect(stderr).to.match(
        /^qom-pr persist: option '--param-sark' takes 1 to 8 printable ASCII characters after 'text:', not '[^\n]*'\n$/,
      );
    }
  });

  for (const [key, expected] of [
    [0x686f_7374_4100_0000n, "hostA"],
    [0x68_6f73_7441n, "hostA"],
    [0x4150_4752_3030_3030n, "APGR0000"],
    [0x686f_7300_4142_4344n, null],
    [0x6162_63n, null],
    [0xa1n, null],
    [0n, null],
    [0xffff_ffff_ffff_ffffn, null],
  ] as const) {
    it(`0x${key.toString(16)} is ${expected === null ? "a number" : expected}`, () => {
      expect(textOfKey(key)).to.equal(expected);
    });
  }
});
