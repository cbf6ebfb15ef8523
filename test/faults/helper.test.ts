/** Faults of the helper's surroundings: it is killed, stopped, starved of descriptors, crowded and fed rubbish. */

import { expect } from "chai";
import fc from "fast-check";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, writeFileSync } from "node:fs";
import { RESPONSE_HEADER_SIZE } from "#src/scsi/pr-helper.js";
import { SystemCallError } from "#src/native/errno.js";
import { PersistentReserveIn, PersistentReserveOut } from "qom-pr";
import { requireCompiler } from "../support/c-compiler.js";
import { openFilesLimit } from "../support/descriptors.js";
import { until, Workshop } from "../helper/support/helper-process.js";
import type { HelperProcess } from "../helper/support/helper-process.js";
import { descriptorsAtRest, hasClosed, stopProcess, workersOf } from "../helper/support/process-status.js";
import { RawClient } from "../helper/support/raw-client.js";
import { cdb } from "../helper/support/scenarios.js";
import { scriptedCdb, SgShim } from "../helper/support/sg-shim.js";
import { anonymousMemory, compileClient, descriptorCount, limitThatLeaves, residentMemory, SOAK } from "./helper-support.js";

const CLIENTS = 1000;
/** What this process and a helper have open beside a crowd of clients, with room. */
const OTHER_DESCRIPTORS = 200;
const MALFORMED = SOAK ? 100_000 : 2000;
/** Those after which memory is looked at first, and those after which it is to be the same. */
const COMMANDS = SOAK ? ([100_000, 900_000] as const) : ([20_000, 20_000] as const);
const MEMORY_GROWTH_MAX = 1.1;
const TIMEOUT_MS = 120_000;
/** For the tests with soak counts. */
const LONG_MS = SOAK ? 1_800_000 : TIMEOUT_MS;

const PR_IN = 0x5e;
const PR_OUT = 0x5f;

/** Larger than the numbers that are given out before. */
const HOLD_OF_SECOND = 255;

