/** `qom-pr persist` on a state folder: commands of one moment, folders that are kept, and what is forgotten when a command ends. */
import { writeFileSync } from "node:fs";
import { expect } from "chai";
import { Fabric, Machine } from "qom-pr";
import { runPersist } from "#src/cli/persist/persist.js";
import { ManualClock } from "../support/manual-clock.js";
import { temporaryFolder } from "../support/folder.js";
import { run } from "./support/programs.js";
import type { Ended } from "./support/programs.js";

describe("qom-pr persist on a state folder", () => {
  const folder = temporaryFolder();
  let disk = "";
  let count = 0;
  let state = "";
  beforeEach(() => {
    disk = folder.path("disk.img");
    writeFileSync(disk, "");
    state = folder.path(`san${(count += 1)}`);
  });

  function words(name: string, ...argv: readonly string[]): readonly string[] {
    return ["--name", name, "--object", `scsi-fabric,id=san,state=${state}`, "--manager", "pr-manager-memory,fabric=san", ...argv, disk];
  }

  async function persist(clock: ManualClock | undefined, ...argv: readonly string[]): Promise<Ended> {
    let [stdout, stderr] = ["", ""];
    const output = { out: (text: string) => void (stdout += text), error: (text: string) => void (stderr += text) };
    const code = await runPersist(argv, { output, variables: {}, ...(clock === undefined ? {} : { clock }) });
    return { code, stdout, stderr };
  }

  /** Lets time pass whenever somebody waits for it, until `ended` is. */
  async function letTimePass(clock: ManualClock, ended: Promise<unknown>): Promise<void> {
    const over = new AbortController();
    void ended.finally(() => over.abort());
    while (!over.signal.aborted) {
      const next = clock.nextInMs;
      if (next !== null) clock.advance(next);
      await new Promise(setImmediate);
    }
  }

  it("waits for the command that has it", async () => {
    const other = await Fabric.open({ stateDir: state, use: "moment" });
    const clock = new ManualClock();
    const ended = persist(clock, ...words("a", "-o", "-G", "-S", "a1", "-Z"));
    // It has been refused and waits for its next attempt.
    while (clock.timers === 0) await new Promise(setImmediate);
    clock.advance(1000);
    while (clock.timers === 0) await new Promise(setImmediate);
    await other.close();
    await letTimePass(clock, ended);
    expect(await ended).to.deep.equal({ code: 0, stdout: "", stderr: "" });
    expect((await persist(undefined, ...words("b", "-k"))).stdout).to.contain("0xa1");
  });

  for (const [option, seconds] of [
    [[], 3],
    [["--wait", "7"], 7],
  ] as const) {
    it(`says BUSY when ${seconds} s are over`, async () => {
      const other = await Fabric.open({ stateDir: state, use: "moment" });
      const clock = new ManualClock();
      const ended = persist(clock, ...option, ...words("a", "-k"));
      await letTimePass(clock, ended);
      await other.close();
      const { code, stdout, stderr } = await ended;
      expect([code, stdout, clock.nowMs()]).to.deep.equal([26, "", seconds * 1000]);
      expect(stderr).to.match(/^qom-pr persist: [^\n]*is locked: process \d+[^\n]* is using it, after \d s still\n$/);
    });
  }

  it("does not wait with --wait 0", async () => {
    const other = await Fabric.open({ stateDir: state, use: "moment" });
    const clock = new ManualClock();
    expect((await persist(clock, "--wait", "0", ...words("a", "-k"))).code).to.equal(26);
    expect(clock.nowMs()).to.equal(0);
    await other.close();
  });

  it("does not wait for a machine, and names the way to it", async () => {
    const machine = await Machine.create(["-object", `scsi-fabric,id=san,state=${state}`]);
    const clock = new ManualClock();
    const { code, stderr } = await persist(clock, ...words("a", "-k"));
    await machine.close();
    expect([code, clock.nowMs()]).to.deep.equal([26, 0]);
    expect(stderr).to.match(/^qom-pr persist: [^\n]*is locked: process \d+[^\n]*'--qmp'\n$/);
    expect(stderr, "it may be a helper, too").to.contain("ask a helper with '--manager pr-manager-helper,path=SOCKET', and a machine with");
  });

  it("refuses other times, and --wait with --qmp", async () => {
    for (const time of ["-1", "1.5", "3601", "x", "0x10"]) {
      const { code, stderr } = await persist(undefined, `--wait=${time}`, ...words("a", "-k"));
      expect([code, stderr]).to.deep.equal([1, `qom-pr persist: option '--wait' is a number from 0 to 3600, not '${time}'\n`]);
    }
    expect((await persist(undefined, "--wait", "1", "--qmp", folder.path("qmp"), "disk0")).code).to.equal(31);
  });

  it("serves many programs at once", async () => {
    const hosts = Array.from({ length: 4 }, (_, i) => `host${i}`);
    const ended = await Promise.all(
      hosts.map((name, i) => run(["persist", "--wait", "600", ...words(name, "-o", "-G", "-S", `a${i}`, "-Z")])),
    );
    expect(ended.map(({ code, stderr }) => [code, stderr])).to.deep.equal(hosts.map(() => [0, ""]));
    expect((await persist(undefined, ...words("a", "-k"))).stdout).to.contain("4 registered reservation keys follow");
  }).timeout(60_000);

  describe("says what is forgotten", () => {
    const forgotten =
      /^qom-pr persist: all registrations and reservations of this disk are forgotten now: [^\n]*register with '-Z' \(APTPL\)\n$/;

    it("after a registration without APTPL", async () => {
      for (const action of ["-G", "-I"]) {
        const { code, stderr } = await persist(undefined, ...words("a", "-o", action, "-S", "a1"));
        expect(code).to.equal(0);
        expect(stderr).to.match(forgotten);
        expect((await persist(undefined, ...words("a", "-k"))).stdout).to.contain("NO registered");
      }
    });

    it("which is that of other hosts as well, and of the reservation", async () => {
      expect((await persist(undefined, ...words("a", "-o", "-G", "-S", "a1", "-Z"))).stderr).to.equal("");
      expect((await persist(undefined, ...words("a", "-o", "-R", "-K", "a1", "-T", "5"))).stderr).to.equal("");
      expect((await persist(undefined, ...words("b", "-o", "-G", "-S", "b2"))).stderr).to.match(forgotten);
      expect((await persist(undefined, ...words("a", "-k"))).stdout).to.contain("NO registered");
    });

    it("and nothing where nobody is registered any more, or nothing was changed", async () => {
      expect((await persist(undefined, ...words("a", "-o", "-G", "-S", "a1", "-Z"))).code).to.equal(0);
      for (const argv of [
        ["-k"],
        ["-o", "-R", "-K", "a1", "-T", "9"],
        ["-o", "-R", "-K", "a1", "-T", "1"],
        ["-o", "-L", "-K", "a1", "-T", "1"],
      ]) {
        expect((await persist(undefined, ...words("a", ...argv))).stderr).not.to.contain("forgotten");
      }
      expect((await persist(undefined, ...words("a", "-o", "-G", "-K", "a1", "-S", "0"))).stderr).to.equal("");
    });

    it("without a folder too, and which option makes one", async () => {
      const { stderr } = await persist(undefined, "--manager", "pr-manager-memory", "-o", "-G", "-S", "a1", disk);
      expect(stderr).to.match(forgotten).and.to.contain("--object scsi-fabric,id=…,state=…");
    });
  });
});
