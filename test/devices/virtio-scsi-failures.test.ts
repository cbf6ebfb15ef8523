/** What a guest sees of transports that fail and of managers that throw. */
import "reflect-metadata";
import { expect } from "chai";
import { Machine, PrManager, qomType, USER_CREATABLE } from "qom-pr";
import type { ScsiCommand, ScsiResult } from "qom-pr";
import type { SgIoOutcome } from "#src/native/sg-io/sg-io.js";
import { ScriptedDisk } from "../support/scripted-disk.js";
import { commandRequest, commandText, fields, lunField } from "./support/peer.js";

const TUR = "000000000000";
const READ_BLOCK = "28000000000000000100";
const BLOCK = 512;
const RESPONSE = 108;
const GOOD = "response 0, status 00, residual 0";
const ATTENTION = "response 0, status 02, residual 0, sense 700006000000000a00000000290000000000";

/** A machine whose disk answers what the function says, once it has been probed. */
async function hostDisk(answer: () => Promise<SgIoOutcome> | SgIoOutcome): Promise<Machine> {
  const disk = new ScriptedDisk();
  const machine = await disk.machine("scsi-generic");
  disk.script = answer;
  return machine;
}

const COMPLETION: SgIoOutcome = {
  status: 0,
  hostStatus: 0,
  driverStatus: 0,
  residual: 0,
  sense: new Uint8Array(0),
  dataIn: new Uint8Array(0),
};

async function one(machine: Machine, cdb: string): Promise<string> {
  const written = new Uint8Array(RESPONSE);
  const used = await machine.hba("s").submit(2, { readable: [commandRequest([0, 0], cdb)], writable: [written] });
  return commandText({ used, written });
}

describe("virtio-scsi and a transport that fails", () => {
  const responses: readonly (readonly [hostStatus: number, response: number])[] = [
    ...([
      [0x01, 12],
      [0x02, 5],
      [0x03, 2],
      [0x04, 3],
      [0x05, 2],
      [0x07, 9],
      [0x08, 4],
    ] as const),
    ...([
      [0x0e, 6],
      [0x10, 7],
      [0x11, 8],
      [0x12, 9],
      [0x13, 9],
      [0x14, 9],
      [0xff, 9],
    ] as const),
  ];
  for (const [hostStatus, response] of responses) {
    it(`answers host status ${hostStatus.toString(16)}h by response ${response}`, async () => {
      const machine = await hostDisk(() => ({ ...COMPLETION, hostStatus }));
      expect(await one(machine, TUR)).to.equal(ATTENTION);
      expect(await one(machine, TUR)).to.equal(`response ${response}, status 00, residual 0`);
      await machine.close();
    });
  }

  it("passes the device's own statuses on, and sense data in fixed format", async () => {
    const answers: SgIoOutcome[] = [
      { ...COMPLETION, status: 0x18 },
      { ...COMPLETION, status: 0x02, sense: Uint8Array.of(0x72, 5, 0x24, 0, 0, 0, 0, 0) },
      { ...COMPLETION, status: 0x02, sense: Uint8Array.of(0x70, 0, 6, 0, 0, 0, 0, 10, 0, 0, 0, 0, 0x29, 0, 0, 0, 0, 0, 0xaa) },
    ];
    const machine = await hostDisk(() => answers.shift() ?? COMPLETION);
    expect(await one(machine, TUR)).to.equal(ATTENTION);
    expect(await one(machine, TUR)).to.equal("response 0, status 18, residual 0");
    expect(await one(machine, TUR)).to.equal("response 0, status 02, residual 0, sense 700005000000000a00000000240000000000");
    expect(await one(machine, TUR)).to.equal("response 0, status 02, residual 0, sense 700006000000000a00000000290000000000aa");
    await machine.close();
  });

  it("leaves the guest's memory alone when a disk answers after the command was aborted", async () => {
    const asked: (() => void)[] = [];
    const machine = await hostDisk(
      () => new Promise((resolve) => asked.push(() => resolve({ ...COMPLETION, dataIn: new Uint8Array(BLOCK).fill(7) }))),
    );
    const hba = machine.hba("s");
    expect(await one(machine, TUR)).to.equal(ATTENTION);
    const [response, into] = [new Uint8Array(RESPONSE), new Uint8Array(BLOCK)];
    const read = hba.submit(2, { readable: [commandRequest([0, 0], READ_BLOCK)], writable: [response, into] });
    const reset = hba.reset();
    expect([await read, await reset]).to.deep.equal([null, undefined]);
    for (const answer of asked.splice(0)) answer();
    await new Promise((resolve) => setImmediate(resolve));
    expect(into.every((byte) => byte === 0)).to.equal(true);
    await machine.close();
  });
});

