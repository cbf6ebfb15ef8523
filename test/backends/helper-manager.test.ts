/** pr-manager-helper above its connection: what is tried again, what never is, and what the guest sees. */
import "reflect-metadata";
import { expect } from "chai";
import { container } from "tsyringe";
import type { DependencyContainer } from "tsyringe";
import { once } from "node:events";
import type { Socket } from "node:net";
import { Clock, Machine, PersistentReserveIn, PersistentReserveOut, PrManager } from "qom-pr";
import type { ScsiDevice } from "qom-pr";
import { openDescriptors } from "../support/descriptors.js";
import { temporaryFolder } from "../support/folder.js";
import { machineArguments } from "../support/machine.js";
import { outcome } from "../support/outcome.js";
import { ManualClock } from "../support/manual-clock.js";
import { refusal } from "../support/refusal.js";
import { responseBytes, ScriptedHelper } from "./helper-socket-server.js";
import type { RequestHandler } from "./helper-socket-server.js";

const KEYS = Uint8Array.of(0, 0, 0, 7, 0, 0, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8);
const READ_KEYS = PersistentReserveIn.readKeys(16);
const REGISTER = PersistentReserveOut.encode({ action: "register", serviceActionKey: 1n });
const COMMUNICATION_FAILURE = "0B/08/00";

const answer: RequestHandler = (client, cdb) => client.write(responseBytes(0, cdb[0] === 0x5e ? KEYS : new Uint8Array(0)));

function containerWith(clock: Clock): DependencyContainer {
  const child = container.createChildContainer();
  child.register(Clock, { useValue: clock });
  return child;
}

