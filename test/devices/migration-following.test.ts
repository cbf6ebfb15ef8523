/** What a guest's commands make of the state that a migration carries: only what ended GOOD counts. */
import { expect } from "chai";
import { PersistentReserveIn, PersistentReserveOut, Sense, senseResult } from "qom-pr";
import { bareStatus } from "#src/scsi/command.js";
import { outcome } from "../support/outcome.js";
import { decodeMigration } from "#src/scsi/migration-stream.js";
import { bytes, hex } from "../support/hex.js";
import { WWN } from "../support/machine.js";
import { Cluster, KEY, OTHER_KEY } from "./support/migrating.js";
import type { Node } from "./support/migrating.js";
import { readMigrationRecord } from "./support/migration-record.js";
import { ignoring, K, OTHER, preempt, REGISTER, reserve, ROWS } from "./support/migration-rows.js";

/** Key and type of what is saved. */
function stateOf(node: Node): string {
  const saved = node.disk().migration.save();
  if (saved === null) return "nothing";
  expect(hex(saved.subarray(0, 4))).to.equal("00000001");
  return `${BigInt(`0x${hex(saved.subarray(4, 12))}`).toString(16)} ${saved[12]}`;
}

describe("the state that a migration carries", () => {
  const cluster = Cluster.ofTests();

  for (const [what, commands, state, last = "GOOD"] of ROWS) {
    it(`after ${what}: ${state}`, async () => {
      const [a, b] = [await cluster.node("a"), await cluster.node("b")];
      let answer = "GOOD";
      for (const command of commands) answer = await ("b" in command ? b.out(command.b) : a.out(command));
      expect(answer).to.equal(last);
      expect(stateOf(a)).to.equal(state);
    });
  }

  it("is QEMU's after the same commands, but for what the rows say", () => {
    const { subsections } = readMigrationRecord();
    expect(Object.keys(subsections)).to.deep.equal(ROWS.map(([what]) => what));
    for (const [what, , state, , theirs = state] of ROWS) {
      const subsection = subsections[what] ?? null;
      const read = subsection === null ? null : decodeMigration(bytes(subsection));
      expect(read === null ? "nothing" : `${read.key.toString(16)} ${read.type}`, what).to.equal(theirs);
    }
  });

  it("is as it was after a command that did not end GOOD, whatever it said", async () => {
    const a = await cluster.node("a");
    await a.out(REGISTER);
    await a.out(reserve(5));
    for (const result of [bareStatus(0x08), bareStatus(0x28), bareStatus(0x40), senseResult(Sense.INTERNAL_TARGET_FAILURE)]) {
      const undo = cluster.fabric.unit(WWN).disturb(({ cdb }) => cdb[0] === 0x5f, { result });
      for (const action of ["register", "release", "clear", "preempt"] as const) await a.out({ action, key: KEY, type: 5 });
      undo();
      expect(stateOf(a)).to.equal(`${K} 5`);
    }
  });

  it("is followed by what a command said when it was sent", async () => {
    const a = await cluster.node("a");
    const { cdb, dataOut } = PersistentReserveOut.encode(REGISTER);
    // The disk has it when the call returns.
    const answer = a.disk().execute({ cdb, dataOut });
    dataOut.fill(0xff, 8, 16);
    cdb[1] = 3;
    expect(outcome(await answer)).to.equal("GOOD");
    expect(stateOf(a)).to.equal(`${K} 0`);
  });

  it("keeps the unit attention that its READ RESERVATION meets, for the guest", async () => {
    const [a, b] = [await cluster.node("a"), await cluster.node("b")];
    await a.out(REGISTER);
    await b.out(ignoring(OTHER_KEY));
    const hold = cluster.fabric.unit(WWN).hold(({ cdb }) => cdb[0] === 0x5e);
    const answer = a.out(preempt(OTHER_KEY));
    await hold.reached(1);
    await b.disk().reset("logical-unit");
    hold.release();
    expect(await answer).to.equal("GOOD");
    expect([await a.testUnitReady(), await a.testUnitReady()]).to.deep.equal(["06/29/03", "GOOD"]);
  });

  it("is not asked for when the PREEMPT did not end GOOD", async () => {
    const a = await cluster.node("a");
    await a.out(REGISTER);
    a.sent.length = 0;
    await a.out(preempt(OTHER));
    expect(a.sent).to.have.length(1);
  });

  it("keeps the key when the disk cannot be asked after a PREEMPT", async () => {
    const [a, b] = [await cluster.node("a"), await cluster.node("b")];
    await a.out(REGISTER);
    await a.out(reserve(5));
    await b.out(ignoring(OTHER_KEY));
    cluster.fabric.unit(WWN).disturb(({ cdb }) => cdb[0] === 0x5e, { result: bareStatus(0x08) });
    expect(await a.out(preempt(OTHER_KEY))).to.equal("GOOD");
    expect(stateOf(a)).to.equal(`${K} 5`);
  });

  it("is nothing with migrate-pr=off, nor of scsi-generic, and registrations of other ports are reported to be possible", async () => {
    for (const device of ["scsi-block,migrate-pr=off", "scsi-generic"]) {
      const a = await cluster.node("a", { device });
      await a.out(ignoring(KEY));
      expect(stateOf(a), device).to.equal("nothing");
      expect(a.disk().migration.save({ attentions: true }), device).to.equal(null);
      expect(await a.capabilities(), device).to.equal("00081dc0ea010000");
      await a.machine.close();
    }
  });

  it("hides what cannot follow: SIP_C and ATP_C", async () => {
    const a = await cluster.node("a");
    expect(await a.capabilities()).to.equal("000811c0ea010000");
    const into = new Uint8Array(8);
    await a.disk().execute({ cdb: PersistentReserveIn.reportCapabilities(8).cdb, into });
    expect(hex(into)).to.equal("000811c0ea010000");
    const { dataIn, residual } = await a.disk().execute(PersistentReserveIn.reportCapabilities(2));
    expect([hex(dataIn), residual]).to.deep.equal(["0008", 0]);
  });
});
