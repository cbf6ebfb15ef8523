import { expect } from "chai";
import { systemClock } from "#src/base/clock.js";
import { defaultBehaviour } from "#src/target/behaviour.js";
import { diskCommands } from "#src/target/device-server.js";
import { LogicalUnit } from "#src/target/logical-unit.js";
import type { Medium } from "#src/target/medium.js";
import { memoryStore } from "#src/target/reservation-store.js";
import { blocks, command, nexus, outcome, WWN } from "./support.js";

/** A medium that does what the test says, and counts how often it is made safe. */
class ScriptedMedium implements Medium {
  readonly sizeBytes = 1024 * 1024;
  readonly fd = 99;
  readonly deallocates = false;
  flushes = 0;
  writes = 0;
  /** Errno names by operation; an operation without one does nothing. */
  readonly errors: { read?: string; write?: string; fdatasync?: string } = {};
  failure: Error | null = null;

  read(): Promise<void> {
    return this.#end("read");
  }

  write(): Promise<void> {
    this.writes += 1;
    return this.#end("write");
  }

  deallocate(): void {}

  flush(): Promise<void> {
    this.flushes += 1;
    return this.#end("fdatasync");
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
  beforeEach(() => {
    medium = new ScriptedMedium();
    unit = new LogicalUnit({
      definition: {
        wwn: WWN,
        sizeBytes: medium.sizeBytes,
        filename: "/scripted",
        blockSizeBytes: 512,
        physicalBlockSizeBytes: 512,
        serial: "1",
        writeProtected: false,
        thinProvisioned: true,
      },
      medium,
      commands: diskCommands(true),
      behaviour: defaultBehaviour,
      store: memoryStore,
      storeName: WWN,
      clock: systemClock,
    });
  });
  afterEach(async () => unit.close());

  const READ = command("28 00 00 00 00 00 00 00 01 00");
  const WRITE = command("2a 00 00 00 00 00 00 00 01 00", { dataOut: blocks(1, 1) });
  const FUA = command("2a 08 00 00 00 00 00 00 01 00", { dataOut: blocks(1, 1) });
  const SYNCHRONIZE = command("35 00 00 00 00 00 00 00 00 00");
  const COMPARE = command("89 00 00 00 00 00 00 00 00 00 00 00 00 01 00 00", { dataOut: blocks(2, 0) });

  const failures = [
    ["EIO while reading: unrecovered read error", "read", "EIO", READ, "03/11/00"],
    ["EIO while writing: write error", "write", "EIO", WRITE, "03/0c/00"],
    ["EIO while flushing: write error", "fdatasync", "EIO", SYNCHRONIZE, "03/0c/00"],
    ["a full disk: space allocation failed", "write", "ENOSPC", WRITE, "07/27/07"],
    ["a quota: space allocation failed", "write", "EDQUOT", WRITE, "07/27/07"],
    ["a file that may not grow: space allocation failed", "write", "EFBIG", WRITE, "07/27/07"],
    ["another error: internal target failure", "read", "EBADF", READ, "04/44/00"],
    ["FUA and a flush that fails", "fdatasync", "ENOSPC", FUA, "07/27/07"],
    ["COMPARE AND WRITE and a read that fails", "read", "EIO", COMPARE, "03/11/00"],
    ["COMPARE AND WRITE and a write that fails", "write", "EIO", COMPARE, "03/0c/00"],
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

  it("that cannot be flushed is not stopped", async () => {
    medium.errors.fdatasync = "EIO";
    expect(outcome(await unit.execute(A, command("1b 00 00 00 00 00")))).to.equal("03/0c/00");
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
