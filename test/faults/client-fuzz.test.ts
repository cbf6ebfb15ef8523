/**
 * Our client and helpers that answer anything but what they should: malformed, cut, in pieces, with more behind it, or not at all.
 * Whatever comes, a command ends with a status, the next good answer is a good one, and nothing stays open.
 */
import "reflect-metadata";
import { expect } from "chai";
import { closeSync, openSync } from "node:fs";
import type { Socket } from "node:net";
import fc from "fast-check";
import { container } from "tsyringe";
import { Clock, Machine, PersistentReserveIn, PersistentReserveOut, PrManager } from "qom-pr";
import type { ScsiUnit } from "qom-pr";
import { headerBytes, responseBytes, ScriptedHelper } from "../backends/helper-socket-server.js";
import { openDescriptors } from "../support/descriptors.js";
import { outcome } from "../support/outcome.js";
import { ManualClock } from "../support/manual-clock.js";
import { withoutStacks } from "../support/stacks.js";
import { soakCount } from "./support/client-bench.js";

const KEYS = Uint8Array.of(0, 0, 0, 7, 0, 0, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8);
const READ_KEYS = PersistentReserveIn.readKeys(16);
const REGISTER = PersistentReserveOut.encode({ action: "register", serviceActionKey: 1n });

/** Commands in a row. */
const RUNS = soakCount(100_000, 3000);

/** What a helper does with one request. */
interface Answer {
  readonly bytes: Uint8Array;
  /** Where the bytes are cut into pieces, each sent by itself. */
  readonly cuts: readonly number[];
  /** What it does then; `stall` lets the command's deadline pass. */
  readonly then: "end" | "destroy" | "stall";
  readonly command: "read-keys" | "register";
}

const wrongNumber = fc.oneof(
  fc.constantFrom(-1, -(2 ** 31), 2 ** 31 - 1, 0, 1, 2, 8, 15, 16, 17, 24, 0x18, 0x102, 8192, 8193),
  fc.integer(),
);
const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 400 }),
  fc
    .tuple(wrongNumber, wrongNumber, fc.uint8Array({ maxLength: 40 }))
    .map(([status, size, behind]) => Buffer.concat([headerBytes(status | 0, size | 0), behind])),
  // A right answer, cut off or with something behind it.
  fc
    .tuple(fc.nat(120), fc.uint8Array({ maxLength: 3 }))
    .map(([length, behind]) => Buffer.concat([responseBytes(0, KEYS).subarray(0, length), behind])),
  // A right answer with one byte changed.
  fc.tuple(fc.nat(7), fc.nat(255)).map(([at, byte]) => {
    const changed = responseBytes(0, KEYS);
    changed[at] = byte;
    return changed;
  }),
);
const answers: fc.Arbitrary<Answer> = fc.record({
  bytes,
  cuts: fc.array(fc.nat(130), { maxLength: 3 }),
  then: fc.constantFrom("end", "destroy", "stall"),
  command: fc.constantFrom("read-keys", "register"),
});

describe("faults of our client: malformed responses", function () {
  this.timeout(1_800_000);
  withoutStacks();

  it(`${RUNS} of them harm nothing`, async () => {
    const clock = new ManualClock();
    const fd = openSync("/dev/null", "r+");
    let answer: Answer | null = null;
    let misbehaving: Promise<void> = Promise.resolve();
    const helper = await ScriptedHelper.serve((client, cdb) => {
      if (answer === null) return client.write(responseBytes(0, cdb[0] === 0x5e ? KEYS : new Uint8Array(0)));
      misbehaving = misbehave(client, answer, clock);
      return misbehaving;
    });
    const child = container.createChildContainer();
    child.register(Clock, { useValue: clock });
    const machine = await Machine.create(["-object", `pr-manager-helper,id=pr0,path=${helper.path},timeout=1`], { container: child });
    const manager = machine.object("pr0");
    if (!(manager instanceof PrManager)) throw new Error("pr0 is a PR manager");
    const unit: ScsiUnit = { fd, readOnly: false, identity: "disk", nexus: null, sgio: () => Promise.reject(new Error("by no way")) };
    const good = async (): Promise<void> => {
      answer = null;
      // What was right by chance was answered before the helper hung up, and this command may meet that.
      const first = outcome(await manager.execute(unit, READ_KEYS));
      if (first !== "GOOD") expect(outcome(await manager.execute(unit, READ_KEYS)), `after ${first}`).to.equal("GOOD");
    };
    await good();
    const before = openDescriptors();
    const outcomes = new Map<string, number>();
    let runs = 0;
    await fc.assert(
      fc.asyncProperty(answers, async (wrong) => {
        answer = wrong;
        const word = outcome(await manager.execute(unit, wrong.command === "register" ? REGISTER : READ_KEYS));
        expect(word).to.match(/^(?:GOOD|RC|[0-9a-f]{1,2}h|[0-9A-F]{2}\/[0-9A-F]{2}\/[0-9A-F]{2})$/);
        await misbehaving;
        outcomes.set(word, (outcomes.get(word) ?? 0) + 1);
        expect(manager.inFlight).to.equal(0);
        runs += 1;
        if (runs % 100 === 0) await good();
      }),
      { numRuns: RUNS },
    );
    await good();
    while (helper.clients.size > 1) await new Promise(setImmediate);
    expect(openDescriptors()).to.deep.equal(before);
    expect(outcomes.get("0B/08/00"), "most of them are failures").to.be.above(RUNS / 2);
    await machine.close();
    await helper.close();
    closeSync(fd);
  });
});

/** Sends an answer piece by piece, and then does what it says. */
async function misbehave(client: Socket, { bytes: all, cuts, then }: Answer, clock: ManualClock): Promise<void> {
  const ends = [...cuts.map((cut) => Math.min(cut, all.length)), all.length].toSorted((a, b) => a - b);
  let start = 0;
  for (const end of ends) {
    if (end > start) client.write(all.subarray(start, end));
    start = end;
    if (end < all.length) await new Promise(setImmediate);
  }
  if (then === "end") client.end();
  else if (then === "destroy") client.destroySoon();
  else {
    // Long enough for everything to arrive, and then for the command to be over.
    for (let turn = 0; turn < 3; turn += 1) await new Promise(setImmediate);
    clock.advance(1000);
  }
}
