/** `qom-pr persist` by what it reaches the disk with, and what it prints as values. How it compares with sg_persist: persist-compare.test.ts. */
import { writeFileSync } from "node:fs";
import { expect } from "chai";
import { Machine } from "qom-pr";
import { runPersist } from "#src/cli/persist/persist.js";
import type { PersistEnvironment } from "#src/cli/persist/persist.js";
import { defaultInitiator } from "#src/scsi/default-initiator.js";
import { helperUnderTest } from "../support/helpers.js";
import type { HelperUnderTest } from "../support/helpers.js";
import { temporaryFolder } from "../support/folder.js";
import { machineArguments, WWN } from "../support/machine.js";
import { run } from "./support/programs.js";
import type { Ended } from "./support/programs.js";

async function persist(
  argv: readonly string[],
  variables: Readonly<Record<string, string>> = {},
  further: Pick<PersistEnvironment, "multipath"> = {},
): Promise<Ended> {
  let [stdout, stderr] = ["", ""];
  const output = { out: (text: string) => void (stdout += text), error: (text: string) => void (stderr += text) };
  const code = await runPersist(argv, { output, variables, ...further });
  return { code, stdout, stderr };
}

describe("qom-pr persist", () => {
  const folder = temporaryFolder();
  let disk = "";
  before(() => {
    disk = folder.path("disk.img");
    writeFileSync(disk, "");
  });

  /** A host of its own: nothing is shared with the run before but the folder that keeps the reservations. */
  function host(name: string, ...argv: readonly string[]): Promise<Ended> {
    const objects = ["--object", `scsi-fabric,id=san,state=${folder.path("san")}`, "--manager", "pr-manager-memory,fabric=san"];
    return persist(["--name", name, ...objects, ...argv, disk]);
  }

  async function values(name: string, ...argv: readonly string[]): Promise<Record<string, unknown>> {
    const { stdout } = await host(name, "--json", ...argv);
    return JSON.parse(stdout) as Record<string, unknown>; // one document, whose members are looked at
  }

  /** PRGENERATION begins at 0 with each process, as after power on; registrations were made with APTPL. */
  it("keeps reservations of a regular file in a folder, from run to run", async () => {
    expect(await host("a", "-o", "-G", "-S", "a1", "-Z")).to.deep.equal({ code: 0, stdout: "", stderr: "" });
    expect((await host("b", "-o", "-G", "-S", "b2", "-Z")).code).to.equal(0);
    expect((await host("a", "-o", "-R", "-K", "a1", "-T", "5")).code).to.equal(0);
    const conflict = await host("b", "-o", "-R", "-K", "b2", "-T", "5");
    expect(conflict).to.deep.equal({ code: 24, stdout: "", stderr: "qom-pr persist: PR out (Reserve): Reservation conflict\n" });
    const { code, stdout } = await host("b", "-r");
    expect([code, stdout]).to.deep.equal([
      0,
      "  PR generation=0x0, Reservation follows:\n    Key=0xa1\n    scope: LU_SCOPE,  type: Write Exclusive, registrants only\n",
    ]);
  });

  it("says which options an abbreviation may be", async () => {
    const { code, stderr } = await persist(["--read-f", "--pre", disk]);
    expect([code, stderr]).to.deep.equal([1, "qom-pr persist: option '--pre' is ambiguous: it may be --preempt, --preempt-abort\n"]);
    // Those of sg_persist mean what they mean to sg_persist.
    expect((await persist(["--o", "--n", "--ma=20", disk])).stderr).to.contain("'--out' takes exactly one service action");
    expect((await persist(["--nope=1", disk])).stderr).to.contain("unknown option '--nope=1'");
    expect((await persist(["-hh"])).stdout).to.equal((await persist(["--help"])).stdout);
  });

  it("prints values", async () => {
    const registrant = (key: string, name: string, holder: boolean): object => ({
      ...{ key, initiator: defaultInitiator(name, "host").format(), "target-port": 1, holder },
      ...{ scope: 0, type: holder ? 5 : 0 },
    });
    const full = await values("a", "-s");
    expect(full).to.deep.equal({
      device: disk,
      command: { name: "PERSISTENT RESERVE IN", action: "read-full-status", cdb: "5e030000000000200000" },
      ...{ "exit-status": 0, outcome: "Good", status: 0, "host-status": 0, sense: null, inquiry: null },
      data: {
        generation: 0,
        registrants: [registrant("0x00000000000000a1", "a", true), registrant("0x00000000000000b2", "b", false)],
        complete: true,
      },
    });
    expect((await values("a", "-k", "-l", "10"))["data"]).to.deep.equal({ generation: 0, keys: ["0x00000000000000a1"], complete: false });
    expect((await values("a", "-r"))["data"]).to.deep.equal({
      ...{ generation: 0, complete: true },
      reservation: { key: "0x00000000000000a1", scope: 0, type: 5 },
    });
    expect((await values("a", "-c"))["data"]).to.deep.include({ "replace-lost-reservation": false, types: [1, 3, 5, 6, 7, 8] });
    expect((await values("a", "-k", "-m", "4"))["data"]).to.deep.equal({ generation: 0, complete: false });
    expect((await values("a", "-k", "-m", "0"))["data"]).to.deep.equal({ generation: null, complete: false });
    const refused = await values("a", "-o", "-z", "-S", "1", "-T", "5");
    expect(refused).to.deep.include({ "exit-status": 5, status: 2, data: null });
    expect(refused["sense"]).to.deep.include({ key: 5, asc: 0x24, ascq: 0, text: "ILLEGAL REQUEST, INVALID FIELD IN CDB (05/24/00)" });
    expect((await values("b", "-o", "-R", "-K", "b2", "-T", "5"))["command"]).to.deep.include({
      "data-out": "00000000000000b200000000000000000000000000000000",
    });
  });

  it("tells what kept it from asking", async () => {
    const wrong: [readonly string[], number, RegExp][] = [
      [[], 1, /no DEVICE/],
      [["a", "b"], 1, /too many arguments/],
      [["--nope", disk], 1, /unknown option '--nope'/],
      [["--re", disk], 1, /option '--re' is ambiguous/],
      [["-K"], 1, /argument missing/],
      [["-k", "-r", disk], 31, /more than one service action/],
      [["-k", folder.path("absent")], 52, /cannot open '[^']*absent' for reading and writing: no such file or directory/],
      [["-k", folder.path(".")], 71, /is a directory|illegal operation on a directory/],
      [["-k", "-y", folder.path(".")], 1, /is not a device or a regular file/],
      [["-k", "--manager", "pr-manager-nope", disk], 1, /pr-manager-nope/],
      [["-k", "--manager", "scsi-fabric", disk], 1, /is not a PR manager/],
      [["-k", "--manager", `pr-manager-helper,path=${folder.path("absent")}`, disk], 15, /absent/],
      [["-k", disk], 75, /inappropriate ioctl/],
      [["--manager", "pr-manager-memory", "-o", "-G", "-S", "1", "-X", "file=/dev/zero", disk], 1, /more than \d+ bytes of TransportIDs/],
      [
        ["--manager", "pr-manager-memory", "-o", "-G", "-S", "1", "-X", "iqn.a:b,,i,0x1", disk],
        1,
        /two commas in a row .*option strings only/,
      ],
      [["--manager", "pr-manager-memory", "-o", "-G", "-S", "1", "-X", "sas,,5000c50005b32001", disk], 1, /two commas in a row/],
      // No name of Object.prototype is a leading word.
      [["--manager", "pr-manager-memory", "-o", "-G", "-S", "1", "-X", "constructor,1", disk], 1, /TransportID[^\n]*constructor,1/],
    ];
    for (const [argv, code, message] of wrong) {
      const ended = await persist(argv);
      expect([ended.code, ended.stdout], argv.join(" ")).to.deep.equal([code, ""]);
      expect(ended.stderr, argv.join(" ")).to.match(/^qom-pr persist: [^\n]+\n$/);
      expect(ended.stderr, argv.join(" ")).to.match(message);
    }
  });

  it("opens the device read-only if it is told so", async () => {
    const readOnly = folder.path("read-only.img");
    writeFileSync(readOnly, "");
    const manager = ["--manager", "pr-manager-memory"];
    const refused = async (argv: readonly string[], variables?: Readonly<Record<string, string>>): Promise<boolean> =>
      (await persist([...manager, ...argv, readOnly], variables)).code === 9;
    expect(await refused(["-o", "-G", "-S", "1"])).to.equal(false);
    expect(await refused(["-o", "-G", "-S", "1", "-y"])).to.equal(true);
    expect(await refused(["-o", "-G", "-S", "1", "-yy"])).to.equal(false);
    expect(await refused(["-o", "-G", "-S", "1"], { SG_PERSIST_IN_RDONLY: "1" })).to.equal(false);
  });

  it("says that SG_IO registers one path of a dm-multipath device", async () => {
    const note = /^qom-pr persist: SG_IO reaches one path of a dm-multipath device: [^\n]*mpathpersist[^\n]*\n/;
    const found = { multipath: { find: () => "253:0" } };
    for (const way of [[], ["--manager", "pr-manager-sgio"]]) {
      for (const action of ["-G", "-I"]) {
        expect((await persist([...way, "-n", "-o", action, "-S", "1", "/dev/null"], {}, found)).stderr).to.match(note);
      }
      for (const argv of [["-k"], ["-o", "-R", "-K", "1", "-T", "1"]]) {
        expect((await persist([...way, "-n", ...argv, "/dev/null"], {}, found)).stderr).not.to.match(note);
      }
      expect((await persist([...way, "-n", "-o", "-G", "-S", "1", "/dev/null"])).stderr).not.to.match(note);
    }
    expect((await persist(["--manager", "pr-manager-memory", "-o", "-G", "-S", "1", disk], {}, found)).stderr).not.to.match(note);
  });

  describe("on a unit of a running machine", () => {
    let machine: Machine;
    let socket: string;
    before(async () => {
      socket = folder.path("qmp");
      const qmp = ["-qmp", `unix:${socket},server=on,wait=off`];
      machine = await Machine.create([...machineArguments("blockdev", "pr-manager-memory,id=pr0"), ...qmp]);
    });
    after(() => machine.close());

    it("asks for x-scsi-execute over QMP", async () => {
      const asked = (...argv: readonly string[]): Promise<Ended> => persist(["--qmp", socket, ...argv, "disk0"]);
      // The unit attention of its power on is the device's to report.
      expect(await asked("-n", "-o", "-G", "-S", "a1")).to.deep.equal({ code: 0, stdout: "", stderr: "" });
      expect((await asked("-n", "-o", "-R", "-K", "a1", "-T", "5")).code).to.equal(0);
      expect((await asked("-n", "-o", "-R", "-K", "b2", "-T", "5")).code).to.equal(24);
      expect((await asked("-r")).stdout).to.equal(
        "  QOM-PR    SIMULATED DISK    1.0 \n  Peripheral device type: disk\n" +
          "  PR generation=0x1, Reservation follows:\n    Key=0xa1\n    scope: LU_SCOPE,  type: Write Exclusive, registrants only\n",
      );
      expect((await persist(["-k", "-n", "--json", "--qmp", socket, "/machine/peripheral/disk0"])).stdout).to.contain("0x00000000000000a1");
    });

    it("exits with 35 where the transport failed, whatever status stands beside", async () => {
      const unit = machine.fabric.unit(WWN);
      for (const hostStatus of [0x01, 0x03, 0x08, 0x11]) {
        for (const status of [0x00, 0x18]) {
          const result = { status, hostStatus, dataIn: new Uint8Array(), residual: 0, sense: new Uint8Array() };
          const undo = unit.disturb(({ cdb }) => cdb[0] === 0x5e || cdb[0] === 0x5f, { result });
          for (const argv of [["-k"], ["-o", "-I", "-S", "1"]]) {
            const { code, stdout, stderr } = await persist(["--qmp", socket, "-n", ...argv, "disk0"]);
            expect([code, stdout], stderr).to.deep.equal([35, ""]);
            expect(stderr).to.match(new RegExp(`the transport failed: host status ${hostStatus.toString(16).padStart(2, "0")}h`));
          }
          const { stdout } = await persist(["--qmp", socket, "-n", "-k", "--json", "disk0"]);
          expect(JSON.parse(stdout)).to.deep.include({ "exit-status": 35, "host-status": hostStatus, data: null });
          undo();
        }
      }
    });

    it("takes -y: what would change something is not sent", async () => {
      const asked = (...argv: readonly string[]): Promise<Ended> => persist(["--qmp", socket, "-n", ...argv, "disk0"]);
      const before = await asked("-k");
      expect((await asked("-k", "-y")).stdout).to.equal(before.stdout);
      expect((await asked("-o", "-I", "-S", "c3", "-y")).code).to.equal(9);
      expect((await asked("-k")).stdout).to.equal(before.stdout);
    });

    it("reads an answer that is longer than a helper carries", async () => {
      const ids = folder.path("ids");
      const count = 200;
      writeFileSync(ids, Array.from({ length: count }, (_, i) => `iqn.2026-11.x:${i},i,0x1\n`).join(""));
      const asked = (...argv: readonly string[]): Promise<Ended> => persist(["--qmp", socket, "-n", ...argv, "disk0"]);
      expect((await asked("-o", "-I", "-S", "a1")).code).to.equal(0);
      expect((await asked("-o", "-C", "-K", "a1")).code).to.equal(0);
      expect(await asked("-o", "-G", "-S", "a1", "-X", `file=${ids}`)).to.deep.equal({ code: 0, stdout: "", stderr: "" });
      const cut = await asked("-s");
      expect(cut.stderr).to.match(/the data lacks \d+ bytes at its end \(with --qmp, '--maxlen=\d+' asks for more\)/);
      const [, length = ""] = /--maxlen=(\d+)/.exec(cut.stderr) ?? [];
      for (const option of [`--maxlen=${length}`, "--alloc-length=ffff"]) {
        const { stdout, stderr } = await asked("-s", option);
        expect([stdout.match(/port id: iqn\.2026-11\.x:/g)?.length, stderr], option).to.deep.equal([count, ""]);
      }
      expect((await asked("-s", "-l", "10000")).code).to.equal(1);
      expect((await persist(["-s", "-l", "2001", disk])).code).to.equal(1);
      expect((await asked("-o", "-C", "-K", "a1")).code).to.equal(0);
    });

    it("tells what kept it from asking", async () => {
      const wrong: [readonly string[], number, RegExp][] = [
        [["--qmp", socket, "nope"], 1, /QMP x-scsi-execute: no device 'nope'/],
        [["--qmp", folder.path("absent"), "disk0"], 15, /absent': no such file or directory/],
        [["--qmp", socket, "--manager", "pr-manager-sgio", "disk0"], 31, /do not combine it with/],
      ];
      for (const [argv, code, message] of wrong) {
        const ended = await persist(["-k", ...argv]);
        expect([ended.code, ended.stdout], argv.join(" ")).to.deep.equal([code, ""]);
        expect(ended.stderr, argv.join(" "))
          .to.match(/^qom-pr persist: [^\n]+\n$/)
          .and.to.match(message);
      }
    });
  });

  it("is part of the program", async () => {
    const help = await run(["persist", "-h"]);
    expect([help.code, help.stderr]).to.deep.equal([0, ""]);
    for (const part of ["--param-rk <KEY>", "PERSISTENT RESERVE OUT:", "TIDS is one"]) expect(help.stdout).to.contain(part);
    expect((await run(["persist", "-V"])).stdout).to.match(/^qom-pr persist \d/);
    expect((await run(["persist", "-i", "-o", disk])).code).to.equal(31);
  });

  for (const which of ["qemu-pr-helper", "qom-pr-helper"] as const) {
    describe(`through ${which}`, () => {
      let helper: HelperUnderTest | undefined;
      before(async function () {
        helper = await helperUnderTest(this, which);
      });
      after(() => helper?.stop());

      it("lends the descriptor of a regular file, which is no SCSI device", async () => {
        const ended = await persist(["-k", "--manager", `pr-manager-helper,path=${helper?.socket}`, disk]);
        expect(ended).to.deep.equal({
          ...{ code: 11, stdout: "" },
          stderr: "qom-pr persist: PR in (Read keys): ABORTED COMMAND, I/O PROCESS TERMINATED (0B/00/06)\n",
        });
      });
    });
  }
});