describe("faults around qom-pr-helper", function () {
  this.timeout(TIMEOUT_MS);
  const workshop = new Workshop();
  const shim = new SgShim();
  let device = -1;
  before(() => (device = openSync("/dev/null", "r+")));
  // When the suite is skipped, nothing was opened.
  after(() => device >= 0 && closeSync(device));

  async function answers(client: RawClient): Promise<boolean> {
    client.send(cdb(PR_IN, 0, 8), [device]);
    return (await client.readAnswer()).length === RESPONSE_HEADER_SIZE;
  }

  describe("kill -9", () => {
    const STATE = ["--object", "scsi-fabric,id=san0,state="] as const;
    let disk: number;
    before(() => {
      writeFileSync(workshop.path("disk"), "");
      disk = openSync(workshop.path("disk"), "r+");
    });
    after(() => closeSync(disk));
    const start = (): Promise<HelperProcess> =>
      workshop.start("killed", [STATE[0], `${STATE[1]}${workshop.path("state")}`, "--object", "pr-manager-memory,fabric=san0"]);

    function request(key: bigint): Buffer {
      const { cdb: bytes, dataOut } = PersistentReserveOut.encode({
        action: "register-and-ignore-existing-key",
        serviceActionKey: key,
        aptpl: true,
      });
      return Buffer.concat([bytes, Buffer.alloc(16 - bytes.length), dataOut]);
    }

    async function registered(path: string): Promise<readonly bigint[]> {
      const client = await RawClient.greeted(path);
      const { cdb: bytes } = PersistentReserveIn.readKeys(64);
      client.send(Buffer.concat([bytes, Buffer.alloc(16 - bytes.length)]), [disk]);
      const answer = await client.readAnswer();
      client.close();
      return PersistentReserveIn.parse("read-keys", answer.subarray(RESPONSE_HEADER_SIZE)).keys;
    }

    // Between any two bytes of a request, and right behind it, when its answer may be on the way.
    const places = SOAK ? Array.from({ length: 42 }, (_, i) => i) : [0, 1, 15, 16, 17, 39, 40, 41];
    it("between any two bytes: what was answered GOOD is in effect, what was not complete is not", async function () {
      this.timeout(LONG_MS);
      let key = 1n;
      let inEffect: bigint | null = null;
      let helper = await start();
      for (const length of places) {
        const path = workshop.path("killed");
        const client = await RawClient.greeted(path);
        const bytes = request(key);
        if (length > 0) client.send(bytes.subarray(0, Math.min(length, bytes.length)), [disk]);
        await client.drained();
        // One byte more than there are stands for: only when it was answered.
        const answer = length > bytes.length ? await client.readAnswer() : null;
        helper.signal("SIGKILL");
        await helper.ended;
        const received = answer ?? (await client.readToEnd()).bytes;
        client.close();
        helper = await start();
        const keys = await registered(path);
        if (received.length === RESPONSE_HEADER_SIZE) {
          expect(received.readInt32BE(0)).to.equal(0);
          expect(keys, `answered, killed behind ${length} bytes`).to.deep.equal([key]);
          inEffect = key;
        } else if (length < bytes.length) {
          expect(keys, `killed behind ${length} bytes`).to.deep.equal(inEffect === null ? [] : [inEffect]);
        } else {
          // Whole and not answered: either is right.
          const [now] = keys;
          expect([inEffect, key]).to.include(now ?? null);
          inEffect = now ?? null;
        }
        key += 1n;
      }
      await helper.stop();
      expect(inEffect).not.to.equal(null);
    });

    const kills = SOAK ? 25 : 3;
    it(`at any moment, ${kills} times: what was answered last is in effect, or what was asked behind it`, async function () {
      this.timeout(LONG_MS);
      const path = workshop.path("killed");
      let key = 1000n;
      let helper = await start();
      let keys = await registered(path);
      for (let kill = 0; kill < kills; kill += 1) {
        const victim = helper;
        const client = await RawClient.greeted(path);
        const moment = setTimeout(() => victim.signal("SIGKILL"), Math.random() * 50);
        try {
          for (;;) {
            key += 1n;
            client.send(request(key), [disk]);
            const answer = await client.readAnswer();
            if (answer.length < RESPONSE_HEADER_SIZE) break;
            expect(answer.readInt32BE(0)).to.equal(0);
            keys = [key];
          }
        } catch (error) {
          // It was killed between an answer and the next request.
          if (!(error instanceof SystemCallError)) throw error;
        } finally {
          clearTimeout(moment);
          client.close();
        }
        await victim.ended;
        helper = await start();
        const now = await registered(path);
        expect([keys, [key]]).to.deep.include(now);
        keys = now;
      }
      await helper.stop();
    });
  });

  it("SIGSTOP: what was asked meanwhile is answered when it goes on", async () => {
    const helper = await workshop.start("stopped");
    const path = workshop.path("stopped");
    const client = await RawClient.greeted(path);
    expect(await answers(client)).to.be.true;
    await stopProcess(helper.pid);
    const pending = answers(client);
    const late = RawClient.greeted(path); // the kernel takes the connection
    helper.signal("SIGCONT");
    expect(await pending).to.be.true;
    expect(await answers(await late)).to.be.true;
    expect(await answers(client)).to.be.true;
    await helper.stop();
  });

  it("a full descriptor table: it does not spin, and takes the waiting clients when there is room again", async () => {
    const helper = await workshop.start("full");
    const path = workshop.path("full");
    const first = await RawClient.greeted(path);
    expect(await answers(first)).to.be.true;
    const open = descriptorCount(helper.pid);
    const limit = (count: number): void => {
      const result = spawnSync("prlimit", ["--pid", `${helper.pid}`, `--nofile=${count}:`], { encoding: "utf8" });
      expect(result.status, result.stderr).to.equal(0);
    };
    // Numbers below the highest in use may be free, and are used first.
    limit(open);
    const waiting = Array.from({ length: 8 }, () => new RawClient(path));
    await until(() => helper.stderr.includes("cannot accept a connection: "));
    expect(helper.stderr).to.match(/too many open files/);
    const complaints = (): number => helper.stderr.split("cannot accept a connection").length - 1;
    const before = complaints();
    await until(() => complaints() >= before + 2); // once a second
    expect(complaints()).to.be.lessThan(before + 10);
    limit(1024);
    for (const client of waiting) expect((await client.read(4)).length).to.equal(4);
    for (const client of waiting) client.send(Buffer.alloc(4));
    for (const client of waiting) expect(await answers(client)).to.be.true;
    for (const client of waiting) client.close();
    expect(await answers(await RawClient.greeted(path))).to.be.true;
    await helper.stop();
  });

  it("a request whose descriptor finds no room ends its connection alone", async () => {
    const helper = await workshop.start("no-room");
    const path = workshop.path("no-room");
    const [one, two] = [await RawClient.greeted(path), await RawClient.greeted(path)];
    for (const client of [one, two]) expect(await answers(client)).to.be.true;
    const result = spawnSync("prlimit", ["--pid", `${helper.pid}`, "--nofile=4:"], { encoding: "utf8" });
    expect(result.status, result.stderr).to.equal(0);
    one.send(cdb(PR_IN, 0, 8), [device]);
    expect((await one.readToEnd()).bytes.length).to.equal(0);
    await until(() => helper.stderr.includes("no descriptor is left for the one in its request"));
    spawnSync("prlimit", ["--pid", `${helper.pid}`, "--nofile=1024:"]);
    expect(await answers(two)).to.be.true;
    await helper.stop();
  });

  /**
   * A helper that may have three workers and has two, of which one has a command on hold. On a busy computer the greetings may have got it
   * the third: then another one.
   */
  async function withOneWorkerBusy(path: string): Promise<readonly [HelperProcess, number, RawClient, RawClient, RawClient]> {
    for (let hold = 1; ; hold += 1) {
      const helper = await workshop.start("no-worker", ["--workers", "3"], shim.environment);
      const [one, two, three] = [await RawClient.greeted(path), await RawClient.greeted(path), await RawClient.greeted(path)];
      const calls = shim.calls.length;
      one.send(scriptedCdb(PR_IN, 8, { hold }), [device]);
      await shim.called(calls + 1);
      if ((await workersOf(path)) === 2) return [helper, hold, one, two, three];
      shim.release(hold);
      await helper.stop();
    }
  }

  it("the last worker that cannot be started for want of descriptors: those that are there serve on, and it is tried again", async () => {
    const path = workshop.path("no-worker");
    const [helper, hold, one, two, three] = await withOneWorkerBusy(path);
    const limit = (count: number): void => {
      expect(spawnSync("prlimit", ["--pid", `${helper.pid}`, `--nofile=${count}:`]).status).to.equal(0);
    };
    const calls = shim.calls.length;
    // The second worker is not busy before it has the parameter list too, and then the limit is in force.
    two.send(scriptedCdb(PR_OUT, 24, { hold: HOLD_OF_SECOND }), [device]);
    await two.drained();
    // One is free, for the pool's look at its threads, or a few more, if it was looking just now: too little for a thread.
    limit(limitThatLeaves(1, helper.pid));
    two.send(Buffer.alloc(24));
    await shim.called(calls + 1);
    three.send(scriptedCdb(PR_IN, 8), [device]);
    await until(() => helper.stderr.includes("cannot start another worker: "));
    limit(1024);
    expect((await three.readAnswer()).length).to.equal(RESPONSE_HEADER_SIZE + 8);
    for (const number of [hold, HOLD_OF_SECOND]) shim.release(number);
    expect((await one.readAnswer()).length).to.equal(RESPONSE_HEADER_SIZE + 8);
    expect((await two.readAnswer()).length).to.equal(RESPONSE_HEADER_SIZE);
    expect(await helper.stop()).to.deep.equal({ code: 0, signal: null });
  });

  it(`${CLIENTS} clients are served, or as many as may be open, and leave nothing behind`, async () => {
    // It keeps a descriptor for the request of each.
    const count = Math.min(CLIENTS, Math.floor((openFilesLimit() - OTHER_DESCRIPTORS) / 2));
    if (count < CLIENTS) console.log(`      only ${count} clients: a process may have ${openFilesLimit()} files open`);
    const helper = await workshop.start("crowd");
    const path = workshop.path("crowd");
    const before = await descriptorsAtRest(helper, path);
    const clients: RawClient[] = [];
    try {
      for (let i = 0; i < count; i += 1) clients.push(await RawClient.greeted(path));
      const results = await Promise.all(clients.map(answers));
      expect(results.filter(Boolean)).to.have.lengthOf(count);
    } finally {
      for (const client of clients) client.close();
    }
    await hasClosed(helper, before);
    await helper.stop();
  });

  it(`${MALFORMED} malformed requests: it lives, leaks nothing and does not grow`, async function () {
    this.timeout(LONG_MS);
    const helper = await workshop.start("fuzzed", ["-q", "--workers", "2"]);
    const path = workshop.path("fuzzed");
    const before = await descriptorsAtRest(helper, path);
    const one = fc.sample(anyRubbish, MALFORMED);
    const half = Math.floor(one.length / 2);
    await feed(path, one.slice(0, half));
    await settled(helper, path, before);
    const memory = anonymousMemory(helper.pid);
    await feed(path, one.slice(half));
    await settled(helper, path, before);
    if (SOAK) expect(anonymousMemory(helper.pid)).to.be.lessThan(memory * MEMORY_GROWTH_MAX);
    expect(await helper.stop()).to.deep.equal({ code: 0, signal: null });
  });

  /** Bytes that may begin like a request, in pieces, with any number of descriptors. */
  const anyRubbish = fc.record({
    greet: fc.boolean(),
    bytes: fc.oneof(
      fc.uint8Array({ maxLength: 64 }),
      fc.tuple(fc.constantFrom(0x5e, 0x5f), fc.uint8Array({ maxLength: 64 })).map(([code, rest]) => Uint8Array.of(code, ...rest)),
      fc.tuple(fc.nat(255), fc.nat(31), fc.nat(65_535)).map(([code, action, length]) => new Uint8Array(cdb(code, action, length))),
    ),
    split: fc.nat(64),
    descriptors: fc.constantFrom(0, 1, 1, 1, 2, 3),
  });

  type Rubbish = typeof anyRubbish extends fc.Arbitrary<infer T> ? T : never;

  async function feed(path: string, requests: readonly Rubbish[]): Promise<void> {
    const AT_ONCE = 20;
    for (let at = 0; at < requests.length; at += AT_ONCE)
      await Promise.all(requests.slice(at, at + AT_ONCE).map((each) => say(path, each)));
  }

  async function say(path: string, { greet, bytes, split, descriptors }: Rubbish): Promise<void> {
    const client = new RawClient(path);
    try {
      if (greet) client.send(Buffer.alloc(4));
      const files = Array.from({ length: descriptors }, () => device);
      if (split > 0 && bytes.length > 0) client.send(bytes.subarray(0, split), files);
      if (split < bytes.length) client.send(bytes.subarray(split), split === 0 ? files : []);
      client.finish();
      await client.readToEnd();
    } catch (error) {
      // The helper had enough already.
      if (!(error instanceof SystemCallError)) throw error;
    } finally {
      client.close();
    }
  }

  /** Waits until the helper has closed what its last clients left and lent; and it still serves. */
  async function settled(helper: HelperProcess, path: string, before: readonly string[]): Promise<void> {
    const client = await RawClient.greeted(path);
    expect(await answers(client)).to.be.true;
    client.close();
    await hasClosed(helper, before);
  }

  it(`memory is the same after ${COMMANDS[0]} commands and after ${COMMANDS[1]} more`, async function () {
    this.timeout(LONG_MS);
    const program = workshop.path("client");
    requireCompiler(this);
    compileClient(program);
    const helper = await workshop.start("flat", ["-q", "--workers", "2"]);
    const send = async (count: number): Promise<void> => {
      const client = spawn(program, [workshop.path("flat"), "/dev/null", `${count}`], { stdio: "ignore" });
      expect(await once(client, "close")).to.deep.equal([0, null]);
    };
    await send(COMMANDS[0]);
    const before = residentMemory(helper.pid);
    await send(COMMANDS[1]);
    const after = residentMemory(helper.pid);
    console.log(`      ${before} KiB and ${after} KiB`);
    if (SOAK) expect(after).to.be.lessThan(before * MEMORY_GROWTH_MAX);
    expect(await helper.stop()).to.deep.equal({ code: 0, signal: null });
  });
});
