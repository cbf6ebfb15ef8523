/** Many clients, slow disks, and the end: nobody waits for anybody else, and what was begun is answered. */

import { expect } from "chai";
import { closeSync, existsSync, openSync, writeFileSync } from "node:fs";
import { RESPONSE_HEADER_SIZE } from "#src/scsi/pr-helper.js";
import { askStatus } from "#src/helper/serving/status.js";
import { isListening } from "../support/pr-helper.js";
import { OUR_PROGRAM, run, until, Workshop } from "./support/helper-process.js";
import { descriptorsAtRest, hasClosed, startLines } from "./support/process-status.js";
import { RawClient } from "./support/raw-client.js";
import { scriptedCdb, SgShim } from "./support/sg-shim.js";

const PR_IN = 0x5e;
const PR_OUT = 0x5f;

describe("qom-pr-helper at work", () => {
  const workshop = new Workshop();
  const shim = new SgShim();
  let device = -1;
  let holds = 0;
  before(() => (device = openSync("/dev/null", "r+")));
  after(() => {
    // Without a C compiler the suite is skipped, and nothing was opened.
    if (device >= 0) closeSync(device);
  });

  /** Sends a request that stays in execution until its number is released. */
  async function hold(client: RawClient, allocationLength = 8): Promise<number> {
    const calls = shim.calls.length;
    holds += 1;
    client.send(scriptedCdb(PR_IN, allocationLength, { hold: holds }), [device]);
    await shim.called(calls + 1);
    return holds;
  }

  async function ask(client: RawClient): Promise<number> {
    client.send(scriptedCdb(PR_IN, 8), [device]);
    return (await client.readAnswer()).length;
  }
  const ANSWER_LENGTH = RESPONSE_HEADER_SIZE + 8;

  it("answers others while disks hang, with as many threads as that takes", async () => {
    const helper = await workshop.start("growing", ["--workers", "6"], shim.environment);
    const path = workshop.path("growing");
    const stuck = await Promise.all(Array.from({ length: 5 }, () => RawClient.greeted(path)));
    const numbers: number[] = [];
    for (const client of stuck) numbers.push(await hold(client));
    const other = await RawClient.greeted(path);
    expect(await ask(other)).to.equal(ANSWER_LENGTH);
    for (const number of numbers) shim.release(number);
    for (const client of stuck) expect((await client.readAnswer()).length).to.equal(ANSWER_LENGTH);
    expect(await helper.stop()).to.deep.equal({ code: 0, signal: null });
  });

  it("has no more threads than it may: the next request waits", async () => {
    const helper = await workshop.start("limited", ["--workers", "1"], shim.environment);
    const path = workshop.path("limited");
    const [stuck, other] = [await RawClient.greeted(path), await RawClient.greeted(path)];
    const number = await hold(stuck);
    const threads = helper.threads;
    const answered = ask(other);
    shim.release(number);
    expect((await stuck.readAnswer()).length).to.equal(ANSWER_LENGTH);
    expect(await answered).to.equal(ANSWER_LENGTH);
    expect(helper.threads).to.equal(threads);
    await helper.stop();
  });

  it("is not held up by clients that stop in the middle of a request", async () => {
    const helper = await workshop.start("halfway", ["--workers", "1"], shim.environment);
    const path = workshop.path("halfway");
    const request = scriptedCdb(PR_OUT, 24);
    const halfway = [0, 1, 15, 16, 39].map(async (length) => {
      const client = await RawClient.greeted(path);
      const bytes = Buffer.concat([request, Buffer.alloc(24)]);
      if (length > 0) client.send(bytes.subarray(0, length), [device]);
      await client.drained();
      return { client, rest: bytes.subarray(length) };
    });
    const waiting = await Promise.all(halfway);
    expect(await ask(await RawClient.greeted(path))).to.equal(ANSWER_LENGTH);
    for (const { client, rest } of waiting) {
      client.send(rest, rest.length === 40 ? [device] : []);
      expect((await client.readAnswer()).length).to.equal(RESPONSE_HEADER_SIZE);
    }
    await helper.stop();
  });

  it("keeps answers for a client that does not read them, and serves others meanwhile", async () => {
    const helper = await workshop.start("unread", ["--workers", "1"], shim.environment);
    const path = workshop.path("unread");
    const [lazy, other] = [await RawClient.greeted(path), await RawClient.greeted(path)];
    lazy.pause();
    const answerLength = RESPONSE_HEADER_SIZE + 8192;
    const calls = shim.calls.length;
    let requests = 0;
    do {
      lazy.send(scriptedCdb(PR_IN, 8192), [device]);
      requests += 1;
      await shim.called(calls + 2 * requests - 1);
      // One thread, which takes events in turn: when this is answered, it has sent what it can of the lazy client's answer.
      expect(await ask(other)).to.equal(ANSWER_LENGTH);
    } while (lazy.arrived === requests * answerLength);
    lazy.resume();
    const first = await lazy.readAnswer();
    expect(first.length).to.equal(answerLength);
    for (let i = 1; i < requests; i += 1) expect(await lazy.readAnswer()).to.deep.equal(first);
    // And many at once, most of which the helper reads only when their answers can be sent.
    for (let i = 0; i < 100; i += 1) lazy.send(scriptedCdb(PR_IN, 8192), [device]);
    for (let i = 0; i < 100; i += 1) expect(await lazy.readAnswer()).to.deep.equal(first);
    await helper.stop();
  });

  it("survives clients that go away during their command, and closes their descriptors", async () => {
    const helper = await workshop.start("gone", ["--workers", "1"], shim.environment);
    const atRest = await descriptorsAtRest(helper, workshop.path("gone"));
    const other = await RawClient.greeted(workshop.path("gone"));
    await ask(other);
    await hasClosed(helper, atRest, 1);
    const client = await RawClient.greeted(workshop.path("gone"));
    const number = await hold(client);
    await until(() => helper.descriptors.length === atRest.length + 3); // two sockets, and what it lent
    client.close();
    shim.release(number);
    expect(await ask(other)).to.equal(ANSWER_LENGTH);
    await hasClosed(helper, atRest, 1);
    await helper.stop();
  });

  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) {
    it(`stops at ${signal}: no more connections, no socket file, and the answer to what is in execution`, async () => {
      const name = `stop-${signal}`;
      const helper = await workshop.start(name, ["-f", workshop.path(`${name}.pid`)], shim.environment);
      const path = workshop.path(name);
      const [busy, idle] = [await RawClient.greeted(path), await RawClient.greeted(path)];
      const number = await hold(busy);
      helper.signal(signal);
      await until(() => !existsSync(path));
      expect(await isListening(path)).to.equal(false);
      shim.release(number);
      expect((await busy.readAnswer()).length).to.equal(ANSWER_LENGTH);
      expect((await idle.readToEnd()).bytes.length).to.equal(0);
      expect(await helper.ended).to.deep.equal({ code: 0, signal: null });
      expect(existsSync(workshop.path(`${name}.pid`))).to.equal(false);
      expect(helper.stderr).to.equal(startLines(path));
    });
  }

  it("hears a signal that comes while it starts, in the middle of its work", async () => {
    // Node runs this before the program. The signal comes when the pid file is opened; what the program does next, it does without a pause.
    const script = workshop.path("signal.cjs");
    writeFileSync(
      script,
      `const fs = require("node:fs");
       const { openSync } = fs;
       fs.openSync = (path, ...rest) => {
         if (String(path).endsWith(".pid")) process.kill(process.pid, "SIGTERM");
         return openSync(path, ...rest);
       };
       require("node:module").syncBuiltinESMExports();`,
    );
    const path = workshop.path("interrupted");
    const result = await run(OUR_PROGRAM, ["-k", path, "-f", `${path}.pid`], { NODE_OPTIONS: `--require=${script}` });
    expect(result).to.deep.include({ code: 0, signal: null, stderr: "" });
    for (const file of [path, `${path}.pid`, `${path}.status`]) expect(existsSync(file), file).to.be.false;
  });

  it("opens no debugger at SIGUSR1, and serves on", async () => {
    const helper = await workshop.start("debugged", [], shim.environment);
    helper.signal("SIGUSR1");
    // The main thread would start it, and answers these later.
    for (let i = 0; i < 5; i += 1) await askStatus(workshop.path("debugged"));
    expect(helper.stderr).not.to.match(/debugger|inspector/i);
    expect(await helper.stop()).to.deep.equal({ code: 0, signal: null });
  });

  it("starts threads although the folder it was started in is gone", async () => {
    const folder = workshop.path("folder");
    const path = workshop.path("homeless");
    const gone = ["-c", 'mkdir "$1" && cd "$1" && rmdir "$1" && shift && exec "$@"', "sh", folder, OUR_PROGRAM, "-k", path];
    const helper = workshop.spawn([...gone, "--workers", "3"], shim.environment, {}, "/bin/sh");
    await helper.serves(path);
    const stuck = await Promise.all([RawClient.greeted(path), RawClient.greeted(path)]);
    const numbers: number[] = [];
    for (const client of stuck) numbers.push(await hold(client));
    expect(await ask(await RawClient.greeted(path))).to.equal(ANSWER_LENGTH);
    for (const number of numbers) shim.release(number);
    for (const client of stuck) await client.readAnswer();
    expect(await helper.stop()).to.deep.equal({ code: 0, signal: null });
    const refused = await run("/bin/sh", [...gone, "-f", "relative"]);
    expect(refused.code).to.equal(1);
    expect(refused.stderr).to.match(/^qom-pr-helper: option '--pidfile': 'relative' is relative, and the current folder is gone[^\n]*\n$/);
  });

  it("ends once only, however many signals it gets", async () => {
    const helper = await workshop.start("signals", [], shim.environment);
    const client = await RawClient.greeted(workshop.path("signals"));
    const number = await hold(client);
    for (const signal of ["SIGTERM", "SIGINT", "SIGHUP", "SIGTERM"] as const) helper.signal(signal);
    await until(() => !existsSync(workshop.path("signals")));
    shim.release(number);
    expect((await client.readAnswer()).length).to.equal(ANSWER_LENGTH);
    expect(await helper.ended).to.deep.equal({ code: 0, signal: null });
  });
});
