/**
 * rerror and werror of scsi-block. Each row of the table is what QEMU 11.1 does with the same answer of a disk of the host, by its own events
 * and by query-status; the sense data, or the lack of them, are what its guest gets.
 */
import { readFileSync } from "node:fs";
import { expect } from "chai";
import { createContainer, Fabric, Machine, PersistentReserveIn, qomType, ScsiStatus } from "qom-pr";
import type { QmpEvent, ScsiDevice, ScsiResult } from "qom-pr";
import { SimLunNode } from "qom-pr/extend";
import { Clock } from "#src/base/clock.js";
import { answer, ANSWERS, check, COMMANDS, OPERATIONS, POLICIES, recordName } from "./support/disk-errors.js";
import { commandText, send as sendTo } from "./support/peer.js";
import type { Answer } from "./support/peer.js";
import { ManualClock } from "../support/manual-clock.js";
import { outcome } from "../support/outcome.js";
import { bytes } from "../support/hex.js";

const WWN = "naa.5000000000000031";
const READ = bytes("28 00 00 00 00 01 00 00 01 00");
const WRITE = bytes("2a 00 00 00 00 01 00 00 01 00");
const VERIFY = bytes("2f 02 00 00 00 01 00 00 01 00");
const PATTERN = new Uint8Array(512).fill(0xa5);

/** Answers of QEMU to the first block's READ and WRITE, or why it stopped; see rewrite-errors.ts. It knows `enospc` of writes alone. */
const QEMU = JSON.parse(readFileSync(new URL("../../../test/devices/error-policy.json", import.meta.url), "utf8")) as Readonly<
  Record<string, string>
>; // as it was written

/** QEMU takes what memory happens to have for sense data that there are not, and stops at a conflict if the transport tells of it. */
function isOurOwn(what: string, policy: string): boolean {
  return what === "no sense data" || (what === "a conflict that the transport reports" && (policy === "stop" || policy === "ignore"));
}

/** A disk whose commands end when the test says so, each as the test says. */
@qomType({ name: "gated-lun", description: "a disk that waits for the test" })
class GatedLun extends SimLunNode {
  /** LBAs of commands that were sent, in order. */
  readonly sent: number[] = [];
  #gates: ((result: ScsiResult | null) => void)[] = [];

