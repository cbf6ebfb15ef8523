/** pr-manager-helper above its connection: what is tried again, what never is, and what the guest sees. */
import "reflect-metadata";
import { expect } from "chai";
import { container } from "tsyringe";
import { Clock, Machine, PersistentReserveIn, PersistentReserveOut, PrManager, type ScsiDevice } from "qom-pr";
import { outcome, machineArguments, temporaryFolder } from "../support/machine.js";
import { ManualClock } from "../support/manual-clock.js";
import { refusal } from "../support/refusal.js";
import { responseBytes, ScriptedHelper, type RequestHandler } from "./helper-socket-server.js";

const KEYS = Uint8Array.of(0, 0, 0, 7, 0, 0, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8);
const READ_KEYS = PersistentReserveIn.readKeys(16);
const REGISTER = PersistentReserveOut.encode({ action: "register", serviceActionKey: 1n });
const COMMUNICATION_FAILURE = "0B/08/00";

const answer: RequestHandler = (client, cdb) => client.write(responseBytes(0, cdb[0] === 0x5e ? KEYS : new Uint8Array(0)));

describe("pr-manager-helper", () => {
  const folder = temporaryFolder();
  let clock: ManualClock;
  let helper: ScriptedHelper;
  let machine: Machine;
  let disk: ScsiDevice;
  let manager: PrManager;
  /** Every change of the connection, in order. */
  let changes: boolean[];

  const start = async (onRequest: RequestHandler): Promise<void> => {
    clock = new ManualClock();
    changes = [];
    helper = await ScriptedHelper.serve(onRequest);
    const child = container.createChildContainer();
    child.register(Clock, { useValue: clock });
    const text = `pr-manager-helper,id=pr0,path=${helper.path}`;
    machine = await Machine.create(machineArguments("blockdev", text, { filename: folder.path("disk"), size: "1M" }), { container: child });
    disk = machine.scsiDevice("disk0");
    const object = machine.object("pr0");
    if (!(object instanceof PrManager)) throw new Error("pr0 is a PR manager");
    manager = object;
    manager.onConnectionChange((connected) => changes.push(connected));
  };
  afterEach(async () => {
    await machine.close();
    await helper.close();
  });

  /** Resolves when the manager has noticed the end of its connection. */
  const lost = (): Promise<void> =>
    new Promise((resolve) => {
      const forget = manager.onConnectionChange((connected) => {
        if (connected) return;
        forget();
        resolve();
      });
    });

  /** Resolves when the next timer is `delayMs` away: the manager waits for nothing else then. */
  const timerOf = async (delayMs: number): Promise<void> => {
    while (clock.nextInMs !== delayMs) await new Promise(setImmediate);
  };

  it("hands data, status and residual on as the helper gives them", async () => {
    await start(answer);
    const result = await disk.execute({ ...READ_KEYS, allocationLength: 40 });
    expect([outcome(result), result.residual]).to.deep.equal(["GOOD", 24]);
    expect(PersistentReserveIn.parse("read-keys", result.dataIn)).to.deep.include({ generation: 7, keys: [0x0102030405060708n] });
    expect(outcome(await disk.execute(REGISTER))).to.equal("GOOD");
  });

  it("fills the caller's memory", async () => {
    await start(answer);
    const into = new Uint8Array(20).fill(0xee);
    const { allocationLength: _, ...readKeys } = READ_KEYS;
    const filled = await disk.execute({ ...readKeys, into });
    expect(filled.dataIn.buffer).to.equal(into.buffer);
    expect(Array.from(into.subarray(14))).to.deep.equal([7, 8, 0xee, 0xee, 0xee, 0xee]);
  });

  for (const status of [0x08, 0x18, 0x28]) {
    it(`passes on status ${status.toString(16)}h without sense`, async () => {
      await start((client) => client.write(responseBytes(status)));
      const result = await disk.execute(READ_KEYS);
      expect([result.status, result.sense.length, result.residual]).to.deep.equal([status, 0, 0]);
    });
  }

  it("refuses more data than the protocol carries, before the helper sees it", async () => {
    await start(() => {
      throw new Error("the helper was asked");
    });
    expect(outcome(await disk.execute(PersistentReserveIn.readKeys(8193)))).to.equal("05/24/00");
    const long = { cdb: REGISTER.cdb.with(7, 0x20).with(8, 1), dataOut: new Uint8Array(8193) };
    expect(outcome(await disk.execute(long))).to.equal("05/24/00");
  });

  it("notices at once that the helper is gone, and connects again with the next command", async () => {
    await start(answer);
    const gone = lost();
    for (const client of helper.clients) client.destroy();
    await gone;
    expect(manager.connected).to.equal(false);
    expect(outcome(await disk.execute(READ_KEYS))).to.equal("GOOD");
    expect([manager.connected, changes]).to.deep.equal([true, [false, true]]);
  });

  it("gives up after five attempts a second apart, with LUN COMMUNICATION FAILURE", async () => {
    await start(answer);
    const gone = lost();
    await helper.close();
    await gone;
    let ended = "";
    const running = disk.execute(READ_KEYS).then((result) => (ended = outcome(result)));
    for (let second = 1; second <= 4; second += 1) {
      await timerOf(1000);
      expect(ended, `after ${second - 1} s`).to.equal("");
      clock.advance(1000);
    }
    await running;
    expect(ended).to.equal(COMMUNICATION_FAILURE);
    expect(manager.busyWith()).to.equal(null);
  });

  it("completes a command when the helper comes back in time", async () => {
    await start(answer);
    const gone = lost();
    const { path } = helper;
    await helper.close();
    await gone;
    const running = disk.execute(READ_KEYS);
    await timerOf(1000);
    helper = await ScriptedHelper.serve(answer);
    machine.qom.set("pr0", "path", helper.path);
    expect(helper.path).not.to.equal(path);
    clock.advance(1000);
    expect(outcome(await running)).to.equal("GOOD");
  });

  it("ends a command that waits for the helper when its signal fires", async () => {
    await start(answer);
    const gone = lost();
    await helper.close();
    await gone;
    const controller = new AbortController();
    const running = disk.execute({ ...READ_KEYS, signal: controller.signal });
    await timerOf(1000);
    controller.abort();
    expect(outcome(await running)).to.equal("40h");
  });

  it("never sends a command twice: a connection that breaks afterwards gives LUN COMMUNICATION FAILURE", async () => {
    let requests = 0;
    await start((client) => {
      requests += 1;
      client.destroy();
    });
    expect(outcome(await disk.execute(REGISTER))).to.equal(COMMUNICATION_FAILURE);
    expect(requests).to.equal(1);
  });

  it("answers garbage with LUN COMMUNICATION FAILURE and stays usable", async () => {
    let garbage = true;
    await start((client, cdb, list) => {
      if (!garbage) return answer(client, cdb, list);
      garbage = false;
      return client.write(new Uint8Array(200).fill(0xff));
    });
    expect(outcome(await disk.execute(READ_KEYS))).to.equal(COMMUNICATION_FAILURE);
    expect(outcome(await disk.execute(READ_KEYS))).to.equal("GOOD");
  });

  it("gives a silent helper up after its deadline", async () => {
    await start(() => undefined);
    const running = disk.execute(READ_KEYS);
    await timerOf(60_000);
    clock.advance(60_000);
    expect(outcome(await running)).to.equal(COMMUNICATION_FAILURE);
  });

  it("cannot be deleted with a command in flight, whoever uses it", async () => {
    await start(() => undefined);
    const running = manager.execute({ fd: 0, readOnly: false, identity: "test", nexus: null, sgio: () => running }, READ_KEYS);
    expect(manager.busyWith()).to.equal("a command in flight");
    expect((await refusal(() => machine.qom.delete("pr0"))).kind).to.equal("in-use");
    for (const client of helper.clients) client.destroy();
    expect(outcome(await running)).to.equal(COMMUNICATION_FAILURE);
  });
});
