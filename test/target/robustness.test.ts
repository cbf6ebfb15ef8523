import { expect } from "chai";
import fc from "fast-check";
import type { ScsiCommand } from "#src/scsi/command.js";
import { parseSense } from "#src/scsi/sense.js";
import { ManualClock } from "../support/manual-clock.js";
import { blocks, disk } from "./support.js";
import { outcome } from "../support/outcome.js";

const STATUSES: readonly number[] = [0x00, 0x02, 0x18];

/** Operation codes the unit has, so that many random CDBs get past the first check. */
const KNOWN: readonly number[] = [
  0x00, 0x03, 0x08, 0x0a, 0x12, 0x15, 0x16, 0x17, 0x1a, 0x1b, 0x25, 0x28, 0x2a, 0x2e, 0x2f, 0x35, 0x41, 0x42, 0x4d, 0x55, 0x56, 0x57, 0x5a,
  0x5e, 0x5f, 0x88, 0x89, 0x8a, 0x8e, 0x8f, 0x91, 0x93, 0x9e, 0xa0, 0xa3, 0xa8, 0xaa, 0xae, 0xaf,
];

const smallByte = fc.oneof({ weight: 3, arbitrary: fc.constantFrom(0, 1, 2, 0x10, 0x18) }, fc.nat(255));
const cdb = fc
  .tuple(fc.oneof(fc.constantFrom(...KNOWN), fc.nat(255)), fc.array(smallByte, { maxLength: 17 }))
  .map(([opcode, rest]) => Uint8Array.of(opcode, ...rest));
const data = fc.oneof(
  fc.constant({}),
  fc.record({ dataOut: fc.uint8Array({ maxLength: 3000 }) }),
  fc.record({ allocationLength: fc.nat(3000) }),
  fc.nat(3000).map((length) => ({ into: new Uint8Array(length) })),
);
const anyCommand: fc.Arbitrary<ScsiCommand> = fc.tuple(cdb, data).map(([bytes, rest]) => ({ cdb: bytes, ...rest }));

describe("whatever comes", () => {
  it("every operation code has an answer, whatever follows it", async () => {
    const san = await disk();
    for (let opcode = 0; opcode < 0x100; opcode += 1) {
      for (const fill of [0x00, 0x01, 0x55, 0xff]) {
        for (const length of [1, 6, 10, 12, 16]) {
          const bytes = new Uint8Array(length).fill(fill);
          bytes[0] = opcode;
          for (const rest of [{}, { dataOut: new Uint8Array(600).fill(fill) }, { allocationLength: 100 }]) {
            const result = await san.unit.execute(san.nexuses.A, { cdb: bytes, ...rest });
            expect(STATUSES).to.include(result.status);
          }
        }
      }
      if (!KNOWN.includes(opcode)) {
        const unknown = await san.unit.execute(san.nexuses.B, { cdb: Uint8Array.of(opcode, ...new Uint8Array(15)) });
        expect(outcome(unknown), `operation code ${opcode}`).to.equal("05/20/00");
      }
    }
    await san.fabric.close();
  });

  it("a result is whole: data and residual fill the buffer, sense comes with CHECK CONDITION alone", async () => {
    const san = await disk();
    await fc.assert(
      fc.asyncProperty(fc.constantFrom("A", "B", "C", "A2"), anyCommand, async (from: "A" | "B" | "C" | "A2", command) => {
        const result = await san.unit.execute(san.nexuses[from], command);
        expect(STATUSES).to.include(result.status);
        expect(result.sense.length > 0).to.equal(result.status === 0x02);
        if (result.status === 0x02) expect(parseSense(result.sense)).not.to.equal(null);
        const buffer = command.allocationLength ?? command.into?.length;
        if (result.status !== 0x00) expect([result.dataIn.length, result.residual]).to.deep.equal([0, 0]);
        else if (buffer !== undefined) expect(result.dataIn.length + result.residual).to.equal(buffer);
        if (command.into !== undefined && result.dataIn.length > 0) expect(result.dataIn.buffer).to.equal(command.into.buffer);
      }),
      { numRuns: 3000 },
    );
    await san.fabric.close();
  });

  it("commands at the same time all end, whoever is reset meanwhile", async () => {
    const names = ["A", "B", "C", "A2"] as const;
    const action = fc.oneof(
      { weight: 8, arbitrary: fc.tuple(fc.constantFrom(...names), anyCommand) },
      fc.tuple(fc.constantFrom(...names), fc.constantFrom("logical-unit" as const, "i-t-nexus" as const, "target" as const)),
      fc.constantFrom("hold" as const, "release" as const),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(action, { maxLength: 40 }), async (actions) => {
        const san = await disk();
        const pending: Promise<unknown>[] = [];
        const holds: { release(): void }[] = [];
        for (const each of actions) {
          if (each === "hold") holds.push(san.unit.hold(({ cdb: [opcode = 0] }) => opcode % 2 === 0));
          else if (each === "release") holds.pop()?.release();
          else if (typeof each[1] === "string") pending.push(san.unit.reset(each[1], san.nexuses[each[0]]));
          else pending.push(san.unit.execute(san.nexuses[each[0]], each[1]));
        }
        for (const hold of holds) hold.release();
        await Promise.all(pending);
        await san.fabric.close();
      }),
      { numRuns: 200 },
    );
  });

  it("a signal that fires while a command begins ends it, and no timer stays behind", async () => {
    const clock = new ManualClock();
    const san = await disk({}, { clock });
    const abort = new AbortController();
    const hold = san.unit.hold(() => {
      abort.abort();
      return true;
    });
    const pending = san.try("A", "2a 00 00 00 00 00 00 00 01 00", { dataOut: blocks(1, 7), signal: abort.signal, timeoutMs: 1000 });
    expect(hold.count).to.equal(0);
    expect(await pending).to.equal("ABORTED");
    expect(clock.timers).to.equal(0);
    hold.release();
    expect((await san.send("B", "28 00 00 00 00 00 00 00 01 00")).dataIn[0]).to.equal(0);
    await san.fabric.close();
  });
});
