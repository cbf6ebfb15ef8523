import { getEventListeners } from "node:events";
import { readFile } from "node:fs/promises";
import { expect } from "chai";
import type { ScsiResult } from "#src/scsi/command.js";
import { memoryStore } from "#src/stores/memory.js";
import { Fabric } from "#src/target/fabric/fabric.js";
import type { CommandInFlight } from "#src/target/unit/interference.js";
import { ManualClock } from "../support/manual-clock.js";
import { refusal } from "../support/refusal.js";
import { temporaryFolder } from "../support/folder.js";
import { blocks, command, disk, KEYS, WWN } from "./support.js";
import { outcome } from "../support/outcome.js";
import type { Disk } from "./support.js";

const TUR = "00 00 00 00 00 00";
const READ_ONE = "28 00 00 00 00 00 00 00 01 00";
const WRITE_ONE = "2a 00 00 00 00 00 00 00 01 00";
const LARGE = 8 * 1024 * 1024;
/** 8 MiB: 32 steps of a file. */
const WRITE_LARGE = "aa 00 00 00 00 00 00 00 40 00 00 00";
const READ_LARGE = "a8 00 00 00 00 00 00 00 40 00 00 00";

const writes = ({ cdb }: CommandInFlight): boolean => cdb[0] === 0x2a;

