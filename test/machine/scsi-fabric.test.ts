/** `-object scsi-fabric`: a storage network beside the machine's own, whose reservations survive the machine. */
import "reflect-metadata"; // before tsyringe
import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { expect } from "chai";
import { container } from "tsyringe";
import { Fabric, Machine, PersistentReserveIn, PersistentReserveOut, PrManager, ScsiFabric } from "qom-pr";
import type { ScsiDevice, ScsiUnit } from "qom-pr";
import { StoreUse } from "#src/stores/store-use.js";
import { temporaryFolder } from "../support/folder.js";
import { COMMAND_LINES, WWN } from "../support/machine.js";
import { outcome } from "../support/outcome.js";
import type { CommandLine } from "../support/machine.js";
import { refusal } from "../support/refusal.js";

const KEY = 0xa1n;
const REGISTER = PersistentReserveOut.encode({ action: "register", serviceActionKey: KEY, aptpl: true });
const RESERVE = PersistentReserveOut.encode({ action: "reserve", key: KEY, type: 5 });
const HBA = ["-device", "virtio-scsi"];
const DISK = ["-device", "scsi-block,drive=hd,id=disk0"];

/** PTPL_C and PTPL_A of REPORT CAPABILITIES. */
async function persistence(disk: ScsiDevice): Promise<readonly boolean[]> {
  const { dataIn } = await disk.execute(PersistentReserveIn.reportCapabilities(8));
  const capabilities = PersistentReserveIn.parse("report-capabilities", dataIn);
  return [capabilities.persistThroughPowerLoss, capabilities.persistThroughPowerLossActive];
}