  override async execute(...given: Parameters<SimLunNode["execute"]>): Promise<ScsiResult> {
    this.sent.push(given[1].cdb[5] ?? 0);
    const result = await new Promise<ScsiResult | null>((resolve) => this.#gates.push(resolve));
    return result ?? super.execute(...given);
  }

  /** Ends the command that was sent as number `index` of those that have not ended; null for as the disk does. */
  end(index: number, result: ScsiResult | null): void {
    this.#gates.splice(index, 1)[0]?.(result);
  }
}

describe("rerror and werror", () => {
  const clock = new ManualClock();
  let machine: Machine;
  let device: ScsiDevice;
  let events: string[];
  let heal: () => void;

  async function make(options: string, result: ScsiResult | null = check(0x3, 0x11, 0), driver = "sim-lun"): Promise<void> {
    const container = createContainer();
    container.register(Clock, { useValue: clock });
    const fabric = new Fabric();
    machine = await Machine.create(
      [
        ...["-object", "pr-manager-memory,id=pr0", "-blockdev", `${driver},node-name=hd,wwn=${WWN},size=1M,pr-manager=pr0`],
        ...["-device", "virtio-scsi,id=s", "-device", `scsi-block,drive=hd,id=disk0${options}`],
      ],
      { fabric, container, types: [GatedLun] },
    );
    device = machine.scsiDevice("disk0");
    events = [];
    machine.qmp.onEvent(
      ({ event, data }: QmpEvent) =>
        void events.push(
          "action" in data ? `${event} ${data.operation} ${data.action} ${data.reason}${data.nospace === true ? "*" : ""}` : event,
        ),
    );
    heal = result === null ? () => undefined : fabric.unit(WWN).disturb(() => true, { result });
  }
  afterEach(() => machine.close());

  const read = (): Promise<ScsiResult> => device.execute({ cdb: READ });
  const write = (): Promise<ScsiResult> => device.execute({ cdb: WRITE, dataOut: PATTERN });
  const status = async (): Promise<unknown> => ((await machine.qmp.execute("query-status")) as { status: string }).status; // as QMP has it
  const ioStatus = async (): Promise<unknown> =>
    ((await machine.qmp.execute("query-block")) as Record<string, unknown>[])[0]?.["io-status"]; // the same

  for (const [what, result, error] of ANSWERS) {
    describe(`of ${what}`, () => {
      for (const operation of ["read", "write"] as const) {
        const send = (): Promise<ScsiResult> => (operation === "read" ? read() : write());
        for (const policy of ["report", "ignore", "enospc", "stop", "auto"] as const) {
          const settled = policy === "auto" ? (operation === "read" ? "report" : "enospc") : policy;
          const noSpace = error?.endsWith("*") === true;
          const action = settled === "enospc" ? (noSpace ? "stop" : "report") : settled;
          it(`${operation} ${policy}: ${error === null ? "the guest is told" : action}`, async () => {
            await make(`,rerror=${policy},werror=${policy}`, result);
            const sent = send();
            if (error !== null && action === "stop") {
              await new Promise(setImmediate);
              expect([machine.status, await status(), events]).to.deep.equal([
                "io-error",
                "io-error",
                [`BLOCK_IO_ERROR ${operation} stop ${error}`, "STOP"],
              ]);
              expect(await ioStatus()).to.equal(noSpace ? "nospace" : "failed");
              heal();
              await machine.qmp.execute("cont");
              expect([outcome(await sent), await ioStatus(), events.at(-1)]).to.deep.equal(["GOOD", "ok", "RESUME"]);
              return;
            }
            const told = { ...(await device.executeAnyway({ cdb: READ })) };
            expect(outcome(await sent)).to.equal(error !== null && action === "ignore" ? "GOOD" : outcome(told));
            const reason = error?.replace("*", policy === "ignore" || policy === "report" ? "" : "*");
            expect([machine.status, events]).to.deep.equal([
              "running",
              error === null ? [] : [`BLOCK_IO_ERROR ${operation} ${action} ${reason}`],
            ]);
          });
        }
      }
    });
  }

  for (const policy of POLICIES) {
    for (const operation of policy === "enospc" ? (["write"] as const) : OPERATIONS) {
      it(`answer a driver as QEMU 11.1 does: ${operation}, ${policy}`, async () => {
        await make(`,rerror=${policy},werror=${policy}`, null);
        const hba = machine.hba("s");
        const driver = {
          submit: async (queue: number, readable: readonly Uint8Array[], writable: readonly number[]): Promise<Answer> => {
            const buffers = writable.map((length) => new Uint8Array(length));
            const used = await hba.submit(queue, { readable, writable: buffers });
            return { used, written: Buffer.concat(buffers) };
          },
        };
        await sendTo(driver, [0, 0], { cdb: "000000000000" }); // the unit attention of a disk that was switched on just now
        for (const [what, result] of ANSWERS) {
          const expected = QEMU[recordName(operation, policy, what)];
          if (expected === undefined || isOurOwn(what, policy)) continue;
          heal = machine.fabric.unit(WWN).disturb(() => true, { result });
          const answered = sendTo(driver, [0, 0], COMMANDS[operation]).then((text) => commandText(text));
          await new Promise(setImmediate);
          const reason = events.findLast((event) => event.startsWith("BLOCK_IO_ERROR"))?.replace(/^.* stop |\*$/g, "");
          const stops = machine.status === "running" ? null : `stops: ${machine.status}, ${reason}`;
          heal();
          machine.cont();
          const text = await answered;
          expect(stops ?? text, what).to.equal(expected);
          clock.advance(1000);
        }
      });
    }
  }

  it("are those of the -drive where the device leaves it to that", async () => {
    const drive = ["-drive", `if=none,id=hd,driver=sim-lun,wwn=${WWN},size=1M,rerror=stop,werror=ignore`];
    machine = await Machine.create([...drive, "-device", "virtio-scsi", "-device", "scsi-block,drive=hd,id=disk0,werror=report"]);
    const policies = async (): Promise<unknown[]> =>
      Promise.all(["rerror", "werror"].map((property) => machine.qmp.execute("qom-get", { path: "disk0", property })));
    expect(await policies()).to.deep.equal(["stop", "report"]);
    const args = machine.toArgs();
    await machine.close();
    machine = await Machine.create(args);
    expect(await policies()).to.deep.equal(["stop", "report"]);
  });

  it("keep the command, with its data, and send it again as often as it fails", async () => {
    await make(",werror=stop");
    const sent = write();
    await new Promise(setImmediate);
    machine.cont();
    await new Promise(setImmediate);
    expect([machine.status, events]).to.deep.equal([
      "io-error",
      ["BLOCK_IO_ERROR write stop Input/output error", "STOP", "RESUME", "BLOCK_IO_ERROR write stop Input/output error", "STOP"],
    ]);
    heal();
    machine.cont();
    expect(outcome(await sent)).to.equal("GOOD");
    expect(Buffer.from((await read()).dataIn)).to.deep.equal(Buffer.from(PATTERN));
  });

  it("keep what else fails meanwhile, and stop once", async () => {
    await make(",rerror=stop,werror=stop");
    const all = [read(), write(), device.execute({ cdb: VERIFY, dataOut: PATTERN })];
    await new Promise(setImmediate);
    expect([machine.status, events.filter((event) => event === "STOP")]).to.deep.equal(["io-error", ["STOP"]]);
    heal();
    machine.cont();
    expect((await Promise.all(all)).map(outcome)).to.deep.equal(["GOOD", "GOOD", "GOOD"]);
    await machine.stop();
  });

  it("let a signal, a deadline, a reset and the end of the machine end a command that is kept", async () => {
    await make(",rerror=stop");
    const controller = new AbortController();
    const [aborted, late, reset] = [
      device.execute({ cdb: READ, signal: controller.signal }),
      device.execute({ cdb: READ, timeoutMs: 1000 }),
      read(),
    ];
    await new Promise(setImmediate);
    controller.abort();
    expect((await aborted).status).to.equal(0x40);
    clock.advance(1000);
    expect((await late).hostStatus).to.equal(3);
    await device.reset("logical-unit");
    expect((await reset).status).to.equal(0x40);
    const last = read();
    await machine.close();
    expect((await last).status).to.equal(0x40);
  });

  describe("of a disk that takes its time", () => {
    let disk: GatedLun;
    const failure = check(0x3, 0x11, 0);
    const turn = (): Promise<void> => new Promise(setImmediate);
    const readOf = (lba: number): Promise<ScsiResult> => device.execute({ cdb: Uint8Array.of(0x28, 0, 0, 0, 0, lba, 0, 0, 1, 0) });
    beforeEach(async () => {
      await make(",rerror=stop", null, "gated-lun");
      const node = machine.graph.node("hd");
      if (!(node instanceof GatedLun)) throw new Error("another driver");
      disk = node;
    });

    it("let commands go on in the order in which they came, whatever the order of their errors", async () => {
      const all = [readOf(1), readOf(2)];
      disk.end(1, failure);
      await turn();
      disk.end(0, failure);
      await turn();
      all.push(readOf(3));
      machine.cont();
      expect([machine.status, disk.sent]).to.deep.equal(["running", [1, 2, 1, 2, 3]]);
      // of two that came at once, the first keeps its place when only that fails again
      disk.end(0, failure);
      await turn();
      const last = readOf(4);
      machine.cont();
      expect(disk.sent).to.deep.equal([1, 2, 1, 2, 3, 1, 4]);
      for (let left = 0; left < 4; left += 1) disk.end(0, null);
      expect((await Promise.all([...all, last])).map(outcome)).to.deep.equal(["GOOD", "GOOD", "GOOD", "GOOD"]);
    });

    it("count the time of a command from when it came", async () => {
      const kept = device.execute({ cdb: READ, timeoutMs: 1000 });
      clock.advance(600);
      disk.end(0, failure);
      await turn();
      expect(machine.status).to.equal("io-error");
      clock.advance(399);
      machine.cont();
      await turn();
      disk.end(0, failure);
      await turn();
      expect(machine.status).to.equal("io-error");
      clock.advance(1);
      expect((await kept).hostStatus).to.equal(3);
    });

    it("do not keep a command that is late", async () => {
      const late = device.execute({ cdb: READ, timeoutMs: 1000 });
      clock.advance(1000);
      disk.end(0, failure);
      expect([outcome(await late), machine.status]).to.deep.equal(["03/11/00", "running"]);
    });

    it("stop no machine for a device that is being removed, nor one that is closing", async () => {
      const removed = read();
      await machine.qmp.execute("device_del", { id: "disk0" });
      disk.end(0, failure);
      expect([outcome(await removed), machine.status, events]).to.deep.equal(["03/11/00", "running", []]);
    });
  });

  it("do not concern other commands, those of monitors, and what is checked before a disk is asked", async () => {
    await make(",rerror=stop,werror=stop");
    const sense = "03/11/00";
    expect(outcome(await device.execute(PersistentReserveIn.readKeys(8)))).to.equal(sense);
    expect(outcome(await device.execute({ cdb: bytes("35 00 00 00 00 00 00 00 00 00") }))).to.equal(sense);
    expect(outcome(await device.execute({ cdb: bytes("2f 00 00 00 00 01 00 00 01 00") }))).to.equal(sense);
    expect(outcome(await device.executeAnyway({ cdb: READ }))).to.equal(sense);
    expect(await machine.qmp.execute("x-scsi-execute", { device: "disk0", cdb: Buffer.from(READ).toString("hex") })).to.include({
      status: 2,
    });
    expect(outcome(await device.execute({ cdb: bytes("28 00 00 00 08 00 00 00 01 00") }))).to.equal("05/21/00");
    expect([machine.status, events]).to.deep.equal(["running", []]);
  });

  it("are told of once a second and device, the latest at its end", async () => {
    await make(",rerror=report");
    await read();
    await read();
    heal();
    heal = machine.fabric.unit(WWN).disturb(() => true, { result: answer(ScsiStatus.BUSY) });
    await read();
    clock.advance(999);
    const of = (reason: string): string => `BLOCK_IO_ERROR read report ${reason}`;
    expect(events).to.deep.equal([of("Input/output error")]);
    clock.advance(1);
    expect(events).to.deep.equal([of("Input/output error"), of("Invalid argument")]);
    clock.advance(1000);
    await read();
    expect(events).to.have.length(3);
    await machine.close();
    expect(clock.timers).to.equal(0);
  });

  it("fill the guest's buffer as if nothing had happened when errors are ignored", async () => {
    await make(",rerror=ignore");
    const into = new Uint8Array(600);
    const { status: good, dataIn, residual } = await device.execute({ cdb: READ, into });
    expect([good, dataIn.length, dataIn.buffer === into.buffer, residual]).to.deep.equal([0, 512, true, 88]);
    expect((await read()).dataIn).to.have.length(512);
    const short = await device.execute({ cdb: READ, allocationLength: 100 });
    expect([short.status, short.dataIn.length, short.residual]).to.deep.equal([0, 100, 0]);
  });
});
