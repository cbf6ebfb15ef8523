/** Reservations follow a guest to another machine: what is sent to the disk, what is taken, and what a mistake leaves. */
import { expect } from "chai";
import { PersistentReserveOut, Sense, senseResult, TransportId } from "qom-pr";
import { bytes, hex } from "../support/hex.js";
import { outcome } from "../support/outcome.js";
import { refusal } from "../support/refusal.js";
import { WWN } from "../support/machine.js";
import { Cluster, KEY, OTHER_KEY } from "./support/migrating.js";
import type { Node } from "./support/migrating.js";

const K = KEY.toString(16);
/** What a registration with another key is made with, so that the reservation never goes with the last of them. */
const PASSING = (KEY ^ 1n).toString(16);
const TYPE_5 = bytes(`00000001 ${K} 05`);
const REGISTERED = bytes(`00000001 ${K} 00`);

/** What the other node is answered that is fenced out by a guest's reservation. */
const FENCED = "RC";

/** The PERSISTENT RESERVE OUT among what was sent, in short. */
function outs(node: Node): readonly string[] {
  return node.sent.filter((line) => !line.startsWith("PERSISTENT RESERVE IN"));
}

describe("a migration of reservations", () => {
  const cluster = Cluster.ofTests();

  /** A guest on a with a key, and a reservation unless the type is 0; c is the cluster's other node. */
  async function started(type: number, { other = true, aptpl = false } = {}): Promise<{ a: Node; b: Node; c: Node }> {
    const [a, b, c] = [await cluster.node("a"), await cluster.node("b"), await cluster.node("c")];
    expect(await a.out({ action: "register", serviceActionKey: KEY, aptpl })).to.equal("GOOD");
    if (type !== 0) expect(await a.out({ action: "reserve", key: KEY, type })).to.equal("GOOD");
    if (other) expect(await c.out({ action: "register", serviceActionKey: OTHER_KEY, aptpl })).to.equal("GOOD");
    return { a, b, c };
  }

  const saved = (node: Node, id?: string): Uint8Array => node.disk(id).migration.save() ?? expect.fail("nothing was saved");

  it("takes a reservation over with QEMU's commands", async () => {
    const { a, b } = await started(5);
    expect(hex(saved(a))).to.equal(hex(TYPE_5));
    expect(await b.disk().migration.restore(saved(a))).to.deep.equal({ taken: "reservation", warnings: [] });
    expect(outs(b)).to.deep.equal([`PERSISTENT RESERVE OUT 0 ${K} type 0: GOOD`, `PERSISTENT RESERVE OUT ${K} ${K} type 5: GOOD`]);
    expect(cluster.reserved).to.equal(`c0=cc b0=${K}, type 5 of b0`);
    expect(hex(saved(b))).to.equal(hex(TYPE_5));
  });

  for (const type of [1, 3, 5, 6, 7, 8]) {
    for (const other of [true, false]) {
      it(`moves type ${type}${other ? " beside another registrant" : ""}, and takes it back`, async () => {
        const { a, b } = await started(type, { other });
        const others = other ? "c0=cc " : "";
        const holder = (name: string): string => (type >= 7 ? "all" : `${name}0`);
        expect((await b.disk().migration.restore(saved(a))).taken).to.equal("reservation");
        expect(cluster.reserved).to.equal(`${others}b0=${K}, type ${type} of ${holder("b")}`);
        expect(await a.disk().migration.reclaim()).to.deep.equal({ taken: "reservation", warnings: [] });
        expect(cluster.reserved).to.equal(`${others}a0=${K}, type ${type} of ${holder("a")}`);
        expect(await a.testUnitReady()).to.equal("GOOD");
      });
    }
  }

  it("keeps who is no registrant from writing at each step, whatever the type", async () => {
    for (const type of [1, 5, 7]) {
      const { a, b, c } = await started(type, { other: false });
      const stream = saved(a);
      const hold = cluster.fabric.unit(WWN).hold(({ cdb, nexus }) => cdb[0] === 0x5f && nexus.initiator.format().endsWith("b0"));
      const moved = b.disk().migration.restore(stream);
      await hold.reached(1);
      expect(await c.write()).to.equal(FENCED);
      let fenced = 0;
      const manager = b.machine.fabric.onReservationChange(() => {
        void c.write().then((answer) => (fenced += answer === FENCED ? 1 : -1000));
      });
      hold.release();
      expect((await moved).taken).to.equal("reservation");
      manager();
      expect(await c.write()).to.equal(FENCED);
      expect(fenced).to.be.greaterThan(0);
      await b.out({ action: "clear", key: KEY });
      for (const node of [a, b, c]) await node.machine.close();
    }
  });

  it("moves a registration with QEMU's commands", async () => {
    const { a, b } = await started(0);
    expect(await b.disk().migration.restore(saved(a))).to.deep.equal({ taken: "registration", warnings: [] });
    expect(outs(b)).to.deep.equal([
      `PERSISTENT RESERVE OUT 0 ${K} type 0: GOOD`,
      `PERSISTENT RESERVE OUT ${K} ${K} type 1: GOOD`,
      `PERSISTENT RESERVE OUT 0 ${K} type 0: GOOD`,
    ]);
    expect(cluster.reserved).to.equal(`c0=cc b0=${K}`);
  });

  it("moves a share in a reservation of all registrants without an end of it", async () => {
    const { a, b } = await started(7, { other: false });
    await b.disk().migration.restore(saved(a));
    expect(outs(b)).to.deep.equal([
      `PERSISTENT RESERVE OUT 0 ${PASSING} type 0: GOOD`,
      `PERSISTENT RESERVE OUT ${PASSING} ${K} type 7: GOOD`,
      `PERSISTENT RESERVE OUT ${PASSING} ${K} type 0: GOOD`,
    ]);
  });

  it("finds one of many keys", async () => {
    const { a, b } = await started(0);
    for (let path = 0; path < 20; path += 1) {
      const initiator = `naa.60000000000000${path.toString(16).padStart(2, "0")}`;
      await registerAs(initiator, BigInt(path + 1));
    }
    await a.out({ action: "register", key: KEY });
    await a.out({ action: "register", serviceActionKey: KEY });
    expect((await b.disk().migration.restore(saved(a))).taken).to.equal("registration");
  });

  async function registerAs(initiator: string, key: bigint): Promise<void> {
    const nexus = { initiator: TransportId.parse(initiator), targetPort: 1 };
    await cluster.fabric.unit(WWN).execute(nexus, PersistentReserveOut.encode({ action: "register", serviceActionKey: key }));
  }

  it("leaves a reservation where it is that another port with the guest's key holds, and says so", async () => {
    const { a, b } = await started(5);
    expect(hex(saved(a))).to.equal(hex(TYPE_5));
    expect(await b.disk().migration.restore(REGISTERED)).to.deep.equal({
      taken: "registration",
      warnings: ["another port with the guest's key holds the reservation of type 5: it stays there"],
    });
    expect(cluster.reserved).to.equal(`a0=${K} c0=cc b0=${K}, type 5 of a0`);
  });

  for (const type of [0, 5, 7]) {
    it(`leaves APTPL as it is, which every REGISTER says anew, type ${type}`, async () => {
      const { a, b } = await started(type, { aptpl: true });
      await b.disk().migration.restore(saved(a));
      expect(outs(b)[0]).to.match(/ APTPL: GOOD$/);
      const before = cluster.reserved;
      await cluster.fabric.powerCycle();
      expect(cluster.reserved).to.equal(before);
    });
  }

  it("works where both ends are one initiator", async () => {
    for (const type of [0, 5, 7]) {
      const [a, b] = [await cluster.node("a"), await cluster.node("b", { initiator: "a" })];
      await a.out({ action: "register", serviceActionKey: KEY });
      if (type !== 0) await a.out({ action: "reserve", key: KEY, type });
      expect((await b.disk().migration.restore(saved(a))).warnings).to.deep.equal([]);
      expect(cluster.reserved).to.equal(`a0=${K}${type === 0 ? "" : `, type ${type} of ${type === 7 ? "all" : "a0"}`}`);
      expect(await b.testUnitReady()).to.equal("GOOD");
      await b.out({ action: "clear", key: KEY });
      for (const node of [a, b]) await node.machine.close();
    }
  });

  it("does not take back what another node has taken: the guest stays fenced", async () => {
    const { a, b, c } = await started(5);
    const stream = saved(a);
    await c.out({ action: "preempt-and-abort", key: OTHER_KEY, serviceActionKey: KEY, type: 5 });
    expect(await b.disk().migration.restore(stream)).to.deep.equal({
      taken: "nothing",
      warnings: [
        "the guest's reservation of type 5 is not on the disk any more: key 0x00000000000000cc has one of type 5",
        `key 0x${K} is not registered on the disk any more: nothing was taken over`,
      ],
    });
    expect(outs(b)).to.deep.equal([]);
    expect(await b.write()).to.equal(FENCED);
    expect(b.disk().migration.save()).to.equal(null);
  });

  it("takes the registration alone where the reservation is gone", async () => {
    const { a, b } = await started(5);
    const stream = saved(a);
    await a.out({ action: "release", key: KEY, type: 5 });
    expect(await b.disk().migration.restore(stream)).to.deep.equal({
      taken: "registration",
      warnings: ["the guest's reservation of type 5 is not on the disk any more"],
    });
    expect(cluster.reserved).to.equal(`c0=cc b0=${K}`);
  });

  it("takes nothing where a power loss has left nothing", async () => {
    const { a, b } = await started(5);
    const stream = saved(a);
    await cluster.fabric.powerCycle();
    expect((await b.disk().migration.restore(stream)).taken).to.equal("nothing");
    expect(cluster.reserved).to.equal("");
  });

  for (const type of [0, 5, 7]) {
    it(`says so when another node takes it in the middle, type ${type}`, async () => {
      const { a, b, c } = await started(type);
      const hold = cluster.fabric.unit(WWN).hold(({ cdb }) => cdb[0] === 0x5f && cdb[1] === 4);
      const moved = b.disk().migration.restore(saved(a));
      await hold.reached(1);
      expect(await c.out({ action: "preempt-and-abort", key: OTHER_KEY, serviceActionKey: KEY, type })).to.equal("GOOD");
      hold.release();
      expect((await moved).taken).to.equal("nothing");
      expect(cluster.reserved).to.equal(type === 0 ? "c0=cc" : `c0=cc, type ${type} of ${type === 7 ? "all" : "c0"}`);
    });
  }

  it("changes the reservation to the type that it has on the disk, with a warning", async () => {
    const { b } = await started(6);
    expect(await b.disk().migration.restore(TYPE_5)).to.deep.equal({
      taken: "reservation",
      warnings: ["the guest's reservation has type 6 on the disk, not 5"],
    });
    expect(cluster.reserved).to.equal(`c0=cc b0=${K}, type 6 of b0`);
  });
});