describe("commands in flight", () => {
  const { path } = temporaryFolder();
  let san: Disk;
  const clock = new ManualClock();
  beforeEach(async () => {
    san = await disk({}, { clock });
  });
  afterEach(async () => san.fabric.close());

  /** Block 0, as the first byte of it. */
  const blockZero = async (): Promise<number | undefined> => (await san.send("A", READ_ONE)).dataIn[0];
  const writeOne = async (from: "A" | "B" | "C" | "A2", fill: number, signal?: AbortSignal): Promise<string> =>
    san.try(from, WRITE_ONE, { dataOut: blocks(1, fill), ...(signal === undefined ? {} : { signal }) });

  describe("hold", () => {
    it("keeps what matches until it is released", async () => {
      const hold = san.unit.hold(writes);
      const ended: string[] = [];
      const pending = [7, 8].map(async (fill) => ended.push(await writeOne("A", fill)));
      await hold.reached(2);
      expect(hold.count).to.equal(2);
      expect(await blockZero(), "others pass").to.equal(0);
      expect(ended).to.deep.equal([]);
      hold.release();
      await Promise.all(pending);
      expect(ended).to.deep.equal(["GOOD", "GOOD"]);
      expect(await blockZero()).to.equal(8);
      expect(await writeOne("A", 9), "nothing is held any more").to.equal("GOOD");
    });

    it("tells when so many are there, and forgets those that were aborted", async () => {
      const hold = san.unit.hold();
      const abort = new AbortController();
      const first = writeOne("A", 1, abort.signal);
      abort.abort();
      expect(await first).to.equal("ABORTED");
      let reached = false;
      const two = hold.reached(2).then(() => (reached = true));
      const pending = [san.try("A", TUR), san.try("B", TUR)];
      await two;
      expect([reached, hold.count]).to.deep.equal([true, 2]);
      hold.release();
      hold.release();
      expect(await Promise.all(pending)).to.deep.equal(["GOOD", "GOOD"]);
    });

    it("several of them: the first that matches has it", async () => {
      const [first, second] = [san.unit.hold(writes), san.unit.hold()];
      const pending = [writeOne("A", 1), san.try("A", TUR)];
      expect([first.count, second.count]).to.deep.equal([1, 1]);
      first.release();
      second.release();
      expect(await Promise.all(pending)).to.deep.equal(["GOOD", "GOOD"]);
    });

    it("a write that was admitted stays so when the reservation changes", async () => {
      await san.register("A", "B");
      const hold = san.unit.hold(writes);
      const pending = writeOne("B", 5);
      expect(await san.reserveOut("A", { action: "reserve", key: KEYS.A, type: 3 })).to.equal("GOOD");
      expect(await writeOne("B", 6), "one that comes later is not").to.equal("RC");
      hold.release();
      expect(await pending).to.equal("GOOD");
      expect(await blockZero()).to.equal(5);
    });

    it("a held reservation command meets what is reserved when it is released", async () => {
      await san.register("A", "B");
      const hold = san.unit.hold(({ cdb, nexus: from }) => cdb[0] === 0x5f && from === san.nexuses.B);
      const pending = san.reserveOut("B", { action: "reserve", key: KEYS.B, type: 3 });
      expect(await san.reserveOut("A", { action: "reserve", key: KEYS.A, type: 3 })).to.equal("GOOD");
      hold.release();
      expect(await pending).to.equal("RC");
    });
  });

  describe("disturbances", () => {
    const ofB = ({ nexus: from }: CommandInFlight): boolean => from === san.nexuses.B;
    const busy = { status: 0x08, dataIn: new Uint8Array(0), residual: 0, sense: new Uint8Array(0) };

    it("answer in the unit's place, until they end", async () => {
      const end = san.unit.disturb(ofB, { result: busy });
      expect((await san.send("B", WRITE_ONE, { dataOut: blocks(1, 7) })).status).to.equal(0x08);
      expect((await san.send("B", "5e 00 00 00 00 00 00 00 08 00")).status).to.equal(0x08);
      expect(await blockZero(), "it was not executed, and A is not disturbed").to.equal(0);
      end();
      expect(await writeOne("B", 7)).to.equal("GOOD");
    });

    it("make commands slow", async () => {
      const end = san.unit.disturb(ofB, { latencyMs: 50 });
      let ended = "";
      const pending = writeOne("B", 7).then((result) => (ended = result));
      clock.advance(49);
      expect(await blockZero()).to.equal(0);
      expect(ended).to.equal("");
      clock.advance(1);
      expect(await pending).to.equal("GOOD");
      expect(await blockZero()).to.equal(7);
      end();
      expect(await writeOne("B", 8)).to.equal("GOOD");
    });

    it("come after a hold, and an abort ends them", async () => {
      san.unit.disturb(ofB, { latencyMs: 50, result: busy });
      const hold = san.unit.hold(ofB);
      const abort = new AbortController();
      const [first, second] = [writeOne("B", 7, abort.signal), san.send("B", TUR)];
      hold.release();
      await Promise.resolve();
      abort.abort();
      expect(await first).to.equal("ABORTED");
      expect(clock.timers, "the one of the second command").to.equal(1);
      clock.advance(50);
      expect((await second).status).to.equal(0x08);
      expect(await blockZero()).to.equal(0);
    });
  });

  describe("abort by signal", () => {
    it("ends all commands with one signal, on which there is one listener while one of them is left", async () => {
      const hold = san.unit.hold(writes);
      const abort = new AbortController();
      const { signal } = abort;
      const others = san.unit.hold(({ cdb }) => cdb[0] === 0x28);
      const read = san.try("A", READ_ONE, { signal });
      const pending = Array.from({ length: 20 }, () => writeOne("A", 7, signal));
      expect(getEventListeners(signal, "abort")).to.have.length(1);
      others.release();
      expect(await read).to.equal("GOOD");
      expect(getEventListeners(signal, "abort")).to.have.length(1);
      abort.abort();
      for (const ended of await Promise.all(pending)) expect(ended).to.equal("ABORTED");
      expect(getEventListeners(signal, "abort")).to.have.length(0);
      hold.release();
      expect(await blockZero()).to.equal(0);
    });

    it("ends a held command, which then never runs", async () => {
      const hold = san.unit.hold(writes);
      const abort = new AbortController();
      const pending = writeOne("A", 7, abort.signal);
      abort.abort();
      expect(await pending).to.equal("ABORTED");
      hold.release();
      expect(await blockZero()).to.equal(0);
    });

    it("ends one that has not begun", async () => {
      expect(await writeOne("A", 7, AbortSignal.abort())).to.equal("ABORTED");
      expect(await blockZero()).to.equal(0);
    });

    it("comes too late for one that has ended", async () => {
      const abort = new AbortController();
      const pending = writeOne("A", 7, abort.signal);
      abort.abort();
      expect(await pending).to.equal("GOOD");
      expect(await blockZero()).to.equal(7);
    });

    it("leaves no listener behind", async () => {
      let listeners = 0;
      const abort = new AbortController();
      const { signal } = abort;
      const add = signal.addEventListener.bind(signal);
      const remove = signal.removeEventListener.bind(signal);
      signal.addEventListener = (...parameters: Parameters<typeof add>) => ((listeners += 1), add(...parameters));
      signal.removeEventListener = (...parameters: Parameters<typeof remove>) => ((listeners -= 1), remove(...parameters));
      const hold = san.unit.hold(writes);
      const pending = writeOne("A", 7, signal);
      expect(listeners).to.equal(1);
      hold.release();
      await pending;
      expect(listeners).to.equal(0);
    });
  });

  describe("deadline", () => {
    it("ends a command like an abort, and says that it was a timeout", async () => {
      const hold = san.unit.hold(writes);
      const pending = san.send("A", WRITE_ONE, { dataOut: blocks(1, 7), timeoutMs: 1000 });
      clock.advance(999);
      expect(hold.count).to.equal(1);
      clock.advance(1);
      const result = await pending;
      expect([outcome(result), result.hostStatus]).to.deep.equal(["0B/2E/02", 0x03]);
      hold.release();
      expect(await blockZero()).to.equal(0);
    });

    it("leaves no timer behind", async () => {
      const hold = san.unit.hold(writes);
      const pending = san.send("A", WRITE_ONE, { dataOut: blocks(1, 7), timeoutMs: 1000 });
      expect(clock.timers).to.equal(1);
      hold.release();
      expect(outcome(await pending)).to.equal("GOOD");
      expect(clock.timers).to.equal(0);
      await san.send("A", TUR, { timeoutMs: 1000 });
      expect(clock.timers).to.equal(0);
    });
  });

  describe("PREEMPT AND ABORT", () => {
    beforeEach(async () => {
      await san.register("A", "B", "C");
      await san.reserveOut("A", { action: "reserve", key: KEYS.A, type: 5 });
    });

    it("ends the commands of the nexus it names, and tells it; those of others go on", async () => {
      const hold = san.unit.hold(writes);
      const victims = [writeOne("A", 1), writeOne("A", 2)];
      const others = [writeOne("B", 3), writeOne("C", 3)];
      expect(await san.reserveOut("B", { action: "preempt-and-abort", key: KEYS.B, serviceActionKey: KEYS.A, type: 5 })).to.equal("GOOD");
      expect(await Promise.all(victims)).to.deep.equal(["ABORTED", "ABORTED"]);
      expect(hold.count).to.equal(2);
      hold.release();
      expect(await Promise.all(others)).to.deep.equal(["GOOD", "GOOD"]);
      expect((await san.send("B", READ_ONE)).dataIn[0], "nothing of the aborted writes").to.equal(3);
      expect([await san.try("A", TUR), await san.try("A", TUR), await san.try("A", TUR)]).to.deep.equal(["06/2A/05", "06/2F/00", "GOOD"]);
      expect([await san.try("B", TUR), await san.try("C", TUR)]).to.deep.equal(["GOOD", "GOOD"]);
    });

    it("does not tell of aborted commands where there were none, or TAS is on", async () => {
      expect(await san.reserveOut("B", { action: "preempt-and-abort", key: KEYS.B, serviceActionKey: KEYS.A, type: 5 })).to.equal("GOOD");
      expect([await san.try("A", TUR), await san.try("A", TUR)]).to.deep.equal(["06/2A/05", "GOOD"]);
      await san.send("B", "15 10 00 00 10 00", { dataOut: Buffer.from("000000000a0a02100040000000000000", "hex") });
      expect(await san.try("C", TUR)).to.equal("06/2A/01");
      const hold = san.unit.hold(writes);
      const pending = writeOne("C", 1);
      expect(await san.reserveOut("B", { action: "preempt-and-abort", key: KEYS.B, serviceActionKey: KEYS.C, type: 5 })).to.equal("GOOD");
      expect(await pending).to.equal("ABORTED");
      hold.release();
      expect([await san.try("C", TUR), await san.try("C", TUR)]).to.deep.equal(["06/2A/05", "GOOD"]);
    });

    it("with its own key ends the sender's other commands, and tells it nothing", async () => {
      const hold = san.unit.hold(writes);
      const pending = writeOne("A", 1);
      expect(await san.reserveOut("A", { action: "preempt-and-abort", key: KEYS.A, serviceActionKey: KEYS.A, type: 5 })).to.equal("GOOD");
      expect(await pending).to.equal("ABORTED");
      hold.release();
      expect(await san.try("A", TUR)).to.equal("GOOD");
    });

    it("is not among the commands that it ends, even if it had to wait itself", async () => {
      const hold = san.unit.hold();
      const pending = san.reserveOut("A", { action: "preempt-and-abort", key: KEYS.A, serviceActionKey: KEYS.A, type: 5 });
      hold.release();
      expect(await pending).to.equal("GOOD");
    });

    it("ends held reservation commands too", async () => {
      const hold = san.unit.hold(({ nexus: from }) => from === san.nexuses.A);
      const pending = san.reserveOut("A", { action: "clear", key: KEYS.A });
      expect(await san.reserveOut("B", { action: "preempt-and-abort", key: KEYS.B, serviceActionKey: KEYS.A, type: 5 })).to.equal("GOOD");
      expect(await pending).to.equal("ABORTED");
      hold.release();
      expect(san.unit.reservations.registrants).to.have.length(2);
    });

    it("that fails aborts nothing; PREEMPT aborts nothing", async () => {
      const hold = san.unit.hold(writes);
      const pending = writeOne("A", 1);
      expect(await san.reserveOut("B", { action: "preempt-and-abort", key: 77n, serviceActionKey: KEYS.A, type: 5 })).to.equal("RC");
      expect(await san.reserveOut("B", { action: "preempt-and-abort", key: KEYS.B, serviceActionKey: KEYS.A, type: 2 })).to.equal(
        "05/24/00",
      );
      expect(await san.reserveOut("B", { action: "preempt", key: KEYS.B, serviceActionKey: KEYS.A, type: 5 })).to.equal("GOOD");
      expect(hold.count).to.equal(1);
      hold.release();
      expect(await pending).to.equal("GOOD");
    });
  });

  describe("in a file", () => {
    it("an aborted write changes nothing any more once it has ended", async () => {
      const file = await disk({ filename: path("aborted"), sizeBytes: LARGE });
      const abort = new AbortController();
      const pending = file.try("A", WRITE_LARGE, { dataOut: new Uint8Array(LARGE).fill(1), signal: abort.signal });
      abort.abort();
      expect(await pending).to.equal("ABORTED");
      const first = (await file.send("A", READ_LARGE)).dataIn;
      expect(first.lastIndexOf(1), "at most one step of 256 KiB").to.be.below(256 * 1024);
      expect(Buffer.compare((await file.send("A", READ_LARGE)).dataIn, first)).to.equal(0);
      await file.fabric.close();
    });

    it("of an aborted write 256 KiB at most are done where hosts share the reservations", async () => {
      const fabric = new Fabric({ store: { ...memoryStore, sharedByHosts: true } });
      const unit = await fabric.attach({ wwn: WWN, filename: path("shared"), sizeBytes: LARGE });
      const abort = new AbortController();
      const write = command("2a 00 00 00 00 00 00 08 00 00", { dataOut: new Uint8Array(1024 * 1024).fill(1), signal: abort.signal });
      const pending = unit.execute(san.nexuses.A, write);
      abort.abort();
      expect(outcome(await pending)).to.equal("ABORTED");
      expect((await readFile(path("shared"))).lastIndexOf(1)).to.be.below(256 * 1024);
      await fabric.close();
    });

    it("PREEMPT AND ABORT answers when the victims' writes have stopped", async () => {
      const file = await disk({ filename: path("preempted"), sizeBytes: LARGE });
      await file.register("A", "B");
      const ended: string[] = [];
      const pending = [1, 2, 3].map(async (fill) =>
        file.try("A", WRITE_LARGE, { dataOut: new Uint8Array(LARGE).fill(fill) }).then((result) => ended.push(result)),
      );
      expect(await file.reserveOut("B", { action: "preempt-and-abort", key: KEYS.B, serviceActionKey: KEYS.A })).to.equal("GOOD");
      expect(ended).to.deep.equal(["ABORTED", "ABORTED", "ABORTED"]);
      await file.send("B", "8a 00 00 00 00 00 00 00 00 00 00 00 40 00 00 00", { dataOut: new Uint8Array(LARGE).fill(9) });
      await Promise.all(pending);
      expect((await file.send("B", READ_LARGE)).dataIn.every((byte) => byte === 9)).to.equal(true);
      await file.fabric.close();
    });

    it("the caller's memory is the caller's again when a read was aborted", async () => {
      const file = await disk({ filename: path("read"), sizeBytes: LARGE });
      await file.send("A", WRITE_LARGE, { dataOut: new Uint8Array(LARGE).fill(1) });
      const into = new Uint8Array(LARGE);
      const abort = new AbortController();
      const pending = file.try("A", READ_LARGE, { into, signal: abort.signal });
      abort.abort();
      expect(await pending).to.equal("ABORTED");
      into.fill(0xee);
      await file.send("A", READ_LARGE);
      expect(into.every((byte) => byte === 0xee)).to.equal(true);
      await file.fabric.close();
    });

    it("writes do not mix", async () => {
      const file = await disk({ filename: path("mixed"), sizeBytes: LARGE });
      await Promise.all([1, 2, 3, 4].map(async (fill) => file.send("A", WRITE_LARGE, { dataOut: new Uint8Array(LARGE).fill(fill) })));
      const { dataIn } = await file.send("A", READ_LARGE);
      expect(new Set(dataIn)).to.have.property("size", 1);
      await file.fabric.close();
    });
  });

  it("close ends everything in flight", async () => {
    san.unit.hold();
    const pending = [
      san.send("A", TUR),
      san.send("B", READ_ONE),
      san.unit.execute(san.nexuses.C, command("5e 00 00 00 00 00 00 00 08 00")),
    ];
    await san.fabric.close();
    expect((await Promise.all(pending)).map(outcome)).to.deep.equal(["ABORTED", "ABORTED", "ABORTED"]);
  });

  it("more than the limit: TASK SET FULL", async () => {
    const hold = san.unit.hold();
    const pending: Promise<ScsiResult>[] = [];
    for (let index = 0; index < 65_536; index += 1) pending.push(san.unit.execute(san.nexuses.A, command(TUR)));
    expect(await san.try("B", TUR)).to.equal("FULL");
    const restore = san.unit.disturb(() => true, { pathLost: true });
    expect((await san.send("B", TUR)).hostStatus, "a command that does not arrive").to.equal(0x0e);
    restore();
    hold.release();
    expect(new Set((await Promise.all(pending)).map(outcome))).to.deep.equal(new Set(["GOOD"]));
    expect(await san.try("B", TUR)).to.equal("GOOD");
  });

  it("commands that contradict themselves are refused as mistakes of the program", async () => {
    const into = new Uint8Array(10);
    for (const rest of [{ into, allocationLength: 11 }, { allocationLength: -1 }, { allocationLength: 1.5 }]) {
      expect((await refusal(async () => san.send("A", TUR, rest))).kind).to.equal("invalid-value");
    }
    for (const rest of [
      { dataOut: into, allocationLength: 10 },
      { dataOut: into, into },
    ]) {
      expect((await refusal(async () => san.send("A", TUR, rest))).kind).to.equal("conflict");
    }
  });
});
