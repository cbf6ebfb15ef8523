import { runInNewContext } from "node:vm";
import { expect } from "chai";
import type { LogicalUnit } from "#src/target/unit/logical-unit.js";
import type { Medium } from "#src/target/medium/medium.js";
import { blocks, command, nexus, WWN } from "./support.js";
import { outcome } from "../support/outcome.js";
import { unitOn } from "./support/unit-on.js";

/** A medium that does what the test says, and counts how often it is made safe. */
class ScriptedMedium implements Medium {
  readonly sizeBytes = 1024 * 1024;
  readonly fd = 99;
  readonly deallocates = false;
  flushes = 0;
  writes = 0;
  reads = 0;
  /** Errno names by operation; an operation without one does nothing. */
  readonly errors: { read?: string; write?: string; fdatasync?: string } = {};
  failure: Error | null = null;
  /** What the next flushes wait for, in order; those without one end at once. */
  readonly flushing: Promise<void>[] = [];

  read(): Promise<void> {
    this.reads += 1;
    return this.#end("read");
  }

  write(): Promise<void> {
    this.writes += 1;
    return this.#end("write");
  }

  deallocate(): void {}

  flush(): Promise<void> {
    this.flushes += 1;
    const until = this.flushing.shift();
    return until === undefined ? this.#end("fdatasync") : until.then(() => this.#end("fdatasync"));
  }

  async close(): Promise<void> {}

  async #end(syscall: "read" | "write" | "fdatasync"): Promise<void> {
    await Promise.resolve();
    if (this.failure !== null) throw this.failure;
    const code = this.errors[syscall];
    if (code !== undefined) throw Object.assign(new Error(`${code}: ${syscall}`), { code, errno: -1, syscall });
  }
}

