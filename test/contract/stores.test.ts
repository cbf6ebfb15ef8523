/**
 * The contract of all reservation stores: one suite; a contender says how it is made, and what of the contract's choices it takes. To test a
 * store of one's own, add it to the list.
 */
import { expect } from "chai";
import type { ReservationImage } from "#src/reservation/image.js";
import type { ReservationStore, StoredReservations } from "#src/reservation/store.js";
import { DirectoryStore } from "#src/stores/folder/store.js";
import { memoryStore } from "#src/stores/memory.js";
import { makeFolder, removeFolder } from "../support/folder.js";
import { SharedStore, StoredUnits } from "../support/shared-store.js";

/** A place where reservations are kept, and the stores that use it. */
interface Place {
  /** A store on the place; of a place that one store uses at a time, after the last one was closed. */
  open(): Promise<ReservationStore>;
  remove(): void;
}

/** A store under test. */
interface Contender {
  readonly name: string;
  readonly make: () => Promise<Place>;
  /** What it keeps: all that it is given, what has APTPL on, or nothing. */
  readonly keeps: "everything" | "aptpl" | "nothing";
  /** Whether several stores use a place at the same time, and are told of each other's commits. */
  readonly shared: boolean;
}

const CONTENDERS: readonly Contender[] = [
  {
    name: "the store in memory",
    make: () => Promise.resolve({ open: () => Promise.resolve(memoryStore), remove: () => undefined }),
    keeps: "nothing",
    shared: false,
  },
  {
    name: "reservation-folder",
    make: () => {
      const folder = makeFolder();
      return Promise.resolve({ open: () => DirectoryStore.open(folder), remove: () => removeFolder(folder) });
    },
    keeps: "aptpl",
    shared: false,
  },
  {
    name: "a store that compares and swaps",
    make: () => {
      const stored = new StoredUnits();
      return Promise.resolve({ open: () => Promise.resolve(new SharedStore(stored)), remove: () => undefined });
    },
    keeps: "everything",
    shared: true,
  },
];

const UNIT = "naa.5000000000000001";
/** Names that are not those of disks: of a disk of the host, with what a file name cannot have, and a long one. */
const OTHERS = ["shadow unit naa.5000000000000001", "shadow ../../etc/passwd\u0000\n", `shadow /dev/${"x".repeat(300)}`];

/** An image of so many registrations. */
function image(count: number, aptpl = true): ReservationImage {
  return {
    version: 1,
    generation: count,
    aptpl,
    registrations: Array.from({ length: count }, (_, index) => ({
      initiator: `naa.${(0x5000000000000000n + BigInt(index)).toString(16)}`,
      targetPort: 1 + (index % 3),
      key: `0x${(index + 1).toString(16).padStart(16, "0")}`,
      allTargetPorts: index % 2 === 1,
      ...(index % 5 === 4 ? { owner: "uid-1000" } : {}),
    })),
    reservation: count === 0 ? null : { type: 5, holder: count - 1 },
  };
}