describe("a guest with two paths to a disk and one key", () => {
  const cluster = Cluster.ofTests();

  async function moving(type: number): Promise<{ a: Node; b: Node; streams: readonly Uint8Array[] }> {
    const [a, b] = [await cluster.node("a", { paths: 2 }), await cluster.node("b", { paths: 2 })];
    for (const id of ["disk0", "disk1"]) await a.out({ action: "register", serviceActionKey: KEY }, id);
    if (type !== 0) await a.out({ action: "reserve", key: KEY, type });
    const streams = ["disk0", "disk1"].map((id) => a.disk(id).migration.save() ?? expect.fail("nothing was saved"));
    return { a, b, streams };
  }

  for (const type of [0, 1, 5, 7]) {
    it(`has both there, type ${type}, and both back`, async () => {
      const { a, b, streams } = await moving(type);
      for (const [path, stream] of streams.entries()) await b.disk(`disk${path}`).migration.restore(stream);
      const held = type === 0 ? "" : `, type ${type} of ${type === 7 ? "all" : "X0"}`;
      expect(cluster.reserved).to.equal(`b0=${K} b1=${K}${held.replace("X", "b")}`);
      for (const id of ["disk0", "disk1"]) expect((await a.disk(id).migration.reclaim()).taken).not.to.equal("nothing");
      expect(cluster.reserved).to.equal(`a0=${K} a1=${K}${held.replace("X", "a")}`);
    });
  }

  for (const type of [0, 5, 7]) {
    it(`has both back when it had come from there and could not return, type ${type}`, async () => {
      const { a, b, streams } = await moving(type);
      const both = ["disk0", "disk1"];
      for (const [path, stream] of streams.entries()) await b.disk(`disk${path}`).migration.restore(stream);
      for (const id of both) a.disk(id).migration.forget();
      const back = both.map((id) => b.disk(id).migration.save() ?? expect.fail("nothing was saved"));
      for (const [path, stream] of back.entries()) await a.disk(`disk${path}`).migration.restore(stream);
      for (const id of both) await b.disk(id).migration.reclaim();
      expect(cluster.reserved).to.equal(`b0=${K} b1=${K}${type === 0 ? "" : `, type ${type} of ${type === 7 ? "all" : "b0"}`}`);
    });
  }

  it("is told when the holder did not come first", async () => {
    const { b, streams } = await moving(5);
    const [holder = REGISTERED, other = REGISTERED] = streams;
    await b.disk("disk1").migration.restore(other);
    expect((await b.disk().migration.restore(holder)).warnings).to.deep.equal([
      "the guest's other paths to the disk have lost their registration: restore them again, after this one",
    ]);
  });
});

