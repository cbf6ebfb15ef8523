/** The machine as an embedder meets it. */
import "reflect-metadata";
import { writeFile } from "node:fs/promises";
import { expect } from "chai";
import { container } from "tsyringe";
import { Clock, Fabric, inject, Machine, PersistentReserveIn, PersistentReserveOut, PrManager, qomType } from "qom-pr";
import type { ScsiCommand, ScsiResult, ScsiUnit } from "qom-pr";
import { ManualClock } from "../support/manual-clock.js";
import { temporaryFolder } from "../support/folder.js";
import { machineArguments, WWN } from "../support/machine.js";
import { outcome } from "../support/outcome.js";
import { refusal } from "../support/refusal.js";

const MEMORY = "pr-manager-memory,id=pr0";
const TEST_UNIT_READY: ScsiCommand = { cdb: new Uint8Array(6) };
const write = (fill: number): ScsiCommand => ({
  cdb: Uint8Array.of(0x2a, 0, 0, 0, 0, 0, 0, 0, 1, 0),
  dataOut: new Uint8Array(512).fill(fill),
});
const read: ScsiCommand = { cdb: Uint8Array.of(0x28, 0, 0, 0, 0, 0, 0, 0, 1, 0) };

/** A manager whose commands stay in flight until they are let go; the last ones first in `open`. */
@qomType({ name: "pr-manager-stuck", description: "answers when told" })
class StuckManager extends PrManager {
  readonly open: ((result: ScsiResult) => void)[] = [];

  constructor(@inject(Clock) readonly clock: Clock) {
    super();
  }

  /** Signals of the commands, in order. */
  readonly signals: (AbortSignal | undefined)[] = [];

  protected override run(_unit: ScsiUnit, command: ScsiCommand): Promise<ScsiResult> {
    this.signals.push(command.signal);
    return new Promise((resolve) => this.open.push(resolve));
  }
}

