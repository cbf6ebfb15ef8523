/** Plugging and unplugging while commands are in flight, and events of what happens meanwhile. */
import { expect } from "chai";
import { hold, Machine, PersistentReserveIn, PersistentReserveOut } from "qom-pr";
import type { QmpEvent } from "qom-pr";
import { temporaryFolder } from "../support/folder.js";
import { machineArguments, WWN } from "../support/machine.js";
import { outcome } from "../support/outcome.js";
import { findPrHelper, PrHelper, skipWithoutPrHelper } from "../support/pr-helper.js";
import { refusal } from "../support/refusal.js";

const READ = { cdb: Uint8Array.of(0x28, 0, 0, 0, 0, 0, 0, 0, 1, 0) };
const MEMORY = "pr-manager-memory,id=pr0";

/** Events of a machine, to be waited for. */
class Events {
  readonly all: QmpEvent[] = [];
  #wake: () => void = () => undefined;

  constructor(machine: Machine) {
    machine.qmp.onEvent((event) => {
      this.all.push(event);
      this.#wake();
    });
  }

  async until(name: string, count = 1): Promise<QmpEvent> {
    for (;;) {
      const found = this.all.filter(({ event }) => event === name)[count - 1];
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}

describe("hotplug over QMP", () => {
  const folder = temporaryFolder();
  let machine: Machine;
  let events: Events;
  afterEach(() => machine.close());

  async function made(argv: readonly string[]): Promise<void> {
    machine = await Machine.create(argv);
    events = new Events(machine);
  }

  const run = (command: string, args = {}): Promise<unknown> => machine.qmp.execute(command, args);

  it("lets commands in flight end, refuses new ones, and then says that the device is gone", async () => {
    await made(machineArguments("blockdev", MEMORY));
    const device = machine.scsiDevice("disk0");
    const held = machine.fabric.unit(WWN).hold();
    const reading = device.execute(READ);
    expect(await run("device_del", { id: "disk0" })).to.deep.equal({});
    expect((await refusal(() => device.execute(READ))).kind).to.equal("closed");
    expect((await refusal(() => run("device_del", { id: "disk0" }))).kind, "it is on its way out").to.equal("in-use");
    expect((await refusal(() => run("blockdev-del", { "node-name": "hd" }))).kind).to.equal("in-use");
    expect(events.all).to.deep.equal([]);
    held.release();
    expect(outcome(await reading)).to.equal("GOOD");
    expect((await events.until("DEVICE_DELETED")).data).to.deep.equal({ device: "disk0", path: "/machine/peripheral/disk0" });
    expect(await run("blockdev-del", { "node-name": "hd" })).to.deep.equal({});
    expect(await run("object-del", { id: "pr0" })).to.deep.equal({});
  });

  it("refuses to delete a manager that a node uses, and says by whom", async () => {
    await made(machineArguments("blockdev", MEMORY));
    const error = await refusal(() => run("object-del", { id: "pr0" }));
    expect([error.kind, error.qmpClass]).to.deep.equal(["in-use", "GenericError"]);
    expect(error.message).to.contain("block node");
  });

  it("takes devices along with their host adapter, and a drive with its device", async () => {
    await made(machineArguments("drive", MEMORY));
    const [hba] = machine.qom.children(machine.qom.resolve("/machine/peripheral-anon"));
    await run("device_del", { id: hba?.canonicalPath ?? "" });
    await events.until("DEVICE_DELETED", 2);
    expect(events.all.map(({ data }) => data)).to.deep.equal([
      { device: "disk0", path: "/machine/peripheral/disk0" },
      { path: "/machine/peripheral-anon/device[0]" },
    ]);
    expect(await run("query-named-block-nodes")).to.deep.equal([]);
    expect(await run("query-block")).to.deep.equal([]);
  });

  it("names them all when the machine ends meanwhile", async () => {
    await made(machineArguments("blockdev", MEMORY));
    const held = machine.fabric.unit(WWN).hold();
    const reading = machine.scsiDevice("disk0").execute(READ);
    const [hba] = machine.qom.children(machine.qom.resolve("/machine/peripheral-anon"));
    await run("device_del", { id: hba?.canonicalPath ?? "" });
    const closed = machine.close();
    held.release();
    expect(outcome(await reading)).to.equal("GOOD");
    await closed;
    await events.until("DEVICE_DELETED", 2);
    expect(events.all.filter(({ event }) => event === "DEVICE_DELETED").map(({ data }) => data)).to.deep.equal([
      { device: "disk0", path: "/machine/peripheral/disk0" },
      { path: "/machine/peripheral-anon/device[0]" },
    ]);
  });

  it("leaves a drive that something else holds, and says that the device is gone", async () => {
    await made(machineArguments("drive", MEMORY));
    const release = hold(machine.graph.node("hd"), { describe: () => "a test" });
    await run("device_del", { id: "disk0" });
    await events.until("DEVICE_DELETED");
    expect(events.all).to.have.lengthOf(1);
    expect(await run("query-named-block-nodes")).to.not.deep.equal([]);
    release();
  });

  it("says when a device cannot be unplugged after all", async () => {
    await made(machineArguments("blockdev", MEMORY));
    const device = machine.scsiDevice("disk0");
    const release = hold(device, { describe: () => "a test" });
    expect(await run("device_del", { id: "disk0" })).to.deep.equal({});
    const data = { device: "disk0", path: "/machine/peripheral/disk0" };
    expect((await events.until("DEVICE_UNPLUG_GUEST_ERROR")).data).to.deep.equal(data);
    expect(outcome(await device.execute(READ)), "it goes on").to.equal("GOOD");
    release();
    await run("device_del", { id: "disk0" });
    expect((await events.until("DEVICE_DELETED")).data).to.deep.equal(data);
  });

  it("plugs again what was unplugged", async () => {
    await made(machineArguments("blockdev", MEMORY));
    for (const count of [1, 2, 3]) {
      await run("device_del", { id: "disk0" });
      await events.until("DEVICE_DELETED", count);
      await run("device_add", { driver: "scsi-generic", drive: "hd", id: "disk0" });
      expect(outcome(await machine.scsiDevice("disk0").execute(READ))).to.equal("GOOD");
    }
  });

  it("ends a machine while a device is being unplugged", async () => {
    await made(machineArguments("blockdev", MEMORY));
    const held = machine.fabric.unit(WWN).hold();
    const reading = machine.scsiDevice("disk0").execute(READ);
    await run("device_del", { id: "disk0" });
    const closing = machine.close();
    held.release();
    await closing;
    await reading;
    expect(events.all.map(({ event }) => event)).to.include("SHUTDOWN");
  });

  it("tells of changed reservations, and of commands that managers run", async () => {
    await made(machineArguments("blockdev", MEMORY, { initiator: "iqn.2026-11.org.example:a" }));
    const device = machine.scsiDevice("disk0");
    const send = (command: Parameters<typeof PersistentReserveOut.encode>[0]): Promise<unknown> =>
      device.execute(PersistentReserveOut.encode(command));
    await send({ action: "register", serviceActionKey: 1n });
    await run("x-pr-trace", { enable: true });
    await send({ action: "reserve", key: 1n, type: 5 });
    await run("x-pr-trace", { enable: false });
    await send({ action: "reserve", key: 2n, type: 5 });
    const holder = { initiator: "iqn.2026-11.org.example:a", "target-port": 1 };
    expect(events.all.map(({ event, data }) => [event, data])).to.deep.equal([
      ["X_RESERVATION_CHANGED", { unit: WWN, generation: 1, registrants: 1 }],
      ["X_RESERVATION_CHANGED", { unit: WWN, generation: 1, registrants: 1, reservation: { type: 5, scope: 0, holder } }],
      ["X_PR_TRACE", { id: "pr0", unit: WWN, opcode: 0x5f, "service-action": 1, status: 0 }],
    ]);
  });

  it("tells every time that a helper is lost and back again", async function () {
    const program = findPrHelper();
    if (program === null) skipWithoutPrHelper(this);
    const helper = new PrHelper(program);
    await helper.start();
    try {
      await made(machineArguments("blockdev", `pr-manager-helper,id=pr0,path=${helper.path}`, { filename: folder.path("disk") }));
      const device = machine.scsiDevice("disk0");
      const expected: boolean[] = [];
      for (const round of [1, 2, 3]) {
        await helper.kill();
        await events.until("PR_MANAGER_STATUS_CHANGED", 2 * round - 1);
        expect(await run("query-pr-managers")).to.deep.equal([{ id: "pr0", connected: false }]);
        await helper.start();
        await device.execute(PersistentReserveIn.readKeys(64));
        await events.until("PR_MANAGER_STATUS_CHANGED", 2 * round);
        expected.push(false, true);
      }
      const told = events.all.map(({ data }) => data);
      expect(told).to.deep.equal(expected.map((connected) => ({ id: "pr0", connected })));
      await run("object-add", { "qom-type": "pr-manager-helper", id: "h1", path: helper.path });
      expect(events.all.at(-1)?.data, "before the reply").to.deep.equal({ id: "h1", connected: true });
      await run("object-del", { id: "h1" });
      expect(events.all, "an object that is deleted has no event").to.have.lengthOf(7);
    } finally {
      await helper.dispose();
    }
  });
});
