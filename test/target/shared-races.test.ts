/** What a store says while something else is under way: late, twice, or in another order than it happened. */
import { expect } from "chai";
import { present } from "#src/base/assert.js";
import { UncertainCommitError } from "#src/reservation/store.js";
import type { Awaitable, CommitEnd, ReservationStore, ReservationWatcher, StoredReservations } from "#src/reservation/store.js";
import type { ReservationImage } from "#src/reservation/image.js";
import type { Medium } from "#src/target/medium/medium.js";
import { Fabric } from "#src/target/fabric/fabric.js";
import { SharedStore, StoredUnits } from "../support/shared-store.js";
import { Disk, disk, KEYS, nexus, WWN } from "./support.js";

const TUR = "00 00 00 00 00 00";
const READ_ONE = "28 00 00 00 00 00 00 00 01 00";
const WRITE_ONE = ["2a 00 00 00 00 00 00 00 01 00", { dataOut: new Uint8Array(512) }] as const;
const [EA, WERO] = [3, 5] as const;

/** A promise and what settles it. */
class Gate<Value = void> {
  open: (value: Value) => void = () => {};
  fail: (error: Error) => void = () => {};
  readonly passed = new Promise<Value>((resolve, reject) => {
    this.open = resolve;
    this.fail = reject;
  });
}

/** An image of so many commits in which the named are registered by their keys, the first of them with a reservation of `type`. */
function image(generation: number, names: readonly ("A" | "B" | "C")[], type: number | null = null): ReservationImage {
  const registrations = names.map((name) => ({
    initiator: nexus(`${name}1`).initiator.format(),
    targetPort: 1,
    key: `0x${KEYS[name].toString(16).padStart(16, "0")}`,
    allTargetPorts: false,
  }));
  return { version: 1, generation, aptpl: false, registrations, reservation: type === null ? null : { type, holder: 0 } };
}

/** A store that answers as the test says. */
class ScriptedStore implements ReservationStore {
  told: ReservationWatcher | undefined;
  isWatched = false;
  onLoad: () => Awaitable<StoredReservations | null> = () => null;
  onCommit: (revision: number, image: ReservationImage) => Awaitable<CommitEnd> = () => "done";

  load(): Awaitable<StoredReservations | null> {
    return this.onLoad();
  }

  commit(_unit: string, revision: number, next: ReservationImage): Awaitable<CommitEnd> {
    return this.onCommit(revision, next);
  }

  watch(_unit: string, watcher: ReservationWatcher): () => void {
    this.told = watcher;
    this.isWatched = true;
    return () => {
      this.isWatched = false;
    };
  }

