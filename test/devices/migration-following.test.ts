/** What a guest's commands make of the state that a migration carries: only what ended GOOD counts. */
import { expect } from "chai";
import { PersistentReserveIn, PersistentReserveOut, Sense, senseResult, TransportId } from "qom-pr";
import type { ReserveOutRequest } from "qom-pr";
import { bareStatus } from "#src/scsi/command.js";
import { outcome } from "../support/outcome.js";
import { hex } from "../support/hex.js";
import { WWN } from "../support/machine.js";
import { Cluster, KEY, OTHER_KEY } from "./support/migrating.js";
import type { Node } from "./support/migrating.js";

const OTHER = 0xe1n;
const REGISTER: ReserveOutRequest = { action: "register", serviceActionKey: KEY };
const ignoring = (serviceActionKey: bigint): ReserveOutRequest => ({ action: "register-and-ignore-existing-key", serviceActionKey });
const reserve = (type: number, key = KEY): ReserveOutRequest => ({ action: "reserve", key, type });
const preempt = (serviceActionKey: bigint, type = 5): ReserveOutRequest => ({ action: "preempt", key: KEY, serviceActionKey, type });
const move = (unregister: boolean): ReserveOutRequest => ({
  action: "register-and-move",
  key: KEY,
  serviceActionKey: OTHER,
  unregister,
  relativeTargetPort: 1,
  transportIds: [TransportId.parse("naa.50000000000000b0")],
});

/** Commands of the guest on a, and of b where they are marked; what they are answered; key and type then. */
type Row = readonly [
  what: string,
  commands: readonly (ReserveOutRequest | { readonly b: ReserveOutRequest })[],
  state: string,
  last?: string,
];

const K = KEY.toString(16);