describe("pr-manager-helper", () => {
  const folder = temporaryFolder();
  let clock: ManualClock;
  let helper: ScriptedHelper;
  let machine: Machine;
  let disk: ScsiDevice;
  let manager: PrManager;
  /** Every change of the connection, in order. */
  let changes: boolean[];

  const start = async (onRequest: RequestHandler, properties = ""): Promise<void> => {
    clock = new ManualClock();
    changes = [];
    helper = await ScriptedHelper.serve(onRequest);
    const text = `pr-manager-helper,id=pr0,path=${helper.path}${properties}`;
    const argv = machineArguments("blockdev", text, { filename: folder.path("disk"), size: "1M" });
    machine = await Machine.create(argv, { container: containerWith(clock) });
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

  const connectedAgain = async (): Promise<void> => {
    while (!manager.connected) await new Promise(setImmediate);
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

  it("refuses a longer parameter list than the protocol carries, before the helper sees it", async () => {
    await start(() => {
      throw new Error("the helper was asked");
    });
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
    expect(outcome(await running)).to.equal("ABORTED");
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

  it("gives a silent helper up after the property 'timeout', which can be changed", async () => {
    await start(() => undefined, ",timeout=2");
    const first = disk.execute(READ_KEYS);
    await timerOf(2000);
    clock.advance(2000);
    expect(outcome(await first)).to.equal(COMMUNICATION_FAILURE);
    await connectedAgain();
    machine.qom.set("pr0", "timeout", 1);
    const second = disk.execute(READ_KEYS);
    await timerOf(1000);
    clock.advance(1000);
    expect(outcome(await second)).to.equal(COMMUNICATION_FAILURE);
  });

  for (const [ownMs, firstMs] of [[300, 300] as const, [60_000, 2000] as const]) {
    it(`goes by the command's own deadline of ${ownMs} ms if it is earlier than 'timeout'`, async () => {
      await start(() => undefined, ",timeout=2");
      const running = disk.execute({ ...READ_KEYS, timeoutMs: ownMs });
      await timerOf(firstMs).then(() => clock.advance(firstMs));
      expect(outcome(await running)).to.equal(COMMUNICATION_FAILURE);
    });
  }

  it("runs as many commands at once as it has connections", async () => {
    const clients: Socket[] = [];
    await start((client) => clients.push(client), ",connections=4");
    const running = Array.from({ length: 4 }, () => disk.execute(READ_KEYS));
    while (clients.length < 4) await new Promise(setImmediate);
    expect(new Set(clients).size).to.equal(4);
    for (const client of clients) client.write(responseBytes(0, KEYS));
    for (const result of await Promise.all(running)) expect(outcome(result)).to.equal("GOOD");
  });

  it("connects again in the background when the helper is restarted, and says so, without any command", async () => {
    await start(answer);
    const gone = lost();
    await helper.close();
    await gone;
    await timerOf(1000);
    helper = await ScriptedHelper.serve(answer);
    machine.qom.set("pr0", "path", helper.path);
    clock.advance(1000);
    await connectedAgain();
    expect(changes).to.deep.equal([false, true]);
  });

  it("says why the connection has ended", async () => {
    await start(answer);
    const cause = new Promise<Error | undefined>((resolve) => void manager.onConnectionChange((_, why) => resolve(why)));
    for (const client of helper.clients) client.destroy();
    expect((await cause)?.message).to.equal(`the PR helper at '${helper.path}' closed the connection while it was idle`);
  });

  it("takes a new path with the next connection, and keeps the one it has", async () => {
    await start(answer);
    const second = await ScriptedHelper.serve((client) => client.write(responseBytes(0x18)));
    try {
      machine.qom.set("pr0", "path", second.path);
      expect(outcome(await disk.execute(READ_KEYS))).to.equal("GOOD");
      const gone = lost();
      for (const client of helper.clients) client.destroy();
      await gone;
      expect(outcome(await disk.execute(READ_KEYS))).to.equal("RC");
    } finally {
      await second.close();
    }
  });

  it("tells its state at any time, also while a command hangs", async () => {
    await start(() => undefined);
    const running = disk.execute(READ_KEYS);
    expect([manager.connected, manager.inFlight]).to.deep.equal([true, 1]);
    for (const client of helper.clients) client.destroy();
    expect(outcome(await running)).to.equal(COMMUNICATION_FAILURE);
  });

  describe("tells a listener that comes when the object is made", () => {
    const add = async (id: string): Promise<PrManager> => {
      const object = await machine.qom.add("pr-manager-helper", id, new Map([["path", helper.path]]));
      if (!(object instanceof PrManager)) throw new Error("it is a PR manager");
      return object;
    };

    it("of the connection and of every change, once each", async () => {
      await start(answer);
      const told: boolean[] = [];
      const added = await add("pr1");
      const forget = added.onConnectionChange((connected) => told.push(connected), { current: true });
      expect(told).to.deep.equal([true]);
      for (const connected of [false, true, false, true]) {
        // A connection that lives no second is not made again at once.
        clock.advance(1000);
        if (!connected) for (const client of helper.clients) client.destroy();
        while (told.at(-1) !== connected) await new Promise(setImmediate);
      }
      expect(told).to.deep.equal([true, false, true, false, true]);
      await machine.qom.delete("pr1");
      expect(told).to.have.length(5);
      forget();
    });

    it("of nothing when the manager needs no connection, and of nothing before without being asked", async () => {
      await start(answer);
      const told: boolean[] = [];
      const memory = await machine.qom.add("pr-manager-memory", "pr1");
      if (!(memory instanceof PrManager)) throw new Error("it is a PR manager");
      memory.onConnectionChange((connected) => told.push(connected), { current: true });
      (await add("pr2")).onConnectionChange((connected) => told.push(connected));
      expect([memory.connected, told]).to.deep.equal([true, []]);
    });
  });

  describe("at creation", () => {
    /** Creates a machine of its own and gives the reason why that failed. */
    const refusalOf = (path: string, properties = ""): Promise<{ kind: string; message: string }> =>
      refusal(() => Machine.create(["-object", `pr-manager-helper,id=pr1,path=${path}${properties}`], { container: containerWith(clock) }));

    for (const [properties, seconds] of [
      ["", 5],
      [",handshake-timeout=1", 1],
    ] as const) {
      it(`gives up a helper that accepts and stays silent after ${seconds} s, and closes what it opened`, async () => {
        await start(answer);
        let accepted = (_client: Socket): void => undefined;
        const client = new Promise<Socket>((resolve) => (accepted = resolve));
        const silent = await ScriptedHelper.listen((socket) => accepted(socket.resume()));
        try {
          const before = openDescriptors();
          const failing = refusalOf(silent.path, properties);
          const socket = await client;
          await timerOf(seconds * 1000);
          clock.advance(seconds * 1000);
          const error = await failing;
          expect([error.kind, error.message]).to.deep.equal([
            "connection",
            `-object pr-manager-helper,id=pr1,path=${silent.path}${properties}: the PR helper at '${silent.path}' did not greet within ${seconds * 1000} ms`,
          ]);
          await once(socket, "close");
          expect(openDescriptors()).to.deep.equal(before);
          expect(clock.timers).to.equal(0);
        } finally {
          await silent.close();
        }
      });
    }

    it("fails without closing any descriptor but its own", async () => {
      await start(answer);
      const before = openDescriptors();
      const early = await ScriptedHelper.listen((client) => client.end(new Uint8Array(3)));
      for (const path of [folder.path("none"), folder.path("disk"), "", "/", `/${"s".repeat(107)}`]) await refusalOf(path);
      expect((await refusalOf(early.path)).message).to.include("closed the connection after 3 of 4 bytes of its greeting");
      await early.close();
      expect(openDescriptors()).to.deep.equal(before);
      expect(outcome(await disk.execute(READ_KEYS))).to.equal("GOOD");
    });

    for (const [property, value] of [
      ["connections", "0"],
      ["connections", "65"],
      ["timeout", "0"],
      ["timeout", "86401"],
      ["handshake-timeout", "0"],
      ["timeout", "1s"],
    ] as const) {
      it(`refuses ${property}=${value}`, async () => {
        await start(answer);
        const error = await refusalOf(helper.path, `,${property}=${value}`);
        expect([error.kind, error.message]).to.satisfy(
          ([kind, message]: string[]) => kind === "invalid-value" && message?.includes(property),
        );
      });
    }
  });

  it("shows its properties, and is written back with those that were given", async () => {
    await start(answer, ",connections=2,timeout=30");
    const rows = machine.qom.listProperties("pr-manager-helper").map(({ name, type, defaultValue }) => [name, type, defaultValue]);
    expect(rows).to.deep.include.members([
      ["path", "string", undefined],
      ["connections", "uint32", 1],
      ["timeout", "uint32", 60],
      ["handshake-timeout", "uint32", 5],
    ]);
    expect(machine.toArgs()).to.include(`pr-manager-helper,id=pr0,path=${helper.path},connections=2,timeout=30`);
  });

  it("cannot be deleted while a node uses it, which is named", async () => {
    await start(answer);
    const error = await refusal(() => machine.qom.delete("pr0"));
    expect(error.kind).to.equal("in-use");
    expect(error.message).to.match(
      /^pr-manager-helper '\/objects\/pr0' is in use: it is held by property 'pr-manager' of block node '#block\d+'$/,
    );
    expect(outcome(await disk.execute(READ_KEYS))).to.equal("GOOD");
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
