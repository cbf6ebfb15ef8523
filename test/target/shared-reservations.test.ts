/** Fabrics that share reservations by one store: each enforces what the other has decided, or says that it is busy. */
import { expect } from "chai";
import { PersistentReserveIn } from "#src/scsi/persistent-reserve-in.js";
import { present } from "#src/base/assert.js";
import { UncertainCommitError } from "#src/reservation/store.js";
import type { StoredReservations } from "#src/reservation/store.js";
import { SharedStore, StoredUnits } from "../support/shared-store.js";
import { disk, KEYS, WWN } from "./support.js";
import type { Disk } from "./support.js";

const TUR = "00 00 00 00 00 00";
const INQUIRY = "12 00 00 00 24 00";
const READ_KEYS = "5e 00 00 00 00 00 00 01 00 00";
const READ_ONE = "28 00 00 00 00 00 00 00 01 00";
const WRITE_ONE = ["2a 00 00 00 00 00 00 00 01 00", { dataOut: new Uint8Array(512) }] as const;
const [WE, WERO, EARO] = [1, 5, 6] as const;

describe("fabrics on one store", () => {
  let stored: StoredUnits;
  let stores: Record<"one" | "other", SharedStore>;
  /** Node A is on the one, node B on the other. */
  let one: Disk;
  let other: Disk;
  let opened: Disk[];
  beforeEach(async () => {
    stored = new StoredUnits();
    stores = { one: new SharedStore(stored), other: new SharedStore(stored) };
    one = await disk({}, { store: stores.one });
    other = await disk({}, { store: stores.other });
    opened = [one, other];
  });
  afterEach(async () => {
    for (const { fabric } of opened) await fabric.close();
  });

  const register = (on: Disk, from: "A" | "B" | "C", aptpl = false): Promise<string> =>
    on.reserveOut(from, { action: "register-and-ignore-existing-key", serviceActionKey: KEYS[from], aptpl });
  const both = async (): Promise<void> => {
    expect([await register(one, "A"), await register(other, "B")]).to.deep.equal(["GOOD", "GOOD"]);
  };
  const keys = async (on: Disk, from: "A" | "B"): Promise<readonly bigint[]> =>
    PersistentReserveIn.parse("read-keys", (await on.send(from, READ_KEYS)).dataIn).keys;
  const reserve = (on: Disk, from: "A" | "B", type: number): Promise<string> =>
    on.reserveOut(from, { action: "reserve", key: KEYS[from], type });
  const preempt = (
    on: Disk,
    from: "A" | "B",
    victim: "A" | "B",
    type: number,
    action: "preempt" | "preempt-and-abort" = "preempt",
  ): Promise<string> => on.reserveOut(from, { action, key: KEYS[from], serviceActionKey: KEYS[victim], type });

  it("see each other's registrations and PRgeneration, whatever APTPL says", async () => {
    await both();
    expect([await keys(one, "A"), await keys(other, "B")]).to.deep.equal([
      [KEYS.A, KEYS.B],
      [KEYS.A, KEYS.B],
    ]);
    expect(one.unit.reservations).to.deep.equal(other.unit.reservations);
    expect(one.unit.reservations.generation).to.equal(2);
    expect(stored.units.get(WWN)?.image.aptpl).to.equal(false);
    expect(await register(one, "A", true)).to.equal("GOOD");
    expect(stored.units.get(WWN)?.image.aptpl).to.equal(true);
  });

  it("fence each other", async () => {
    await both();
    expect(await reserve(other, "B", WERO)).to.equal("GOOD");
    expect([await one.try("A", ...WRITE_ONE), await other.try("B", ...WRITE_ONE)]).to.deep.equal(["GOOD", "GOOD"]);
    expect(await preempt(one, "A", "B", WERO)).to.equal("GOOD");
    expect(await other.try("B", TUR), "REGISTRATIONS PREEMPTED").to.equal("06/2A/05");
    expect([await one.try("A", ...WRITE_ONE), await other.try("B", ...WRITE_ONE)]).to.deep.equal(["GOOD", "RC"]);
    expect(await register(other, "B")).to.equal("GOOD");
    expect(await preempt(other, "B", "A", WERO, "preempt-and-abort")).to.equal("GOOD");
    expect(await one.try("A", ...WRITE_ONE), "a conflict is told before the unit attention").to.equal("RC");
    expect(await one.try("A", TUR)).to.equal("06/2A/05");
    expect([await one.try("A", ...WRITE_ONE), await other.try("B", ...WRITE_ONE)]).to.deep.equal(["RC", "GOOD"]);
  });

  const told: readonly (readonly [what: string, type: number, act: () => Promise<string>, told: string])[] = [
    ["CLEAR", WERO, () => one.reserveOut("A", { action: "clear", key: KEYS.A }), "06/2A/03"],
    ["PREEMPT of its registration", WERO, () => preempt(one, "A", "B", WERO), "06/2A/05"],
    ["PREEMPT of another one, with another type", WERO, () => preempt(one, "A", "A", EARO), "06/2A/04"],
    [
      "RELEASE of a registrants only reservation",
      WERO,
      () => one.reserveOut("A", { action: "release", key: KEYS.A, type: WERO }),
      "06/2A/04",
    ],
    ["RELEASE of another reservation", WE, () => one.reserveOut("A", { action: "release", key: KEYS.A, type: WE }), "GOOD"],
    [
      "the end of the holder's registration",
      WERO,
      () => one.reserveOut("A", { action: "register", key: KEYS.A, serviceActionKey: 0n }),
      "06/2A/04",
    ],
    ["another registration", WERO, () => register(one, "C"), "GOOD"],
    ["a new key", WERO, () => one.reserveOut("A", { action: "register", key: KEYS.A, serviceActionKey: 99n }), "GOOD"],
  ];
  for (const [what, type, act, expected] of told) {
    it(`tell a registered nexus of ${what}: ${expected}`, async () => {
      await both();
      expect(await reserve(one, "A", type)).to.equal("GOOD");
      expect(await act()).to.equal("GOOD");
      expect(await other.try("B", TUR)).to.equal(expected);
      expect(await other.try("C", TUR), "who is not registered is told nothing").to.equal("GOOD");
      expect(await other.try("B", TUR), "once").to.equal("GOOD");
    });
  }

  it("end the commands under way of a nexus that the other one preempts, before the store hears that it is in force", async () => {
    await both();
    expect(await reserve(other, "B", WERO)).to.equal("GOOD");
    const hold = other.unit.hold(({ cdb }) => cdb[0] === 0x2a);
    const writing = [other.try("B", ...WRITE_ONE), other.try("A2", TUR)];
    await hold.reached(1);
    expect(await preempt(one, "A", "B", WERO, "preempt-and-abort")).to.equal("GOOD");
    expect(await Promise.all(writing)).to.deep.equal(["ABORTED", "GOOD"]);
    expect([await other.try("B", TUR), await other.try("B", TUR)]).to.deep.equal(["06/2A/05", "06/2F/00"]);
    hold.release();
  });

  it("decide a command anew when the other one was faster", async () => {
    await both();
    stores.one.beforeCommit = async (): Promise<void> => {
      stores.one.beforeCommit = (): void => {};
      expect(await reserve(other, "B", WERO)).to.equal("GOOD");
    };
    expect(await reserve(one, "A", WERO), "B has it").to.equal("RC");
    stores.one.beforeCommit = async (): Promise<void> => {
      stores.one.beforeCommit = (): void => {};
      expect(await register(other, "C")).to.equal("GOOD");
    };
    expect(await one.reserveOut("A", { action: "register", key: KEYS.A, serviceActionKey: 7n })).to.equal("GOOD");
    expect(one.unit.reservations).to.deep.equal(other.unit.reservations);
    expect(await keys(other, "B")).to.deep.equal([7n, KEYS.B, KEYS.C]);
  });

  it("tell who was preempted meanwhile before they decide anew", async () => {
    await both();
    stores.one.beforeCommit = async (): Promise<void> => {
      stores.one.beforeCommit = (): void => {};
      expect(await preempt(other, "B", "A", WERO)).to.equal("GOOD");
    };
    expect(await reserve(one, "A", WERO)).to.equal("06/2A/05");
    expect(await reserve(one, "A", WERO)).to.equal("RC");
  });

  it("end with BUSY when the other one is faster every time, and have changed nothing", async () => {
    await both();
    let count = 0;
    stores.one.beforeCommit = async (): Promise<void> => {
      count += 1;
      expect(await register(other, "B")).to.equal("GOOD");
    };
    expect(await reserve(one, "A", WERO)).to.equal("BUSY");
    expect(count).to.equal(16);
    expect(one.unit.reservations).to.deep.equal(other.unit.reservations);
    stores.one.beforeCommit = (): void => {};
    expect(await reserve(one, "A", WERO)).to.equal("GOOD");
  });

  it("go on after a commit that the store could not tell the end of", async () => {
    await both();
    const lost = (): never => {
      stores.one.beforeCommit = stores.one.afterCommit = (): void => {};
      throw new UncertainCommitError("the answer was lost");
    };
    stores.one.deaf = true;
    stores.one.beforeCommit = lost;
    expect(await reserve(one, "A", WERO), "it had not arrived").to.equal("GOOD");
    stores.one.afterCommit = lost;
    expect(await one.reserveOut("A", { action: "release", key: KEYS.A, type: WERO }), "it had").to.equal("GOOD");
    expect(stored.units.get(WWN)?.revision).to.equal(4);
    expect(one.unit.reservations).to.deep.equal(other.unit.reservations);
  });

  it("are busy while that cannot be asked either", async () => {
    await both();
    const fail = (): never => {
      throw new UncertainCommitError("the network is gone");
    };
    stores.one.beforeCommit = stores.one.beforeLoad = fail;
    expect(await reserve(one, "A", WERO)).to.equal("04/44/00");
    const all = async (): Promise<readonly string[]> =>
      Promise.all([
        one.try("A", ...WRITE_ONE),
        one.try("A", READ_ONE),
        one.try("A", READ_KEYS),
        register(one, "C"),
        one.try("A", TUR),
        one.try("A", INQUIRY),
      ]);
    expect(await all()).to.deep.equal(["BUSY", "BUSY", "BUSY", "BUSY", "GOOD", "GOOD"]);
    stores.one.beforeCommit = stores.one.beforeLoad = (): void => {};
    expect(await one.try("A", READ_KEYS), "it is asked again").to.equal("BUSY");
    await new Promise(setImmediate);
    expect(await one.try("A", ...WRITE_ONE)).to.equal("GOOD");
    expect(one.unit.reservations).to.deep.equal(other.unit.reservations);
  });

  it("are busy while changes may be missed, and tell what they missed", async () => {
    await both();
    stores.one.lose(WWN);
    stores.one.deaf = true;
    expect(await preempt(other, "B", "A", WERO)).to.equal("GOOD");
    expect(await one.try("A", ...WRITE_ONE)).to.equal("BUSY");
    stores.one.deaf = false;
    await stores.one.tell(WWN);
    expect(await one.try("A", ...WRITE_ONE)).to.equal("06/2A/05");
    stores.one.lose(WWN);
    expect(await one.try("A", ...WRITE_ONE)).to.equal("BUSY");
    await stores.one.tell(WWN);
    expect(await one.try("A", ...WRITE_ONE), "nothing has changed").to.equal("GOOD");
  });

  it("admit nothing that a change forbids while one of their own is being saved", async () => {
    await both();
    expect(await reserve(other, "B", WERO)).to.equal("GOOD");
    let [arrived, goOn] = [(): void => {}, (): void => {}];
    const held = new Promise<void>((resolve) => (arrived = resolve));
    stores.one.beforeCommit = (): Promise<void> => {
      stores.one.beforeCommit = (): void => {};
      arrived();
      return new Promise((resolve) => (goOn = resolve));
    };
    const registering = register(one, "C");
    await held;
    expect(await one.try("A", ...WRITE_ONE)).to.equal("GOOD");
    expect(await preempt(other, "B", "A", WERO)).to.equal("GOOD");
    expect(await one.try("A", ...WRITE_ONE)).to.equal("BUSY");
    goOn();
    expect(await registering).to.equal("GOOD");
    expect(await one.try("A", ...WRITE_ONE)).to.equal("RC");
    expect(await keys(one, "A").catch(() => [])).to.deep.equal([]);
  });

  /** What is stored, with so many more registrations, and A's reservation. */
  const withMany = (count: number): StoredReservations => {
    const { revision, image } = present(stored.units.get(WWN), "both are registered");
    const more = Array.from({ length: count }, (_, index) => ({
      initiator: `naa.${(0x5000000000000000n + BigInt(index)).toString(16)}`,
      targetPort: 1,
      key: "0x00000000000000ff",
      allTargetPorts: false,
    }));
    const registrations = [...image.registrations, ...more];
    return { revision: revision + 1, image: { ...image, registrations, reservation: { type: WERO, holder: 0 } } };
  };

  it("are busy for as long as it takes to read many registrations", async () => {
    await both();
    const { revision, image } = withMany(5000);
    const { told: inForce } = stored.swap(WWN, revision, image);
    expect([await one.try("C", ...WRITE_ONE), await other.try("B", READ_KEYS)]).to.deep.equal(["BUSY", "BUSY"]);
    await inForce;
    expect([await one.try("C", ...WRITE_ONE), await other.try("B", ...WRITE_ONE)]).to.deep.equal(["RC", "GOOD"]);
    expect(one.unit.reservations.registrants).to.have.length(5002);
  });

  it("lose nothing of each other while they save many registrations", async () => {
    await both();
    const { revision, image } = withMany(5000);
    await stored.swap(WWN, revision, image).told;
    const registering = [register(one, "A"), register(other, "B"), register(one, "C")];
    for (const end of await Promise.all(registering)) expect(end).to.be.oneOf(["GOOD", "BUSY"]);
    await Promise.all([stores.one.tell(WWN), stores.other.tell(WWN)]);
    expect(one.unit.reservations).to.deep.equal(other.unit.reservations);
    expect(one.unit.reservations.generation).to.equal((stored.units.get(WWN)?.revision ?? 0) - 1);
    expect(await register(other, "C")).to.equal("GOOD");
    expect(one.unit.reservations.registrants).to.have.length(5003);
  });

  it("are busy when they are told what cannot be, or what has been before, and say so once", async () => {
    await both();
    const lines: string[] = [];
    one.fabric.onWarning((line) => lines.push(line));
    const { revision, image } = present(stored.units.get(WWN), "both are registered");
    await stored.swap(WWN, revision + 1, { ...image, generation: -1 }).told;
    for (let time = 0; time < 2; time += 1) {
      expect(await one.try("A", ...WRITE_ONE)).to.equal("BUSY");
      await new Promise(setImmediate);
    }
    expect(lines.map((line) => line.includes("generation is -1"))).to.deep.equal([true]);
    stored.units.set(WWN, { revision: 1, image });
    for (let time = 0; time < 2; time += 1) {
      expect(await one.try("A", ...WRITE_ONE)).to.equal("BUSY");
      await new Promise(setImmediate);
    }
    expect(lines[1]).to.contain("revision 1, older than 2");
    stored.units.set(WWN, { revision: 9, image });
    expect(await one.try("A", ...WRITE_ONE)).to.equal("BUSY");
    await new Promise(setImmediate);
    expect(await one.try("A", ...WRITE_ONE)).to.equal("GOOD");
    expect(lines).to.have.length(2);
  });

  it("lose power together", async () => {
    expect([await register(one, "A", true), await register(other, "B", true)]).to.deep.equal(["GOOD", "GOOD"]);
    await one.fabric.powerCycle();
    expect(one.unit.reservations).to.deep.equal(other.unit.reservations);
    expect([one.unit.reservations.generation, one.unit.reservations.registrants.length]).to.deep.equal([0, 2]);
    expect(await one.try("A", TUR)).to.equal("06/29/00");
    expect(await register(other, "B", false)).to.equal("GOOD");
    await other.fabric.powerCycle();
    expect([one.unit.reservations, other.unit.reservations].map(({ registrants }) => registrants.length)).to.deep.equal([0, 0]);
  });

  it("are not closed before what they lose by a power failure is saved", async () => {
    await both();
    const order: string[] = [];
    let goOn = (): void => {};
    const held = new Promise<void>((resolve) => (goOn = resolve));
    stores.one.beforeCommit = () => held;
    stores.one.afterCommit = () => void order.push("saved");
    const cycled = one.fabric.powerCycle();
    const closed = one.fabric.close().then(() => order.push("closed"));
    for (let turn = 0; turn < 3; turn += 1) await new Promise(setImmediate);
    goOn();
    await Promise.all([cycled, closed]);
    expect(order).to.deep.equal(["saved", "closed"]);
    expect(other.unit.reservations.registrants).to.have.length(0);
  });

  it("that come later have what is in force, and PRgeneration too", async () => {
    await both();
    const third = await disk({}, { store: new SharedStore(stored) });
    opened.push(third);
    expect(third.unit.reservations).to.deep.equal(one.unit.reservations);
    expect(third.unit.reservations.generation).to.equal(2);
  });

  it("that cannot ask the store have no such disk", async () => {
    const store = new SharedStore(stored);
    store.beforeLoad = (): never => {
      throw new Error("no route to host");
    };
    const failed = await disk({}, { store }).catch((error: unknown) => error);
    expect(failed).to.be.an("error").with.property("message", "no route to host");
  });

  it("are told nothing more when they are closed", async () => {
    await both();
    await one.fabric.close();
    expect(stored.watchers.get(WWN)?.size).to.equal(1);
    expect(await register(other, "C")).to.equal("GOOD");
    expect(one.unit.reservations.registrants).to.have.length(2);
  });

  it("share what they know of disks of the host, which are busy until it is known", async () => {
    const nexus = one.nexuses.A;
    const [here, there] = [one.fabric.shadow("unit naa.9"), other.fabric.shadow("unit naa.9")];
    const readKeys = { cdb: Uint8Array.of(0x5e, 0, 0, 0, 0, 0, 0, 1, 0, 0) };
    expect((await here.execute(nexus, readKeys)).status).to.equal(0x08);
    await Promise.all([here.opened, there.opened]);
    const dataOut = new Uint8Array(24).fill(1, 15, 16);
    expect((await here.execute(nexus, { cdb: Uint8Array.of(0x5f, 0, 0, 0, 0, 0, 0, 0, 24, 0), dataOut })).status).to.equal(0);
    expect(there.reservations.registrants).to.have.length(1);
    const nameless = one.fabric.shadow("block device 8:0 diskseq 1 boot x");
    expect((await nameless.execute(nexus, { cdb: Uint8Array.of(0x5f, 0, 0, 0, 0, 0, 0, 0, 24, 0), dataOut })).status).to.equal(0);
    expect([...stored.units.keys()]).to.deep.equal(["shadow unit naa.9"]);
  });
});