describe("scsi-fabric", () => {
  const folder = temporaryFolder();
  const opened: { close(): Promise<void> }[] = [];
  const create = async (argv: readonly string[], options = {}): Promise<Machine> => {
    const machine = await Machine.create(argv, options);
    opened.push(machine);
    return machine;
  };
  let state = "";
  let folders = 0;
  beforeEach(() => {
    state = folder.path(`san${folders}`);
    folders += 1;
  });
  afterEach(async () => {
    for (const one of opened.splice(0).toReversed()) await one.close();
  });
  const san = (): string[] => ["-object", `scsi-fabric,id=san0,state=${state}`];
  const memory = (rest = ""): string[] => ["-object", `pr-manager-memory,id=pr0${rest}`];
  const node = (line: CommandLine, rest: string): string[] => {
    const [option = "", text = ""] = COMMAND_LINES[line]({}, "pr0");
    return [option, text + rest];
  };

  for (const line of ["blockdev", "drive"] as const) {
    it(`by -${line} brings reservations back in the next machine`, async () => {
      const argv = [...san(), ...memory(), ...node(line, ",file.fabric=san0"), ...HBA, ...DISK];
      const first = await create(argv);
      const disk = first.scsiDevice("disk0");
      expect(await persistence(disk)).to.deep.equal([true, false]);
      expect([outcome(await disk.execute(REGISTER)), outcome(await disk.execute(RESERVE))]).to.deep.equal(["GOOD", "GOOD"]);
      await first.close();

      const second = await create(argv);
      const again = second.scsiDevice("disk0");
      expect(await persistence(again)).to.deep.equal([true, true]);
      const { dataIn } = await again.execute(PersistentReserveIn.readReservation(256));
      expect(PersistentReserveIn.parse(1, dataIn)).to.deep.equal({ generation: 0, reservation: { type: 5, scope: 0, key: KEY } });
      expect(outcome(await again.execute(PersistentReserveOut.encode({ action: "release", key: KEY, type: 5 })))).to.equal("GOOD");
    });
  }

  it("is an object with a fabric, another one than the machine's", async () => {
    const machine = await create([...san(), ...memory(), ...node("blockdev", ",file.fabric=san0"), ...HBA, ...DISK]);
    const object = machine.object("san0");
    if (!(object instanceof ScsiFabric)) throw new Error("san0 is a scsi-fabric");
    expect(object.fabric.unit(WWN).reservations.registrants).to.deep.equal([]);
    expect(object.fabric).not.to.equal(machine.fabric);
    expect((await refusal(() => machine.fabric.unit(WWN))).kind).to.equal("not-found");
    expect(machine.qom.get("/objects/san0", "state")).to.equal(state);
    expect((await refusal(() => machine.qom.delete("san0"))).message).to.contain("property 'fabric'");
  });

  it("without a folder has APTPL for a power cycle of its own, and the next machine does not find it", async () => {
    const argv = ["-object", "scsi-fabric,id=san0", ...memory(), ...node("blockdev", ",file.fabric=san0"), ...HBA, ...DISK];
    const machine = await create(argv);
    const [disk, object] = [machine.scsiDevice("disk0"), machine.object("san0")];
    if (!(object instanceof ScsiFabric)) throw new Error("san0 is a scsi-fabric");
    expect(await persistence(disk)).to.deep.equal([true, false]);
    expect([outcome(await disk.execute(REGISTER)), await persistence(disk)]).to.deep.equal(["GOOD", [true, true]]);
    await object.fabric.powerCycle();
    expect(object.fabric.unit(WWN).reservations.registrants).to.have.length(1);
    await opened.pop()?.close();
    expect(await persistence((await create(argv)).scsiDevice("disk0"))).to.deep.equal([true, false]);
  });

  it("with aptpl=off has disks that refuse it, and needs no folder", async () => {
    const volatile = ["-object", "scsi-fabric,id=san0,aptpl=off"];
    const machine = await create([...volatile, ...memory(), ...node("blockdev", ",file.fabric=san0"), ...HBA, ...DISK]);
    expect(await persistence(machine.scsiDevice("disk0"))).to.deep.equal([false, false]);
    expect(outcome(await machine.scsiDevice("disk0").execute(REGISTER))).to.equal("05/26/00");
    expect(machine.warnings, "nobody wonders").to.deep.equal([]);
    expect(machine.toArgs()).to.include("scsi-fabric,id=san0,aptpl=off");
    const error = await refusal(() => Machine.create([...volatile.slice(0, 1), `${volatile[1]},state=${state}`]));
    expect([error.kind, error.message.includes("aptpl=off")]).to.deep.equal(["conflict", true]);
    expect(existsSync(state)).to.equal(false);
  });

  it("of a manager does not count for a simulated disk, which has a fabric of its own", async () => {
    const machine = await create([...san(), ...memory(",fabric=san0"), ...node("blockdev", ""), ...HBA, ...DISK]);
    expect(outcome(await machine.scsiDevice("disk0").execute(REGISTER))).to.equal("GOOD");
    await opened.pop()?.close();
    const fabric = await Fabric.open({ stateDir: state });
    opened.push(fabric);
    expect((await fabric.attach({ wwn: WWN })).reservations.registrants).to.deep.equal([]);
  });

  it("is what a disk that is not simulated has APTPL by, and a machine says so once for each disk", async () => {
    const sgio = (): never => {
      throw new Error("the manager sends nothing to the disk");
    };
    const told: string[] = [];
    const machine = await create([...memory()], { warn: (line: string) => told.push(line) });
    const manager = machine.object("pr0");
    if (!(manager instanceof PrManager)) throw new Error("pr0 is a manager");
    for (const identity of ["unit naa.1", "unit naa.1", "unit naa.2", "block device 8:0 diskseq 1 boot x"]) {
      const unit: ScsiUnit = { fd: null, readOnly: false, identity, nexus: null, sgio };
      expect(outcome(await manager.execute(unit, REGISTER))).to.equal("05/26/00");
      expect(outcome(await manager.execute(unit, PersistentReserveOut.encode({ action: "clear", key: 9n })))).to.equal("RC");
    }
    expect(told.map((line) => line.replace(/:.*/, ""))).to.deep.equal(["unit naa.1", "unit naa.2", "block device 8"]);
    expect(told[0]).to.contain("--object scsi-fabric,id=san0,state=DIR").and.to.contain("fabric=san0");
    expect(told[2]).to.contain("no name of its own");
    expect(machine.warnings).to.deep.equal(told);
  });

  it("keeps nothing of a disk that has no name after a restart", async () => {
    const machine = await create([...san(), ...memory(",fabric=san0")]);
    const manager = machine.object("pr0");
    if (!(manager instanceof PrManager)) throw new Error("pr0 is a manager");
    const sgio = (): never => {
      throw new Error("the manager sends nothing to the disk");
    };
    const unit: ScsiUnit = { fd: null, readOnly: false, identity: "block device 8:0 diskseq 1 boot x", nexus: null, sgio };
    expect(outcome(await manager.execute(unit, REGISTER))).to.equal("05/26/00");
    expect(outcome(await manager.execute(unit, PersistentReserveOut.encode({ action: "register", serviceActionKey: KEY })))).to.equal(
      "GOOD",
    );
    expect(machine.warnings.join()).to.contain("'san0': block device 8:0").and.to.contain("no name of its own");
  });

  it("of a manager keeps the reservations of disks that are not simulated", async () => {
    const sgio = (): never => {
      throw new Error("the manager sends nothing to the disk");
    };
    const unit: ScsiUnit = { fd: null, readOnly: false, identity: "dev:8:16", nexus: null, sgio };
    const manager = async (): Promise<PrManager> => {
      const object = (await create([...san(), ...memory(",fabric=san0")])).object("pr0");
      if (!(object instanceof PrManager)) throw new Error("pr0 is a manager");
      return object;
    };
    const before = await manager();
    expect([outcome(await before.execute(unit, REGISTER)), outcome(await before.execute(unit, RESERVE))]).to.deep.equal(["GOOD", "GOOD"]);
    await opened.pop()?.close();
    const { dataIn } = await (await manager()).execute(unit, PersistentReserveIn.readReservation(256));
    expect(PersistentReserveIn.parse(1, dataIn)).to.deep.equal({ generation: 0, reservation: { type: 5, scope: 0, key: KEY } });
  });

  it("holds its folder until the machine closes, and not after a machine that could not be made", async () => {
    const error = await refusal(() => Machine.create([...san(), "-device", "scsi-block,drive=hd"]));
    expect(error.kind).to.equal("not-found");
    expect(await readdir(state)).to.deep.equal([]);
    const machine = await create(san());
    const refused = await refusal(() => Machine.create(san()));
    expect(refused.message).to.equal(
      `-object scsi-fabric,id=san0,state=${state}: the folder '${state}' is locked: process ${process.pid}, this one, is using it`,
    );
    await machine.close();
    await create(san());
  });

  it("is held for as long as the program that makes it says", async () => {
    const once = container.createChildContainer();
    once.register(StoreUse, { useValue: { use: "moment" } });
    for (const [options, heldFor] of [
      [{ container: once }, "moment"],
      [{}, "lasting"],
    ] as const) {
      const machine = await create(san(), options);
      expect((await refusal(() => create(san()))).context.heldFor).to.equal(heldFor);
      await machine.close();
    }
  });

  it("opened by the embedder is shared, and stays open when a machine closes", async () => {
    const fabric = await Fabric.open({ stateDir: state });
    opened.push(fabric);
    const argv = [...memory(), ...node("blockdev", ""), ...HBA, ...DISK];
    const [a, b] = [await create(argv, { fabric }), await create(argv, { fabric })];
    for (const each of [REGISTER, RESERVE]) expect(outcome(await a.scsiDevice("disk0").execute(each))).to.equal("GOOD");
    await a.close();
    const write = { cdb: Uint8Array.of(0x2a, 0, 0, 0, 0, 0, 0, 0, 1, 0), dataOut: new Uint8Array(512) };
    expect(outcome(await b.scsiDevice("disk0").execute(write))).to.equal("RC");
    await fabric.powerCycle();
    expect(outcome(await b.scsiDevice("disk0").execute(write))).to.equal("06/29/00");
    expect(outcome(await b.scsiDevice("disk0").execute(write))).to.equal("RC");
  });
});

