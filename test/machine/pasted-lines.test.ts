/** Whole command lines of QEMU: each gives a machine with its disks, and one warning that names what is left out. */
import { PassThrough } from "node:stream";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { Machine, PersistentReserveIn } from "qom-pr";
import { parseArguments } from "#src/machine/arguments.js";
import { LEFT_OUT_NAMES_MAX } from "#src/machine/left-out.js";
import { temporaryFolder } from "../support/folder.js";
import { present } from "#src/base/assert.js";
import { runProgram } from "../cli/support/programs.js";
import type { Ended } from "../cli/support/programs.js";
import { outcome } from "../support/outcome.js";
import { refusal } from "../support/refusal.js";
import { PASTED_LINES, standIn } from "./support/pasted-lines.js";

/** Runs `qom-pr` once for each line, in one process. */
const DRIVER = fileURLToPath(new URL("./support/program-driver.js", import.meta.url));

/** All lines, on a machine with much else to do. */
const PROGRAM_LIMIT_MS = 600_000;

describe("a command line that was made for QEMU", () => {
  const folder = temporaryFolder();
  const withMachine = async (argv: readonly string[], look: (machine: Machine) => Promise<void> | void): Promise<void> => {
    // a terminal that a line asks for is not that of the tests
    const machine = await Machine.create(argv, { stdio: { input: new PassThrough(), output: new PassThrough() } });
    try {
      await look(machine);
    } finally {
      await machine.close();
    }
  };

  for (const line of PASTED_LINES) {
    describe(line.what, () => {
      const argv = (): readonly string[] => standIn(line, folder.path("."));

      it("gives a machine with its disks, which answer READ KEYS", () =>
        withMachine(argv(), async (machine) => {
          const { scsiDevices } = machine;
          expect(machine.status).to.equal(argv().includes("-S") ? "prelaunch" : "running");
          machine.cont();
          expect(scsiDevices.map(({ id }) => id)).to.deep.equal(line.disks);
          for (const disk of scsiDevices) {
            const hasManager =
              argv().some((word) => word.includes("pr-manager-memory")) && line.withoutManager?.includes(disk.id ?? "") !== true;
            const expected = hasManager ? "GOOD" : "0B/00/06";
            expect(outcome(await disk.execute(PersistentReserveIn.readKeys(8)))).to.equal(expected);
          }
        }));

      it("warns once of all that is left out", () =>
        withMachine(argv(), ({ warnings }) => {
          const [warning = "", ...others] = warnings.filter((each) => each.startsWith("left out"));
          expect(others).to.deep.equal([]);
          const names = warning.slice(warning.indexOf(": ") + 2).split(/[,;] /);
          for (const name of line.leftOut)
            expect(
              names.some((each) => each.includes(name)),
              `${name} in ${warning}`,
            ).to.equal(true);
          for (const name of line.kept ?? [])
            expect(
              names.some((each) => each.endsWith(` '${name}'`)),
              `${name} in ${warning}`,
            ).to.equal(false);
          const { foreign } = parseArguments(argv());
          for (const { name } of foreign) expect(names.map((each) => each.replace("options ", ""))).to.include(`-${name}`);
        }));

      it("is refused by a machine that is strict", async () => {
        const error = await refusal(() => Machine.create(argv(), { strict: true }));
        expect(error.kind).to.equal("unknown-name");
        expect(error.message).to.contain("unknown option");
      });

      it("is written back as a line that makes the same machine without a warning", async () => {
        let written: readonly string[] = [];
        let json = "";
        await withMachine(argv(), (machine) => {
          written = machine.toArgs();
          json = machine.toJson();
        });
        await withMachine(written, (machine) => {
          expect(machine.toJson()).to.equal(json);
          expect(machine.warnings).to.deep.equal([]);
        });
      });
    });
  }

  it("is what qom-pr run --check takes as it stands, each line in one process", async function () {
    this.timeout(PROGRAM_LIMIT_MS);
    const lines = PASTED_LINES.map((line) => ["run", "--check", ...standIn(line, folder.path("."))]);
    const { stdout, stderr } = await runProgram(process.execPath, [DRIVER], { stdin: JSON.stringify(lines) });
    expect(stderr).to.equal("");
    const results = JSON.parse(stdout) as Ended[]; // what the driver wrote
    expect(results).to.have.lengthOf(PASTED_LINES.length);
    for (const [index, { what, leftOut }] of PASTED_LINES.entries()) {
      const ended = present(results[index], "a result");
      expect(ended.code, `${what}: ${ended.stderr}`).to.equal(0);
      expect(
        // With `-msg timestamp=on` it begins with the time.
        ended.stderr.split("\n").filter((text) => /^(?:[-0-9T:.]+Z )?qom-pr: warning: left out/.test(text)),
        what,
      ).to.have.lengthOf(leftOut.length === 0 ? 0 : 1);
    }
  });

  it("may have a chain of nodes as long as it likes that nothing here uses", async () => {
    const LENGTH = 20_000;
    const chain = Array.from({ length: LENGTH }, (_, at) => ["-blockdev", `driver=raw,node-name=n${at + 1},file=n${at}`]).flat();
    const line = ["-blockdev", "driver=null-co,node-name=n0", ...chain, "-device", `virtio-blk-pci,drive=n${LENGTH}`];
    await withMachine(line, ({ graph, warnings: [warning = ""] }) => {
      expect(graph.outermost).to.deep.equal([]);
      expect(warning)
        .to.contain("'n0'")
        .and.to.contain(` and ${LENGTH + 1 - LEFT_OUT_NAMES_MAX} more`);
    });
  });

  it("may have any number of things that are left out: of each kind the first are named, and the others counted", async () => {
    const many = Array.from({ length: LEFT_OUT_NAMES_MAX + 2 }, (_, at) => ["-device", `virtio-rng-pci,id=r${at}`]).flat();
    const last = `, virtio-rng-pci 'r${LEFT_OUT_NAMES_MAX - 1}'`;
    const ends = (warning = "", end = ""): void => {
      expect(warning.slice(-end.length)).to.equal(end);
    };
    await withMachine(many.slice(0, 2 * LEFT_OUT_NAMES_MAX), ({ warnings }) => ends(warnings[0], last));
    await withMachine([...many, "-cpu", "max"], ({ warnings: [warning = ""] }) => {
      expect(warning).to.contain(": options -cpu; devices virtio-rng-pci 'r0', virtio-rng-pci 'r1', ");
      ends(warning, `${last} and 2 more`);
    });
  });

  const SLIPS: readonly (readonly [string, string, string])[] = [
    ["-machin", "q35", "'-machine'"],
    ["-devcie", "virtio-scsi", "'-device'"],
    ["-device", "virtio-scsi-pic", "'virtio-scsi-pci'"],
    ["-object", "iothred,id=a", "'iothread'"],
    ["-blockdev", "host_device,node-name=a,filename=/nowhere,raed-only=on", "'read-only'"],
    ["-device", "virtio-scsi-pci,ioevntfd=on", "'ioeventfd'"],
  ];
  for (const [option, text, meant] of SLIPS) {
    it(`is refused with what was probably meant: ${option} ${text}`, async () => {
      const error = await refusal(() => Machine.create([option, text]));
      expect(error.hint).to.equal(`did you mean ${meant}?`);
    });
  }
});
