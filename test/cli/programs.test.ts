/** The program as a user runs it. */
import { expect } from "chai";
import { WWN } from "../support/machine.js";
import { PROGRAM, run, runProgram } from "./support/programs.js";
import type { Ended } from "./support/programs.js";

const DISK = ["-device", "virtio-scsi", "-blockdev", `node-name=hd,driver=sim-lun,wwn=${WWN}`, "-device", "scsi-block,drive=hd"];

describe("qom-pr", () => {
  it("shows the failover in the demo, without colour in a pipe", async () => {
    const { code, stdout, stderr } = await run(["demo"]);
    expect([code, stderr]).to.deep.equal([0, ""]);
    expect(stdout).not.to.contain("\u001b");
    const lines = stdout
      .split("\n")
      .slice(2, -1)
      .map((line) => line.split(/ {2,}/));
    const story = lines.map(([node = "", command = "", route = "", status = ""]) => `${node}: ${command} -> ${route}, ${status}`);
    expect(story).to.deep.equal([
      "a: REGISTER key 0xa1 -> manager, GOOD",
      "a: RESERVE Write Exclusive - Registrants Only -> manager, GOOD",
      "a: WRITE(10) LBA 0 -> device, GOOD",
      "b: READ(10) LBA 0 -> device, GOOD",
      "b: WRITE(10) LBA 0 -> device, RESERVATION CONFLICT",
      "b: REGISTER key 0xb2 -> manager, GOOD",
      "b: PREEMPT key 0xa1 -> manager, GOOD",
      "b: WRITE(10) LBA 0 -> device, GOOD",
      "a: WRITE(10) LBA 0 -> device, RESERVATION CONFLICT",
      "a: TEST UNIT READY -> device, UNIT ATTENTION, REGISTRATIONS PREEMPTED (06/2A/05)",
      "b: READ KEYS -> manager, GOOD",
    ]);
    for (const line of lines) expect(line, line.join()).to.have.lengthOf(5);
  });

  it("prints the demo as JSON", async () => {
    const { code, stdout } = await run(["demo", "--json"]);
    const rows = JSON.parse(stdout) as { route: string; statusCode: number }[]; // the shape is what is tested
    expect([code, rows.length, rows[0]?.route, rows[4]?.statusCode]).to.deep.equal([0, 11, "manager", 0x18]);
  });

  it("checks a machine and exits", async () => {
    for (const argv of [
      ["--check", ...DISK],
      [...DISK, "--check"],
    ]) {
      expect(await run(["run", ...argv])).to.deep.equal({ code: 0, stdout: "", stderr: "" });
    }
  });

  it("prints the machine that it checked", async () => {
    const { code, stdout, stderr } = await run(["run", "--check", "--json", "-name", "m", ...DISK]);
    expect([code, stderr]).to.deep.equal([0, ""]);
    const values = JSON.parse(stdout) as Record<string, unknown>; // one document, whose members are looked at
    expect(Object.keys(values)).to.deep.equal(["name", "objects", "blockdevs", "devices"]);
    expect(values["blockdevs"]).to.deep.equal([{ driver: "sim-lun", "node-name": "hd", wwn: WWN }]);
    expect((await run(["run", "--json", ...DISK])).code).to.equal(1);
  });

  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    it(`runs until ${signal}`, async () => {
      let sent = false;
      const onOutput = (stdout: string, kill: (signal: NodeJS.Signals) => void): void => {
        if (!sent && stdout.includes("\n")) kill(signal);
        sent = stdout.includes("\n");
      };
      const ended = await run(["run", "-name", "m", ...DISK], { onOutput });
      expect(ended.code).to.equal(0);
      expect(ended.stdout).to.match(/^machine 'm' is running with 1 SCSI device[^\n]*\n$/);
    });
  }

  it("exits with 1 for wrong arguments and 2 for a subcommand that does not exist", async () => {
    const wrong: [string[], number][] = [
      [["run", "-objekt", "x"], 1],
      [["run", "--check", "-device"], 1],
      [["run", "-trace", "file=/proc/none"], 1],
      [["run", "-trace", "events=/proc/none"], 1],
      [["demo", "--nope"], 1],
      [["--nope"], 1],
      [["frobnicate"], 2],
    ];
    for (const [argv, expected] of wrong) {
      const { code, stdout, stderr } = await run(argv);
      expect([code, stdout], argv.join(" ")).to.deep.equal([expected, ""]);
      expect(stderr, argv.join(" ")).to.match(/^qom-pr: [^\n]+\n$/);
    }
  });

  it("keeps standard output for the document where a monitor would have it too", async () => {
    for (const option of ["-qmp", "-monitor"]) {
      const { code, stdout } = await run(["run", "--check", "--json", "-name", "m", option, "stdio"]);
      expect(code).to.equal(0);
      expect(JSON.parse(stdout)).to.deep.include({ name: "m" });
    }
  });

  it("tells on one line that standard output takes nothing, and goes on", async () => {
    const full = async (words: string): Promise<Ended> =>
      runProgram("sh", ["-c", `exec "$@" >/dev/full`, "sh", process.execPath, PROGRAM, ...words.split(" ")]);
    const told = "qom-pr: cannot write to standard output: no space left on device\n";
    for (const words of ["demo", "--help", "run -object help"]) {
      expect(await full(words), words).to.deep.equal({ code: 1, stdout: "", stderr: told });
    }
    // The status of persist is the disk's.
    expect(await full("persist --version")).to.deep.equal({ code: 0, stdout: "", stderr: told });
    const unread = await runProgram("sh", ["-c", `(trap "" PIPE; "$@"; echo $? >&2) | true`, "sh", process.execPath, PROGRAM, "demo"]);
    expect(unread.stderr).to.match(/^[01]\n$/);
  });

  it("prints version and help", async () => {
    expect((await run(["--version"])).stdout).to.match(/^\d+\.\d+\.\d+\n$/);
    expect((await run(["--help"])).stdout)
      .to.contain("demo")
      .and.to.contain("run");
    expect((await run(["run", "--help"])).stdout).to.contain("-blockdev");
  });

  it("gives the help that an option asks for, and makes no machine", async () => {
    for (const argv of [
      ["-object", "help"],
      ["-device", "scsi-block,help"],
      ["-blockdev", "help"],
    ]) {
      const { code, stdout, stderr } = await run(["run", ...DISK, ...argv]);
      expect([code, stderr], argv.join(" ")).to.deep.equal([0, ""]);
      expect(stdout, argv.join(" ")).to.match(/^[^\n]+:[^\n]*\n( {2}[^\n]+\n)+$/);
    }
  });

  it("warns of deprecated spellings on stderr", async () => {
    const { code, stderr } = await run(["run", "--check", "-drive", `if=none,id=hd,readonly,file.driver=sim-lun,file.wwn=${WWN}`]);
    expect(code).to.equal(0);
    expect(stderr).to.match(/^qom-pr: warning: [^\n]*readonly[^\n]*\n$/);
  });
});