describe("sim-lun", () => {
  it("has a block size and a serial number, which later nodes agree with", async () => {
    const first = `node-name=hd,driver=sim-lun,wwn=${WWN},size=1M,block-size=4K,physical-block-size=16K,serial=qom 7`;
    const second = (rest: string): string[] => ["-blockdev", `node-name=h2,driver=sim-lun,wwn=${WWN},${rest}`];
    const machine = await Machine.create(["-blockdev", first, ...second("block-size=4096,serial=qom 7"), ...HBA, ...DISK]);
    const disk = machine.scsiDevice("disk0");
    const capacity = (await disk.execute({ cdb: Uint8Array.of(0x25, 0, 0, 0, 0, 0, 0, 0, 0, 0), allocationLength: 8 })).dataIn;
    expect([...capacity]).to.deep.equal([0, 0, 0, 255, 0, 0, 16, 0]);
    const capacity16 = Uint8Array.of(0x9e, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 32, 0, 0);
    expect((await disk.execute({ cdb: capacity16 })).dataIn[13], "exponent").to.equal(2);
    const serial = (await disk.execute({ cdb: Uint8Array.of(0x12, 1, 0x80, 0, 64, 0) })).dataIn;
    expect(Buffer.from(serial.subarray(4)).toString("ascii")).to.equal("qom 7");
    await machine.close();
    for (const [rest, option, given, actual] of [
      ["block-size=512", "block-size", "512", "4096"],
      ["physical-block-size=8K", "physical-block-size", "8192", "16384"],
      ["serial=other", "serial", "other", "qom 7"],
    ] as const) {
      const error = await refusal(() => Machine.create(["-blockdev", first, ...second(rest)]));
      expect(error.kind).to.equal("conflict");
      expect(error.message).to.contain(option).and.to.contain(given).and.to.contain(actual);
    }
  });
});
