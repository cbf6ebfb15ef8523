/** Our client when the helper is stopped, when this process has no descriptor left, and what it leaves in memory. */
import { expect } from "chai";
import { execFile, spawnSync } from "node:child_process";
import { closeSync, openSync, readdirSync } from "node:fs";
import { promisify } from "node:util";
import { PersistentReserveIn } from "qom-pr";
import { openDescriptors, openFilesLimit } from "../support/descriptors.js";
import { refusal } from "../support/refusal.js";
import { stopProcess } from "../helper/support/process-status.js";
import { ClientBench, HELPERS, soakCount } from "./support/client-bench.js";
import { skipWithoutPrHelper } from "../support/pr-helper.js";

const READ_KEYS = PersistentReserveIn.readKeys(8);
const ANSWER = "0B/00/06";
const COMMUNICATION_FAILURE = "0B/08/00";
/** Descriptors that spawnSync() is sure to find free: the limit is lifted again by a program, and what stays low fails every later test. */
const ROOM_TO_START_A_PROGRAM = 64;

describe("faults of our client", function () {
  this.timeout(1_800_000);
  const bench = new ClientBench();

  for (const [name, program] of Object.entries(HELPERS)) {
    it(`${name} is stopped by a signal: commands end at their deadline, and it goes on after SIGCONT by itself`, async function () {
      if (program === null) skipWithoutPrHelper(this);
      const helper = bench.helper(program);
      const manager = await bench.manager();
      expect(await bench.run(manager, READ_KEYS)).to.equal(ANSWER);
      const before = openDescriptors();
      await stopProcess(helper.pid ?? 0);
      const impatient = { ...READ_KEYS, timeoutMs: 100 };
      expect(await bench.run(manager, impatient)).to.equal(COMMUNICATION_FAILURE);
      expect(manager.connected).to.equal(false);
      expect(await bench.run(manager, impatient), "a command that only waited").to.equal(COMMUNICATION_FAILURE);
      const again = new Promise<boolean>((resolve) => manager.onConnectionChange(resolve));
      helper.kill("SIGCONT");
      expect(await again).to.equal(true);
      expect(await bench.run(manager, READ_KEYS)).to.equal(ANSWER);
      expect(openDescriptors()).to.deep.equal(before);
    });
  }

  /** Runs `action` while this process can open no file and no socket. */
  const withoutDescriptors = async (action: () => Promise<void>): Promise<void> => {
    const limit = (soft: number): void => {
      const { status } = spawnSync("prlimit", ["--pid", String(process.pid), `--nofile=${soft}:`]);
      expect(status, "prlimit, of util-linux").to.equal(0);
    };
    const before = openFilesLimit();
    limit(Math.max(...readdirSync("/proc/self/fd").map(Number)) + ROOM_TO_START_A_PROGRAM);
    const taken: number[] = [];
    try {
      for (;;) taken.push(openSync("/dev/null", "r"));
    } catch (error) {
      expect(error).to.have.property("code", "EMFILE");
    }
    try {
      await action();
    } finally {
      for (const fd of taken) closeSync(fd);
      limit(before);
    }
  };

  it("without a descriptor left: the connection that there is serves on, a new one fails with EMFILE, and later works", async () => {
    const program = HELPERS["qom-pr-helper"] ?? "";
    const helper = bench.helper(program);
    const manager = await bench.manager(",connections=4");
    expect(await bench.run(manager, READ_KEYS)).to.equal(ANSWER);
    const before = openDescriptors();
    await withoutDescriptors(async () => {
      const results = await Promise.all(Array.from({ length: 20 }, () => bench.run(manager, READ_KEYS)));
      expect(new Set(results)).to.deep.equal(new Set([ANSWER]));
      const error = await refusal(() => bench.manager());
      expect(error.message).to.include("too many open files");
    });
    await bench.kill(helper);
    bench.helper(program);
    await bench.listening();
    expect(await bench.run(manager, READ_KEYS)).to.equal(ANSWER);
    expect(openDescriptors()).to.deep.equal(before);
  });

  it("without a descriptor left to connect again: the command fails after its attempts, and the device is usable later", async () => {
    const program = HELPERS["qom-pr-helper"] ?? "";
    const helper = bench.helper(program);
    const manager = await bench.manager();
    expect(await bench.run(manager, READ_KEYS)).to.equal(ANSWER);
    const gone = new Promise((resolve) => manager.onConnectionChange(resolve));
    await bench.kill(helper);
    await gone;
    bench.helper(program);
    await withoutDescriptors(async () => {
      expect(await bench.run(manager, READ_KEYS)).to.equal(COMMUNICATION_FAILURE);
    });
    await bench.listening();
    expect(await bench.run(manager, READ_KEYS)).to.equal(ANSWER);
  });

  it("has the same memory after ten times as many commands", async () => {
    const helper = bench.compile("quick-helper.c", []);
    bench.spawn(helper, [bench.path("quick")]);
    const script = `
      import { openSync } from "node:fs";
      import { Machine, PersistentReserveIn, PersistentReserveOut } from "qom-pr";
      const create = async () => {
        try {
          return await Machine.create(["-object", "pr-manager-helper,id=pr0,path=${bench.path("quick")}"]);
        } catch (error) {
          if (!/no such file|no process listens/.test(error.message)) throw error;
          return create();
        }
      };
      const machine = await create();
      const manager = machine.object("pr0");
      const unit = { fd: openSync("/dev/null", "r+"), readOnly: false, identity: "disk", nexus: null, sgio: () => undefined };
      const commands = [PersistentReserveIn.readKeys(8), PersistentReserveOut.encode({ action: "register", serviceActionKey: 1n })];
      const run = async (count) => {
        for (let i = 0; i < count; i += 1) {
          const controller = new AbortController(); // each command with a signal of its own, as a guest's has
          const { status } = await manager.execute(unit, { ...commands[i % 2], signal: controller.signal });
          if (status !== 0) throw new Error("status " + status);
        }
      };
      // The least of some looks: what the collector has freed goes back to the system now or a little later.
      const memory = async () => {
        let least = Infinity;
        for (let look = 0; look < 10; look += 1) {
          await run(200);
          globalThis.gc();
          least = Math.min(least, process.memoryUsage.rss());
        }
        return least;
      };
      await run(Number(process.argv[1]));
      const few = await memory();
      await run(9 * Number(process.argv[1]));
      const many = await memory();
      await machine.close();
      console.log(JSON.stringify([few, many]));
    `;
    const count = soakCount(100_000, 2000);
    const { stdout } = await promisify(execFile)(process.execPath, ["--expose-gc", "--input-type=module", "--eval", script, String(count)]);
    const [few = 0, many = 0] = JSON.parse(stdout) as number[]; // what the script prints
    const ratio = many / few;
    console.log(
      `      RSS ${(few / 2 ** 20).toFixed(1)} MiB after ${count} commands, ${(many / 2 ** 20).toFixed(1)} MiB after ${10 * count}`,
    );
    // A start-up is no plateau: what the compiler and the heap grow to is reached in the soak run only.
    expect(ratio).to.be.below(soakCount(110, 200) / 100);
  });
});
