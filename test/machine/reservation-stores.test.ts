/** Stores that are objects: `-object reservation-folder`, one of a user's own, and `scsi-fabric,store=`. */
import { existsSync, readdirSync } from "node:fs";
import { expect } from "chai";
import { Machine, PersistentReserveIn, PersistentReserveOut, qomType, ScsiFabric } from "qom-pr";
import type { ScsiDevice } from "qom-pr";
import { ReservationStoreObject } from "qom-pr/extend";
import type { CommitEnd, ReservationImage, StoredReservations } from "qom-pr/extend";
import { MemoryMedium } from "#src/target/medium/memory-medium.js";
import { ObjectSpace } from "#src/machine/object-space.js";
import { temporaryFolder } from "../support/folder.js";
import { WWN } from "../support/machine.js";
import { outcome } from "../support/outcome.js";
import { refusal } from "../support/refusal.js";

const KEY = 0xa1n;
const REGISTER = PersistentReserveOut.encode({ action: "register", serviceActionKey: KEY, aptpl: true });

/** Keeps what must survive power loss for as long as the test runs. */
const kept = new Map<string, StoredReservations>();

@qomType({ name: "reservation-test", description: "keeps reservations in the test's memory" })
class TestStore extends ReservationStoreObject {
  closed = 0;

  override async load(unit: string): Promise<StoredReservations | null> {
    return kept.get(unit) ?? null;
  }

  override async commit(unit: string, revision: number, image: ReservationImage): Promise<CommitEnd> {
    kept.set(unit, { revision, image });
    return "done";
  }

  override close(): Promise<void> {
    this.closed += 1;
    return Promise.resolve();
  }
}

