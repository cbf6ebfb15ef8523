import { expect } from "chai";
import type { ReservationImage } from "#src/reservation/image.js";
import type { CommitEnd, ReservationStore, StoredReservations } from "#src/reservation/store.js";
import { Fabric } from "#src/target/fabric/fabric.js";
import { PersistentReserveIn } from "#src/scsi/persistent-reserve-in.js";
import { PersistentReserveOut } from "#src/scsi/persistent-reserve-out.js";
import { disk, KEYS, WWN } from "./support.js";
import { outcome } from "../support/outcome.js";
import type { Disk } from "./support.js";

/** A store whose commits end when the test says so. */
class SlowStore implements ReservationStore {
  readonly durable = true;
  readonly saved = new Map<string, { readonly revision: number; readonly image: ReservationImage }>();
  readonly commits: { readonly revision: number; readonly end: (error?: Error) => void }[] = [];
  /** Ends every commit at once while it is true. */
  fast = true;

  load(unit: string): StoredReservations | null {
    return this.saved.get(unit) ?? null;
  }

  async commit(unit: string, revision: number, image: ReservationImage): Promise<CommitEnd> {
    await new Promise<void>((resolve, reject) => {
      const end = (error?: Error): void => (error === undefined ? resolve() : reject(error));
      this.commits.push({ revision, end });
      if (this.fast) end();
    });
    this.saved.set(unit, { revision, image });
    return "done";
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

const TUR = "00 00 00 00 00 00";
const READ_KEYS = "5e 00 00 00 00 00 00 01 00 00";
const WRITE_ONE = ["2a 00 00 00 00 00 00 00 01 00", { dataOut: new Uint8Array(512) }] as const;

describe("reservations that survive power loss", () => {
  let store: SlowStore;
  let san: Disk;
  beforeEach(async () => {
    store = new SlowStore();
    san = await disk({}, { store });
  });
  afterEach(async () => san.fabric.close());

  const register = async (from: "A" | "B", aptpl: boolean): Promise<string> =>
    san.reserveOut(from, { action: "register-and-ignore-existing-key", serviceActionKey: KEYS[from], aptpl });

  it("are committed before the answer, while APTPL is on", async () => {
    expect(await register("A", false)).to.equal("GOOD");
    expect(store.commits, "nothing is to be kept").to.have.length(0);
    expect(await register("A", true)).to.equal("GOOD");
    expect(await san.reserveOut("A", { action: "reserve", key: KEYS.A, type: 5 })).to.equal("GOOD");
    expect(store.commits.map(({ revision }) => revision)).to.deep.equal([1, 2]);
    expect(store.saved.get(WWN)?.image.reservation).to.deep.equal({ type: 5, holder: 0 });
    expect(await san.reserveOut("A", { action: "reserve", key: KEYS.A, type: 5 })).to.equal("GOOD");
    expect(store.commits, "nothing changed").to.have.length(2);
    expect(await register("B", false), "which turns it off").to.equal("GOOD");
    expect(store.commits).to.have.length(3);
    expect(store.saved.get(WWN)?.image.aptpl).to.equal(false);
  });

  it("come back with the next fabric", async () => {
    await register("A", true);
    await san.reserveOut("A", { action: "reserve", key: KEYS.A, type: 3 });
    const again = await disk({}, { store });
    expect(again.unit.reservations.reservation?.type).to.equal(3);
    expect(await again.try("B", ...WRITE_ONE)).to.equal("RC");
    expect(await again.reserveOut("A", { action: "release", key: KEYS.A, type: 3 })).to.equal("GOOD");
    expect(store.commits.at(-1)?.revision).to.equal(3);
    await again.fabric.close();
  });

  it("made with ALL_TG_PT come back together, whoever has logged in since", async () => {
    expect(await san.reserveOut("A", { action: "register", serviceActionKey: KEYS.A, aptpl: true, allTargetPorts: true })).to.equal("GOOD");
    const again = new Fabric({ store });
    const unit = await again.attach({ wwn: WWN });
    unit.login(san.nexuses.B);
    const { dataIn } = await unit.execute(san.nexuses.B, PersistentReserveIn.readFullStatus(1024));
    const { registrants } = PersistentReserveIn.parse("read-full-status", dataIn);
    expect(registrants.map(({ key, allTargetPorts }) => ({ key, allTargetPorts }))).to.deep.equal([{ key: KEYS.A, allTargetPorts: true }]);
    const leave = PersistentReserveOut.encode({ action: "register", key: KEYS.A, serviceActionKey: 0n, allTargetPorts: true });
    expect(outcome(await unit.execute(san.nexuses.A, leave))).to.equal("GOOD");
    expect(unit.reservations.registrants).to.deep.equal([]);
    await again.close();
  });

  it("can be moved to a target port that only a registration tells of", async () => {
    expect(await san.reserveOut("A2", { action: "register", serviceActionKey: KEYS.A2, aptpl: true })).to.equal("GOOD");
    expect(await san.reserveOut("B", { action: "register", serviceActionKey: KEYS.B, aptpl: true })).to.equal("GOOD");
    expect(await san.reserveOut("B", { action: "reserve", key: KEYS.B, type: 5 })).to.equal("GOOD");
    const again = new Fabric({ store });
    const unit = await again.attach({ wwn: WWN });
    const move = PersistentReserveOut.encode({
      action: "register-and-move",
      key: KEYS.B,
      serviceActionKey: KEYS.A2,
      transportIds: [san.nexuses.A2.initiator],
      relativeTargetPort: 2,
    });
    expect(outcome(await unit.execute(san.nexuses.B, move))).to.equal("GOOD");
    expect(unit.reservations.reservation?.holder?.targetPort).to.equal(2);
    await again.close();
  });

  it("stay through a power cycle, PRgeneration does not; without APTPL nothing stays", async () => {
    await register("A", true);
    await register("B", true);
    await san.fabric.powerCycle();
    expect(san.unit.reservations.generation).to.equal(0);
    expect(san.unit.reservations.registrants).to.have.length(2);
    expect(await san.try("A", TUR)).to.equal("06/29/00");
    expect(await register("A", false)).to.equal("GOOD");
    await san.fabric.powerCycle();
    expect(san.unit.reservations.registrants).to.have.length(0);
  });

  it("are not in force before they are committed", async () => {
    await register("A", true);
    store.fast = false;
    const pending = san.reserveOut("A", { action: "reserve", key: KEYS.A, type: 3 });
    expect(await san.try("B", ...WRITE_ONE)).to.equal("GOOD");
    expect(san.unit.reservations.reservation).to.equal(null);
    store.commits.at(-1)?.end();
    expect(await pending).to.equal("GOOD");
    expect(await san.try("B", ...WRITE_ONE)).to.equal("RC");
  });

  it("that cannot be committed are not made, and the answer says so", async () => {
    await register("A", true);
    const before = san.unit.reservations;
    store.fast = false;
    for (const [error, expected] of [
      [Object.assign(new Error("full"), { code: "ENOSPC", errno: -28, syscall: "write" }), "07/27/07"],
      [new Error("something else"), "04/44/00"],
    ] as const) {
      const pending = san.reserveOut("A", { action: "clear", key: KEYS.A });
      store.commits.at(-1)?.end(error);
      expect(await pending).to.equal(expected);
      expect(san.unit.reservations).to.deep.equal(before);
    }
    store.fast = true;
    expect(await san.reserveOut("A", { action: "clear", key: KEYS.A })).to.equal("GOOD");
    expect(store.saved.get(WWN)?.revision, "a failed commit does not count").to.equal(2);
  });

  it("make other reservation commands wait, and those of the medium not", async () => {
    await register("A", true);
    store.fast = false;
    const order: string[] = [];
    const note = (name: string) => (): number => order.push(name);
    const pending = [
      san.reserveOut("B", { action: "register", serviceActionKey: KEYS.B, aptpl: true }).then(note("register")),
      san.send("C", READ_KEYS).then(({ dataIn }) => order.push(`keys ${dataIn[7]}`)),
      san.try("C", "16 00 00 00 00 00").then(note("reserve")),
    ];
    expect(await san.try("C", ...WRITE_ONE)).to.equal("GOOD");
    expect(order).to.deep.equal([]);
    store.commits.at(-1)?.end();
    await Promise.all(pending);
    expect(order).to.deep.equal(["register", "keys 16", "reserve"]);
  });

  it("make a command wait that was held before, too", async () => {
    await register("A", true);
    const hold = san.unit.hold(({ cdb }) => cdb[0] === 0x5e);
    const keys = san.send("C", READ_KEYS).then(({ dataIn }) => dataIn[7]);
    store.fast = false;
    const pending = san.reserveOut("B", { action: "register", serviceActionKey: KEYS.B, aptpl: true });
    hold.release();
    await Promise.resolve();
    store.commits.at(-1)?.end();
    expect([await keys, await pending]).to.deep.equal([16, "GOOD"]);
  });

  it("a reservation command that waits can be aborted at once, one that is being committed when that is decided", async () => {
    await register("A", true);
    store.fast = false;
    const abort = new AbortController();
    const committing = san.send("A", "5f 03 00 00 00 00 00 00 18 00", { dataOut: new Uint8Array(24).fill(1, 7, 8), signal: abort.signal });
    const waiting = san.try("B", READ_KEYS, { signal: abort.signal });
    abort.abort();
    expect(await waiting).to.equal("ABORTED");
    let ended = false;
    const end = committing.then(() => (ended = true));
    await Promise.resolve();
    expect(ended).to.equal(false);
    store.commits.at(-1)?.end();
    await end;
    expect((await committing).status).to.equal(0x40);
    expect(san.unit.reservations.registrants, "it was executed all the same").to.have.length(0);
  });

  it("of a shadow unit have a name of their own", async () => {
    const shadow = san.fabric.shadow(WWN);
    const dataOut = new Uint8Array(24).fill(1, 15, 16);
    dataOut[20] = 1;
    await shadow.execute(san.nexuses.A, { cdb: Uint8Array.of(0x5f, 0, 0, 0, 0, 0, 0, 0, 24, 0), dataOut });
    expect([...store.saved.keys()]).to.deep.equal([`shadow ${WWN}`]);
  });
});
