/** The pool of pr-manager-helper by itself: turns, deadlines, and when it connects. */
import { expect } from "chai";
import { getEventListeners } from "node:events";
import { closeSync, openSync } from "node:fs";
import type { Socket } from "node:net";
import fc from "fast-check";
import { HelperExchangeError } from "#src/backends/helper-socket/exchange.js";
import type { HelperOutcome } from "#src/backends/helper-socket/exchange.js";
import { FairQueue } from "#src/backends/helper-socket/fair-queue.js";
import { HELPER_COMMANDS_WAITING_MAX, HelperPool } from "#src/backends/helper-socket/pool.js";
import { openDescriptors } from "../support/descriptors.js";
import { ManualClock } from "../support/manual-clock.js";
import { DATA, readKeys, responseBytes, ScriptedHelper, tagOf } from "./helper-socket-server.js";
import type { HelperRequest, RequestHandler } from "./helper-socket-server.js";

/** In one word: the status of a response, or why there is none and whether the request went out. */
function wordOf(outcome: HelperOutcome): string {
  return outcome instanceof HelperExchangeError ? `${outcome.reason}${outcome.sent ? ", sent" : ""}` : `status ${outcome.status}`;
}

describe("helper pool", () => {
  let clock: ManualClock;
  let helper: ScriptedHelper;
  let pool: HelperPool;
  let path: string;
  let fd = -1;
  /** Every change, in order. */
  let changes: boolean[];
  const [diskA, diskB] = [{ fd: -1 }, { fd: -1 }];

  before(() => {
    fd = diskA.fd = diskB.fd = openSync("/dev/null", "r+");
  });
  after(() => closeSync(fd));
  afterEach(async () => {
    pool.close();
    await helper.close();
  });

  const start = async (server: ScriptedHelper, connectionsMax = 1): Promise<void> => {
    clock = new ManualClock();
    changes = [];
    helper = server;
    path = server.path;
    const options = { clock, connectionsMax, path: () => path, handshakeTimeoutMs: () => 5000 };
    pool = new HelperPool({ ...options, changed: (connected) => changes.push(connected) });
    await pool.start();
  };
  const serve = async (onRequest: RequestHandler, connectionsMax = 1): Promise<void> =>
    start(await ScriptedHelper.serve(onRequest), connectionsMax);

  interface Extras {
    readonly owner?: { readonly fd: number | null };
    readonly timeoutMs?: number;
    readonly signal?: AbortSignal;
  }
  const run = (request: HelperRequest = readKeys(), extras: Extras = {}): Promise<string> =>
    new Promise((resolve) =>
      pool.submit({ owner: diskA, timeoutMs: 60_000, ...request, ...extras }, (outcome) => resolve(wordOf(outcome))),
    );

  const until = async (condition: () => boolean): Promise<void> => {
    while (!condition()) await new Promise(setImmediate);
  };
  /** Resolves when the next timer is `delayMs` away. */
  const timerOf = (delayMs: number): Promise<void> => until(() => clock.nextInMs === delayMs);

  it("tells of the connection once it is there", async () => {
    await serve(() => undefined);
    expect([pool.connected, changes]).to.deep.equal([true, [true]]);
  });

  it("lets one command at a time on a connection, in the order in which they came", async () => {
    let inProgress = 0;
    const seen: number[] = [];
    await serve(async (client, cdb) => {
      inProgress += 1;
      expect(inProgress).to.equal(1);
      seen.push(tagOf(cdb));
      await new Promise(setImmediate);
      inProgress -= 1;
      client.write(responseBytes(0, DATA));
    });
    const tags = Array.from({ length: 300 }, (_, tag) => tag);
    await Promise.all(tags.map((tag) => run(readKeys(tag))));
    expect(seen).to.deep.equal(tags);
  });

  it("lets disks take turns, however many commands one of them has", async () => {
    const seen: number[] = [];
    await serve((client, cdb) => {
      seen.push(tagOf(cdb));
      client.write(responseBytes(0, DATA));
    });
    const many = [1, 2, 3, 4, 5].map((tag) => run(readKeys(tag), { owner: diskA }));
    const few = [11, 12].map((tag) => run(readKeys(tag), { owner: diskB }));
    await Promise.all([...many, ...few]);
    expect(seen).to.deep.equal([1, 2, 11, 3, 12, 4, 5]);
  });

  it("keeps each owner's order and gives no owner two turns while another waits, whatever comes and goes", () => {
    interface Item {
      readonly owner: object;
      readonly index: number;
    }
    const owners = [{}, {}, {}];
    const step = fc.oneof(fc.record({ push: fc.nat(2) }), fc.constant("shift" as const), fc.record({ remove: fc.nat(40) }));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const queue = new FairQueue<object, Item>(8);
        let model: Item[] = [];
        let index = 0;
        const waitedFor = new Map<object, number>(owners.map((owner) => [owner, 0]));
        for (const what of steps) {
          if (what === "shift") {
            const item = queue.shift();
            expect(item === undefined).to.equal(model.length === 0);
            if (item === undefined) continue;
            expect(model.find(({ owner }) => owner === item.owner)).to.equal(item);
            model = model.filter((other) => other !== item);
            for (const owner of owners) {
              const waits = owner !== item.owner && model.some((other) => other.owner === owner);
              waitedFor.set(owner, waits ? (waitedFor.get(owner) ?? 0) + 1 : 0);
              expect(waitedFor.get(owner), "turns of others").to.be.at.most(owners.length - 1);
            }
          } else if ("push" in what) {
            const item = { owner: owners[what.push] ?? {}, index: (index += 1) };
            const room = model.filter(({ owner }) => owner === item.owner).length < 8;
            expect(queue.push(item)).to.equal(room);
            if (room) model.push(item);
          } else {
            const item = model[what.remove];
            if (item === undefined) continue;
            queue.remove(item);
            model = model.filter((other) => other !== item);
          }
          expect(queue.size).to.equal(model.length);
          expect(queue.items().toSorted((a, b) => a.index - b.index)).to.deep.equal(model);
        }
      }),
    );
  });

  it("refuses what one disk has too much of, and takes the next disk's", async () => {
    let client: Socket | undefined;
    await serve((from) => (client = from));
    const first = run();
    await until(() => client !== undefined);
    const waiting = Array.from({ length: HELPER_COMMANDS_WAITING_MAX }, () => run());
    expect(await run()).to.equal("busy");
    const other = run(readKeys(), { owner: diskB });
    pool.close();
    expect(new Set(await Promise.all([first, other, ...waiting]))).to.deep.equal(new Set(["aborted, sent"]));
  });

  it("makes further connections when commands wait, up to its limit, and runs as many at once", async () => {
    const held: Socket[] = [];
    let holding = true;
    await serve((client) => (holding ? held.push(client) : client.write(responseBytes(0, DATA))), 3);
    const results = Array.from({ length: 5 }, () => run());
    await until(() => held.length === 3);
    for (let round = 0; round < 20; round += 1) await new Promise(setImmediate);
    expect([held.length, new Set(held).size, helper.clients.size]).to.deep.equal([3, 3, 3]);
    holding = false;
    for (const client of held) client.write(responseBytes(0, DATA));
    expect(new Set(await Promise.all(results))).to.deep.equal(new Set(["status 0"]));
    expect(changes).to.deep.equal([true]);
  });

  it("stays with the helper it has while there is a connection, even when the path changes", async () => {
    const clients: Socket[] = [];
    await serve((client) => clients.push(client), 2);
    path = "/nowhere";
    const results = [run(), run()];
    await until(() => clients.length === 2);
    for (const client of clients) client.write(responseBytes(0, DATA));
    expect(await Promise.all(results)).to.deep.equal(["status 0", "status 0"]);
  });

  it("goes on with the connection it has when no further one can be made", async () => {
    await serve((client) => client.write(responseBytes(0, DATA)), 8);
    helper.limitConnections(1);
    const results = await Promise.all(Array.from({ length: 50 }, () => run()));
    expect(new Set(results)).to.deep.equal(new Set(["status 0"]));
    expect(changes).to.deep.equal([true]);
  });

  describe("deadlines", () => {
    it("end a command that is not answered, and those that waited as long for their turn; the next one is fine", async () => {
      let silent = true;
      await serve((client) => silent || client.write(responseBytes(0, DATA)));
      const first = run(readKeys(), { timeoutMs: 500 });
      const second = run(readKeys(), { timeoutMs: 500 });
      const patient = run(readKeys(), { timeoutMs: 501 });
      clock.advance(499);
      silent = false;
      clock.advance(1);
      expect([await first, await second, await patient]).to.deep.equal(["timeout, sent", "timeout", "status 0"]);
      expect(changes).to.deep.equal([true, false, true]);
    });

    it("begin anew with the command's turn", async () => {
      const clients: Socket[] = [];
      await serve((client) => clients.push(client));
      const results = [run(readKeys(), { timeoutMs: 500 }), run(readKeys(), { timeoutMs: 500 })];
      await until(() => clients.length === 1);
      clock.advance(499);
      clients[0]?.write(responseBytes(0, DATA));
      await until(() => clients.length === 2);
      clock.advance(499);
      clients[1]?.write(responseBytes(0, DATA));
      expect(await Promise.all(results)).to.deep.equal(["status 0", "status 0"]);
    });

    it("hold in every order in which they are set", async () => {
      let requests = 0;
      await serve(() => (requests += 1), 3);
      const order: number[] = [];
      const results = [300, 100, 200].map((timeoutMs) => run(readKeys(), { timeoutMs }).then(() => order.push(timeoutMs)));
      await until(() => requests === 3);
      for (let ms = 0; ms < 300; ms += 50) {
        clock.advance(50);
        await new Promise(setImmediate);
      }
      await Promise.all(results);
      expect(order).to.deep.equal([100, 200, 300]);
    });
  });

  describe("giving up", () => {
    it("leaves no trace before it is the command's turn", async () => {
      const seen: number[] = [];
      await serve((client, cdb) => {
        seen.push(tagOf(cdb));
        client.write(responseBytes(0, DATA));
      });
      const controller = new AbortController();
      const results = [run(readKeys(1)), run(readKeys(2), { signal: controller.signal }), run(readKeys(3))];
      controller.abort();
      expect(await Promise.all(results)).to.deep.equal(["status 0", "aborted", "status 0"]);
      expect([seen, changes]).to.deep.equal([[1, 3], [true]]);
    });

    it("listens to a signal once for all its commands, and afterwards to the last one alone", async () => {
      await serve((client) => client.write(responseBytes(0, DATA)));
      const signals = Array.from({ length: 5 }, () => new AbortController().signal);
      const listeners = (): number[] => signals.map((signal) => getEventListeners(signal, "abort").length);
      const results = signals.flatMap((signal) => [run(readKeys(), { signal }), run(readKeys(), { signal })]);
      expect(listeners()).to.deep.equal([1, 1, 1, 1, 1]);
      await Promise.all(results);
      expect(listeners()).to.deep.equal([0, 0, 0, 0, 1]);
      for (const signal of [...signals, ...signals]) await run(readKeys(), { signal });
      expect(listeners()).to.deep.equal([0, 0, 0, 0, 1]);
      pool.close();
      expect(listeners()).to.deep.equal([0, 0, 0, 0, 0]);
    });

    it("drops the connection once the request is out, and those behind get another one", async () => {
      let requests = 0;
      await serve((client) => (requests += 1) > 1 && client.write(responseBytes(0, DATA)));
      const controller = new AbortController();
      const results = [run(readKeys(), { signal: controller.signal }), run()];
      await until(() => requests === 1);
      controller.abort();
      expect(await Promise.all(results)).to.deep.equal(["aborted, sent", "status 0"]);
    });
  });

  describe("without a connection", () => {
    const answer: RequestHandler = (client) => client.write(responseBytes(0, DATA));
    const lose = async (): Promise<void> => {
      await helper.close();
      await until(() => !pool.connected);
    };

    it("tries at once, then after 1, 2, 4, 8 and from then on 10 seconds, until there is a helper", async () => {
      await serve(answer);
      await run();
      await lose();
      for (const delayMs of [1000, 2000, 4000, 8000, 10_000, 10_000]) {
        await timerOf(delayMs);
        clock.advance(delayMs);
      }
      await timerOf(10_000);
      expect(changes).to.deep.equal([true, false]);
      helper = await ScriptedHelper.serve(answer);
      path = helper.path;
      clock.advance(10_000);
      await until(() => pool.connected);
      expect(changes).to.deep.equal([true, false, true]);
      expect(await run()).to.equal("status 0");
    });

    it("is there again at once when only the connection has ended", async () => {
      await serve(answer);
      await run();
      for (const client of helper.clients) client.destroy();
      await until(() => changes.length === 3);
      expect(changes).to.deep.equal([true, false, true]);
    });

    it("does not wait out a pause when a command comes", async () => {
      await serve(answer);
      await run();
      await lose();
      await timerOf(1000);
      clock.advance(1000);
      await timerOf(2000);
      helper = await ScriptedHelper.serve(answer);
      path = helper.path;
      expect(await run()).to.equal("status 0");
    });

    it("goes back to its own pauses when the command is given up", async () => {
      await serve(answer);
      await run();
      await lose();
      await timerOf(1000);
      const controller = new AbortController();
      const given = run(readKeys(), { signal: controller.signal });
      await timerOf(1000);
      controller.abort();
      expect(await given).to.equal("aborted");
      await timerOf(2000);
      expect(clock.timers, "the deadline timer may run on").to.be.at.most(2);
    });

    it("takes a helper that greets and hangs up for none: the pauses grow", async () => {
      let greetings = 0;
      await start(
        await ScriptedHelper.listen((client) => {
          greetings += 1;
          client.once("data", () => client.destroy()).write(new Uint8Array(4));
        }),
      );
      for (const [index, delayMs] of [1000, 2000, 4000, 8000, 10_000].entries()) {
        await timerOf(delayMs);
        expect([greetings, changes.length, pool.connected]).to.deep.equal([index + 1, 2 * (index + 1), false]);
        clock.advance(delayMs);
      }
    });

    it("ends with close(), whatever it is about to do", async () => {
      const before = openDescriptors();
      await serve(answer);
      await run();
      await lose();
      await timerOf(1000);
      const waiting = run();
      pool.close();
      pool.close();
      expect([await waiting, await run()]).to.deep.equal(["aborted, sent", "aborted, sent"]);
      expect(clock.timers).to.equal(0);
      expect(changes).to.deep.equal([true, false]);
      expect(openDescriptors()).to.deep.equal(before);
    });

    it("closes a connection that comes about after close()", async () => {
      const before = openDescriptors();
      await serve(answer);
      await run();
      for (const client of helper.clients) client.destroy();
      await until(() => !pool.connected);
      pool.close();
      await helper.close();
      for (let round = 0; round < 20; round += 1) await new Promise(setImmediate);
      expect([pool.connected, clock.timers]).to.deep.equal([false, 0]);
      expect(openDescriptors()).to.deep.equal(before);
    });
  });
});
