import { expect } from "chai";
import { execFile } from "node:child_process";
import { setMaxListeners } from "node:events";
import { closeSync, openSync, writeFileSync } from "node:fs";
import { open, stat } from "node:fs/promises";
import { constants } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { AssertionError } from "#src/base/assert.js";
import { Errno } from "#src/native/errno.js";
import { declareFunctions } from "#src/native/libc.js";
import { NativeMemory } from "#src/native/memory.js";
import { SG_IO_DATA_BYTES_MAX } from "#src/native/sg-io/sg-io.js";
import type { SgIoOutcome, SgIoRequest } from "#src/native/sg-io/sg-io.js";
import { SgIoCaller } from "#src/native/sg-io/call.js";
import { SG_IO_THREADS_MAX, SG_IO_WAITING_MAX, ThreadedSgIoExecutor } from "#src/native/sg-io/executor.js";
import { makeFolder, removeFolder } from "../support/folder.js";
import { openDescriptors } from "../support/descriptors.js";

const INQUIRY: SgIoRequest = { cdb: Uint8Array.of(0x12, 0, 0, 0, 36, 0), dataInLength: 36, timeoutMs: 1000, senseLength: 32 };
const NO_SCSI: SgIoOutcome = { errno: Errno.ENOTTY };
const CANCELED: SgIoOutcome = { errno: Errno.ECANCELED };

interface MemoryFunctions {
  readonly memcpy: (to: bigint, from: bigint | Uint8Array, length: number) => unknown;
}

const run = promisify(execFile);