@qomType({ name: "pr-manager-broken", description: "throws", interfaces: [USER_CREATABLE] })
class BrokenManager extends PrManager {
  protected override run(): Promise<ScsiResult> {
    return Promise.reject(new Error("a mistake of this manager"));
  }
}

describe("virtio-scsi and a manager that throws", () => {
  it("fails the command, warns the process, and goes on", async () => {
    const machine = await Machine.create(
      [
        ...["-device", "virtio-scsi,id=s", "-object", "pr-manager-broken,id=pr0"],
        ...["-blockdev", "node-name=hd,driver=sim-lun,wwn=naa.5000000000000020,pr-manager=pr0", "-device", "scsi-block,drive=hd"],
      ],
      { types: [BrokenManager] },
    );
    const warned = new Promise<Error>((resolve) => process.once("warning", resolve));
    expect(await one(machine, TUR)).to.equal(ATTENTION);
    expect(await one(machine, "5e000000000000000000")).to.equal("response 9, status 00, residual 0");
    expect((await warned).message).to.equal("a mistake of this manager");
    expect(await one(machine, TUR)).to.equal(GOOD);
    await machine.close();
  });
});

/** What a {@link HastyManager} does before it answers. */
let hurry: () => Promise<unknown> = () => Promise.resolve();

@qomType({ name: "pr-manager-hasty", description: "ends its own command", interfaces: [USER_CREATABLE] })
class HastyManager extends PrManager {
  protected override run(_unit: unknown, { cdb }: ScsiCommand): Promise<ScsiResult> {
    const ended = hurry();
    return ended.then(() => ({ status: 0, dataIn: new Uint8Array(cdb[8] ?? 0).fill(7), residual: 0, sense: new Uint8Array(0) }));
  }
}

describe("virtio-scsi and a manager that resets the adapter", () => {
  const READ_KEYS = "5e000000000000000800";
  const open = async (): Promise<Machine> => {
    const machine = await Machine.create(
      [
        ...["-device", "virtio-scsi,id=s", "-object", "pr-manager-hasty,id=pr0"],
        ...["-blockdev", "node-name=hd,driver=sim-lun,wwn=naa.5000000000000021,pr-manager=pr0", "-device", "scsi-block,drive=hd"],
      ],
      { types: [HastyManager] },
    );
    expect(await one(machine, TUR)).to.equal(ATTENTION);
    return machine;
  };

  it("leaves the guest's memory alone from the end of the reset on", async () => {
    const machine = await open();
    const hba = machine.hba("s");
    const [response, into] = [new Uint8Array(RESPONSE).fill(0xee), new Uint8Array(8)];
    let atEnd: string | undefined;
    let reset: Promise<void> | undefined;
    hurry = () => {
      reset = hba.reset().then(() => {
        atEnd = Buffer.concat([response, into]).toString("hex");
      });
      return new Promise((resolve) => setImmediate(resolve));
    };
    const read = hba.submit(2, { readable: [commandRequest([0, 0], READ_KEYS)], writable: [response, into] });
    await reset;
    expect(await read).to.equal(null);
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    expect(Buffer.concat([response, into]).toString("hex")).to.equal(atEnd);
    expect(into.every((byte) => byte === 0)).to.equal(true);
    await machine.close();
  });

  it("answers the command as reset that a task management function of the same moment ends", async () => {
    const machine = await open();
    const hba = machine.hba("s");
    const lunReset = fields([0, 4], [5, 4], lunField([0, 0]), [0, 8]);
    let managed: Promise<number | null> | undefined;
    hurry = () => {
      managed = hba.submit(0, { readable: [lunReset], writable: [new Uint8Array(1)] });
      return new Promise((resolve) => setImmediate(resolve));
    };
    expect(await one(machine, "5e000000000000000000")).to.equal("response 4, status 00, residual 0");
    expect(await managed).to.equal(1);
    hurry = () => Promise.resolve();
    expect(await one(machine, TUR)).to.equal(ATTENTION);
    await machine.close();
  });
});
