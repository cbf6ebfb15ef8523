/** A takeover of reservations that a fault meets, at each of its steps: the disk is as before or as after it, or the error says what is left. */
import { expect } from "chai";
import { Fabric, PersistentReserveOut, QomError, Sense, senseResult, TransportId } from "qom-pr";
import type { ReserveOutRequest, ScsiCommand, ScsiResult } from "qom-pr";
import { FollowingMigration } from "#src/devices/disk/migration.js";
import { bareStatus } from "#src/scsi/command.js";
import { encodeMigration } from "#src/scsi/migration-stream.js";
import { refusal } from "../support/refusal.js";
import { WWN } from "../support/machine.js";
import { Cluster, KEY, OTHER_KEY } from "./support/migrating.js";

/** What is answered in place of the disk, and whether the disk has the command before. */
interface Fault {
  readonly name: string;
  readonly done: boolean;
  readonly answer: () => ScsiResult;
  /** Nothing is answered from then on. */
  readonly lasting?: boolean;
}

const closed = (): never => {
  throw new QomError("closed", "the device is closed");
};

const FAULTS: readonly Fault[] = [
  ...[true, false].flatMap((done): readonly Fault[] => [
    { name: "TASK ABORTED", done, answer: () => bareStatus(0x40) },
    { name: "a lost answer", done, answer: () => senseResult(Sense.IO_ERROR) },
    { name: "TASK ABORTED from then on", done, answer: () => bareStatus(0x40), lasting: true },
    { name: "the device's end", done, answer: closed, lasting: true },
  ]),
  { name: "BUSY", done: false, answer: () => bareStatus(0x08) },
  { name: "BUSY from then on", done: false, answer: () => bareStatus(0x08), lasting: true },
  { name: "TASK SET FULL", done: false, answer: () => bareStatus(0x28) },
  { name: "RESERVATION CONFLICT", done: false, answer: () => bareStatus(0x18) },
  { name: "a unit attention", done: false, answer: () => senseResult(Sense.POWER_ON_OR_RESET) },
];

/** What an error says when the disk may be neither as before nor as after. */
const TOLD = /left registered with key|could not be found out|may not be registered any more/;

interface Start {
  readonly type: number;
  /** Another registrant. */
  readonly other: boolean;
  /** Both ends are one nexus. */
  readonly same: boolean;
}

/** A disk whose guest has moved, or not. */
class Move {
  readonly #fabric = new Fabric();
  readonly #nexuses = new Map<string, { readonly initiator: TransportId; readonly targetPort: number }>();
  step = 0;
  /** The fault is over. */
  mended = false;
  before = "";
  readonly migration: FollowingMigration;

  constructor(
    readonly start: Start,
    fault: { readonly fault: Fault; readonly at: number } | null,
  ) {
    const destination = start.same ? "a0" : "b0";
    this.migration = new FollowingMigration({
      describe: () => "device 'disk0'",
      send: async (command) => {
        const [at, hit] = [this.step++, fault];
        if (hit === null || this.mended || !(at === hit.at || (hit.fault.lasting === true && at > hit.at)))
          return this.#execute(destination, command);
        if (hit.fault.done && at === hit.at) await this.#execute(destination, command);
        return hit.fault.answer();
      },
      pendingAttentions: () => [],
      otherPaths: () => [],
      requireOpen: () => undefined,
      pause: () => Promise.resolve(),
    });
  }

  async prepare(): Promise<void> {
    await this.#fabric.attach({ wwn: WWN });
    const { type, other } = this.start;
    await this.#out("a0", { action: "register", serviceActionKey: KEY, aptpl: true });
    if (type !== 0) await this.#out("a0", { action: "reserve", key: KEY, type });
    if (other) await this.#out("c0", { action: "register", serviceActionKey: OTHER_KEY, aptpl: true });
    this.before = this.reserved;
  }

  restore(): ReturnType<FollowingMigration["restore"]> {
    return this.migration.restore(encodeMigration({ key: KEY, type: this.start.type }));
  }

  /** The disk's, when it has moved. */
  get after(): string {
    return this.start.same ? this.before : this.before.replaceAll("a0", "b0");
  }

  get reserved(): string {
    const { registrants, reservation } = this.#fabric.unit(WWN).reservations;
    const keys = registrants.map(({ initiator, key }) => `${initiator.slice(-2)}=${key.toString(16)}`).toSorted();
    const holder = reservation?.holder?.initiator.slice(-2) ?? "all";
    return `${keys.join(" ")}${reservation === null ? "" : `, type ${reservation.type} of ${holder}`}`;
  }

  /** The same after a power loss: APTPL is on, as it was. */
  async kept(): Promise<string> {
    await this.#fabric.powerCycle();
    return this.reserved;
  }

  close(): Promise<void> {
    return this.#fabric.close();
  }