const ROWS: readonly Row[] = [
  ["nothing", [], "nothing"],
  ["REGISTER", [REGISTER], `${K} 0`],
  ["REGISTER of another key", [REGISTER, reserve(5), { action: "register", key: KEY, serviceActionKey: OTHER }], "e1 5"],
  ["REGISTER with a wrong key", [REGISTER, { action: "register", key: OTHER, serviceActionKey: OTHER }], `${K} 0`, "RC"],
  ["REGISTER of nothing, unregistered", [{ action: "register" }], "nothing"],
  ["unregistering the holder", [REGISTER, reserve(5), { action: "register", key: KEY }], "nothing"],
  ["unregistering a holder among all registrants", [REGISTER, { b: ignoring(OTHER_KEY) }, reserve(7), ignoring(0n)], "nothing"],
  ["REGISTER AND IGNORE EXISTING KEY", [ignoring(KEY)], `${K} 0`],
  ["REGISTER AND IGNORE EXISTING KEY of the holder", [REGISTER, reserve(1), ignoring(OTHER)], "e1 1"],
  [
    "REGISTER after the guest was preempted",
    [REGISTER, reserve(5), { b: ignoring(OTHER_KEY) }, { b: { ...preempt(KEY), key: OTHER_KEY } }, REGISTER, REGISTER],
    `${K} 0`,
  ],
  ...[1, 3, 5, 6, 7, 8].map((type): Row => [`RESERVE of type ${type}`, [REGISTER, reserve(type)], `${K} ${type}`]),
  ["RESERVE that conflicts", [REGISTER, { b: ignoring(OTHER_KEY) }, { b: reserve(5, OTHER_KEY) }, reserve(5)], `${K} 0`, "RC"],
  ["RESERVE of another type", [REGISTER, reserve(5), reserve(6)], `${K} 5`, "RC"],
  ["RESERVE of an impossible type", [REGISTER, reserve(2)], `${K} 0`, "05/24/00"],
  ["RELEASE", [REGISTER, reserve(5), { action: "release", key: KEY, type: 5 }], `${K} 0`],
  ["RELEASE of another type", [REGISTER, reserve(5), { action: "release", key: KEY, type: 6 }], `${K} 5`, "05/26/04"],
  ["RELEASE of nothing", [REGISTER, { action: "release", key: KEY, type: 5 }], `${K} 0`],
  ["CLEAR", [REGISTER, reserve(5), { action: "clear", key: KEY }], "nothing"],
  ["CLEAR with a wrong key", [REGISTER, reserve(5), { action: "clear", key: OTHER }], `${K} 5`, "RC"],
  ["PREEMPT of the holder", [REGISTER, { b: ignoring(OTHER_KEY) }, { b: reserve(5, OTHER_KEY) }, preempt(OTHER_KEY, 6)], `${K} 6`],
  ["PREEMPT of a registrant by the holder", [REGISTER, { b: ignoring(OTHER_KEY) }, reserve(1), preempt(OTHER_KEY, 5)], `${K} 1`],
  ["PREEMPT of a registrant, nothing reserved", [REGISTER, { b: ignoring(OTHER_KEY) }, preempt(OTHER_KEY)], `${K} 0`],
  ["PREEMPT of the holder's own key: another type", [REGISTER, reserve(1), preempt(KEY, 5)], `${K} 5`],
  ["PREEMPT of one's own key, nothing reserved", [REGISTER, preempt(KEY)], "nothing"],
  [
    "PREEMPT of one's own key beside a holder",
    [REGISTER, { b: ignoring(OTHER_KEY) }, { b: reserve(5, OTHER_KEY) }, preempt(KEY)],
    "nothing",
  ],
  ["PREEMPT of all other registrants", [REGISTER, { b: ignoring(OTHER_KEY) }, { b: reserve(7, OTHER_KEY) }, preempt(0n, 8)], `${K} 8`],
  ["PREEMPT of one among all registrants", [REGISTER, { b: ignoring(OTHER_KEY) }, reserve(7), preempt(OTHER_KEY, 1)], `${K} 7`],
  ["PREEMPT of one's own key among all registrants", [REGISTER, { b: ignoring(OTHER_KEY) }, reserve(7), preempt(KEY)], "nothing"],
  ["PREEMPT of a key that nobody has", [REGISTER, reserve(5), preempt(OTHER)], `${K} 5`, "RC"],
  [
    "PREEMPT AND ABORT of the holder",
    [REGISTER, { b: ignoring(OTHER_KEY) }, { b: reserve(5, OTHER_KEY) }, { ...preempt(OTHER_KEY, 3), action: "preempt-and-abort" }],
    `${K} 3`,
  ],
  ["REGISTER AND MOVE", [REGISTER, reserve(5), move(false)], `${K} 0`],
  ["REGISTER AND MOVE that unregisters", [REGISTER, reserve(5), move(true)], "nothing"],
  [
    "REGISTER AND MOVE by who holds nothing",
    [REGISTER, { b: ignoring(OTHER_KEY) }, { b: reserve(5, OTHER_KEY) }, move(true)],
    `${K} 0`,
    "RC",
  ],
  ["REPLACE LOST RESERVATION", [REGISTER, { action: "replace-lost-reservation", serviceActionKey: OTHER, type: 5 }], `${K} 0`, "05/24/00"],
];

/** Key and type of what is saved. */
function stateOf(node: Node): string {
  const saved = node.disk().migration.save();
  if (saved === null) return "nothing";
  expect(hex(saved.subarray(0, 4))).to.equal("00000001");
  return `${BigInt(`0x${hex(saved.subarray(4, 12))}`).toString(16)} ${saved[12]}`;
}

describe("the state that a migration carries", () => {
  const cluster = new Cluster();

  for (const [what, commands, state, last = "GOOD"] of ROWS) {
    it(`after ${what}: ${state}`, async () => {
      const [a, b] = [await cluster.node("a"), await cluster.node("b")];
      let answer = "GOOD";
      for (const command of commands) answer = await ("b" in command ? b.out(command.b) : a.out(command));
      expect(answer).to.equal(last);
      expect(stateOf(a)).to.equal(state);
    });
  }

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