describe("unit attentions and a migration", () => {
  const cluster = Cluster.ofTests();

  async function told(node: Node): Promise<readonly string[]> {
    const answers: string[] = [];
    for (let answer = await node.testUnitReady(); answer !== "GOOD"; answer = await node.testUnitReady()) answers.push(answer);
    return answers;
  }

  it("do not end it: commands are sent again, and resets before the guest came are not its affair", async () => {
    const { a, b } = await cluster.pair();
    const stream = a.disk().migration.save() ?? TYPE_5;
    await b.disk().reset("logical-unit");
    await b.disk().reset("target");
    expect((await b.disk().migration.restore(stream)).taken).to.equal("reservation");
    expect(await told(b)).to.deep.equal([]);
  });

  it("go along when they are asked for", async () => {
    const { a, b } = await cluster.pair();
    await b.disk().reset("logical-unit");
    expect(hex(a.disk().migration.save() ?? TYPE_5)).to.equal(hex(TYPE_5));
    const stream = a.disk().migration.save({ attentions: true }) ?? TYPE_5;
    expect(hex(stream)).to.equal(`${hex(TYPE_5)}012903`);
    await b.disk().migration.restore(stream);
    expect(outcome(await b.disk().execute({ cdb: bytes("12 00 00 00 24 00") })), "INQUIRY").to.equal("GOOD");
    expect(await told(b)).to.deep.equal(["06/29/03"]);
  });

  it("go along once more when the guest has not seen them before it goes on", async () => {
    const { a, b } = await cluster.pair();
    await b.disk().migration.restore(Uint8Array.from([...(a.disk().migration.save() ?? []), 1, 0x2a, 0x09]));
    expect(hex(b.disk().migration.save({ attentions: true }) ?? TYPE_5)).to.equal(`${hex(TYPE_5)}012a09`);
  });

  it("alone are saved, of a guest that has registered nothing", async () => {
    const [a, b] = [await cluster.node("a"), await cluster.node("b")];
    await a.disk().reset("i-t-nexus");
    expect(a.disk().migration.save()).to.equal(null);
    const stream = a.disk().migration.save({ attentions: true }) ?? TYPE_5;
    expect(hex(stream)).to.equal("00000001000000000000000000012907");
    expect(await b.disk().migration.restore(stream)).to.deep.equal({ taken: "nothing", warnings: [] });
    expect(await told(b)).to.deep.equal(["06/29/07"]);
  });

  it("of the destination's doing are not told after a reclaim, and others are", async () => {
    const { a, b } = await cluster.pair();
    await b.disk().migration.restore(a.disk().migration.save() ?? TYPE_5);
    await b.disk().reset("logical-unit");
    await a.disk().migration.reclaim();
    expect(await told(a)).to.deep.equal(["06/29/03"]);
  });

  it("of a guest that was fenced meanwhile are told after a reclaim", async () => {
    const { a } = await cluster.pair();
    const c = await cluster.node("c");
    a.disk().migration.save();
    await c.out({ action: "register", serviceActionKey: OTHER_KEY });
    await c.out({ action: "preempt", key: OTHER_KEY, serviceActionKey: KEY, type: 5 });
    expect((await a.disk().migration.reclaim()).taken).to.equal("nothing");
    expect(await told(a)).to.deep.equal(["06/2A/05"]);
    expect(a.disk().migration.save()).to.equal(null);
  });

  it("end a takeover that meets nothing else", async () => {
    const { b } = await cluster.pair();
    const result = senseResult(Sense.POWER_ON_OR_RESET);
    cluster.fabric.unit(WWN).disturb(({ cdb, nexus }) => cdb[0] === 0x5e && nexus.initiator.format().endsWith("b0"), { result });
    expect((await refusal(() => b.disk().migration.restore(TYPE_5))).message).to.match(/READ RESERVATION ended with UNIT ATTENTION/);
  });
});

