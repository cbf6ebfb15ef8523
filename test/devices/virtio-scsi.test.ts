/** The virtio-scsi device beyond what can be asked of QEMU's: memory, order of answers, resets, events. */
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { expect } from "chai";
import { Fabric, Machine, PersistentReserveOut, TransportId, VirtioScsiFeature } from "qom-pr";
import type { Nexus, ScsiResult, VirtioChain } from "qom-pr";
import { defaultInitiator } from "#src/scsi/default-initiator.js";
import { commandRequest, commandText, manage, plainText, send } from "./support/peer.js";
import type { Answer } from "./support/peer.js";
import { OurPeer } from "./support/ours.js";
import { temporaryFolder } from "../support/folder.js";
import { refusal } from "../support/refusal.js";

const TUR = "000000000000";
const READ_BLOCK = "28000000000000000100";
const WRITE_BLOCK = "2a000000000000000100";
const BLOCK = 512;
const RESPONSE = 108;
const GOOD = "response 0, status 00, residual 0";
const ATTENTION = "response 0, status 02, residual 0, sense 700006000000000a00000000290000000000";
const SLOW = [2, 3] as const;
const LUN_RESET = 5;
const ABORT_TASK = 0;
const MIB = 1024 * 1024;

describe("virtio-scsi", () => {
  const folder = temporaryFolder();
  let peer: OurPeer;
  beforeEach(async () => {
    peer = await OurPeer.start();
    for (const lun of [[0, 0], [0, 300], SLOW] as const) expect(commandText(await send(peer, lun, { cdb: TUR }))).to.equal(ATTENTION);
  });
  afterEach(() => peer.close());

  describe("memory", () => {
    it("moves blocks to and from the guest's memory where they lie in one piece", async () => {
      const device = peer.machine.scsiDevice("d0");
      const seen: unknown[] = [];
      const execute = device.execute.bind(device);
      device.execute = (command) => {
        seen.push((command.dataOut ?? command.into)?.buffer);
        return execute(command);
      };
      const [out, into] = [new Uint8Array(BLOCK).fill(7), new Uint8Array(BLOCK)];
      const written = await peer.hba.submit(2, {
        readable: [commandRequest([0, 0], WRITE_BLOCK), out],
        writable: [new Uint8Array(RESPONSE)],
      });
      const read = await peer.hba.submit(2, { readable: [commandRequest([0, 0], READ_BLOCK)], writable: [new Uint8Array(RESPONSE), into] });
      expect([written, read]).to.deep.equal([RESPONSE, RESPONSE + BLOCK]);
      expect(seen).to.deep.equal([out.buffer, into.buffer]);
      expect(into).to.deep.equal(out);
    });

    it("takes requests, responses and data in pieces that end anywhere", async () => {
      const data = Uint8Array.from({ length: 2 * BLOCK }, (_, at) => at % 251);
      const request = commandRequest([0, 0], "2a000000000000000200");
      const readable = [request.subarray(0, 3), request.subarray(3, 40), Buffer.concat([request.subarray(40), data.subarray(0, 100)])];
      const response = new Uint8Array(RESPONSE);
      const used = await peer.hba.submit(2, {
        readable: [...readable, data.subarray(100, 700), data.subarray(700)],
        writable: [response.subarray(0, 5), response.subarray(5)],
      });
      expect([used, response[10], response[11]]).to.deep.equal([RESPONSE, 0, 0]);
      const all = new Uint8Array(RESPONSE + 2 * BLOCK);
      const pieces = [all.subarray(0, 11), all.subarray(11, 120), all.subarray(120, 121), all.subarray(121)];
      expect(await peer.hba.submit(2, { readable: [commandRequest([0, 0], "28000000000000000200")], writable: pieces })).to.equal(
        all.length,
      );
      expect(all.subarray(RESPONSE)).to.deep.equal(data);
    });

    it("does not look at a parameter list again that the guest changes meanwhile", async () => {
      const { cdb, dataOut } = PersistentReserveOut.encode({ action: "register", serviceActionKey: 0x1234n });
      const seen: Uint8Array[] = [];
      peer.machine.scsiDevice("d0").execute = (command) => {
        seen.push(command.dataOut ?? new Uint8Array(0));
        return Promise.resolve(result());
      };
      // A Buffer, which emulators may have: its slice is no copy.
      const list = Buffer.from(dataOut);
      const request = commandRequest([0, 0], Buffer.from(cdb).toString("hex"));
      const answered = peer.hba.submit(2, { readable: [request, list], writable: [new Uint8Array(RESPONSE)] });
      list.fill(0xff);
      await answered;
      expect(seen).to.deep.equal([Uint8Array.from(dataOut)]);
    });

    it("may be shared between threads, and the disk a file", async () => {
      const fabric = new Fabric();
      const machine = await Machine.create(
        [
          ...["-device", "virtio-scsi,id=s", "-device", "scsi-block,drive=hd"],
          ...["-blockdev", `node-name=hd,driver=sim-lun,wwn=naa.5000000000000030,size=1M,filename=${folder.path("disk")}`],
        ],
        { fabric },
      );
      const memory = new Uint8Array(new SharedArrayBuffer(8192));
      const [request, response, data] = [memory.subarray(0, 51), memory.subarray(100, 100 + RESPONSE), memory.subarray(4096, 4096 + BLOCK)];
      const run = async (cdb: string, chain: VirtioChain): Promise<number | undefined> => {
        request.set(commandRequest([0, 0], cdb));
        await machine.hba("s").submit(2, chain);
        return response[10];
      };
      expect(await run(TUR, { readable: [request], writable: [response] })).to.equal(2);
      data.fill(0x5a);
      expect(await run(WRITE_BLOCK, { readable: [request, data], writable: [response] })).to.equal(0);
      data.fill(0);
      expect(await run(READ_BLOCK, { readable: [request], writable: [response, data] })).to.equal(0);
      expect(data.every((byte) => byte === 0x5a)).to.equal(true);
      await machine.close();
      await fabric.close();
    });

    it("writes what it counts as used, and nothing else", async () => {
      const memory = new Uint8Array(4096).fill(0xee);
      const used = await peer.hba.submit(2, {
        readable: [commandRequest([0, 0], "120000000800")],
        writable: [memory.subarray(100, 100 + RESPONSE), memory.subarray(300, 400)],
      });
      expect(used).to.equal(RESPONSE + 8);
      const outside = [memory.subarray(0, 100), memory.subarray(208, 300), memory.subarray(308)];
      expect(outside.map((bytes) => bytes.every((byte) => byte === 0xee))).to.deep.equal([true, true, true]);
      // The sense field is empty, and written all the same: it counts.
      expect(memory.subarray(112, 208)).to.deep.equal(new Uint8Array(96));
      expect(memory[300]).to.equal(0);
    });

    it("has a limit for data outside the guest's memory, beyond which commands are refused", async () => {
      const page = new Uint8Array(MIB);
      const chain = (mebibytes: number): readonly Uint8Array[] => Array.from({ length: mebibytes }, () => page);
      const write = (mebibytes: number): Promise<Answer> =>
        peer.submit(2, [commandRequest([0, 0], "3b020000000000000000"), ...chain(mebibytes)], [RESPONSE]);
      expect(commandText(await write(257))).to.contain("sense 700005000000000a000000002400");
      const pending: Promise<Answer>[] = [];
      const release: (() => void)[] = [];
      peer.machine.scsiDevice("d0").execute = () => new Promise((resolve) => release.push(() => resolve(result())));
      pending.push(write(150), write(106));
      expect(commandText(await write(1))).to.equal("response 0, status 28, residual 0");
      for (const end of release.splice(0)) end();
      expect((await Promise.all(pending)).map((answer) => commandText(answer))).to.deep.equal([GOOD, GOOD]);
      pending.push(write(256));
      for (const end of release.splice(0)) end();
      await Promise.all(pending);
    });
  });

  describe("task management", () => {
    it("answers commands before the function that ended them", async () => {
      const order: string[] = [];
      const read = (name: string, tag: bigint): Promise<unknown> =>
        send(peer, SLOW, { cdb: READ_BLOCK, inBytes: BLOCK, tag }).then((answer) => order.push(`${name}: ${commandText(answer)}`));
      const reads = [read("first", 1n), read("second", 2n), read("third", 1n)];
      const reset = manage(peer, ABORT_TASK, SLOW, 1n).then((answer) => order.push(`abort: ${plainText(answer)}`));
      await Promise.all([reads[0], reads[2], reset]);
      const aborted = "response 2, status 00, residual 0";
      expect(order).to.deep.equal([`first: ${aborted}`, `third: ${aborted}`, "abort: used 1, 00"]);
      await Promise.all([reads[1], manage(peer, LUN_RESET, SLOW).then((answer) => order.push(`reset: ${plainText(answer)}`))]);
      expect(order.slice(3)).to.deep.equal(["second: response 4, status 00, residual 0", "reset: used 1, 00"]);
    });

    it("is not what another initiator's PREEMPT AND ABORT looks like", async () => {
      const unit = peer.machine.fabric.unit("naa.5000000000000012");
      const nexus = (initiator: TransportId): Nexus => ({ initiator, targetPort: 1 });
      const guest = nexus(defaultInitiator(peer.machine.name, "n2"));
      const other = nexus(TransportId.parse("iqn.2026-11.org.example:other"));
      await unit.execute(guest, PersistentReserveOut.encode({ action: "register", serviceActionKey: 1n }));
      await unit.execute(other, PersistentReserveOut.encode({ action: "register", serviceActionKey: 2n }));
      const read = send(peer, SLOW, { cdb: READ_BLOCK, inBytes: BLOCK });
      const preempted = await unit.execute(
        other,
        PersistentReserveOut.encode({ action: "preempt-and-abort", key: 2n, serviceActionKey: 1n, type: 1 }),
      );
      expect(preempted.status).to.equal(0);
      expect(commandText(await read)).to.equal("response 0, status 40, residual 0");
    });

    it("tells every initiator of the unit of a reset", async () => {
      const unit = peer.machine.fabric.unit("naa.5000000000000012");
      const other = await Machine.create(
        [
          ...["-device", "virtio-scsi", "-blockdev", "node-name=hd,driver=sim-lun,wwn=naa.5000000000000012"],
          ...["-device", "scsi-block,drive=hd,id=disk0"],
        ],
        { fabric: peer.machine.fabric },
      );
      expect(plainText(await manage(peer, LUN_RESET, SLOW))).to.equal("used 1, 00");
      const told = await other.scsiDevice("disk0").execute({ cdb: Buffer.from(TUR, "hex") });
      expect([told.sense[12], told.sense[13]]).to.deep.equal([0x29, 0x03]);
      expect(unit.reservations.registrants).to.deep.equal([]);
      await other.close();
    });

    it("resets what is left when a device is being deleted", async () => {
      await peer.plug(1, 0);
      await peer.machine.scsiDevice("spare").drain(0);
      expect(commandText(await send(peer, [1, 0], { cdb: "12000000ff00", inBytes: 255 }))).to.equal("response 3, status 00, residual 0");
      expect(plainText(await manage(peer, LUN_RESET, [1, 0]))).to.equal("used 1, 00");
    });
  });

  describe("a reset by the driver", () => {
    it("ends what is in flight, whose chains are not used any more", async () => {
      const memory = new Uint8Array(RESPONSE + BLOCK).fill(0xee);
      const read = peer.hba.submit(2, { readable: [commandRequest(SLOW, READ_BLOCK)], writable: [memory] });
      const event = peer.hba.submit(1, { readable: [], writable: [new Uint8Array(16)] });
      await peer.hba.reset();
      expect(memory.every((byte) => byte === 0xee)).to.equal(true);
      expect([await read, await event]).to.deep.equal([null, null]);
      expect(commandText(await send(peer, SLOW, { cdb: TUR }))).to.equal(ATTENTION);
      expect(commandText(await send(peer, SLOW, { cdb: TUR }))).to.equal(GOOD);
    });

    it("touches neither reservations nor other initiators", async () => {
      const unit = peer.machine.fabric.unit("naa.5000000000000012");
      const disk = peer.machine.scsiDevice("d2");
      await peer.hba.reset();
      expect(unit.reservations.generation).to.equal(0);
      expect((await disk.execute({ cdb: Buffer.from(TUR, "hex") })).status).to.equal(0);
    });
  });

  describe("a driver that breaks the rules", () => {
    it("finds a device that needs a reset, and says so once", async () => {
      const told: string[] = [];
      const forget = peer.hba.onNeedsReset((reason) => told.push(reason));
      const read = peer.hba.submit(2, { readable: [commandRequest(SLOW, READ_BLOCK)], writable: [new Uint8Array(RESPONSE + BLOCK)] });
      expect(await peer.hba.submit(2, { readable: [new Uint8Array(50)], writable: [new Uint8Array(RESPONSE)] })).to.equal(null);
      expect(await peer.hba.submit(0, { readable: [], writable: [] })).to.equal(null);
      expect(await peer.hba.submit(2, { readable: [commandRequest([0, 0], TUR)], writable: [new Uint8Array(RESPONSE)] })).to.equal(null);
      expect(told).to.deep.equal(["a command has 50 bytes of request instead of 51"]);
      expect(peer.hba.needsReset).to.equal(told[0]);
      await peer.restart();
      expect(await read).to.equal(null);
      expect(peer.hba.needsReset).to.equal(null);
      forget();
      expect(await peer.hba.submit(3, { readable: [], writable: [] })).to.equal(null);
      expect(peer.hba.needsReset).to.equal("there is no queue 3");
      expect(told).to.have.length(1);
    });

    it("writes beyond the configuration space without effect", () => {
      const { config } = peer.hba;
      peer.hba.writeConfig(36, Uint8Array.of(1));
      peer.hba.writeConfig(34, Uint8Array.of(1, 1, 1, 1));
      peer.hba.writeConfig(-1, Uint8Array.of(1));
      peer.hba.writeConfig(0.5, Uint8Array.of(1));
      expect(peer.hba.config).to.deep.equal(config);
    });
  });

  describe("events", () => {
    it("are not for a driver that is not there, and are not missed then", async () => {
      await peer.hba.reset();
      const event = peer.hba.submit(1, { readable: [], writable: [new Uint8Array(16)] });
      await peer.plug(1, 0);
      peer.hba.reportChange(peer.machine.scsiDevice("d0"));
      await peer.hba.reset();
      expect(await event).to.equal(null);
    });

    for (const [feature, options] of [
      ["HOTPLUG", ",hotplug=off"],
      ["CHANGE", ",param_change=off"],
    ] as const) {
      it(`of ${feature} are not sent where it is off`, async () => {
        const without = await OurPeer.start(options);
        try {
          expect(without.hba.features).to.equal((VirtioScsiFeature.HOTPLUG | VirtioScsiFeature.CHANGE) & ~VirtioScsiFeature[feature]);
          // A driver may accept only what is offered.
          without.hba.start(0xffff_ffffn);
          const event = without.submit(1, [], [16]);
          if (feature === "HOTPLUG") await without.plug(1, 0);
          await without.resize();
          if (feature === "CHANGE") await without.plug(1, 0);
          expect(plainText(await event)).to.match(feature === "CHANGE" ? /^used 16, 01000000/ : /^used 16, 03000000/);
        } finally {
          await without.close();
        }
      });
    }

    it("of a device on another bus are refused", async () => {
      const other = await OurPeer.start();
      const error = await refusal(() => peer.hba.reportChange(other.machine.scsiDevice("d0")));
      expect(error).to.include({ kind: "not-found", message: "device 'd0' is not on bus 's.0'" });
      await other.close();
    });
  });

  it("lets guests reach a device when it is complete", async () => {
    const inquiry = { cdb: "120000000100", inBytes: 1 };
    const device = await peer.place(1, 5);
    expect(commandText(await send(peer, [1, 5], inquiry))).to.equal("response 3, status 00, residual 0");
    expect(plainText(await manage(peer, LUN_RESET, [1, 5]))).to.equal("used 1, 03");
    device.finalize();
    // Nobody knew of it, and nobody is told.
    expect(commandText(await send(peer, [0, 0], { cdb: TUR }))).to.equal(GOOD);
    await peer.plug(1, 5);
    expect(commandText(await send(peer, [1, 5], inquiry))).to.equal(GOOD);
  });

  it("has as many request queues as it was given", async () => {
    const wide = await OurPeer.start(",num_queues=4");
    try {
      expect([wide.hba.queueCount, wide.hba.config[0]]).to.deep.equal([6, 4]);
      for (const queue of [2, 5]) expect((await wide.submit(queue, [commandRequest([0, 0], TUR)], [RESPONSE])).used).to.equal(RESPONSE);
      expect((await wide.submit(6, [commandRequest([0, 0], TUR)], [RESPONSE])).used).to.equal(null);
      expect(wide.hba.needsReset).to.equal("there is no queue 6");
    } finally {
      await wide.close();
    }
    const error = await refusal(() => Machine.create(["-device", "virtio-scsi,virtqueue_size=1025"]));
    expect(error).to.include({
      kind: "invalid-value",
      message: "-device virtio-scsi,virtqueue_size=1025: virtqueue_size is 1025: it is 3 to 1024",
    });
  });

  it("goes with the devices on its bus when it is unplugged", async () => {
    const events = Array.from({ length: 4 }, () => peer.submit(1, [], [16]));
    const read = send(peer, SLOW, { cdb: READ_BLOCK, inBytes: BLOCK });
    const deleted = new Promise<void>((resolve) => {
      peer.machine.qmp.onEvent(({ event, data }) => {
        if (event === "DEVICE_DELETED" && "device" in data && data.device === "s") resolve();
      });
    });
    await peer.machine.qmp.execute("device_del", { id: "s" });
    expect(plainText(await manage(peer, ABORT_TASK, SLOW, 1n))).to.equal("used 1, 00");
    expect(commandText(await read)).to.equal("response 2, status 00, residual 0");
    await deleted;
    expect((await Promise.all(events)).map(({ used }) => used)).to.deep.equal([16, 16, 16, null]);
    expect((await send(peer, [0, 0], { cdb: TUR })).used).to.equal(null);
    expect(peer.machine.scsiDevices).to.deep.equal([]);
  });

  it("is found by id, and other devices are not host adapters", async () => {
    expect(peer.machine.hba("/machine/peripheral/s")).to.equal(peer.hba);
    expect(await refusal(() => peer.machine.hba("d0"))).to.include({ kind: "wrong-type" });
    expect(await refusal(() => peer.machine.hba("nope"))).to.include({ kind: "not-found", qmpClass: "DeviceNotFound" });
  });

  it("publishes what comes and goes under QEMU's names of trace points", async () => {
    const told: unknown[] = [];
    const listen = (message: unknown, name: string | symbol): void =>
      void told.push([String(name).replace("qom-pr:virtio_scsi_", ""), message]);
    const names = ["cmd_req", "cmd_resp", "tmf_req", "tmf_resp", "event"].map((name) => `qom-pr:virtio_scsi_${name}`);
    for (const name of names) subscribe(name, listen);
    await send(peer, [0, 7], { cdb: TUR, tag: 9n });
    await manage(peer, LUN_RESET, [9, 0], 8n);
    const event = peer.submit(1, [], [16]);
    await peer.resize();
    await event;
    for (const name of names) unsubscribe(name, listen);
    await send(peer, [0, 0], { cdb: TUR });
    expect(told).to.deep.equal([
      ["cmd_req", { target: 0, lun: 7, tag: 9n, opcode: 0 }],
      ["cmd_resp", { target: 0, lun: 7, tag: 9n, response: 0, status: 2 }],
      ["tmf_req", { target: 9, lun: 0, tag: 8n, function: LUN_RESET }],
      ["tmf_resp", { target: 9, lun: 0, tag: 8n, response: 3 }],
      ["event", { target: 0, lun: 0, event: 3, reason: 0x092a }],
    ]);
  });

  it("takes no chain when the machine is closed, and gives back those it has", async () => {
    const events = Array.from({ length: 4 }, () => peer.submit(1, [], [16]));
    await peer.machine.close();
    // The units go one after the other.
    expect((await Promise.all(events)).map(({ used }) => used)).to.deep.equal([16, 16, 16, null]);
    expect((await send(peer, [0, 0], { cdb: TUR })).used).to.equal(null);
  });
});

function result(members: Partial<ScsiResult> = {}): ScsiResult {
  return { status: 0, dataIn: new Uint8Array(0), residual: 0, sense: new Uint8Array(0), ...members };
}
