import { closeSync, openSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { QomError } from "#src/base/errors.js";
import { Errno } from "#src/native/errno.js";
import { CachedReads } from "#src/native/file/cached-reads.js";
import { addressOf, libc } from "#src/native/libc.js";
import { makeFolder, removeFolder } from "../support/folder.js";

/** A libc whose function answers with these, one after the other, and counts its calls. */
function answering(...results: readonly number[]): { readonly load: () => never; readonly calls: Uint8Array[] } {
  const calls: Uint8Array[] = [];
  const preadv2 = (_fd: number, vectors: Uint8Array): number => {
    calls.push(vectors.slice());
    return results[calls.length - 1] ?? 0;
  };
  return { load: () => ({ preadv2 }) as never, calls };
}

describe("reads of what is in memory", function () {
  const folder = makeFolder();
  const path = join(folder, "file");
  const content = Uint8Array.from({ length: 10_000 }, (_, index) => index % 251);
  let fd = -1;
  before(function () {
    try {
      libc();
    } catch (error) {
      if (!(error instanceof QomError)) throw error;
      this.skip();
    }
    writeFileSync(path, content);
    fd = openSync(path, "r");
  });
  after(() => {
    if (fd >= 0) closeSync(fd);
    removeFolder(folder);
  });

  /** What was read is right, however much that is: the kernel may have dropped the file from memory, or not support this at all. */
  function readAll(reads: CachedReads, offset: number, into: Uint8Array): number {
    const done = reads.read(offset, into);
    expect(into.subarray(0, done)).to.deep.equal(content.subarray(offset, offset + done).slice());
    expect([...into.subarray(done)].every((byte) => byte === 0xee)).to.equal(true);
    return done;
  }

  it("reads into the memory that it is given, and not beside it", () => {
    const memory = new Uint8Array(5000).fill(0xee);
    readAll(new CachedReads(fd), 1234, memory.subarray(1000, 3000));
    expect([...memory.subarray(0, 1000), ...memory.subarray(3000)].every((byte) => byte === 0xee)).to.equal(true);
  });

  it("reads into memory that threads share, and into a few bytes", () => {
    const reads = new CachedReads(fd);
    readAll(reads, 0, new Uint8Array(new SharedArrayBuffer(512)).fill(0xee));
    readAll(reads, 9, new Uint8Array(3).fill(0xee));
  });

  it("reads no further than the file goes, and nothing into nothing", () => {
    const reads = new CachedReads(fd);
    expect(readAll(reads, 9_900, new Uint8Array(200).fill(0xee))).to.be.at.most(100);
    expect(reads.read(0, new Uint8Array(0))).to.equal(0);
  });

  it("gives the kernel address and length of the memory", () => {
    const { load, calls } = answering(100);
    const into = new Uint8Array(1000).subarray(100, 300);
    expect(new CachedReads(fd, load).read(0, into)).to.equal(100);
    const [vector] = calls;
    const view = new DataView(vector?.buffer ?? new ArrayBuffer(16));
    expect([view.getBigUint64(0, true), view.getBigUint64(8, true)]).to.deep.equal([addressOf(into), 200n]);
  });

  it("reads nothing where it would have to wait, and asks again the next time", () => {
    const { load, calls } = answering(-Errno.EAGAIN, -Errno.EINTR, -Errno.EIO, 10);
    const reads = new CachedReads(fd, load);
    const into = new Uint8Array(10);
    expect([1, 2, 3, 4].map(() => reads.read(0, into))).to.deep.equal([0, 0, 0, 10]);
    expect(calls).to.have.length(4);
  });

  for (const errno of ["ENOTSUP", "ENOSYS", "EINVAL", "EPERM"] as const) {
    it(`asks no more after ${errno}`, () => {
      const { load, calls } = answering(-Errno[errno], 10);
      const reads = new CachedReads(fd, load);
      expect([reads.read(0, new Uint8Array(10)), reads.read(0, new Uint8Array(10))]).to.deep.equal([0, 0]);
      expect(calls).to.have.length(1);
    });
  }

  it("reads nothing where there is no native code, and tries to load it once", () => {
    let loads = 0;
    const reads = new CachedReads(fd, () => {
      loads += 1;
      throw new QomError("unsupported", "not here");
    });
    expect([reads.read(0, new Uint8Array(10)), reads.read(0, new Uint8Array(10))]).to.deep.equal([0, 0]);
    expect(loads).to.equal(1);
  });
});