describe("a medium that fails", () => {
  const A = nexus("A1");
  let medium: ScriptedMedium;
  let unit: LogicalUnit;
  const open = (): LogicalUnit => unitOn(medium, WWN, "/scripted");
  beforeEach(() => {
    medium = new ScriptedMedium();
    unit = open();
  });
  afterEach(async () => unit.close());

  const READ = command("28 00 00 00 00 00 00 00 01 00");
  const WRITE = command("2a 00 00 00 00 00 00 00 01 00", { dataOut: blocks(1, 1) });
  const FUA = command("2a 08 00 00 00 00 00 00 01 00", { dataOut: blocks(1, 1) });
  const SYNCHRONIZE = command("35 00 00 00 00 00 00 00 00 00");
  const COMPARE = command("89 00 00 00 00 00 00 00 00 00 00 00 00 01 00 00", { dataOut: blocks(2, 0) });

  const failures = [
    ["EIO while reading: unrecovered read error", "read", "EIO", READ, "03/11/00"],
    ["EIO while writing: write error", "write", "EIO", WRITE, "03/0C/00"],
    ["a full disk: space allocation failed", "write", "ENOSPC", WRITE, "07/27/07"],
    ["a quota: space allocation failed", "write", "EDQUOT", WRITE, "07/27/07"],
    ["a file that may not grow: space allocation failed", "write", "EFBIG", WRITE, "07/27/07"],
    ["another error: internal target failure", "read", "EBADF", READ, "04/44/00"],
    ["COMPARE AND WRITE and a read that fails", "read", "EIO", COMPARE, "03/11/00"],
    ["COMPARE AND WRITE and a write that fails", "write", "EIO", COMPARE, "03/0C/00"],
  ] as const;
  for (const [what, operation, errno, sent, expected] of failures) {
    it(what, async () => {
      medium.errors[operation] = errno;
      const result = await unit.execute(A, sent);
      expect(outcome(result)).to.equal(expected);
      expect([result.dataIn.length, result.residual]).to.deep.equal([0, 0]);
      delete medium.errors[operation];
      expect(outcome(await unit.execute(A, sent)), "the next one is as if nothing had been").to.equal("GOOD");
    });
  }

  for (const [what, operation, errno, sent, expected] of failures) {
    it(`at once: ${what}`, async () => {
      const error = Object.assign(new Error(errno), { code: errno, errno: -1, syscall: operation });
      Object.assign(medium, {
        [operation]: () => {
          throw error;
        },
        ...(operation === "write" ? { read: () => null } : {}),
      });
      expect(outcome(await unit.execute(A, sent))).to.equal(expected);
      Object.assign(medium, { [operation]: () => null });
      expect(outcome(await unit.execute(A, sent)), "the next one is as if nothing had been").to.equal("GOOD");
    });
  }

  it("that reads nothing at all tells nothing of this process", async () => {
    const secret = Buffer.from("nothing of this process");
    // Memory of every size that is given back with something in it.
    for (let length = 512; length <= 65_536; length += 512) Buffer.allocUnsafeSlow(length).fill(secret);
    for (const sectors of ["01", "02", "08", "10", "40", "80"]) {
      const { dataIn } = await unit.execute(A, command(`28 00 00 00 00 00 00 00 ${sectors} 00`));
      expect(dataIn).to.have.length(512 * parseInt(sectors, 16));
      expect(dataIn.every((byte) => byte === 0)).to.equal(true);
    }
  });

  it("is not written to by a COMPARE AND WRITE that was aborted while it was read", async () => {
    const [abort, other] = [new AbortController(), new AbortController()];
    const compared = unit.execute(A, { ...COMPARE, signal: abort.signal });
    abort.abort();
    expect(outcome(await compared)).to.equal("ABORTED");
    const [first, second] = [unit.execute(A, COMPARE), unit.execute(A, { ...COMPARE, signal: other.signal })];
    other.abort();
    expect([outcome(await first), outcome(await second)]).to.deep.equal(["GOOD", "ABORTED"]);
    expect([medium.reads, medium.writes]).to.deep.equal([2, 1]);
  });

  describe("while it is flushed", () => {
    const B = nexus("B1");
    const MODE_SELECT = command("15 10 00 00 18 00", { dataOut: Buffer.from(`000000000812${"00".repeat(18)}`, "hex") });
    /** Commands whose GOOD says that data are safe. */
    const promises: readonly (readonly [what: string, sent: ReturnType<typeof command>])[] = [
      ["SYNCHRONIZE CACHE(10)", SYNCHRONIZE],
      ["SYNCHRONIZE CACHE(10) with IMMED", command("35 02 00 00 00 00 00 00 00 00")],
      ["SYNCHRONIZE CACHE(16)", command("91 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00")],
      ["WRITE(10) with FUA", FUA],
      ["WRITE(12) with FUA", command("aa 08 00 00 00 00 00 00 00 01 00 00", { dataOut: blocks(1, 1) })],
      ["WRITE(16) with FUA", command("8a 08 00 00 00 00 00 00 00 00 00 00 00 01 00 00", { dataOut: blocks(1, 1) })],
      ["WRITE AND VERIFY(10)", command("2e 00 00 00 00 00 00 00 01 00", { dataOut: blocks(1, 1) })],
      ["WRITE AND VERIFY(12)", command("ae 00 00 00 00 00 00 00 00 01 00 00", { dataOut: blocks(1, 1) })],
      ["WRITE AND VERIFY(16)", command("8e 00 00 00 00 00 00 00 00 00 00 00 00 01 00 00", { dataOut: blocks(1, 1) })],
      ["COMPARE AND WRITE with FUA", command("89 08 00 00 00 00 00 00 00 00 00 00 00 01 00 00", { dataOut: blocks(2, 0) })],
      ["START STOP UNIT with START = 0", command("1b 00 00 00 00 00")],
    ];
    /** Those that promise it only while there is no write cache. */
    const uncached: typeof promises = [
      ["WRITE(6)", command("0a 00 00 00 01 00", { dataOut: blocks(1, 1) })],
      ["WRITE(10)", WRITE],
      ["WRITE SAME(10)", command("41 00 00 00 00 00 00 00 01 00", { dataOut: blocks(1, 1) })],
      ["COMPARE AND WRITE", COMPARE],
    ];
    const all = async (table: typeof promises): Promise<readonly string[]> => {
      const outcomes: string[] = [];
      for (const [what, sent] of table) {
        for (const from of [A, B]) outcomes.push(`${what} ${outcome(await unit.execute(from, sent))}`);
      }
      // one of them stops the unit
      await unit.execute(A, command("1b 00 00 00 01 00"));
      return outcomes;
    };
    const each = (table: typeof promises, expected: string): readonly string[] =>
      table.flatMap(([what]) => [`${what} ${expected}`, `${what} ${expected}`]);
    const failOnce = async (errno: string, sent: ReturnType<typeof command>): Promise<string> => {
      medium.errors.fdatasync = errno;
      const result = outcome(await unit.execute(A, sent));
      delete medium.errors.fdatasync;
      return result;
    };

    for (const [errno, first] of [
      ["EIO", "03/0C/00"],
      ["ENOSPC", "07/27/07"],
      ["EBADF", "04/44/00"],
    ] as const) {
      it(`${errno}: from then on nothing is said to be safe, to no nexus, though the system would do so again`, async () => {
        expect(await all(promises)).to.deep.equal(each(promises, "GOOD"));
        expect(await failOnce(errno, SYNCHRONIZE)).to.equal(first);
        expect(await all(promises)).to.deep.equal(each(promises, "03/0C/00"));
        expect(await all(uncached), "into the write cache").to.deep.equal(each(uncached, "GOOD"));
        for (const sent of [READ, MODE_SELECT]) expect(outcome(await unit.execute(A, sent))).to.equal("GOOD");
        await unit.execute(B, command("00 00 00 00 00 00")); // mode parameters changed
        expect(await all(uncached), "past it").to.deep.equal(each(uncached, "03/0C/00"));
      });
    }

    for (const [what, sent] of promises) {
      it(`a failure that ${what} is told of is remembered for SYNCHRONIZE CACHE`, async () => {
        expect(await failOnce("EIO", sent)).to.equal("03/0C/00");
        expect(outcome(await unit.execute(B, SYNCHRONIZE))).to.equal("03/0C/00");
      });
    }

    it("is remembered over resets and power cycles, until the image is opened anew", async () => {
      await failOnce("EIO", SYNCHRONIZE);
      await unit.reset("target", A);
      await unit.execute(A, READ);
      expect(outcome(await unit.execute(A, SYNCHRONIZE))).to.equal("03/0C/00");
      await unit.powerCycle();
      await unit.execute(A, READ);
      expect(outcome(await unit.execute(A, SYNCHRONIZE))).to.equal("03/0C/00");
      await unit.close();
      unit = open();
      expect(outcome(await unit.execute(A, SYNCHRONIZE))).to.equal("GOOD");
    });

    it("is told to those too who asked while the flush that failed was under way, since the next one would not know", async () => {
      let end = (): void => undefined;
      medium.flushing.push(new Promise((resolve) => (end = resolve)));
      medium.errors.fdatasync = "EIO";
      const pending = [A, B, B].map((from) => unit.execute(from, SYNCHRONIZE));
      expect(medium.flushes, "one at a time").to.equal(1);
      end();
      expect((await Promise.all(pending)).map(outcome)).to.deep.equal(["03/0C/00", "03/0C/00", "03/0C/00"]);
      expect(medium.flushes).to.equal(1);
    });

    it("is remembered of a medium that throws it at once, and the unit is not stopped", async () => {
      const flush = medium.flush.bind(medium);
      medium.flush = (): never => {
        throw Object.assign(new Error("EIO"), { code: "EIO", errno: -1, syscall: "fdatasync" });
      };
      expect(outcome(await unit.execute(A, command("1b 00 00 00 00 00")))).to.equal("03/0c/00");
      expect(outcome(await unit.execute(A, command("00 00 00 00 00 00")))).to.equal("GOOD");
      medium.flush = flush;
      expect(outcome(await unit.execute(A, SYNCHRONIZE))).to.equal("03/0c/00");
    });

    it("who asks while a flush is under way gets one that began afterwards, together with the others", async () => {
      let end = (): void => undefined;
      medium.flushing.push(new Promise((resolve) => (end = resolve)));
      const pending = [A, B, B].map((from) => unit.execute(from, SYNCHRONIZE));
      end();
      expect((await Promise.all(pending)).map(outcome)).to.deep.equal(["GOOD", "GOOD", "GOOD"]);
      expect(medium.flushes).to.equal(2);
    });
  });

  it("a mistake of the library itself is not made a SCSI answer of", async () => {
    medium.failure = new TypeError("a bug");
    let error: unknown = null;
    try {
      await unit.execute(A, READ);
    } catch (caught) {
      error = caught;
    }
    expect(error).to.equal(medium.failure);
    medium.failure = null;
    expect(outcome(await unit.execute(A, READ))).to.equal("GOOD");
  });

  it("is not asked to write for a command that was aborted while it waited for another", async () => {
    const abort = new AbortController();
    const pending = [unit.execute(A, WRITE), unit.execute(A, { ...WRITE, signal: abort.signal })];
    abort.abort();
    expect((await Promise.all(pending)).map(outcome)).to.deep.equal(["GOOD", "ABORTED"]);
    expect(medium.writes).to.equal(1);
  });

  it("may give promises of another realm, and nothing for null", async () => {
    const foreign = runInNewContext(
      "(text) => text === undefined ? Promise.resolve() : Promise.reject(Object.assign(new Error(text), { code: text }))",
    ) as (code?: string) => Promise<void>; // as the text says
    const now: { code?: string } = {};
    for (const operation of ["read", "write", "flush"] as const) {
      medium[operation] = (): Promise<void> => foreign(now.code);
    }
    const sent = [READ, FUA, FUA, SYNCHRONIZE, COMPARE];
    expect((await Promise.all(sent.map((each) => unit.execute(A, each)))).map(outcome)).to.deep.equal(Array(5).fill("GOOD"));
    now.code = "EIO";
    expect(outcome(await unit.execute(A, SYNCHRONIZE))).to.equal("03/0c/00");
    expect(outcome(await unit.execute(A, WRITE))).to.equal("03/0c/00");
    Object.assign(medium, { read: () => undefined, write: () => undefined });
    for (const each of [READ, WRITE]) expect(outcome(await unit.execute(A, each))).to.equal("GOOD");
  });

  it("that cannot be flushed is not stopped", async () => {
    medium.errors.fdatasync = "EIO";
    expect(outcome(await unit.execute(A, command("1b 00 00 00 00 00")))).to.equal("03/0C/00");
    expect(outcome(await unit.execute(A, command("00 00 00 00 00 00")))).to.equal("GOOD");
    expect(outcome(await unit.execute(A, command("1b 00 00 00 04 00"))), "without a flush").to.equal("GOOD");
    expect(outcome(await unit.execute(A, command("00 00 00 00 00 00")))).to.equal("02/04/02");
  });

  it("takes no write any more while it is flushed to be stopped", async () => {
    const stopping = unit.execute(A, command("1b 00 00 00 00 00"));
    expect(outcome(await unit.execute(A, WRITE))).to.equal("02/04/02");
    expect([outcome(await stopping), medium.writes, medium.flushes]).to.deep.equal(["GOOD", 0, 1]);
  });

  it("is flushed exactly when somebody asks for it, or there is no write cache", async () => {
    const flushes = async (cdb: string, dataOut = blocks(2, 0)): Promise<number> => {
      medium.flushes = 0;
      expect(outcome(await unit.execute(A, command(cdb, { dataOut }))), cdb).to.equal("GOOD");
      return medium.flushes;
    };
    const cached = [
      "0a 00 00 00 01 00",
      "2a 00 00 00 00 00 00 00 01 00",
      "89 00 00 00 00 00 00 00 00 00 00 00 00 01 00 00",
      "41 00 00 00 00 00 00 00 01 00",
    ];
    for (const cdb of cached) expect(await flushes(cdb), cdb).to.equal(0);
    for (const cdb of [
      "2a 08 00 00 00 00 00 00 01 00",
      "2e 00 00 00 00 00 00 00 01 00",
      "89 08 00 00 00 00 00 00 00 00 00 00 00 01 00 00",
      "35 00 00 00 00 00 00 00 00 00",
      "1b 00 00 00 00 00",
    ]) {
      expect(await flushes(cdb), cdb).to.equal(1);
    }
    expect(await flushes("1b 00 00 00 04 00")).to.equal(0);
    expect(await flushes("1b 00 00 00 01 00")).to.equal(0);
    expect(await flushes("15 10 00 00 18 00", Buffer.from(`000000000812${"00".repeat(18)}`, "hex")), "write cache off").to.equal(0);
    for (const cdb of cached) expect(await flushes(cdb), cdb).to.equal(1);
  });
});