  /** Tells the fabric of an image. */
  changed(revision: number, next: ReservationImage): Promise<void> {
    return present(this.told, "a unit watches").changed({ revision, image: next });
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

/** Whether `promise` has settled by the time that nothing is left to be done. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  const ended = promise.then(() => (settled = true));
  void ended;
  for (let turn = 0; turn < 3; turn += 1) await new Promise(setImmediate);
  return settled;
}

describe("a store that says things in an order of its own", () => {
  let store: ScriptedStore;
  const opened: Disk[] = [];
  const open = async (spec: Parameters<typeof disk>[0] = {}): Promise<Disk> => {
    const made = await disk(spec, { store });
    opened.push(made);
    return made;
  };
  const register = (on: Disk, from: "A" | "B" | "C"): Promise<string> =>
    on.reserveOut(from, { action: "register-and-ignore-existing-key", serviceActionKey: KEYS[from] });
  beforeEach(() => {
    store = new ScriptedStore();
  });
  afterEach(async () => {
    for (const { fabric } of opened.splice(0)) await fabric.close();
  });

  it("may answer the first load late, with what was there before the change that it has announced", async () => {
    const load = new Gate<StoredReservations | null>();
    store.onLoad = () => load.passed;
    const opening = open();
    await new Promise(setImmediate);
    await store.changed(2, image(2, ["A"], WERO));
    load.open({ revision: 1, image: image(1, []) });
    const on = await opening;
    expect([await on.try("A", ...WRITE_ONE), await on.try("B", ...WRITE_ONE)]).to.deep.equal(["GOOD", "RC"]);
  });

  /** A disk which the store could not tell anything of. */
  const unread = async (): Promise<Disk> => {
    const on = await open();
    await store.changed(1, image(1, ["A"]));
    const fail = (): never => {
      throw new UncertainCommitError("no answer");
    };
    [store.onCommit, store.onLoad] = [fail, fail];
    expect(await register(on, "B")).to.equal("04/44/00");
    return on;
  };

  it("may answer another load late, too", async () => {
    const on = await unread();
    const lines: string[] = [];
    on.fabric.onWarning((line) => lines.push(line));
    const said = lines.length;
    const load = new Gate<StoredReservations | null>();
    store.onLoad = () => load.passed;
    expect(await on.try("A", READ_ONE)).to.equal("BUSY");
    await store.changed(3, image(3, ["A", "B"], WERO));
    expect(await on.try("A", READ_ONE)).to.equal("GOOD");
    load.open({ revision: 1, image: image(1, ["A"]) });
    await new Promise(setImmediate);
    expect([await on.try("A", READ_ONE), await on.try("C", ...WRITE_ONE)]).to.deep.equal(["GOOD", "RC"]);
    expect(lines.slice(said)).to.deep.equal([]);
  });

  it("may answer it with the commit that is under way by then", async () => {
    const on = await unread();
    const load = new Gate<StoredReservations | null>();
    store.onLoad = () => load.passed;
    expect(await on.try("A", READ_ONE)).to.equal("BUSY");
    await store.changed(2, image(2, ["A", "B"], WERO));
    const [commit, stored] = [new Gate<CommitEnd>(), new Gate<StoredReservations>()];
    store.onCommit = (revision, next) => {
      stored.open({ revision, image: next });
      return commit.passed;
    };
    const clearing = on.reserveOut("A", { action: "clear", key: KEYS.A });
    load.open(await stored.passed);
    await new Promise(setImmediate);
    commit.open("done");
    expect(await clearing).to.equal("GOOD");
    expect(await on.try("A", TUR), "who clears is not told").to.equal("GOOD");
    expect(await on.try("B", TUR)).to.equal("06/2A/03");
    expect(await register(on, "C")).to.equal("GOOD");
    expect(on.unit.reservations.registrants).to.have.length(1);
  });

  it("is waited for by nobody whose commands it has ended already", async () => {
    const fabric = new Fabric({ store });
    const write = new Gate();
    const medium: Medium = {
      sizeBytes: 1024 * 1024,
      fd: null,
      deallocates: false,
      read: () => null,
      write: () => write.passed,
      deallocate: () => {},
      flush: () => null,
      close: () => Promise.resolve(),
    };
    const unit = await fabric.attachPath({ wwn: WWN }, { medium, writes: true, warn: () => {}, onCreate: () => {} });
    const on = new Disk(fabric, unit);
    opened.push(on);
    await store.changed(1, image(1, ["A", "B"], WERO));
    const writing = on.try("B", ...WRITE_ONE);
    const fenced = { revision: 2, image: image(2, ["A"], WERO) };
    const first = store.changed(fenced.revision, fenced.image);
    const again = store.changed(fenced.revision, fenced.image);
    const next = store.changed(3, image(3, ["A", "C"], WERO));
    const early = await isSettled(Promise.race([first, again, next]));
    write.open();
    expect(early, "the write was under way").to.equal(false);
    await Promise.all([first, again, next]);
    expect(await writing).to.equal("ABORTED");
  });

  it("may announce another's change from within a commit", async () => {
    const on = await open();
    await store.changed(1, image(1, ["A", "B"], WERO));
    let announced: Promise<void> = Promise.resolve();
    const commit = new Gate();
    store.onCommit = () => {
      announced = store.changed(2, image(2, ["A"], EA));
      return commit.passed.then(() => "overtaken");
    };
    const registering = register(on, "C");
    expect(await isSettled(announced)).to.equal(false);
    commit.open();
    store.onCommit = () => "done";
    await announced;
    expect(await on.try("B", READ_ONE)).to.equal("RC");
    expect(await registering).to.equal("GOOD");
  });

  it("may announce PREEMPT AND ABORT and CLEAR before a commit ends: the first has ended what it ends", async () => {
    const on = await open();
    await store.changed(1, image(1, ["A", "B"], WERO));
    const hold = on.unit.hold(({ cdb }) => cdb[0] === 0x2a);
    const writing = on.try("B", ...WRITE_ONE);
    await hold.reached(1);
    const commit = new Gate<CommitEnd>();
    store.onCommit = () => commit.passed;
    const registering = register(on, "C");
    const told = [store.changed(2, image(2, ["A"], WERO)), store.changed(3, image(3, []))];
    store.onCommit = () => "done";
    commit.open("overtaken");
    await Promise.all(told);
    const left = hold.count;
    hold.release();
    expect([left, await writing, await registering]).to.deep.equal([0, "ABORTED", "GOOD"]);
  });

  it("may announce a commit before it ends: from then on it is in force", async () => {
    const on = await open();
    await store.changed(1, image(1, ["A", "B"], WERO));
    const [commit, announced] = [new Gate<CommitEnd>(), new Gate()];
    store.onCommit = (revision, next) => {
      void store.changed(revision, structuredClone(next));
      announced.open();
      return commit.passed;
    };
    const preempting = on.reserveOut("A", { action: "preempt", key: KEYS.A, serviceActionKey: KEYS.B, type: WERO });
    await announced.passed;
    expect([await on.try("A", ...WRITE_ONE), await on.try("B", ...WRITE_ONE)]).to.deep.equal(["GOOD", "RC"]);
    commit.open("done");
    expect(await preempting).to.equal("GOOD");
    expect([await on.try("B", TUR), await on.try("A", TUR)]).to.deep.equal(["06/2A/05", "GOOD"]);
    expect(on.unit.reservations.generation).to.equal(2);
  });

  it("is not watched by a unit that could not begin", async () => {
    store.onLoad = (): never => {
      throw new Error("no route to host");
    };
    const failed = await open().catch((error: unknown) => error);
    expect(failed).to.be.an("error").with.property("message", "no route to host");
    expect(store.isWatched).to.equal(false);
  });
});

