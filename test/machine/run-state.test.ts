/** A machine that does not run: who waits until `cont`, what ends the wait, and who does not wait. */
import { expect } from "chai";
import { createContainer, Fabric, Machine } from "qom-pr";
import type { QmpEvent, ScsiDevice, ScsiResult, VirtioChain, VirtioScsi } from "qom-pr";
import { Clock } from "#src/base/clock.js";
import { machineArguments, WWN } from "../support/machine.js";
import { ManualClock } from "../support/manual-clock.js";
import { outcome } from "../support/outcome.js";
import { refusal } from "../support/refusal.js";
import { bytes } from "../support/hex.js";
import { commandRequest, fields, lunField } from "../devices/support/peer.js";

const TEST_UNIT_READY = bytes("00 00 00 00 00 00");
const READ_10 = bytes("28 00 00 00 00 00 00 00 01 00");
const READ_KEYS = bytes("5e 00 00 00 00 00 00 00 18 00");
const [CONTROL, EVENT, REQUESTS] = [0, 1, 2];
/** Bytes of a response to a command. */
const RESPONSE = 108;
const LOGICAL_UNIT_RESET = 5;

/** TEST UNIT READY, and the reset of its unit, as a driver puts them into the queues. */
const commandChain = (): VirtioChain => ({ readable: [commandRequest([0, 0], "00 00 00 00 00 00")], writable: [new Uint8Array(RESPONSE)] });
const resetChain = (): VirtioChain => ({
  readable: [fields([0, 4], [LOGICAL_UNIT_RESET, 4], lunField([0, 0]), [0, 8])],
  writable: [new Uint8Array(1)],
});