describe("a reservation store", () => {
  const folder = temporaryFolder();
  const machines: Machine[] = [];
  let [path, count] = ["", 0];
  beforeEach(() => {
    kept.clear();
    count += 1;
    path = folder.path(`store${count}`);
  });
  afterEach(async () => {
    for (const machine of machines.splice(0).toReversed()) await machine.close();
  });
  const create = async (...objects: readonly string[]): Promise<Machine> => {
    const machine = await Machine.create(
      objects.flatMap((object) => (object.startsWith("-") ? object.split(" ") : ["-object", object])),
      { types: [TestStore] },
    );
    machines.push(machine);
    return machine;
  };
  const close = async (): Promise<void> => machines.pop()?.close();
  const DISK = [
    "pr-manager-memory,id=pr0",
    "-device virtio-scsi",
    `-blockdev node-name=hd,driver=sim-lun,wwn=${WWN},fabric=san0,pr-manager=pr0`,
    "-device scsi-block,drive=hd,id=disk0",
  ] as const;
  const keys = async (disk: ScsiDevice): Promise<readonly bigint[]> =>
    PersistentReserveIn.parse("read-keys", (await disk.execute(PersistentReserveIn.readKeys(256))).dataIn).keys;

  const stores: readonly (readonly [name: string, object: () => string])[] = [
    ["reservation-folder", () => `reservation-folder,id=s0,path=${path}`],
    ["a type of the user's own", () => "reservation-test,id=s0"],
  ];
  for (const [name, object] of stores) {
    it(`(${name}) brings reservations back in the next machine`, async () => {
      const first = await create(object(), "scsi-fabric,id=san0,store=s0", ...DISK);
      expect(outcome(await first.scsiDevice("disk0").execute(REGISTER))).to.equal("GOOD");
      expect(first.qom.get("/objects/san0", "store")).to.equal("/objects/s0");
      await close();
      const second = await create(object(), "scsi-fabric,id=san0,store=s0", ...DISK);
      expect(await keys(second.scsiDevice("disk0"))).to.deep.equal([KEY]);
    });
  }

  it("is written back as it was given", async () => {
    const machine = await create(`reservation-folder,id=s0,path=${path}`, "scsi-fabric,id=san0,store=s0");
    expect(machine.toArgs()).to.include(`reservation-folder,id=s0,path=${path}`).and.to.include("scsi-fabric,id=san0,store=s0");
  });

  it("stays for as long as a network uses it, and is closed when it goes", async () => {
    const machine = await create("reservation-test,id=s0", "scsi-fabric,id=san0,store=s0");
    const store = machine.object("s0");
    if (!(store instanceof TestStore)) throw new Error("s0 is a TestStore");
    expect((await refusal(() => machine.qom.delete("s0"))).message).to.contain("property 'store'");
    await machine.qom.delete("san0");
    expect(store.closed).to.equal(0);
    await machine.qom.delete("s0");
    expect(store.closed).to.equal(1);
  });

  it("serves one network at a time unless it tells of changes, and another one after that", async () => {
    const machine = await create("reservation-test,id=s0", "scsi-fabric,id=san0,store=s0");
    const error = await refusal(() => machine.qmp.execute("object-add", { "qom-type": "scsi-fabric", id: "san1", store: "s0" }));
    expect([error.kind, error.message]).to.deep.equal([
      "in-use",
      "reservation-test '/objects/s0' is used by scsi-fabric 'san0': it serves one storage network at a time",
    ]);
    await machine.qom.delete("san0");
    await machine.qmp.execute("object-add", { "qom-type": "scsi-fabric", id: "san1", store: "s0" });
    expect(machine.object("san1")).to.be.instanceOf(ScsiFabric);
  });

  it("serves another network after one that could not be closed in good order", async () => {
    const machine = await create("reservation-test,id=s0", "scsi-fabric,id=san0,store=s0");
    const { fabric } = machine.object("san0") as ScsiFabric; // it was made of that type
    const medium = new MemoryMedium(1024 * 1024);
    medium.close = (): Promise<void> => Promise.reject(new Error("not now"));
    await fabric.attachPath({ wwn: WWN }, { writes: true, medium, warn: () => {}, onCreate: () => {} });
    const failed = await machine.qom.delete("san0").catch((error: unknown) => error);
    expect(failed).to.be.an("error").with.property("message", "not now");
    await machine.qmp.execute("object-add", { "qom-type": "scsi-fabric", id: "san1", store: "s0" });
    expect(machine.object("san1")).to.be.instanceOf(ScsiFabric);
  });

  it("that no network uses is warned of, once", async () => {
    const unused = await create("reservation-test,id=s0", "reservation-test,id=s1", "scsi-fabric,id=san0,store=s1");
    expect(unused.warnings).to.deep.equal([
      "no storage network uses reservation-test '/objects/s0', so nothing is kept in it: -object scsi-fabric,id=…,store=s0 would",
    ]);
    const used = await create("reservation-test,id=s0", "scsi-fabric,id=san0,store=s0");
    expect(used.warnings).to.deep.equal([]);
    const space = await ObjectSpace.create({ objects: ["reservation-folder,id=s0,path=" + path], name: undefined, folderUse: "moment" });
    expect(space.warnings).to.have.lengthOf(1);
    await space.close();
  });

  const mistakes: readonly (readonly [what: string, objects: () => readonly string[], kind: string, says: RegExp])[] = [
    ["state and store", () => [`reservation-test,id=s0`, `scsi-fabric,id=san0,state=${path},store=s0`], "conflict", /'state' and 'store'/],
    [
      "aptpl=off beside it",
      () => [`reservation-test,id=s0`, "scsi-fabric,id=san0,aptpl=off,store=s0"],
      "conflict",
      /aptpl=off leaves nothing/,
    ],
    ["an object that is no store", () => ["pr-manager-memory,id=s0", "scsi-fabric,id=san0,store=s0"], "wrong-type", /s0/],
    ["no object", () => ["scsi-fabric,id=san0,store=s0"], "not-found", /reservation store/],
    ["a folder without a path", () => ["reservation-folder,id=s0"], "missing", /path/],
    ["the abstract type", () => ["reservation-store,id=s0"], "abstract-type", /reservation-store/],
    ["a folder that cannot be", () => ["reservation-folder,id=s0,path=/proc/nowhere/s"], "io", /\/proc\/nowhere/],
    [
      "a folder twice",
      () => [`reservation-folder,id=s0,path=${path}`, `scsi-fabric,id=san0,state=${path}`],
      "in-use",
      /this one, is using it/,
    ],
  ];
  for (const [what, objects, kind, says] of mistakes) {
    it(`is not ${what}`, async () => {
      const error = await refusal(() => create(...objects()));
      expect([error.kind, says.test(error.message)], error.message).to.deep.equal([kind, true]);
      if (existsSync(path)) expect(readdirSync(path)).to.deep.equal([]);
    });
  }

  it("is found among the types", async () => {
    const machine = await create("reservation-folder,id=s0,path=" + path);
    const types = (await machine.qmp.execute("qom-list-types", { implements: "reservation-store", abstract: true })) as { name: string }[]; // of the schema
    expect(types.map(({ name }) => name)).to.have.members(["reservation-store", "reservation-folder", "reservation-test"]);
  });
});