describe("native: SG_IO", () => {
  const folder = makeFolder();
  const file = join(folder, "file");
  let executor: ThreadedSgIoExecutor;
  let fd = -1;
  let nullFd = -1;

  before(() => {
    writeFileSync(file, "");
    fd = openSync(file, "r+");
    nullFd = openSync("/dev/null", "r+");
  });

  after(() => {
    closeSync(fd);
    closeSync(nullFd);
    removeFolder(folder);
  });

  beforeEach(() => {
    executor = new ThreadedSgIoExecutor(2);
  });

  afterEach(() => executor.close());

  it("reports what the kernel says: a regular file and /dev/null are no SCSI devices", async () => {
    for (const target of [fd, nullFd]) {
      expect(await executor.execute(target, INQUIRY)).to.deep.equal(NO_SCSI);
      expect(await executor.execute(target, { cdb: Uint8Array.of(0, 0, 0, 0, 0, 0), timeoutMs: 1, senseLength: 0 })).to.deep.equal(NO_SCSI);
      expect(
        await executor.execute(target, { cdb: new Uint8Array(16), dataOut: new Uint8Array(9), timeoutMs: 1, senseLength: 252 }),
      ).to.deep.equal(NO_SCSI);
      expect(await executor.sgVersion(target)).to.deep.equal(NO_SCSI);
    }
    expect(await executor.execute(99_999, INQUIRY)).to.deep.equal({ errno: Errno.EBADF });
    expect(await executor.sgVersion(-1)).to.deep.equal({ errno: Errno.EBADF });
  });

  it("checks sizes and direction before it asks the kernel", async () => {
    for (const length of [0, 17]) {
      expect(await executor.execute(fd, { ...INQUIRY, cdb: new Uint8Array(length) })).to.deep.equal({ errno: Errno.EINVAL });
    }
    expect(await executor.execute(fd, { ...INQUIRY, dataInLength: SG_IO_DATA_BYTES_MAX })).to.deep.equal(NO_SCSI);
    expect(await executor.execute(fd, { ...INQUIRY, dataInLength: SG_IO_DATA_BYTES_MAX + 1 })).to.deep.equal({ errno: Errno.EINVAL });
    const mistakes: readonly Partial<SgIoRequest>[] = [
      { dataOut: new Uint8Array(1) },
      { dataInLength: -1 },
      { dataInLength: 1.5 },
      { timeoutMs: 0 },
      { timeoutMs: 2 ** 32 },
      { senseLength: 253 },
    ];
    for (const mistake of mistakes) {
      const error: unknown = await executor.execute(fd, { ...INQUIRY, ...mistake }).catch((reason: unknown) => reason);
      expect(error, JSON.stringify(mistake)).to.be.instanceOf(AssertionError);
    }
    expect(() => new ThreadedSgIoExecutor(0)).to.throw(AssertionError);
    expect(() => new ThreadedSgIoExecutor(SG_IO_THREADS_MAX + 1)).to.throw(AssertionError);
  });

  it("can also be made on this very thread", () => {
    const caller = new SgIoCaller();
    expect(caller.execute(fd, INQUIRY)).to.deep.equal(NO_SCSI);
    expect(caller.version(fd)).to.deep.equal(NO_SCSI);
    expect(caller.execute(fd, { ...INQUIRY, cdb: new Uint8Array(0) })).to.deep.equal({ errno: Errno.EINVAL });
  });

  describe("struct sg_io_hdr", () => {
    const { memcpy } = declareFunctions<MemoryFunctions>({ memcpy: "void *memcpy(void *to, const void *from, size_t length)" });

    /** The bytes that the pointer at `offset` of a structure points to. */
    function pointedTo(header: DataView, offset: number, length: number): Uint8Array {
      const bytes = new NativeMemory(length);
      memcpy(bytes.address, header.getBigUint64(offset, true), length);
      return bytes.bytes;
    }

    /** Has the device answer with `answer`, a function of the header the kernel would get. */
    function callerFor(answer: (header: DataView) => number): SgIoCaller {
      return new SgIoCaller((target, request, argument) => {
        expect([target, request]).to.deep.equal([7, 0x2285]);
        return answer(new DataView(argument.buffer, argument.byteOffset));
      });
    }

    it("asks for data from the device, and takes them, the sense data and what is said of them", () => {
      const caller = callerFor((header) => {
        expect(header.getInt32(0, true)).to.equal("S".charCodeAt(0));
        expect(header.getInt32(4, true)).to.equal(-3);
        expect([header.getUint8(8), header.getUint8(9), header.getUint16(10, true)]).to.deep.equal([6, 32, 0]);
        expect(header.getUint32(12, true)).to.equal(36);
        expect(pointedTo(header, 24, 6)).to.deep.equal(INQUIRY.cdb);
        expect([header.getUint32(40, true), header.getUint32(44, true), header.getUint32(48, true)]).to.deep.equal([1000, 0, 0]);
        expect(header.getBigUint64(56, true)).to.equal(0n);
        memcpy(header.getBigUint64(16, true), Buffer.from("0123456789".repeat(4)), 36);
        memcpy(header.getBigUint64(32, true), Uint8Array.of(0x70, 0, 6), 3);
        header.setUint8(64, 2);
        header.setUint8(67, 3);
        header.setUint16(68, 0x0102, true);
        header.setUint16(70, 0x0308, true);
        header.setInt32(72, 31, true);
        return 0;
      });
      expect(caller.execute(7, INQUIRY)).to.deep.equal({
        status: 2,
        hostStatus: 0x0102,
        driverStatus: 0x0308,
        residual: 31,
        sense: Uint8Array.of(0x70, 0, 6),
        dataIn: new TextEncoder().encode("01234"),
      });
    });

    it("sends data to the device", () => {
      const dataOut = Uint8Array.of(9, 1, 2, 3).subarray(1);
      const caller = callerFor((header) => {
        expect(header.getInt32(4, true)).to.equal(-2);
        expect([header.getUint8(8), header.getUint8(9)]).to.deep.equal([16, 252]);
        expect(pointedTo(header, 16, header.getUint32(12, true))).to.deep.equal(Uint8Array.of(1, 2, 3));
        expect(header.getUint32(40, true)).to.equal(0xffff_ffff);
        return 0;
      });
      const outcome = caller.execute(7, { cdb: new Uint8Array(16), dataOut, timeoutMs: 0xffff_ffff, senseLength: 252 });
      expect(outcome).to.deep.include({ status: 0, residual: 0, sense: new Uint8Array(0), dataIn: new Uint8Array(0) });
    });

    it("has no direction without data, and nothing of the command before", () => {
      let calls = 0;
      const caller = callerFor((header) => {
        calls += 1;
        if (calls === 1) {
          new Uint8Array(header.buffer, header.byteOffset, 88).fill(0xff, 64);
          return 0;
        }
        expect([header.getInt32(4, true), header.getUint32(12, true)]).to.deep.equal([-1, 0]);
        expect(header.getBigUint64(16, true)).to.equal(0n);
        return 0;
      });
      const request = { cdb: new Uint8Array(6), timeoutMs: 1, senseLength: 0 };
      expect(caller.execute(7, { ...request, dataInLength: 9 })).to.deep.include({ status: 0xff, residual: 0 });
      expect(caller.execute(7, request)).to.deep.include({ status: 0, hostStatus: 0, driverStatus: 0, residual: 0 });
    });

    it("keeps an impossible residual within the buffer", () => {
      for (const [claimed, expected] of [
        [-1, 0],
        [37, 36],
        [2 ** 31 - 1, 36],
      ] as const) {
        const caller = callerFor((header) => (header.setInt32(72, claimed, true), 0));
        const outcome = caller.execute(7, INQUIRY);
        expect(outcome).to.include({ residual: expected });
        expect(outcome.errno === undefined && outcome.dataIn.length).to.equal(36 - expected);
      }
    });

    it("is not looked at when the call fails", () => {
      expect(callerFor(() => -Errno.ENOMEM).execute(7, INQUIRY)).to.deep.equal({ errno: Errno.ENOMEM });
    });

    it("is not needed to ask for the version", () => {
      const caller = new SgIoCaller((target, request, argument) => {
        expect([target, request]).to.deep.equal([7, 0x2282]);
        new DataView(argument.buffer).setInt32(0, 30536, true);
        return 0;
      });
      expect(caller.version(7)).to.deep.equal({ version: 30536 });
    });
  });

  it("runs 64 commands on two threads, and duplicates no descriptor for good", async () => {
    await Promise.all(Array.from({ length: 4 }, () => executor.execute(fd, INQUIRY)));
    const before = openDescriptors();
    const outcomes = await Promise.all(Array.from({ length: 64 }, (_, i) => executor.execute(i % 2 === 0 ? fd : 99_999, INQUIRY)));
    for (const [i, outcome] of outcomes.entries()) expect(outcome.errno).to.equal(i % 2 === 0 ? Errno.ENOTTY : Errno.EBADF);
    expect(openDescriptors()).to.deep.equal(before);
  });

  it("has no more threads than it may, and none before the first command", async () => {
    let started = 0;
    const count = (): void => void (started += 1);
    process.on("worker", count);
    try {
      const other = new ThreadedSgIoExecutor(3);
      expect(started).to.equal(0);
      await Promise.all(Array.from({ length: 20 }, () => other.execute(fd, INQUIRY)));
      expect(started).to.equal(3);
      await other.close();
    } finally {
      process.off("worker", count);
    }
  });

  it("lets go of the caller's buffers and of the pool they may come from", async () => {
    const pooled = Buffer.from("hello, disk");
    const view = new Uint8Array(pooled.buffer, pooled.byteOffset, pooled.length);
    expect(await executor.execute(fd, { cdb: view.subarray(0, 6), dataOut: view, timeoutMs: 1, senseLength: 0 })).to.deep.equal(NO_SCSI);
    expect(String(pooled)).to.equal("hello, disk");
  });

  it("answers with the meaning of TASK SET FULL when too many wait", async () => {
    const accepted = Array.from({ length: SG_IO_WAITING_MAX + 2 }, () => executor.execute(fd, INQUIRY));
    expect(await executor.execute(fd, INQUIRY)).to.deep.equal({ errno: Errno.EDOM });
    for (const outcome of await Promise.all(accepted)) expect(outcome).to.deep.equal(NO_SCSI);
  });

  it("gives up a command when told to, waiting or running, and goes on with the others", async () => {
    const single = new ThreadedSgIoExecutor(1);
    await single.execute(fd, INQUIRY);
    const before = openDescriptors();
    const running = new AbortController();
    const waiting = new AbortController();
    const outcomes = [
      single.execute(fd, { ...INQUIRY, signal: running.signal }),
      single.execute(fd, { ...INQUIRY, signal: waiting.signal }),
      single.execute(fd, INQUIRY),
    ];
    running.abort();
    waiting.abort();
    expect(await Promise.all(outcomes)).to.deep.equal([CANCELED, CANCELED, NO_SCSI]);
    expect(await single.execute(fd, { ...INQUIRY, signal: waiting.signal })).to.deep.equal(CANCELED);
    expect(openDescriptors()).to.deep.equal(before);
    await single.close();
  });

  it("has room again for as many as were given up while they waited", async () => {
    const single = new ThreadedSgIoExecutor(1);
    const controller = new AbortController();
    setMaxListeners(0, controller.signal);
    const running = single.execute(fd, INQUIRY);
    const waiting = Array.from({ length: SG_IO_WAITING_MAX }, () => single.execute(fd, { ...INQUIRY, signal: controller.signal }));
    controller.abort();
    expect(await single.execute(fd, INQUIRY)).to.deep.equal(NO_SCSI);
    expect(await running).to.deep.equal(NO_SCSI);
    for (const outcome of await Promise.all(waiting)) expect(outcome).to.deep.equal(CANCELED);
    await single.close();
  });

  it("settles everything when it is closed, at once and for good", async () => {
    const outcomes = Array.from({ length: 64 }, () => executor.execute(fd, INQUIRY));
    const version = executor.sgVersion(fd);
    const closed = executor.close();
    expect(executor.close()).to.equal(closed);
    for (const outcome of await Promise.all(outcomes)) expect(outcome).to.deep.equal(CANCELED);
    expect(await version).to.deep.equal(CANCELED);
    await closed;
    expect(await executor.execute(fd, INQUIRY)).to.deep.equal(CANCELED);
    await new ThreadedSgIoExecutor().close();
  });

  it("needs nothing of libuv's pool, not even to start", async () => {
    const fifo = join(folder, "fifo");
    await run("mkfifo", [fifo]);
    const poolSize = Number(process.env["UV_THREADPOOL_SIZE"] ?? 4);
    // Each of these blocks a thread of the pool until the other end is opened.
    const blocked = Array.from({ length: poolSize }, () => open(fifo, "r"));
    let poolIsFree = false;
    const behind = stat(file).then(() => (poolIsFree = true));
    try {
      const outcomes = await Promise.all(Array.from({ length: 20 }, () => executor.execute(fd, INQUIRY)));
      expect(outcomes).to.deep.equal(Array.from({ length: 20 }, () => NO_SCSI));
      expect(poolIsFree).to.equal(false);
    } finally {
      const release = openSync(fifo, "r+");
      for (const handle of await Promise.all(blocked)) await handle.close();
      await behind;
      closeSync(release);
    }
  });

  it("has threads that no signal interrupts: an interrupted command would be started a second time", async () => {
    const script = `
      import { openSync, readdirSync, readFileSync } from "node:fs";
      import { ThreadedSgIoExecutor } from "#src/native/sg-io/executor.js";
      const threads = () => readdirSync("/proc/self/task");
      const before = new Set(threads());
      const executor = new ThreadedSgIoExecutor(2);
      const request = { cdb: new Uint8Array(6), dataInLength: 8, timeoutMs: 1000, senseLength: 32 };
      const fd = openSync("/dev/null", "r+");
      await Promise.all([executor.execute(fd, request), executor.execute(fd, request)]);
      const blocked = threads()
        .filter((thread) => !before.has(thread))
        .map((thread) => /SigBlk:.(.*)/.exec(readFileSync("/proc/self/task/" + thread + "/status", "utf8"))[1]);
      await executor.close();
      console.log(blocked.join(" "));
    `;
    const { stdout } = await run(process.execPath, ["--input-type=module", "--eval", script]);
    const masks = stdout.trim().split(" ");
    expect(masks).to.have.lengthOf(2);
    const SIGNALS = ["SIGHUP", "SIGINT", "SIGALRM", "SIGTERM", "SIGCHLD", "SIGWINCH"] as const;
    for (const mask of masks) {
      for (const signal of SIGNALS) expect((BigInt(`0x${mask}`) >> BigInt(constants.signals[signal] - 1)) & 1n, signal).to.equal(1n);
    }
  });

  it("does not keep the process alive while it is idle", async () => {
    const script = `
      import { ThreadedSgIoExecutor } from "#src/native/sg-io/executor.js";
      const outcome = await new ThreadedSgIoExecutor().execute(0, { cdb: new Uint8Array(6), timeoutMs: 1, senseLength: 0 });
      console.log(outcome.errno > 0);
    `;
    const { stdout } = await run(process.execPath, ["--input-type=module", "--eval", script]);
    expect(stdout).to.equal("true\n");
  });
});