for (const { name, make, keeps, shared } of CONTENDERS) {
  describe(`contract of ${name}`, () => {
    let place: Place;
    let opened: ReservationStore[];
    beforeEach(async () => {
      opened = [];
      place = await make();
    });
    afterEach(async () => {
      for (const store of opened.splice(0)) await store.close();
      place.remove();
    });
    const open = async (): Promise<ReservationStore> => {
      const store = await place.open();
      opened.push(store);
      return store;
    };
    const close = async (): Promise<void> => {
      for (const store of opened.splice(0)) await store.close();
    };
    /** What a later store finds. */
    const found = async (unit = UNIT): Promise<StoredReservations | null> => {
      await close();
      return (await open()).load(unit);
    };
    const kept = (revision: number, stored: ReservationImage): StoredReservations | null => {
      const isKept = keeps === "everything" || (keeps === "aptpl" && stored.aptpl);
      return isKept ? { revision, image: stored } : null;
    };

    it("has nothing of a unit that nobody has committed", async () => {
      const store = await open();
      for (const unit of [UNIT, ...OTHERS]) expect(await store.load(unit)).to.equal(null);
    });

    it("says whether the end of the process forgets", async () => {
      expect((await open()).durable ?? true).to.equal(keeps !== "nothing");
    });

    it("gives what was committed last, to a later store too", async () => {
      const store = await open();
      for (const [index, each] of [image(1), image(3), image(0), image(7)].entries()) {
        expect(await store.commit(UNIT, index + 1, each)).to.equal("done");
        expect(await store.load(UNIT)).to.deep.equal(kept(index + 1, each));
      }
      expect(await found()).to.deep.equal(kept(4, image(7)));
      expect(await (await openAgain()).commit(UNIT, keeps === "nothing" ? 1 : 5, image(2))).to.equal("done");
      expect(await found()).to.deep.equal(kept(5, image(2)));
    });
    const openAgain = async (): Promise<ReservationStore> => {
      await close();
      return open();
    };

    it("keeps an image of many registrations as it is", async () => {
      expect(await (await open()).commit(UNIT, 1, image(10_000))).to.equal("done");
      expect(await found()).to.deep.equal(kept(1, image(10_000)));
    });

    it("keeps units apart, whatever they are called", async () => {
      const store = await open();
      const units = [UNIT, ...OTHERS];
      const ends = await Promise.all(units.map(async (unit, index) => store.commit(unit, 1, image(index + 1))));
      expect(ends).to.deep.equal(units.map(() => "done"));
      for (const [index, unit] of units.entries()) expect(await found(unit)).to.deep.equal(kept(1, image(index + 1)));
    });

    it("does not hold on to the image that it was given", async () => {
      const given = image(2);
      const store = await open();
      await store.commit(UNIT, 1, Object.freeze(given));
      expect(await found()).to.deep.equal(kept(1, image(2)));
    });

    it("has what APTPL leaves after it was switched off", async () => {
      const store = await open();
      await store.commit(UNIT, 1, image(2));
      expect(await store.commit(UNIT, 2, image(2, false))).to.equal("done");
      expect(await store.commit(UNIT, 3, image(3))).to.equal("done");
      expect(await store.commit(UNIT, 4, image(1, false))).to.equal("done");
      expect(await found()).to.deep.equal(kept(4, image(1, false)));
    });

    if (keeps !== "nothing") {
      it("takes only the revision after the stored one", async () => {
        const store = await open();
        expect(await store.commit(UNIT, 2, image(1)), "nothing is stored").to.equal("overtaken");
        expect(await store.commit(UNIT, 1, image(1))).to.equal("done");
        for (const revision of [1, 3, 0]) expect(await store.commit(UNIT, revision, image(9))).to.equal("overtaken");
        expect(await found()).to.deep.equal(kept(1, image(1)));
        expect(await (await openAgain()).commit(UNIT, 2, image(2))).to.equal("done");
      });

      it("lets one of several commits of a revision through", async () => {
        const store = await open();
        const ends = await Promise.all([1, 2, 3].map(async (count) => store.commit(UNIT, 1, image(count))));
        expect(ends.filter((end) => end === "done")).to.have.length(1);
        expect(ends.filter((end) => end === "overtaken")).to.have.length(2);
        expect((await found())?.image.registrations).to.have.length(ends.indexOf("done") + 1);
      });
    }

    it(`${shared ? "tells" : "does not tell"} others of commits`, async () => {
      expect((await open()).watch !== undefined).to.equal(shared);
    });

    if (shared) {
      it("tells every watcher of what is stored, its own fabric too, until it is stopped", async () => {
        const [one, other] = [await open(), await open()];
        const heard: (readonly [string, number | undefined])[] = [];
        const watch = (store: ReservationStore, who: string): (() => void) | undefined =>
          store.watch?.(UNIT, {
            changed: (stored) => Promise.resolve(void heard.push([who, stored?.revision])),
            lost: () => heard.push([who, -1]),
          });
        const stops = [watch(one, "one"), watch(other, "other")];
        await one.commit(UNIT, 1, image(1));
        await other.commit(UNIT, 2, image(2));
        expect(await one.commit(UNIT, 2, image(3))).to.equal("overtaken");
        expect(heard.filter(([who]) => who === "one").at(-1)).to.deep.equal(["one", 2]);
        expect(heard.filter(([who]) => who === "other").at(-1)).to.deep.equal(["other", 2]);
        for (const stop of stops) stop?.();
        await one.commit(UNIT, 3, image(3));
        expect(heard.some(([, revision]) => revision === 3)).to.equal(false);
      });
    }
  });
}
