/** Reservation stores of users whose compiler does not hold them to the contract. */
import { expect } from "chai";
import type { ReservationStore, ReservationWatcher, StoredReservations } from "#src/reservation/store.js";
import { Fabric } from "#src/target/fabric/fabric.js";
import { MemoryMedium } from "#src/target/medium/memory-medium.js";
import { refusal } from "../support/refusal.js";
import { disk, nexus, WWN } from "./support.js";
import type { Disk } from "./support.js";

const WRITE_ONE = ["2a 00 00 00 00 00 00 00 01 00", { dataOut: new Uint8Array(512) }] as const;

/** A has an exclusive reservation. */
const STORED: StoredReservations = {
  revision: 3,
  image: {
    version: 1,
    generation: 3,
    aptpl: true,
    registrations: [{ initiator: nexus("A1").initiator.format(), targetPort: 1, key: "0x00000000000000a1", allTargetPorts: false }],
    reservation: { type: 1, holder: 0 },
  },
};

/** A store with those members, whatever they are. */
function store(members: object): ReservationStore {
  const whole = { load: () => null, commit: () => "done", close: () => Promise.resolve(), ...members };
  return whole as unknown as ReservationStore; // which is what a caller without types would do
}

describe("a reservation store without types", () => {
  const opened: Disk[] = [];
  const open = async (members: object): Promise<Disk> => {
    const made = await disk({}, { store: store(members) });
    opened.push(made);
    return made;
  };
  afterEach(async () => {
    for (const { fabric } of opened.splice(0)) await fabric.close();
  });

  it("may load by what is awaited like a promise and is none", async () => {
    const load = (): PromiseLike<StoredReservations> => {
      return { then: (done, failed) => Promise.resolve(STORED).then(done, failed) };
    };
    const on = await open({ load });
    expect([await on.try("A", ...WRITE_ONE), await on.try("B", ...WRITE_ONE)]).to.deep.equal(["GOOD", "RC"]);
  });

  it("may load undefined for nothing, at once and later", async () => {
    for (const load of [(): undefined => undefined, (): Promise<undefined> => Promise.resolve(undefined)]) {
      const on = await open({ load });
      expect(await on.try("B", ...WRITE_ONE)).to.equal("GOOD");
    }
  });

  for (const revision of [undefined, 0, -1, 1.5, Number.NaN, "3", 3n, 2 ** 53]) {
    it(`has no disk with revision ${typeof revision} ${String(revision)}`, async () => {
      for (const load of [(): object => ({ ...STORED, revision }), (): Promise<object> => Promise.resolve({ ...STORED, revision })]) {
        const error = await refusal(() => open({ load }));
        expect([error.kind, error.message]).to.deep.equal(["invalid-value", "its revision is not a number from 1"]);
      }
    });
  }

  it("has no disk where watch gives no function", async () => {
    for (const watch of [(): undefined => undefined, (): Promise<() => void> => Promise.resolve(() => {})]) {
      const error = await refusal(() => open({ watch }));
      expect([error.kind, error.message]).to.deep.equal(["invalid-value", "watch of the reservation store does not give a function"]);
    }
  });

  const announcements: readonly (readonly [what: string, told: object])[] = [
    ["no revision", { image: STORED.image }],
    ["no image", { revision: 4 }],
    ["an image without registrations", { revision: 4, image: {} }],
  ];
  for (const [what, told] of announcements) {
    it(`makes its disk busy by telling of ${what}, until it answers again`, async () => {
      let watcher: ReservationWatcher | undefined;
      let answers = true;
      const load = (): StoredReservations => {
        if (answers) return STORED;
        throw new Error("no answer");
      };
      const watch = (_unit: string, given: ReservationWatcher): (() => void) => {
        watcher = given;
        return () => {};
      };
      const on = await open({ load, watch });
      answers = false;
      await watcher?.changed(told as StoredReservations); // what it says is what is tested
      expect(await on.try("A", ...WRITE_ONE)).to.equal("BUSY");
      await new Promise(setImmediate);
      answers = true;
      expect(await on.try("A", ...WRITE_ONE)).to.equal("BUSY");
      await new Promise(setImmediate);
      expect(await on.try("A", ...WRITE_ONE)).to.equal("GOOD");
    });
  }

  it("does not throw into a commit that tells of what cannot be", async () => {
    let watcher: ReservationWatcher | undefined;
    const commit = (): string => {
      void watcher?.changed({ revision: 1 } as StoredReservations); // what it says is what is tested
      return "done";
    };
    const watch = (_unit: string, given: ReservationWatcher): (() => void) => {
      watcher = given;
      return () => {};
    };
    const on = await open({ commit, watch });
    expect(await on.reserveOut("A", { action: "register", serviceActionKey: 0xa1n })).to.equal("GOOD");
  });

  it("that cannot stop watching leaves no medium open", async () => {
    const watch = (): (() => void) => () => {
      throw new Error("not now");
    };
    let closed = 0;
    const medium = new MemoryMedium(1024 * 1024);
    medium.close = (): Promise<void> => Promise.resolve(void (closed += 1));
    const fabric = new Fabric({ store: store({ watch }) });
    await fabric.attachPath({ wwn: WWN }, { writes: true, medium, warn: () => {}, onCreate: () => {} });
    const failed = await fabric.close().catch((error: unknown) => error);
    expect(failed).to.be.an("error").with.property("message", "not now");
    expect(closed).to.equal(1);
  });
});