  #out(name: string, request: ReserveOutRequest): Promise<ScsiResult> {
    return this.#execute(name, PersistentReserveOut.encode(request));
  }

  #execute(name: string, command: ScsiCommand): Promise<ScsiResult> {
    const known = this.#nexuses.get(name) ?? { initiator: TransportId.parse(`naa.50000000000000${name}`), targetPort: 1 };
    this.#nexuses.set(name, known);
    return this.#fabric.unit(WWN).execute(known, command);
  }
}

describe("a takeover that a fault meets", () => {
  for (const type of [0, 1, 5, 7, 8]) {
    for (const other of [true, false]) {
      for (const same of [true, false]) tell({ type, other, same });
    }
  }
});

function tell(start: Start): void {
  const where = `type ${start.type}${start.other ? ", beside another registrant" : ""}${start.same ? ", of one initiator" : ""}`;
  it(`leaves the disk as before or as after, at each step: ${where}`, async () => {
    const whole = new Move(start, null);
    await whole.prepare();
    const expected = await whole.restore();
    expect(sorted(whole.reserved)).to.equal(sorted(whole.after));
    const steps = whole.step;
    await whole.close();
    for (const fault of FAULTS) {
      for (let at = 0; at < steps; at += 1) {
        const move = new Move(start, { fault, at });
        await move.prepare();
        const what = `${fault.name}${fault.done ? ", carried out" : ""} at step ${at}`;
        try {
          const { taken } = await move.restore();
          expect([taken, sorted(await move.kept())], what).to.deep.equal([expected.taken, sorted(move.after)]);
        } catch (error) {
          if (!(error instanceof QomError)) throw error;
          if (fault.lasting !== true || !TOLD.test(error.message)) expect(sorted(await move.kept()), what).to.equal(sorted(move.before));
        }
        await move.close();
      }
    }
  });
}

const sorted = (reserved: string): string => reserved.split(/,? /).toSorted().join(" ");

describe("a PREEMPT without an answer", () => {
  for (const type of [0, 7]) {
    it(`is told of, since another node could have been the one, type ${type}`, async () => {
      const fault = FAULTS.find(({ name, done }) => name === "TASK ABORTED" && done) ?? expect.fail("there is none");
      // READ RESERVATION and READ KEYS, REPORT CAPABILITIES, REGISTER
      const move = new Move({ type, other: true, same: false }, { fault, at: 4 });
      await move.prepare();
      expect((await move.restore()).warnings).to.deep.equal([
        `PREEMPT ended with status 40h, and key 0x${KEY.toString(16)} is gone: that is taken for its work, not for another node's`,
      ]);
      await move.close();
    });
  }
});

describe("a takeover that was left with a key of its own", () => {
  it("is finished by the next one", async () => {
    const fault = FAULTS.find(({ name }) => name === "BUSY from then on") ?? expect.fail("there is none");
    // The last REGISTER
    const move = new Move({ type: 7, other: true, same: false }, { fault, at: 5 });
    await move.prepare();
    await refusal(() => move.restore());
    expect(move.reserved).to.equal(`b0=${(KEY ^ 1n).toString(16)} c0=cc, type 7 of all`);
    move.mended = true;
    expect((await move.restore()).taken).to.equal("reservation");
    expect(sorted(await move.kept())).to.equal(sorted(move.after));
    await move.close();
  });
});

describe("a takeover and the end of its device", () => {
  const cluster = Cluster.ofTests();
  const K = KEY.toString(16);

  for (const type of [0, 5, 7]) {
    for (const action of [0, 4]) {
      it(`is waited for, type ${type}, service action ${action}`, async () => {
        const [a, b] = [await cluster.node("a"), await cluster.node("b")];
        await a.out({ action: "register", serviceActionKey: KEY });
        if (type !== 0) await a.out({ action: "reserve", key: KEY, type });
        const state = a.disk().migration.save() ?? expect.fail("nothing was saved");
        const hold = cluster.fabric.unit(WWN).hold(({ cdb }) => cdb[0] === 0x5f && cdb[1] === action);
        const moving = b.disk().migration.restore(state);
        await hold.reached(1);
        const ended = b.machine.close();
        hold.release();
        expect((await moving).taken).to.equal(type === 0 ? "registration" : "reservation");
        await ended;
        expect(cluster.reserved).to.equal(`b0=${K}${type === 0 ? "" : `, type ${type} of ${type === 7 ? "all" : "b0"}`}`);
      });
    }

    it(`is undone when the disk does not answer in time, type ${type}`, async () => {
      const [a, b] = [await cluster.node("a"), await cluster.node("b")];
      await a.out({ action: "register", serviceActionKey: KEY });
      if (type !== 0) await a.out({ action: "reserve", key: KEY, type });
      const before = cluster.reserved;
      const state = a.disk().migration.save() ?? expect.fail("nothing was saved");
      const hold = cluster.fabric.unit(WWN).hold(({ cdb }) => cdb[0] === 0x5f && cdb[1] === 4);
      const moving = refusal(() => b.disk().migration.restore(state));
      await hold.reached(1);
      await b.disk().drain(0);
      expect((await moving).message).to.match(/PREEMPT ended with status 40h$/);
      expect(cluster.reserved).to.equal(before);
      hold.release();
    });
  }

  for (const device of ["scsi-block", "scsi-block,migrate-pr=off", "scsi-generic"]) {
    it(`is over: ${device} says that it is closed`, async () => {
      const b = await cluster.node("b", { device });
      const { migration } = b.disk();
      await b.machine.close();
      const calls = [
        () => migration.save(),
        () => migration.forget(),
        () => migration.reclaim(),
        () => migration.restore(new Uint8Array(13)),
      ];
      for (const call of calls) {
        const error = await refusal(call);
        expect([error.kind, error.message]).to.deep.equal(["closed", "device 'disk0' is closed"]);
      }
    });
  }
});