describe("machine", () => {
  const folder = temporaryFolder();
  const opened: { close(): Promise<void> }[] = [];
  const create = async (argv: readonly string[], options = {}): Promise<Machine> => {
    const machine = await Machine.create(argv, options);
    opened.push(machine);
    return machine;
  };
  afterEach(async () => {
    for (const one of opened.splice(0)) await one.close();
  });

  it("makes objects, nodes and devices whatever their order on the command line", async () => {
    const node = ["-blockdev", `node-name=hd,driver=sim-lun,wwn=${WWN},pr-manager=pr0`];
    const machine = await create([...node, "-device", "virtio-scsi", "-device", "scsi-block,drive=hd,id=d", "-object", MEMORY]);
    expect(outcome(await machine.scsiDevice("d").execute(PersistentReserveIn.readKeys(8)))).to.equal("GOOD");
  });

  it("is not made when its signal has fired, and goes back to nothing when it fires meanwhile", async () => {
    const reason = new Error("changed my mind");
    const rejection = (argv: readonly string[], signal: AbortSignal, fabric = new Fabric()): Promise<unknown> =>
      Machine.create(argv, { signal, fabric }).catch((error: unknown) => error);
    expect(await rejection([], AbortSignal.abort(reason))).to.equal(reason);

    const controller = new AbortController();
    const fabric = new Fabric();
    const making = rejection(machineArguments("blockdev", MEMORY), controller.signal, fabric);
    controller.abort(reason);
    expect(await making).to.equal(reason);
    expect(fabric.units).to.deep.equal([]);
  });

  it("finds devices by id and by path, objects by id, and says what it does not find", async () => {
    const machine = await create([...machineArguments("blockdev", MEMORY), "-device", "virtio-scsi"]);
    expect(machine.device("/machine/peripheral/disk0")).to.equal(machine.device("disk0"));
    expect(machine.device("/machine/peripheral-anon/device[1]").typeName).to.equal("virtio-scsi-pci");
    expect(machine.object("pr0").typeName).to.equal("pr-manager-memory");
    expect(machine.qom.get("/machine/peripheral/disk0", "drive")).to.equal("hd");
    expect((await refusal(() => machine.device("nope"))).qmpClass).to.equal("DeviceNotFound");
    expect((await refusal(() => machine.object("nope"))).kind).to.equal("not-found");
    expect((await refusal(() => machine.scsiDevice("/machine/peripheral-anon/device[0]"))).kind).to.equal("wrong-type");
    expect((await refusal(() => machine.fabric.unit("naa.5000000000000009"))).kind).to.equal("not-found");
  });

  it("lists SCSI devices by host adapter, target and LUN, and gives them the addresses that QEMU would", async () => {
    const nodes = ["a", "b", "c", "d"].flatMap((name, at) => [
      "-blockdev",
      `node-name=${name},driver=sim-lun,wwn=naa.500000000000000${at}`,
    ]);
    const device = (text: string): string[] => ["-device", `scsi-generic,${text}`];
    const machine = await create([
      ...["-device", "virtio-scsi,id=s0", "-device", "virtio-scsi,id=s1", ...nodes],
      ...device("drive=a,id=a"),
      ...device("drive=b,id=b,scsi-id=0"),
      ...device("drive=c,id=c,bus=s0.0,scsi-id=7,lun=3"),
      ...device("drive=d,id=d,bus=s0.0,lun=3"),
    ]);
    const places = machine.scsiDevices.map((disk) => `${disk.id ?? ""} ${disk.bus.name} ${disk.address.target}:${disk.address.lun}`);
    expect(places).to.deep.equal(["d s0.0 0:3", "c s0.0 7:3", "a s1.0 0:0", "b s1.0 0:1"]);
  });

  it("takes JSON for -object, -blockdev and -device", async () => {
    const machine = await create([
      ...["-object", '{"qom-type":"pr-manager-memory","id":"pr0"}'],
      "-blockdev",
      `{"driver":"raw","node-name":"hd","file":{"driver":"sim-lun","wwn":"${WWN}","size":1048576,"pr-manager":"pr0"}}`,
      ...["-device", "virtio-scsi"],
      ...["-device", '{"driver":"scsi-block","drive":"hd","id":"disk0"}'],
    ]);
    expect(machine.fabric.unit(WWN).sizeBytes).to.equal(1024 * 1024);
    expect(outcome(await machine.scsiDevice("disk0").execute(TEST_UNIT_READY))).to.equal("GOOD");
  });

  it("shares one disk between the machines of a fabric, and fences by reservation", async () => {
    const fabric = new Fabric();
    const [a, b] = [
      await create(machineArguments("blockdev", MEMORY), { fabric }),
      await create(machineArguments("drive", MEMORY), { fabric }),
    ];
    const [diskA, diskB] = [a.scsiDevice("disk0"), b.scsiDevice("disk0")];
    expect([a.name, b.name]).to.deep.equal(["m0", "m1"]);
    await diskA.execute(write(0xaa));
    expect((await diskB.execute(read)).dataIn[0]).to.equal(0xaa);
    await diskA.execute(PersistentReserveOut.encode({ action: "register", serviceActionKey: 0xan }));
    await diskA.execute(PersistentReserveOut.encode({ action: "reserve", key: 0xan, type: 1 }));
    expect(outcome(await diskB.execute(write(0xbb)))).to.equal("RC");
    expect(outcome(await diskA.execute(write(0xcc)))).to.equal("GOOD");
    expect(fabric.unit(WWN).reservations.reservation).to.deep.equal({
      type: 1,
      scope: 0,
      holder: { initiator: "iqn.2026-11.org.qom-pr:m0:hd,i,0x80bfb896fde1", targetPort: 1 },
    });
    await a.close();
    expect(outcome(await diskB.execute(write(0xdd)))).to.equal("RC");
    await b.close();
    await fabric.close();
  });

  it("keeps machines apart that have a fabric each", async () => {
    const [a, b] = [await create(machineArguments("blockdev", MEMORY)), await create(machineArguments("blockdev", MEMORY))];
    await a.scsiDevice("disk0").execute(write(0xaa));
    expect((await b.scsiDevice("disk0").execute(read)).dataIn[0]).to.equal(0);
  });

  it("answers LBAs beyond the disk, writes to a read-only one, and PERSISTENT RESERVE OUT on it", async () => {
    const nodes = [
      "-blockdev",
      `node-name=hd,driver=raw,read-only=on,file.driver=sim-lun,file.wwn=${WWN},file.size=1M,file.pr-manager=pr0`,
    ];
    const machine = await create(["-object", MEMORY, ...nodes, "-device", "virtio-scsi", "-device", "scsi-block,drive=hd,id=disk0"]);
    const disk = machine.scsiDevice("disk0");
    expect(outcome(await disk.execute({ cdb: Uint8Array.of(0x28, 0, 0, 0, 8, 0, 0, 0, 1, 0) }))).to.equal("05/21/00");
    expect(outcome(await disk.execute(write(1)))).to.equal("07/27/00");
    expect(outcome(await disk.execute(PersistentReserveOut.encode({ action: "register", serviceActionKey: 1n })))).to.equal("05/20/00");
    expect(outcome(await disk.execute(PersistentReserveIn.readKeys(8)))).to.equal("GOOD");
  });

  it("gives a nexus that appears its unit attention only when asked for one", async () => {
    const argv = (power: string): string[] => [
      ...["-device", "virtio-scsi", "-blockdev", `node-name=hd,driver=sim-lun,wwn=${WWN},power-on-ua=${power}`],
      ...["-device", "scsi-block,drive=hd,id=disk0"],
    ];
    const outcomes: string[] = [];
    for (const power of ["on", "off"]) {
      const disk = (await create(argv(power))).scsiDevice("disk0");
      outcomes.push(outcome(await disk.execute(TEST_UNIT_READY)), outcome(await disk.execute(TEST_UNIT_READY)));
    }
    expect(outcomes).to.deep.equal(["06/29/00", "GOOD", "GOOD", "GOOD"]);
  });

  it("refuses a command with data in both directions and CDBs of impossible length", async () => {
    const disk = (await create(machineArguments("blockdev", MEMORY))).scsiDevice("disk0");
    expect((await refusal(() => disk.execute({ ...write(1), allocationLength: 5 }))).kind).to.equal("conflict");
    for (const length of [0, 17]) expect(outcome(await disk.execute({ cdb: new Uint8Array(length) }))).to.equal("05/24/00");
  });

  it("ends commands in flight with TASK ABORTED: by signal, by reset, and by close() after its grace", async () => {
    const clock = new ManualClock();
    const child = container.createChildContainer();
    child.register(Clock, { useValue: clock });
    const machine = await create(machineArguments("blockdev", "pr-manager-stuck,id=pr0"), { types: [StuckManager], container: child });
    const disk = machine.scsiDevice("disk0");
    const readKeys = PersistentReserveIn.readKeys(8);
    const controller = new AbortController();
    const bySignal = disk.execute({ ...readKeys, signal: controller.signal });
    controller.abort();
    // A manager that does not listen to the signal is waited for no longer than this.
    clock.advance(100);
    expect(outcome(await bySignal)).to.equal("ABORTED");
    const byReset = disk.execute(readKeys);
    const reset = disk.reset("logical-unit");
    clock.advance(100);
    await reset;
    expect(outcome(await byReset)).to.equal("ABORTED");
    const byClose = disk.execute(readKeys);
    const closed = machine.close();
    expect((await refusal(() => disk.execute(readKeys))).kind).to.equal("closed");
    clock.advance(5000);
    await new Promise(setImmediate);
    clock.advance(100);
    expect(outcome(await byClose)).to.equal("ABORTED");
    await closed;
    await machine.close();
  });

  it("lets the manager know that its command was ended", async () => {
    const machine = await create(machineArguments("blockdev", "pr-manager-stuck,id=pr0"), { types: [StuckManager] });
    const manager = machine.object("pr0");
    if (!(manager instanceof StuckManager)) throw new Error("pr0 is a stuck manager");
    const disk = machine.scsiDevice("disk0");
    const running = disk.execute(PersistentReserveIn.readKeys(8));
    const reset = disk.reset("target");
    expect(manager.signals.map((signal) => signal?.aborted)).to.deep.equal([true]);
    manager.open[0]?.({ status: 0x40, dataIn: new Uint8Array(0), residual: 0, sense: new Uint8Array(0) });
    await reset;
    expect(outcome(await running)).to.equal("ABORTED");
  });

  it("is read-only where a format above the disk says so", async () => {
    const nodes = [`node-name=f,driver=sim-lun,wwn=${WWN},pr-manager=pr0`, "node-name=r,driver=raw,read-only=on,file=f"];
    for (const type of ["scsi-block", "scsi-generic"]) {
      const machine = await create([
        ...["-object", MEMORY, "-device", "virtio-scsi", ...nodes.flatMap((node) => ["-blockdev", node])],
        ...["-device", `${type},drive=r,id=d`],
      ]);
      const disk = machine.scsiDevice("d");
      expect(outcome(await disk.execute(write(1)))).to.equal("07/27/00");
      expect(outcome(await disk.execute(PersistentReserveOut.encode({ action: "register", serviceActionKey: 1n })))).to.equal("05/20/00");
    }
  });

  it("makes nothing any more after close(), and undoes what was being made", async () => {
    const machine = await create(machineArguments("blockdev", MEMORY));
    const pending = machine.qom.add("pr-manager-memory", "late");
    const closed = machine.close();
    expect((await refusal(() => pending)).kind).to.equal("closed");
    await closed;
    expect((await refusal(() => machine.qom.add("pr-manager-memory", "later"))).kind).to.equal("closed");
    expect(
      (
        await refusal(() =>
          machine.graph.open(
            new Map([
              ["driver", "file"],
              ["node-name", "f"],
              ["filename", "/dev/null"],
            ]),
            "text",
          ),
        )
      ).kind,
    ).to.equal("closed");
  });

  it("gives an unnamed machine a name that no other one on the fabric has", async () => {
    const fabric = new Fabric();
    const argv = machineArguments("blockdev", MEMORY);
    const names = [["-name", "m0"], [], []].map(async (name) => (await create([...name, ...argv], { fabric })).name);
    expect(await Promise.all(names)).to.deep.equal(["m0", "m1", "m2"]);
  });

  it("lets close() wait for a command that finishes in time", async () => {
    const machine = await create(machineArguments("blockdev", "pr-manager-stuck,id=pr0"), { types: [StuckManager] });
    const manager = machine.object("pr0");
    const running = machine.scsiDevice("disk0").execute(PersistentReserveIn.readKeys(8));
    const closed = machine.close();
    if (manager instanceof StuckManager)
      manager.open[0]?.({ status: 0x08, dataIn: new Uint8Array(0), residual: 0, sense: new Uint8Array(0) });
    expect(outcome(await running)).to.equal("BUSY");
    await closed;
  });

  it("injects a fake in place of a dependency", async () => {
    const clock = new ManualClock();
    const child = container.createChildContainer();
    child.register(Clock, { useValue: clock });
    const machine = await create(["-object", "pr-manager-stuck,id=pr0"], { types: [StuckManager], container: child });
    const manager = machine.object("pr0");
    expect(manager instanceof StuckManager && manager.clock).to.equal(clock);
  });

  it("refuses a manager that overrides what is final", async () => {
    @qomType({ name: "pr-manager-wild", description: "overrides execute" })
    class Wild extends PrManager {
      override execute(): Promise<ScsiResult> {
        return this.run();
      }

      protected override run(): Promise<ScsiResult> {
        return Promise.reject(new Error("never"));
      }
    }
    const error = await refusal(() => Machine.create(["-object", "pr-manager-wild,id=w"], { types: [Wild] }));
    expect(error.kind).to.equal("type-definition");
    expect(error.message).to.contain("run()");
  });

  it("keeps the medium in a file", async () => {
    const filename = folder.path("medium");
    await writeFile(filename, new Uint8Array(1024 * 1024).fill(7));
    const disk = (await create(machineArguments("blockdev", MEMORY, { filename }))).scsiDevice("disk0");
    expect((await disk.execute(read)).dataIn[511]).to.equal(7);
  });

  for (const members of [
    "file=F,format=raw,file.pr-manager=pr0",
    "driver=raw,file.filename=F,file.pr-manager=pr0",
    "driver=file,filename=F,pr-manager=pr0",
  ]) {
    it(`takes -drive ${members}`, async () => {
      const filename = folder.path("drive");
      await writeFile(filename, new Uint8Array(512));
      const machine = await create(["-object", MEMORY, "-drive", `if=none,id=hd,${members.replace("=F", `=${filename}`)}`]);
      expect((await refusal(() => machine.qom.delete("pr0"))).message).to.contain("block node");
    });
  }

  it("accepts deprecated spellings and says so", async () => {
    const machine = await create(["-drive", `if=none,id=hd,readonly,file.driver=sim-lun,file.wwn=${WWN}`]);
    expect(machine.warnings.join()).to.contain("readonly");
  });
});
