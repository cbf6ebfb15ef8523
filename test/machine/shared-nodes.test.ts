/** A node that was made inside another one, and that others use as well, outlives it. */
import { expect } from "chai";
import { Machine } from "qom-pr";
import { WWN } from "../support/machine.js";
import { refusal } from "../support/refusal.js";

const NESTED = ["-blockdev", `raw,node-name=r,file.driver=sim-lun,file.node-name=f,file.wwn=${WWN}`, "-device", "virtio-scsi"];
const TEST_UNIT_READY = "000000000000";

describe("a nested node that others use", () => {
  async function withMachine(argv: readonly string[], action: (machine: Machine) => Promise<void>): Promise<void> {
    const machine = await Machine.create([...NESTED, ...argv]);
    try {
      await action(machine);
    } finally {
      await machine.close();
    }
  }

  const names = (machine: Machine): readonly string[] => machine.graph.nodes.map(({ nodeName }) => nodeName);
  const remove = (machine: Machine, name: string): Promise<unknown> => machine.qmp.execute("blockdev-del", { "node-name": name });

  async function unplug(machine: Machine): Promise<void> {
    const deleted = new Promise<void>((resolve) => machine.qmp.onEvent(({ event }) => event === "DEVICE_DELETED" && resolve()));
    await machine.qmp.execute("device_del", { id: "d" });
    await deleted;
  }

  async function statusOf(machine: Machine): Promise<unknown> {
    return machine.qmp.execute("x-scsi-execute", { device: "d", cdb: TEST_UNIT_READY });
  }

  it("goes with the last node above it", async () => {
    await withMachine(["-blockdev", "raw,node-name=r2,file=f", "-device", "scsi-block,drive=r2,id=d"], async (machine) => {
      expect((await refusal(() => remove(machine, "f"))).kind).to.equal("in-use");
      await remove(machine, "r");
      expect(names(machine)).to.deep.equal(["f", "r2"]);
      expect(await statusOf(machine)).to.include({ status: 0 });
      expect(await machine.qmp.execute("query-named-block-nodes")).to.have.length(2);
      expect((await refusal(() => remove(machine, "f"))).kind).to.equal("in-use");
      const again = await Machine.create(machine.toArgs());
      expect(names(again)).to.deep.equal(["f", "r2"]);
      await again.close();
      await unplug(machine);
      await remove(machine, "r2");
      expect(names(machine)).to.deep.equal([]);
    });
  });

  it("goes with the device on it", async () => {
    await withMachine(["-device", "scsi-block,drive=f,id=d"], async (machine) => {
      await remove(machine, "r");
      expect(await statusOf(machine)).to.include({ status: 0 });
      expect(await machine.qmp.execute("query-block")).to.have.length(1);
      await unplug(machine);
      expect(names(machine)).to.deep.equal([]);
    });
  });

  it("is closed with the machine", async () => {
    await withMachine(["-blockdev", "raw,node-name=r2,file=f"], async (machine) => {
      await remove(machine, "r");
      await machine.close();
      expect(machine.graph.nodes).to.deep.equal([]);
    });
  });
});
