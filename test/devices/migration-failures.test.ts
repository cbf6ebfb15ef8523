/** Takeovers of reservations that fail, that are ended, and what waits for them. */
import { expect } from "chai";
import { Sense } from "qom-pr";
import type { Machine } from "qom-pr";
import { bareStatus } from "#src/scsi/command.js";
import { bytes, hex } from "../support/hex.js";
import { outcome } from "../support/outcome.js";
import { refusal } from "../support/refusal.js";
import { WWN } from "../support/machine.js";
import { failed, goodData, ScriptedDisk } from "../support/scripted-disk.js";
import { Cluster, KEY } from "./support/migrating.js";
import type { Node } from "./support/migrating.js";

const K = KEY.toString(16);
const TYPE_5 = bytes(`00000001 ${K} 05`);

describe("a restore that cannot be", () => {
  const cluster = Cluster.ofTests();

  const STREAMS: readonly (readonly [string, string, RegExp])[] = [
    ["torn", hex(TYPE_5.subarray(0, 12)), /^device 'disk0': a migration stream of reservations is torn: it has 12 bytes instead of 13$/],
    ["of another version", hex(TYPE_5).replace("00000001", "00000002"), /^device 'disk0': .* version 2, and version 1 is understood$/],
    ["too long", `${hex(TYPE_5)}00`, /^device 'disk0': .* has 14 bytes and ends after 13$/],
  ];
  for (const [what, stream, message] of STREAMS) {
    it(`says that the stream is ${what}, and leaves the disk as it was`, async () => {
      const { b } = await cluster.pair();
      expect((await refusal(() => b.disk().migration.restore(bytes(stream)))).message).to.match(message);
      expect([b.sent, cluster.reserved]).to.deep.equal([[], `a0=${K}, type 5 of a0`]);
      expect(await b.testUnitReady()).to.equal("GOOD");
    });
  }

  it("refuses what are no bytes, and options that are none", async () => {
    const { b } = await cluster.pair();
    const { migration } = b.disk();
    expect((await refusal(() => Reflect.apply(migration.restore.bind(migration), null, ["00000001"]))).kind).to.equal("invalid-value");
    expect((await refusal(() => Reflect.apply(migration.save.bind(migration), null, [{ attentions: 1 }]))).kind).to.equal("invalid-value");
  });

  for (const [device, what] of [
    ["scsi-block,migrate-pr=off", "migrate-pr=off"],
    ["scsi-generic", "scsi-generic"],
  ] as const) {
    it(`refuses every stream with ${what}`, async () => {
      const b = await cluster.node("b", { device });
      const { migration } = b.disk();
      expect((await refusal(() => migration.restore(TYPE_5))).kind).to.equal("unsupported");
      expect(await migration.reclaim()).to.deep.equal({ taken: "nothing", warnings: [] });
      expect(migration.forget()).to.equal(undefined);
    });
  }

  const FAILING: readonly (readonly [command: number, action: number, name: string])[] = [
    [0x5e, 1, "READ RESERVATION"],
    [0x5f, 0, "REGISTER"],
    [0x5f, 4, "PREEMPT"],
  ];
  for (const [opcode, action, name] of FAILING) {
    it(`names ${name} when the disk does not carry it out, and leaves the disk as it was`, async () => {
      const { b } = await cluster.pair();
      const undo = cluster.fabric.unit(WWN).disturb(({ cdb }) => cdb[0] === opcode && cdb[1] === action, { result: bareStatus(0x08) });
      const error = await refusal(() => b.disk().migration.restore(TYPE_5));
      expect([error.kind, error.message]).to.deep.equal([
        "io",
        `device 'disk0' cannot take reservations over: ${name} ended with status 8h`,
      ]);
      expect(cluster.reserved).to.equal(`a0=${K}, type 5 of a0`);
      undo();
      expect((await b.disk().migration.restore(TYPE_5)).taken).to.equal("reservation");
    });
  }

  it("does not guess whether a key is among more than can be read", async () => {
    const { b } = await cluster.pair();
    const many = new Uint8Array(8192).fill(1);
    many.set([0, 0, 0, 1, 0, 0, 0x20, 0]);
    const result = { status: 0, dataIn: many, residual: 0, sense: new Uint8Array(0) };
    cluster.fabric.unit(WWN).disturb(({ cdb }) => cdb[0] === 0x5e && cdb[1] === 0, { result });
    const error = await refusal(() => b.disk().migration.restore(bytes(`00000001 ${K} 00`)));
    expect([error.kind, error.message]).to.deep.equal([
      "limit",
      "device 'disk0' cannot take reservations over: the disk has more than the 1023 keys that can be read",
    ]);
  });

  it("is taken for done when the disk does not tell of it afterwards", async () => {
    const { b } = await cluster.pair();
    let reads = 0;
    cluster.fabric.unit(WWN).disturb(({ cdb }) => cdb[0] === 0x5e && cdb[1] === 1 && ++reads > 1, { result: bareStatus(0x08) });
    expect((await b.disk().migration.restore(TYPE_5)).taken).to.equal("reservation");
  });

  it("is refused while another one is under way, and so is what would come in between", async () => {
    const { b } = await cluster.pair();
    const hold = cluster.fabric.unit(WWN).hold();
    const { migration } = b.disk();
    const first = migration.restore(TYPE_5);
    await hold.reached(1);
    for (const action of [() => migration.restore(TYPE_5), () => migration.reclaim(), () => migration.save(), () => migration.forget()]) {
      const error = await refusal(action);
      expect([error.kind, error.message]).to.deep.equal(["in-use", "device 'disk0' is taking reservations over"]);
    }
    hold.release();
    expect((await first).taken).to.equal("reservation");
  });

  it("is refused by a device that is closed, and ended by one that closes", async () => {
    const { b } = await cluster.pair();
    const disk = b.disk();
    const hold = cluster.fabric.unit(WWN).hold();
    const moving = refusal(() => disk.migration.restore(TYPE_5));
    await hold.reached(1);
    await disk.reset("logical-unit");
    expect((await moving).message).to.equal("device 'disk0' cannot take reservations over: READ RESERVATION ended with status 40h");
    hold.release();
    await b.machine.close();
    expect((await refusal(() => disk.migration.restore(TYPE_5))).kind).to.equal("closed");
  });
});