describe("a store for one fabric that forgets what power loss would not leave", () => {
  it("may lose the answer to the end of APTPL, and count from 1 again", async () => {
    let stored: StoredReservations | null = null;
    let isAnswered = true;
    const store: ReservationStore = {
      load: () => stored,
      commit: (_unit, revision, next) => {
        if (revision !== (stored?.revision ?? 0) + 1) return "overtaken";
        stored = next.aptpl ? { revision, image: next } : null;
        if (!isAnswered) throw new UncertainCommitError("no answer");
        return "done";
      },
      close: () => Promise.resolve(),
    };
    const on = await disk({}, { store });
    const register = (from: "A" | "B", aptpl: boolean): Promise<string> =>
      on.reserveOut(from, { action: "register-and-ignore-existing-key", serviceActionKey: KEYS[from], aptpl });
    expect([await register("A", true), await register("B", true)]).to.deep.equal(["GOOD", "GOOD"]);
    isAnswered = false;
    expect(await register("A", false)).to.equal("GOOD");
    isAnswered = true;
    expect(stored).to.equal(null);
    expect(await on.try("A", READ_ONE)).to.equal("GOOD");
    expect(await register("B", true)).to.equal("GOOD");
    expect(stored).to.have.property("revision", 1);
    expect(on.unit.reservations.registrants).to.have.length(2);
    await on.fabric.close();
  });
});

describe("two fabrics that do the same at the same time", () => {
  it("have done it twice", async () => {
    const stored = new StoredUnits();
    const stores = [new SharedStore(stored), new SharedStore(stored)] as const;
    const [one, other] = [await disk({}, { store: stores[0] }), await disk({}, { store: stores[1] })];
    const register = (on: Disk, from: "A" | "B"): Promise<string> =>
      on.reserveOut(from, { action: "register-and-ignore-existing-key", serviceActionKey: KEYS[from] });
    expect([await register(one, "A"), await register(other, "B")]).to.deep.equal(["GOOD", "GOOD"]);
    // the same key again: nothing changes but PRgeneration
    stores[0].beforeCommit = async (): Promise<void> => {
      stores[0].beforeCommit = (): void => {};
      expect(await register(other, "B")).to.equal("GOOD");
    };
    expect(await register(one, "A")).to.equal("GOOD");
    expect([one, other].map(({ unit }) => unit.reservations.generation)).to.deep.equal([4, 4]);
    stores[0].beforeCommit = async (): Promise<void> => {
      stores[0].beforeCommit = (): void => {};
      expect(await other.reserveOut("B", { action: "clear", key: KEYS.B })).to.equal("GOOD");
    };
    expect(await one.reserveOut("A", { action: "clear", key: KEYS.A })).to.not.equal("GOOD");
    expect([one, other].map(({ unit }) => unit.reservations.generation)).to.deep.equal([5, 5]);
    for (const { fabric } of [one, other]) await fabric.close();
  });

  it("end the commands of whom both preempt, even where the commit that did it was the other one's", async () => {
    const stored = new StoredUnits();
    const stores = [new SharedStore(stored), new SharedStore(stored)] as const;
    const [one, other] = [await disk({}, { store: stores[0] }), await disk({}, { store: stores[1] })];
    await one.register("A", "C");
    await other.register("B");
    const hold = one.unit.hold(({ cdb }) => cdb[0] === 0x2a);
    const writing = one.try("C", ...WRITE_ONE);
    await hold.reached(1);
    // a PREEMPT of one's own that does not abort leaves the write alone; that of the other fabric may have been one that aborts
    stores[0].beforeCommit = async (): Promise<void> => {
      stores[0].beforeCommit = (): void => {};
      expect(await other.reserveOut("B", { action: "preempt", key: KEYS.B, serviceActionKey: KEYS.C, type: EA })).to.equal("GOOD");
    };
    expect(await one.reserveOut("A", { action: "preempt", key: KEYS.A, serviceActionKey: KEYS.C, type: EA })).to.equal("RC");
    expect(await writing).to.equal("ABORTED");
    expect([await one.try("C", TUR), await one.try("C", TUR)]).to.deep.equal(["06/2a/05", "06/2f/00"]);
    hold.release();
    for (const { fabric } of [one, other]) await fabric.close();
  });
});
