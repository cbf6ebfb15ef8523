/** Machines of one name on one fabric, whose default initiators are the same. */
import { expect } from "chai";
import { Fabric, Machine, ScsiFabric } from "qom-pr";
import { machineArguments, WWN } from "../support/machine.js";
import { refusal } from "../support/refusal.js";

const MEMORY = "pr-manager-memory,id=pr0";
const WARNING =
  "machine 'a' and another machine 'a' are on one fabric: their nodes of the same name are one initiator there " +
  "(give each machine a -name of its own, or each disk an initiator)";

function named(name: string): string[] {
  return ["-name", name, ...machineArguments("blockdev", MEMORY)];
}

describe("machines of one name", () => {
  const opened: { close(): Promise<void> }[] = [];
  afterEach(async () => {
    for (const one of opened.splice(0).toReversed()) await one.close();
  });
  function newFabric(): Fabric {
    const fabric = new Fabric();
    opened.push(fabric);
    return fabric;
  }
  async function create(argv: readonly string[], fabric?: Fabric): Promise<Machine> {
    const machine = await Machine.create(argv, fabric === undefined ? {} : { fabric });
    opened.push(machine);
    return machine;
  }

  it("are warned of on a fabric that they share, both of them, once", async () => {
    const fabric = newFabric();
    const first = await create(named("a"), fabric);
    expect(first.warnings).to.deep.equal([]);
    const [second, other] = [await create(named("a"), fabric), await create(named("b"), fabric)];
    expect([first.warnings, second.warnings, other.warnings]).to.deep.equal([[WARNING], [WARNING], []]);
  });

  it("are not warned of on fabrics of their own, or when the first is closed", async () => {
    await create(named("a"));
    const fabric = newFabric();
    const first = await create(named("a"), fabric);
    await first.close();
    const again = await create(named("a"), fabric);
    expect([first.warnings, again.warnings]).to.deep.equal([[], []]);
  });

  it("are warned of where one of them has disks on a fabric that the other made as an object", async () => {
    const disk = (): string[] => ["-blockdev", `node-name=hd,driver=sim-lun,wwn=${WWN},fabric=san0`];
    const maker = await create(["-name", "a", "-object", "scsi-fabric,id=san0", ...disk()]);
    const san = maker.object("san0");
    if (!(san instanceof ScsiFabric)) throw new Error("san0 is a fabric");
    const guest = await create(["-name", "a"], san.fabric);
    expect([maker.warnings, guest.warnings]).to.deep.equal([[WARNING], [WARNING]]);
  });

  it("are not made where names are automatic, whoever made the fabric", async () => {
    const maker = await create(["-object", "scsi-fabric,id=san0", "-object", `${MEMORY},fabric=san0`]);
    const san = maker.object("san0");
    if (!(san instanceof ScsiFabric)) throw new Error("san0 is a fabric");
    const guest = await create([], san.fabric);
    expect([maker.name, guest.name, maker.warnings, guest.warnings]).to.deep.equal(["m0", "m1", [], []]);
  });

  it("that could not be made leave nothing behind", async () => {
    const fabric = newFabric();
    await refusal(() => Machine.create([...named("a"), "-device", "nope"], { fabric }));
    expect((await create(named("a"), fabric)).warnings).to.deep.equal([]);
  });
});
