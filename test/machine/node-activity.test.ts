/** Nodes that are not active take no requests, and let others have their image. */
import { expect } from "chai";
import { Machine, qomType } from "qom-pr";
import type { ScsiResult } from "qom-pr";
import { SimLunNode } from "qom-pr/extend";
import { check } from "../devices/support/disk-errors.js";
import { withFile } from "../qemu-options/record.js";
import { WWN } from "../support/machine.js";
import { refusal } from "../support/refusal.js";

const TEST_UNIT_READY = new Uint8Array(6);
const WRITE = Uint8Array.of(0x2a, 0, 0, 0, 0, 0, 0, 0, 1, 0);
const BUSY = 0x08;

/** A disk whose commands end when the test says so. */
@qomType({ name: "slow-lun", description: "a slow disk" })
class SlowLun extends SimLunNode {
  readonly #waiting: (() => void)[] = [];

  override async execute(...given: Parameters<SimLunNode["execute"]>): Promise<ScsiResult> {
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
    return super.execute(...given);
  }

  /** Lets the commands go on. */
  release(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

const DISK = ["-device", "virtio-scsi", "-device", "scsi-block,drive=hd,id=d0"];
const node = (more = ""): string => `raw,node-name=hd,file.driver=sim-lun,file.node-name=f,file.wwn=${WWN}${more}`;

async function withMachine(argv: readonly string[], action: (machine: Machine) => Promise<void>): Promise<void> {
  const machine = await Machine.create(argv, { types: [SlowLun] });
  try {
    await action(machine);
  } finally {
    await machine.close();
  }
}

const ready = async (machine: Machine): Promise<number> => (await machine.scsiDevice("d0").execute({ cdb: TEST_UNIT_READY })).status;
const set = (machine: Machine, active: boolean, name?: string): Promise<unknown> =>
  machine.qmp.execute("blockdev-set-active", { ...(name === undefined ? {} : { "node-name": name }), active });

describe("the activity of block nodes", () => {
  it("decides whether a disk takes commands: BUSY until it is active", async () => {
    await withMachine(["-blockdev", node(",active=off"), ...DISK], async (machine) => {
      expect(await ready(machine)).to.equal(BUSY);
      await set(machine, true, "hd");
      expect(await ready(machine)).to.equal(0);
      await set(machine, false);
      expect(await ready(machine)).to.equal(BUSY);
      await set(machine, true);
      expect(await ready(machine)).to.equal(0);
    });
  });

  it("is that of the node that the disk is on, whatever is below", async () => {
    await withMachine(["-blockdev", node(",active=off"), ...DISK], async (machine) => {
      expect(machine.graph.node("f").active).to.equal(true);
      expect(await ready(machine)).to.equal(BUSY);
      const { message } = await refusal(() => machine.qmp.execute("blockdev-add", { driver: "raw", "node-name": "r", file: "hd" }));
      expect(message).to.contain("'hd' is inactive");
      expect(machine.graph.has("r")).to.equal(false);
    });
  });

  it("waits for commands in flight, and takes no others meanwhile", async () => {
    await withMachine(["-blockdev", `slow-lun,node-name=hd,wwn=${WWN}`, ...DISK], async (machine) => {
      const slow = machine.graph.node("hd");
      if (!(slow instanceof SlowLun)) throw new Error("another driver");
      const ended: string[] = [];
      const command = ready(machine).then((status) => ended.push(`command ${status}`));
      const inactive = set(machine, false, "hd").then(() => ended.push("inactive"));
      expect(await ready(machine)).to.equal(BUSY);
      // A whole command of QMP is done in less.
      for (let turn = 0; turn < 10; turn += 1) await new Promise(setImmediate);
      await machine.qmp.execute("query-named-block-nodes");
      expect(ended).to.deep.equal([]);
      slow.release();
      await Promise.all([command, inactive]);
      expect(ended).to.deep.equal(["command 0", "inactive"]);
    });
  });

  it("is asked of a command that waits for the machine when it goes on, and not before", async () => {
    await withMachine(["-blockdev", node(), ...DISK], async (machine) => {
      await machine.stop();
      const before = ready(machine);
      await set(machine, false, "hd");
      machine.cont();
      expect(await before).to.equal(BUSY);
      await machine.stop();
      const inactive = ready(machine);
      await set(machine, true, "hd");
      machine.cont();
      expect(await inactive).to.equal(0);
    });
  });

  it("is asked again of a command that an error has kept", async () => {
    await withMachine(
      ["-blockdev", node(), "-device", "virtio-scsi", "-device", "scsi-block,drive=hd,id=d0,werror=stop"],
      async (machine) => {
        const failure = machine.fabric.unit(WWN).disturb(() => true, { result: check(0x3, 0x11, 0) });
        const written = machine.scsiDevice("d0").execute({ cdb: WRITE, dataOut: new Uint8Array(512) });
        await new Promise(setImmediate);
        expect(machine.status).to.equal("io-error");
        failure();
        await set(machine, false, "hd");
        machine.cont();
        expect((await written).status).to.equal(BUSY);
      },
    );
  });

  it("decides who has the image: another machine, as at the end of a migration", async () => {
    await withFile(async (file) => {
      const argv = (active: string): readonly string[] => ["-blockdev", `file,node-name=f,filename=${file},locking=on,active=${active}`];
      await withMachine(argv("on"), async (source) => {
        await refusal(() => Machine.create(argv("on")));
        await withMachine(argv("off"), async (destination) => {
          const { kind } = await refusal(() => set(destination, true));
          expect(kind).to.equal("in-use");
          expect(destination.graph.node("f").active).to.equal(false);
          await set(source, false);
          await set(destination, true);
          await refusal(() => set(source, true));
          expect(source.graph.node("f").active).to.equal(false);
        });
      });
    });
  });

  it("is written back as it is", async () => {
    await withMachine(["-blockdev", node()], async (machine) => {
      expect(machine.toArgs().join(" ")).not.to.contain("active");
      await set(machine, false, "hd");
      await withMachine(machine.toArgs(), async (again) => {
        expect(again.graph.nodes.map(({ active }) => active)).to.deep.equal([false, false]);
      });
    });
  });

  it("cannot be taken from a node that an active one uses", async () => {
    await withMachine(["-blockdev", node()], async (machine) => {
      const { message } = await refusal(() => set(machine, false, "f"));
      expect(message).to.contain("'f'").and.to.contain("'hd'");
      expect(machine.graph.nodes.every(({ active }) => active)).to.equal(true);
      await refusal(() => machine.graph.setActive("hd", 1 as unknown as boolean)); // what JavaScript may pass
    });
  });
});