describe("a takeover of a disk of the host without a manager", () => {
  const disk = new ScriptedDisk();
  let machine: Machine;
  before(async () => {
    machine = await disk.machine("scsi-block");
  });
  after(() => machine.close());

  it("goes where its commands go, with their deadline, and again after a unit attention", async () => {
    const reserved = bytes(`00000001 00000010 ${K} 00000000 00 05 0000`);
    let attentions = 2;
    disk.script = (request) => {
      if (attentions-- > 0) return failed(Sense.REGISTRATIONS_PREEMPTED);
      return request.cdb[0] === 0x5e && request.cdb[1] === 1 ? goodData(request, reserved) : undefined;
    };
    expect(await machine.scsiDevice("disk0").migration.restore(TYPE_5)).to.deep.equal({ taken: "reservation", warnings: [] });
    expect(disk.requests.map(({ cdb }) => hex(cdb.subarray(0, 2)))).to.deep.equal(["5e01", "5e01", "5e01", "5e02", "5f00", "5f04", "5e01"]);
    expect(new Set(disk.requests.map(({ timeoutMs }) => timeoutMs))).to.deep.equal(new Set([30_000]));
    expect(machine.scsiDevice("disk0").migration.save({ attentions: true })).to.deep.equal(TYPE_5);
  });

  it("is refused by a kernel that lets only the privileged reserve", async () => {
    disk.script = () => failed(Sense.IO_ERROR);
    const { message } = await refusal(() => machine.scsiDevice("disk0").migration.restore(TYPE_5));
    expect(message).to.match(/^device 'disk0' cannot take reservations over: READ RESERVATION ended with ABORTED COMMAND/);
  });
});

describe("commands of the guest during a takeover", () => {
  const cluster = Cluster.ofTests();

  async function held(): Promise<{ b: Node; release: () => void; moving: Promise<unknown> }> {
    const [a, b] = [await cluster.node("a"), await cluster.node("b")];
    await a.out({ action: "register", serviceActionKey: KEY });
    await a.out({ action: "reserve", key: KEY, type: 5 });
    const hold = cluster.fabric.unit(WWN).hold(({ cdb }) => cdb[0] === 0x5e);
    const moving = b.disk().migration.restore(TYPE_5);
    await hold.reached(1);
    return { b, release: () => hold.release(), moving };
  }

  it("wait, and then have access", async () => {
    const { b, moving, release } = await held();
    const order: string[] = [];
    void moving.then(() => order.push("moved"));
    const answers = ["first", "second"].map(async (name) => {
      const answer = await b.write();
      order.push(`${name} ${answer}`);
    });
    release();
    await Promise.all(answers);
    expect(order.slice(-2)).to.deep.equal(["first GOOD", "second GOOD"]);
    await moving;
  });

  it("end with their signal, and leave nothing on it", async () => {
    const { b, moving, release } = await held();
    const ending = new AbortController();
    const command = b.disk().execute({ cdb: new Uint8Array(6), signal: ending.signal });
    ending.abort();
    expect(outcome(await command)).to.equal("ABORTED");
    release();
    await moving;
  });

  it("end with a reset", async () => {
    const { b, release } = await held();
    const command = b.write();
    const reset = b.disk().reset("logical-unit");
    expect(await command).to.equal("ABORTED");
    release();
    await reset;
  });
});
