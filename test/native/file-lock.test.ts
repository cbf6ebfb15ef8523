/** Locks of open file descriptions: who is in whose way, and when a lock ends. */
import { expect } from "chai";
import { closeSync, openSync, writeFileSync } from "node:fs";
import { isRangeHeldByOthers, lockRange, unlockRange, WHOLE_FILE } from "#src/native/file/lock.js";
import type { FileLockKind } from "#src/native/file/lock.js";
import { libc as loadLibc } from "#src/native/libc.js";
import { temporaryFolder } from "../support/folder.js";

describe("native: locks of byte ranges", () => {
  const folder = temporaryFolder();
  const libc = loadLibc();
  let a = -1;
  let b = -1;

  beforeEach(() => {
    writeFileSync(folder.path("image"), "");
    a = openSync(folder.path("image"), "r+");
    b = openSync(folder.path("image"), "r+");
  });

  afterEach(() => {
    for (const fd of [a, b]) if (fd !== -1) closeSync(fd);
  });

  const BYTE = { start: 100, length: 1 };

  for (const [first, second, granted] of [
    ["shared", "shared", true],
    ["shared", "exclusive", false],
    ["exclusive", "shared", false],
    ["exclusive", "exclusive", false],
  ] satisfies [FileLockKind, FileLockKind, boolean][]) {
    it(`${granted ? "grants" : "refuses"} a lock (${second}) on a byte that is locked (${first})`, () => {
      expect(lockRange(libc, a, first, BYTE)).to.equal(true);
      expect(isRangeHeldByOthers(libc, b, second, BYTE)).to.equal(!granted);
      expect(lockRange(libc, b, second, BYTE)).to.equal(granted);
    });
  }

  it("concerns the bytes of the range and no others", () => {
    expect(lockRange(libc, a, "exclusive", BYTE)).to.equal(true);
    expect(lockRange(libc, b, "exclusive", { start: 99, length: 1 })).to.equal(true);
    expect(lockRange(libc, b, "exclusive", { start: 101, length: 0 })).to.equal(true);
    expect(lockRange(libc, b, "exclusive", WHOLE_FILE)).to.equal(false);
  });

  it("does not see the description's own locks as held by others", () => {
    lockRange(libc, a, "exclusive", BYTE);
    expect(isRangeHeldByOthers(libc, a, "exclusive", BYTE)).to.equal(false);
  });

  it("ends when it is given back, and when its description is closed", () => {
    lockRange(libc, a, "exclusive", BYTE);
    unlockRange(libc, a, BYTE);
    expect(lockRange(libc, b, "exclusive", BYTE)).to.equal(true);
    closeSync(b);
    b = -1;
    expect(lockRange(libc, a, "exclusive", BYTE)).to.equal(true);
  });

  it("outlasts the close of another descriptor of the file", () => {
    lockRange(libc, a, "exclusive", BYTE);
    closeSync(openSync(folder.path("image"), "r+"));
    expect(isRangeHeldByOthers(libc, b, "exclusive", BYTE)).to.equal(true);
  });

  it("is refused with the error of the system on a descriptor that cannot have it", () => {
    const readOnly = openSync(folder.path("image"), "r");
    try {
      expect(() => lockRange(libc, readOnly, "exclusive", BYTE))
        .to.throw("cannot set a lock on the file")
        .with.nested.property("cause.code", "EBADF");
    } finally {
      closeSync(readOnly);
    }
  });
});