describe("a machine that does not run", () => {
  const clock = new ManualClock();
  let machine: Machine;
  let device: ScsiDevice;
  let hba: VirtioScsi;
  let events: string[];
  afterEach(() => machine.close());

  async function make(...options: readonly string[]): Promise<void> {
    const container = createContainer();
    container.register(Clock, { useValue: clock });
    const fabric = new Fabric();
    machine = await Machine.create(
      ["-device", "virtio-scsi,id=s", ...machineArguments("blockdev", "pr-manager-memory,id=pr0", {}).slice(2), ...options],
      { fabric, container },
    );
    device = machine.scsiDevice("disk0");
    hba = machine.hba("s");
    hba.start(hba.features);
    events = [];
    machine.qmp.onEvent(({ event }: QmpEvent) => void events.push(event));
  }

  /** Sends a command and says what has become of it so far. */
  function send(
    cdb = TEST_UNIT_READY,
    more: { signal?: AbortSignal; timeoutMs?: number } = {},
  ): { answer: Promise<ScsiResult>; ended: () => boolean } {
    let ended = false;
    const answer = device.execute({ cdb, ...more }).finally(() => (ended = true));
    return { answer, ended: () => ended };
  }

  const status = (): Promise<unknown> => machine.qmp.execute("query-status");

  it("is made with -S, and runs from `cont` on", async () => {
    await make("-S");
    expect([machine.status, await status()]).to.deep.equal(["prelaunch", { running: false, status: "prelaunch" }]);
    const waiting = send();
    await machine.qmp.execute("stop");
    expect([machine.status, waiting.ended()]).to.deep.equal(["prelaunch", false]);
    await machine.qmp.execute("cont");
    expect(outcome(await waiting.answer)).to.equal("GOOD");
    await machine.qmp.execute("cont");
    expect([machine.status, await status(), events]).to.deep.equal(["running", { running: true, status: "running" }, ["RESUME"]]);
  });

  it("is stopped and goes on, each with one event, and the commands in their order", async () => {
    await make();
    await machine.qmp.execute("stop");
    await machine.stop();
    expect(await status()).to.deep.equal({ running: false, status: "paused" });
    const order: number[] = [];
    const answers = [TEST_UNIT_READY, READ_KEYS, READ_10].map((cdb, index) =>
      send(cdb).answer.then((result) => (order.push(index), outcome(result))),
    );
    machine.cont();
    expect(await Promise.all(answers)).to.deep.equal(["GOOD", "GOOD", "GOOD"]);
    expect([order[0], events]).to.deep.equal([0, ["STOP", "RESUME"]]);
  });

  it("waits, when it is stopped, for what is under way", async () => {
    await make();
    const hold = machine.fabric.unit(WWN).hold(() => true);
    const running = send();
    let stopped = false;
    const stopping = machine.stop().then(() => (stopped = true));
    const waiting = send();
    await hold.reached(1);
    expect([machine.status, stopped]).to.deep.equal(["paused", false]);
    hold.release();
    await Promise.all([stopping, running.answer]);
    expect([stopped, waiting.ended()]).to.deep.equal([true, false]);
    machine.cont();
    expect(outcome(await waiting.answer)).to.equal("GOOD");
  });

  it("waits five seconds for that", async () => {
    await make();
    const hold = machine.fabric.unit(WWN).hold(() => true);
    const running = send();
    await hold.reached(1);
    const stopping = machine.stop();
    await Promise.resolve();
    clock.advance(5000);
    await stopping;
    expect([machine.status, running.ended()]).to.deep.equal(["paused", false]);
    hold.release();
    expect(outcome(await running.answer)).to.equal("GOOD");
  });

  it("lets a signal, a deadline, a reset and its end end the wait", async () => {
    await make("-S");
    const controller = new AbortController();
    const [aborted, late, reset] = [
      send(TEST_UNIT_READY, { signal: controller.signal }),
      send(READ_10, { timeoutMs: 1000 }),
      send(READ_10, { timeoutMs: 5000 }),
    ];
    const fired = send(TEST_UNIT_READY, { signal: AbortSignal.abort() });
    controller.abort();
    expect([(await aborted.answer).status, (await fired.answer).status]).to.deep.equal([0x40, 0x40]);
    clock.advance(1000);
    expect(await late.answer).to.include({ status: 2, hostStatus: 3 });
    expect(reset.ended()).to.equal(false);
    await device.reset("logical-unit");
    expect((await reset.answer).status).to.equal(0x40);
    const last = send();
    await machine.close();
    expect((await last.answer).status).to.equal(0x40);
    expect(clock.timers).to.equal(0);
  });

  it("counts the time of waiting as time of the command", async () => {
    await make("-S");
    const hold = machine.fabric.unit(WWN).hold(() => true);
    const waiting = send(READ_10, { timeoutMs: 1000 });
    clock.advance(900);
    machine.cont();
    await hold.reached(1);
    clock.advance(99);
    await hold.reached(1);
    expect(waiting.ended()).to.equal(false);
    clock.advance(1);
    expect(await waiting.answer).to.include({ hostStatus: 3 });
    hold.release();
  });

  it("tells every listener of all changes in their order, whatever a listener does", async () => {
    await make();
    const heard: string[] = [];
    machine.qmp.onEvent(({ event }: QmpEvent) => {
      heard.push(`first ${event}`);
      if (event === "STOP" && heard.length === 1) machine.cont();
      if (event === "RESUME") void machine.stop();
    });
    machine.qmp.onEvent(({ event }: QmpEvent) => void heard.push(`second ${event}`));
    await machine.stop();
    expect(heard).to.deep.equal(["first STOP", "second STOP", "first RESUME", "second RESUME", "first STOP", "second STOP"]);
    expect(machine.status).to.equal("paused");
  });

  it("executes what a monitor asks for", async () => {
    await make("-S");
    const cdb = Buffer.from(READ_KEYS).toString("hex");
    expect(await machine.qmp.execute("x-scsi-execute", { device: "disk0", cdb })).to.include({ status: 0, "data-in": "0000000000000000" });
    expect(outcome(await device.executeAnyway({ cdb: TEST_UNIT_READY }))).to.equal("GOOD");
    expect(outcome(await device.executeAnyway({ cdb: bytes("ff") }))).to.equal("05/20/00");
    expect((await refusal(() => device.executeAnyway({ cdb: TEST_UNIT_READY, allocationLength: -1 }))).kind).to.equal("invalid-value");
    expect((await device.executeAnyway({ cdb: TEST_UNIT_READY, signal: AbortSignal.abort() })).status).to.equal(0x40);
  });

  it("leaves its adapters' chains until it runs, except those for events", async () => {
    await make("-S");
    const order: string[] = [];
    const submit = (name: string, queue: number, chain: VirtioChain): Promise<number | null> =>
      hba.submit(queue, chain).then((used) => (order.push(name), used));
    const command = submit("command", REQUESTS, commandChain());
    const control = submit("control", CONTROL, resetChain());
    const event = hba.submit(EVENT, { readable: [], writable: [new Uint8Array(16)] });
    await machine.qmp.execute("device_del", { id: "disk0" });
    expect([await event, order]).to.deep.equal([16, []]);
    machine.cont();
    expect([(await command) !== null, (await control) !== null]).to.deep.equal([true, true]);
  });

  it("lets a driver's reset, and its end, end the wait of chains", async () => {
    await make("-S");
    const first = hba.submit(REQUESTS, commandChain());
    await hba.reset();
    expect(await first).to.equal(null);
    const second = hba.submit(REQUESTS, commandChain());
    await machine.close();
    expect(await second).to.equal(null);
  });

  it("takes neither stop nor cont when it is closed", async () => {
    await make();
    await machine.close();
    expect((await refusal(() => machine.cont())).kind).to.equal("closed");
    expect((await refusal(() => machine.stop())).kind).to.equal("closed");
  });
});