describe("a takeover beside others", () => {
  const cluster = Cluster.ofTests();
  const K = KEY.toString(16);

  it("takes no key for its own that another node has", async () => {
    const [a, b, c] = [await cluster.node("a"), await cluster.node("b"), await cluster.node("c")];
    await a.out({ action: "register", serviceActionKey: KEY });
    await a.out({ action: "reserve", key: KEY, type: 7 });
    await c.out({ action: "register", serviceActionKey: KEY ^ 1n });
    const state = a.disk().migration.save() ?? expect.fail("nothing was saved");
    await b.disk().migration.restore(state);
    const [register] = b.sent.filter((line) => !line.startsWith("PERSISTENT RESERVE IN")).map((line) => line.split(" ")[4]);
    expect(register).to.equal((KEY ^ 2n).toString(16));
    expect(cluster.reserved).to.equal(`c0=${(KEY ^ 1n).toString(16)} b0=${K}, type 7 of all`);
  });

  it("says that a key is gone only where it is", async () => {
    const [a, b] = [await cluster.node("a"), await cluster.node("b")];
    await a.out({ action: "register", serviceActionKey: KEY });
    await a.out({ action: "reserve", key: KEY, type: 7 });
    const state = a.disk().migration.save() ?? expect.fail("nothing was saved");
    const before = cluster.reserved;
    cluster.fabric.unit(WWN).disturb(({ cdb }) => cdb[0] === 0x5f && cdb[1] === 4, { result: bareStatus(0x18) });
    expect((await refusal(() => b.disk().migration.restore(state))).message).to.match(/PREEMPT ended with status 18h$/);
    expect(cluster.reserved).to.equal(before);
  });

  it("goes in turn with that of another path, when both are called at once", async () => {
    for (const type of [0, 1, 5, 7]) {
      const [a, b] = [await cluster.node("a", { paths: 2 }), await cluster.node("b", { paths: 2 })];
      const paths = ["disk0", "disk1"];
      for (const id of paths) await a.out({ action: "register", serviceActionKey: KEY }, id);
      if (type !== 0) await a.out({ action: "reserve", key: KEY, type });
      const states = paths.map((id) => a.disk(id).migration.save() ?? expect.fail("nothing was saved"));
      await Promise.all(states.map((state, path) => b.disk(`disk${path}`).migration.restore(state)));
      expect(cluster.reserved).to.equal(`b0=${K} b1=${K}${type === 0 ? "" : `, type ${type} of ${type === 7 ? "all" : "b0"}`}`);
      await b.out({ action: "clear", key: KEY });
      for (const node of [a, b]) await node.machine.close();
    }
  });

  it("does not turn APTPL off where the disk is busy when it is asked", async () => {
    const [a, b] = [await cluster.node("a"), await cluster.node("b")];
    await a.out({ action: "register", serviceActionKey: KEY, aptpl: true });
    const state = a.disk().migration.save() ?? expect.fail("nothing was saved");
    cluster.fabric.unit(WWN).disturb(({ cdb }) => cdb[0] === 0x5e && cdb[1] === 2, { result: bareStatus(0x08) });
    expect((await refusal(() => b.disk().migration.restore(state))).message).to.match(/REPORT CAPABILITIES ended with status 8h$/);
    await cluster.fabric.powerCycle();
    expect(cluster.reserved).to.equal(`a0=${K}`);
  });

  it("is not begun, and nothing is saved, while a PERSISTENT RESERVE OUT of the guest is under way", async () => {
    const { a } = await cluster.pair();
    const hold = cluster.fabric.unit(WWN).hold(({ cdb }) => cdb[0] === 0x5f);
    const { migration } = a.disk();
    const releasing = a.out({ action: "release", key: KEY, type: 5 });
    await hold.reached(1);
    for (const call of [() => migration.save(), () => migration.forget(), () => migration.reclaim()]) {
      const error = await refusal(call);
      expect([error.kind, error.message]).to.deep.equal(["in-use", "device 'disk0' has a PERSISTENT RESERVE OUT under way"]);
    }
    hold.release();
    await releasing;
    expect(migration.save()?.[12]).to.equal(0);
  });
});