describe("a source whose destination has taken nothing", () => {
  const cluster = Cluster.ofTests();

  for (const type of [0, 1, 5, 7]) {
    for (const paths of [1, 2]) {
      it(`has all that it had after a reclaim, type ${type}, paths: ${paths}`, async () => {
        const [a, c] = [await cluster.node("a", { paths }), await cluster.node("c")];
        await c.out({ action: "register", serviceActionKey: OTHER_KEY });
        const disks = Array.from({ length: paths }, (_, path) => `disk${path}`);
        for (const id of disks) await a.out({ action: "register", serviceActionKey: KEY }, id);
        if (type !== 0) await a.out({ action: "reserve", key: KEY, type });
        const [before, states] = [cluster.reserved, disks.map((id) => hex(a.disk(id).migration.save() ?? TYPE_5))];
        for (const id of disks) await a.disk(id).migration.reclaim();
        expect(cluster.reserved.split(/,? /).toSorted()).to.deep.equal(before.split(/,? /).toSorted());
        expect(disks.map((id) => hex(a.disk(id).migration.save() ?? TYPE_5))).to.deep.equal(states);
        for (const id of disks) expect(await a.testUnitReady(id)).to.equal("GOOD");
        expect(await c.testUnitReady()).to.equal("GOOD");
      });
    }
  }
});

describe("a source whose migration succeeded", () => {
  const cluster = Cluster.ofTests();

  it("forgets what its guest had, and sends nothing", async () => {
    const [a, b] = [await cluster.node("a"), await cluster.node("b")];
    await a.out({ action: "register", serviceActionKey: KEY });
    const stream = a.disk().migration.save({ attentions: true }) ?? REGISTERED;
    await b.disk().migration.restore(stream);
    a.sent.length = 0;
    a.disk().migration.forget();
    expect(a.disk().migration.save()).to.equal(null);
    expect(await a.disk().migration.reclaim()).to.deep.equal({ taken: "nothing", warnings: [] });
    expect(a.sent).to.deep.equal([]);
  });
});
