/** A transport that fails, as the library, a monitor and a guest see it: by whoever says so. */
import "reflect-metadata";
import { expect } from "chai";
import { Fabric, HostStatus, Machine, PrManager, qomType, TransportId, USER_CREATABLE } from "qom-pr";
import type { ScsiResult } from "qom-pr";
import { outcome } from "../support/outcome.js";
import { ScriptedDisk } from "../support/scripted-disk.js";
import { commandRequest, commandText } from "./support/peer.js";

const WWN = "naa.5000000000000021";
const TUR = new Uint8Array(6);
const READ_KEYS = Uint8Array.of(0x5e, 0, 0, 0, 0, 0, 0, 0, 8, 0);
const NOTHING = new Uint8Array(0);
const LIED: ScsiResult = { status: 0, hostStatus: HostStatus.NEXUS_FAILURE, dataIn: NOTHING, residual: 0, sense: NOTHING };

@qomType({ name: "pr-manager-without-path", description: "says GOOD with a host status", interfaces: [USER_CREATABLE] })
class ManagerWithoutPath extends PrManager {
  protected override run(): Promise<ScsiResult> {
    return Promise.resolve(LIED);
  }
}

function argumentsFor(manager: string): string[] {
  return [
    ...["-device", "virtio-scsi,id=s", "-object", `${manager},id=pr0`],
    ...["-blockdev", `node-name=hd,driver=sim-lun,wwn=${WWN},pr-manager=pr0,initiator=fc.1000000000000001,target-port=3`],
    ...["-device", "scsi-block,drive=hd,id=disk0"],
  ];
}

describe("a transport that fails", () => {
  let fabric: Fabric;
  let machine: Machine;
  beforeEach(async () => {
    fabric = new Fabric();
    machine = await Machine.create(argumentsFor("pr-manager-memory"), { fabric });
  });
  afterEach(async () => {
    await machine.close();
    await fabric.close();
  });

  const guestSees = async (cdb: string): Promise<string> => {
    const written = new Uint8Array(108);
    const used = await machine.hba("s").submit(2, { readable: [commandRequest([0, 0], cdb)], writable: [written] });
    return commandText({ used, written });
  };

  it("is no GOOD when a manager says so, to those who ask it themselves either", async () => {
    const own = new Fabric();
    const lying = await Machine.create(argumentsFor("pr-manager-without-path"), { fabric: own, types: [ManagerWithoutPath] });
    const device = lying.scsiDevice("disk0");
    const result = await device.execute({ cdb: READ_KEYS });
    expect([outcome(result), result.hostStatus]).to.deep.equal(["RC", 0x11]);
    const manager = lying.object("pr0");
    if (!(manager instanceof PrManager)) throw new Error("pr0 is a manager");
    const unit = { fd: null, readOnly: false, identity: "x", nexus: null, sgio: () => Promise.resolve(LIED) };
    expect(outcome(await manager.execute(unit, { cdb: READ_KEYS }))).to.equal("RC");
    await lying.close();
    await own.close();
  });

  it("is no GOOD when a test says so, and a guest has virtio's own answer", async () => {
    const device = machine.scsiDevice("disk0");
    await guestSees("000000000000");
    const end = fabric.unit(WWN).disturb(() => true, { result: { ...LIED, hostStatus: HostStatus.TIME_OUT } });
    const result = await device.execute({ cdb: TUR });
    expect([outcome(result), result.hostStatus]).to.deep.equal(["0B/2E/02", 3]);
    const nexus = { initiator: TransportId.parse("fc.1000000000000002"), targetPort: 1 };
    const direct = await fabric.unit(WWN).execute(nexus, { cdb: TUR });
    expect([outcome(direct), direct.hostStatus], "without a device").to.deep.equal(["0B/2E/02", 3]);
    expect(await guestSees("000000000000")).to.equal("response 2, status 00, residual 0");
    const monitor = await machine.qmp.execute("x-scsi-execute", { device: "disk0", cdb: "000000000000" });
    expect(monitor).to.deep.include({ status: 2, "host-status": 3 });
    end();
    expect(outcome(await device.execute({ cdb: TUR }))).to.equal("GOOD");
  });

  it("can be a lost path: nothing arrives, by any way, and nothing that the unit had to tell is lost", async () => {
    const device = machine.scsiDevice("disk0");
    const unit = fabric.unit(WWN);
    await guestSees("000000000000");
    await device.execute({ cdb: READ_KEYS });
    await fabric.powerCycle();
    const end = unit.disturb(({ nexus }) => nexus.targetPort === 3, { pathLost: true });
    for (const cdb of [TUR, READ_KEYS, Uint8Array.of(0x12, 0, 0, 0, 36, 0), Uint8Array.of(0xc0, 0, 0, 0, 0, 0)]) {
      const result = await device.execute({ cdb });
      expect([outcome(result), result.hostStatus]).to.deep.equal(["0B/29/07", 0x0e]);
    }
    expect(await guestSees("000000000000")).to.equal("response 6, status 00, residual 0");
    const other = { initiator: TransportId.parse("fc.1000000000000001"), targetPort: 1 };
    expect(outcome(await unit.execute(other, { cdb: TUR })), "by another path").to.equal("GOOD");
    end();
    expect(outcome(await device.execute({ cdb: TUR }))).to.equal("06/29/00");
    expect(outcome(await device.execute({ cdb: TUR }))).to.equal("GOOD");
  });

  it("comes before other disturbances, and does not go with their members", async () => {
    const unit = fabric.unit(WWN);
    unit.disturb(() => true, { result: { ...LIED, status: 8, hostStatus: HostStatus.OK } });
    expect(await machine.scsiDevice("disk0").execute({ cdb: TUR })).to.not.have.property("hostStatus");
    unit.disturb(() => true, { pathLost: true });
    expect(outcome(await machine.scsiDevice("disk0").execute({ cdb: TUR }))).to.equal("0B/29/07");
    expect(() => unit.disturb(() => true, { pathLost: true, latencyMs: 1 })).to.throw(/pathLost together with latencyMs/);
    expect(() => unit.disturb(() => true, { pathLost: true, result: LIED })).to.throw(/pathLost together with result/);
  });

  it("a device says who it is to a simulated unit, and not to a disk of the host", async () => {
    const { nexus } = machine.scsiDevice("disk0");
    expect([nexus?.initiator.format(), nexus?.targetPort]).to.deep.equal(["fc.1000000000000001", 3]);
    const host = await new ScriptedDisk().machine("scsi-generic");
    expect(host.scsiDevice("disk0").nexus).to.equal(null);
    await host.close();
  });
});
