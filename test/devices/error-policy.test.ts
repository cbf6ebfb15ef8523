/**
 * rerror and werror of scsi-block. Each row of the table is what QEMU 11.1 does with the same answer of a disk of the host, by its own events
 * and by query-status; the sense data, or the lack of them, are what its guest gets.
 */
import { expect } from "chai";
import { createContainer, Fabric, Machine, PersistentReserveIn, ScsiStatus } from "qom-pr";
import type { QmpEvent, ScsiDevice, ScsiResult } from "qom-pr";
import { Clock } from "#src/base/clock.js";
import { fixedSense } from "#src/scsi/sense.js";
import { ManualClock } from "../support/manual-clock.js";
import { outcome } from "../support/outcome.js";
import { bytes } from "../support/hex.js";

const WWN = "naa.5000000000000031";
const READ = bytes("28 00 00 00 00 01 00 00 01 00");
const WRITE = bytes("2a 00 00 00 00 01 00 00 01 00");
const VERIFY = bytes("2f 02 00 00 00 01 00 00 01 00");
const PATTERN = new Uint8Array(512).fill(0xa5);

const answer = (status: number, sense: Uint8Array = new Uint8Array(), hostStatus?: number): ScsiResult => ({
  ...{ status, dataIn: new Uint8Array(), residual: 0, sense },
  ...(hostStatus === undefined ? {} : { hostStatus }),
});
const check = (key: number, asc: number, ascq: number): ScsiResult => answer(ScsiStatus.CHECK_CONDITION, fixedSense({ key, asc, ascq }));

/** An answer of the disk: its error, or null where the guest is told in any case; `*` where there is no space. */
const ANSWERS: readonly (readonly [string, ScsiResult, string | null])[] = [
  ["a medium error", check(0x3, 0x11, 0x00), "Input/output error"],
  ["a hardware error", check(0x4, 0x44, 0x00), "Input/output error"],
  ["a blank check", check(0x8, 0x00, 0x00), "Input/output error"],
  ["a miscompare", check(0xe, 0x1d, 0x00), "Input/output error"],
  ["no medium", check(0x2, 0x3a, 0x00), "No medium found"],
  ["a disk that becomes ready", check(0x2, 0x04, 0x01), null],
  ["a disk that wants to be started", check(0x2, 0x04, 0x02), null],
  ["a disk that is not ready", check(0x2, 0x04, 0x03), "Input/output error"],
  ["write protection", check(0x7, 0x27, 0x00), "Permission denied"],
  ["no space", check(0x7, 0x27, 0x07), "No space left on device*"],
  ["an LBA out of range", check(0x5, 0x21, 0x00), "No space left on device*"],
  ["an unaligned write", check(0x5, 0x21, 0x04), null],
  ["an invalid field", check(0x5, 0x24, 0x00), null],
  ["an invalid operation code", check(0x5, 0x20, 0x00), null],
  ["a unit attention", check(0x6, 0x29, 0x00), null],
  ["an aborted command", check(0xb, 0x47, 0x00), null],
  ["a recovered error", check(0x1, 0x17, 0x00), null],
  ["no sense data", answer(ScsiStatus.CHECK_CONDITION), null],
  ["RESERVATION CONFLICT", answer(ScsiStatus.RESERVATION_CONFLICT), null],
  ["BUSY", answer(ScsiStatus.BUSY), "Invalid argument"],
  ["TASK SET FULL", answer(ScsiStatus.TASK_SET_FULL), "Invalid argument"],
  ["a path that is lost", answer(0, new Uint8Array(), 0x0e), "No such device"],
  ["a timeout", answer(0, new Uint8Array(), 0x03), "No such device"],
  ["a conflict that the transport reports", answer(0, new Uint8Array(), 0x11), null],
];

describe("rerror and werror", () => {
  const clock = new ManualClock();
  let machine: Machine;
  let device: ScsiDevice;
  let events: string[];
  let heal: () => void;

  async function make(options: string, result: ScsiResult | null = check(0x3, 0x11, 0)): Promise<void> {
    const container = createContainer();
    container.register(Clock, { useValue: clock });
    const fabric = new Fabric();
    machine = await Machine.create(
      [
        ...["-object", "pr-manager-memory,id=pr0", "-blockdev", `sim-lun,node-name=hd,wwn=${WWN},size=1M,pr-manager=pr0`],
        ...["-device", "virtio-scsi", "-device", `scsi-block,drive=hd,id=disk0${options}`],
      ],
      { fabric, container },
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
  });
});
