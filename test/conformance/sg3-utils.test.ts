/**
 * What the programs of sg3_utils send, as recorded in sg3-utils.json, and what a simulated disk answers: once from the recording, and once
 * with the programs themselves, whose own reading of the answers is looked at too. The runs follow each other on one disk.
 */
import "reflect-metadata";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { expect } from "chai";
import { Machine } from "qom-pr";
import type { ScsiResult } from "qom-pr";
import * as z from "zod";
import { present } from "#src/base/assert.js";
import { LentDisks } from "../support/lent-disk.js";
import { outcome } from "../support/outcome.js";
import { skipUnlessRequired } from "../support/requirement.js";
import { bytes, hex } from "../support/hex.js";

const RECORDING = z.strictObject({
  version: z.string(),
  /** What `sg_turs --version` says of that release. */
  sgTurs: z.string(),
  runs: z.array(
    z.strictObject({
      /** Program and options; the disk comes last. */
      program: z.string(),
      exitCode: z.int(),
      /** Lines, or parts of lines, that the program prints. */
      says: z.array(z.string()),
      /** Bytes in hexadecimal; data-in that is long ends with "…". */
      commands: z.array(
        z.strictObject({ cdb: z.string(), dataOut: z.string().optional(), outcome: z.string(), dataIn: z.string().optional() }),
      ),
    }),
  ),
});
type Recorded = z.infer<typeof RECORDING>["runs"][number]["commands"][number];

const file = new URL("../../../test/conformance/sg3-utils.json", import.meta.url);
const recording = RECORDING.parse(JSON.parse(readFileSync(file, "utf8")));

function compare(result: ScsiResult, expected: Recorded): void {
  expect(outcome(result), expected.cdb).to.equal(expected.outcome);
  const { dataIn } = expected;
  if (dataIn?.endsWith("…") === true) expect(hex(result.dataIn), expected.cdb).to.match(new RegExp(`^${dataIn.slice(0, -1)}.`));
  else if (dataIn !== undefined) expect(hex(result.dataIn), expected.cdb).to.equal(dataIn);
}

function newMachine(): Promise<Machine> {
  const node = "node-name=hd,driver=sim-lun,wwn=naa.5000000000000031,size=16M,physical-block-size=4K,initiator=fc.1000000000000001";
  return Machine.create([
    ...["-device", "virtio-scsi", "-object", "pr-manager-memory,id=pr0", "-blockdev", `${node},pr-manager=pr0`],
    ...["-device", "scsi-generic,drive=hd,id=disk0"],
  ]);
}

describe(`sg3_utils and a simulated disk, from a recording of ${recording.version}`, () => {
  let machine: Machine;
  before(async () => {
    machine = await newMachine();
  });
  after(() => machine.close());

  for (const { commands, program } of recording.runs) {
    it(program, async () => {
      const disk = machine.scsiDevice("disk0");
      for (const recorded of commands) {
        const cdb = bytes(recorded.cdb);
        const { dataOut } = recorded;
        compare(await disk.execute(dataOut === undefined ? { cdb } : { cdb, dataOut: bytes(dataOut) }), recorded);
      }
    });
  }
});

describe("sg3_utils themselves on a simulated disk", () => {
  const lent = LentDisks.ofTests();
  let machine: Machine | undefined;
  /** Another release may send and print something else; how it ends is the same. */
  let sameRelease = false;
  before(async function () {
    const { error, stderr, stdout } = spawnSync("sg_turs", ["--version"], { encoding: "utf8" });
    if (error !== undefined) skipUnlessRequired(this, "there is no sg3_utils: apt-get install sg3-utils");
    sameRelease = `${stdout}${stderr}`.includes(recording.sgTurs);
    machine = await newMachine();
  });
  after(() => machine?.close());

  for (const { commands, exitCode, program, says } of recording.runs) {
    it(program, async () => {
      const [name = "", ...options] = program.split(" ");
      // any file will do: what is asked of it, the disk answers
      const run = await lent.run(present(machine, "before() made it").scsiDevice("disk0"), name, [...options, "/dev/null"]);
      expect(run.exitCode, run.stderr).to.equal(exitCode);
      if (!sameRelease) return;
      for (const text of says) expect(run.stdout + run.stderr).to.include(text);
      expect(run.commands.map(({ cdb, dataOut }) => [hex(cdb), hex(dataOut)])).to.deep.equal(
        commands.map(({ cdb, dataOut = "" }) => [cdb, dataOut]),
      );
      commands.forEach((recorded, index) => {
        const sent = run.commands[index];
        if (sent !== undefined) compare(sent.result, recorded);
      });
    });
  }
});
