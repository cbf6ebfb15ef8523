/** Image locks: which bytes of the file they are, who keeps out whom, and what happens where there are none. */
import { expect } from "chai";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, writeFileSync } from "node:fs";
import { describeError, QomError } from "#src/base/errors.js";
import { Errno } from "#src/native/errno.js";
import { isRangeHeldByOthers, lockRange } from "#src/native/file/lock.js";
import type { ImageAccess } from "#src/base/image-access.js";
import { ImageLock } from "#src/native/file/image-lock.js";
import type { ImageLockOptions } from "#src/native/file/image-lock.js";
import { libc as loadLibc } from "#src/native/libc.js";
import type { Libc } from "#src/native/libc.js";
import { temporaryFolder } from "../support/folder.js";
import { refusal } from "../support/refusal.js";

const WRITER: ImageAccess = { writes: true, sharesWrites: false };
const SHARING_WRITER: ImageAccess = { writes: true, sharesWrites: true };
const READER: ImageAccess = { writes: false, sharesWrites: false };
const SHARING_READER: ImageAccess = { writes: false, sharesWrites: true };

const F_OFD_GETLK = 36;
const F_OFD_SETLK = 37;

describe("native: image locks", () => {
  const folder = temporaryFolder();
  const libc = loadLibc();
  const descriptors: number[] = [];
  const warnings: string[] = [];
  const open = (name = "image"): number => {
    const fd = openSync(folder.path(name), "r+");
    descriptors.push(fd);
    return fd;
  };
  const lock = (options: Partial<ImageLockOptions> = {}): ImageLock =>
    new ImageLock({ fd: open(), filename: "disk.img", locking: "auto", warn: (line) => void warnings.push(line), ...options });
  /** The bytes that QEMU knows, of which somebody else than `fd` has locked some. */
  const held = (fd: number): readonly number[] =>
    [100, 101, 102, 103, 200, 201, 202, 203].filter((start) => isRangeHeldByOthers(libc, fd, "exclusive", { start, length: 1 }));
  /** The system's calls, of which one fails, or is told of first. */
  const libcWith = (fcntlLock: (fd: number, command: number, bytes: Uint8Array) => number): (() => Libc) => {
    return () => ({ ...libc, fcntlLock });
  };

  beforeEach(() => {
    for (const name of ["image", "other"]) writeFileSync(folder.path(name), "");
  });
  afterEach(() => {
    for (const fd of descriptors.splice(0)) closeSync(fd);
    expect(warnings.splice(0), "nothing is told that a test does not ask for").to.deep.equal([]);
  });

  for (const [what, access, bytes] of [
    ["a writer", WRITER, [100, 101, 201]],
    ["a writer beside others", SHARING_WRITER, [100, 101]],
    ["a reader", READER, [100, 201]],
    ["a reader beside others", SHARING_READER, [100]],
  ] as const) {
    it(`${what} holds bytes ${bytes.join(", ")} until it goes`, () => {
      const release = lock().claim(access);
      const fd = open();
      expect(held(fd)).to.deep.equal(bytes);
      expect(isRangeHeldByOthers(libc, fd, "shared", { start: 100, length: 0 }), "all of them are shared locks").to.equal(false);
      release();
      release();
      expect(held(fd)).to.deep.equal([]);
    });
  }

  const KINDS = { WRITER, SHARING_WRITER, READER, SHARING_READER } as const;
  const TOGETHER: Readonly<Record<keyof typeof KINDS, readonly (keyof typeof KINDS)[]>> = {
    WRITER: ["SHARING_READER"],
    SHARING_WRITER: ["SHARING_WRITER", "SHARING_READER"],
    READER: ["READER", "SHARING_READER"],
    SHARING_READER: ["WRITER", "SHARING_WRITER", "READER", "SHARING_READER"],
  };
  for (const first of Object.keys(KINDS) as (keyof typeof KINDS)[]) {
    it(`beside ${first} go ${TOGETHER[first].join(", ")}, and nothing stays locked by who is refused`, () => {
      lock().claim(KINDS[first]);
      const before = held(open());
      const admitted = (Object.keys(KINDS) as (keyof typeof KINDS)[]).filter((second) => {
        try {
          lock().claim(KINDS[second])();
          return true;
        } catch (error) {
          expect(error).to.be.instanceOf(QomError).with.property("kind", "in-use");
          return false;
        }
      });
      expect(admitted).to.deep.equal(TOGETHER[first]);
      expect(held(open())).to.deep.equal(before);
    });
  }

  it("is refused in one line that names the file, another process, and both ways out", async () => {
    lock().claim(WRITER);
    const error = await refusal(() => lock().claim(WRITER));
    expect(error.kind).to.equal("in-use");
    expect(error.message).to.match(/^'disk\.img' is in use by another process/);
    expect(error.hint).to.contain("share-rw=on").and.to.contain("locking=off");
    expect(error.context).to.include({ option: "filename", value: "disk.img" });
  });

  it("is refused by whoever has such a byte for itself alone", async () => {
    expect(lockRange(libc, open(), "exclusive", { start: 201, length: 1 })).to.equal(true);
    expect((await refusal(() => lock().claim(SHARING_WRITER))).kind, "to use what it does not share").to.equal("in-use");
    expect((await refusal(() => lock().claim(WRITER))).kind, "to lock it as well").to.equal("in-use");
    expect(held(open())).to.deep.equal([201]);
  });

  it("has what any of its users uses, and shares what all of them do", () => {
    const image = lock();
    const fd = open();
    const reader = image.claim(SHARING_READER);
    const writer = image.claim(SHARING_WRITER);
    const alone = image.claim(WRITER);
    expect(held(fd)).to.deep.equal([100, 101, 201]);
    alone();
    expect(held(fd)).to.deep.equal([100, 101]);
    writer();
    expect(held(fd)).to.deep.equal([100]);
    reader();
    expect(held(fd)).to.deep.equal([]);
  });

  it("users that look alike are not one", () => {
    const image = lock();
    const fd = open();
    const [first] = [image.claim(WRITER), image.claim(WRITER)];
    first();
    expect(held(fd)).to.deep.equal([100, 101, 201]);
  });

  it("a user that is refused leaves those before it as they were", async () => {
    lock().claim(SHARING_WRITER);
    const image = lock();
    image.claim(SHARING_WRITER);
    await refusal(() => image.claim(WRITER));
    closeSync(descriptors.shift() ?? -1);
    expect(held(open())).to.deep.equal([100, 101]);
  });

  it("of two that begin at the same moment not both are let through", () => {
    const admitted: string[] = [];
    const attempt = (name: string, image: ImageLock): void => {
      try {
        image.claim(WRITER);
        admitted.push(name);
      } catch (error) {
        expect(error).to.be.instanceOf(QomError).with.property("kind", "in-use");
      }
    };
    for (let step = 0; step < 8; step += 1) {
      admitted.length = 0;
      const other = lock();
      let calls = -1; // the first is whether there are locks at all
      const image = lock({
        load: libcWith((fd, command, bytes) => {
          if (calls === step) attempt("the other", other);
          calls += 1;
          return libc.fcntlLock(fd, command, bytes);
        }),
      });
      attempt("the one", image);
      if (calls <= step) attempt("the other", other);
      expect(admitted.length, `at step ${step}: ${admitted.join()}`).to.be.at.most(1);
      for (const fd of descriptors.splice(0)) closeSync(fd);
    }
  });

  it("takes nothing from another file that has the number of its descriptor by now", () => {
    const image = lock();
    const release = image.claim(WRITER);
    const fd = descriptors.pop() ?? -1;
    image.end();
    closeSync(fd);
    expect(open("other"), "the number is used again").to.equal(fd);
    lock({ fd }).claim(WRITER);
    release();
    expect(held(open("other"))).to.deep.equal([100, 101, 201]);
  });

  it("lasts as long as another process has the descriptor that it was lent, unless it was given back before", async () => {
    for (const givenBack of [false, true]) {
      const image = lock();
      image.claim(WRITER);
      const fd = descriptors.pop() ?? -1;
      const borrower = spawn("sleep", ["60"], { stdio: ["ignore", "ignore", "ignore", fd] });
      await once(borrower, "spawn");
      if (givenBack) image.end();
      closeSync(fd);
      expect(held(open())).to.deep.equal(givenBack ? [] : [100, 101, 201]);
      borrower.kill("SIGKILL");
      await once(borrower, "close");
      expect(held(open())).to.deep.equal([]);
    }
  });

  describe("where there are none", () => {
    const unsupported = (): never => {
      throw new QomError("unsupported", "system calls need Linux, and this is sunos");
    };
    const HERE = "image locks are not available here (system calls need Linux, and this is sunos)";
    const FILE = "image locks are not available for 'disk.img' (fcntl: no locks available (ENOLCK))";

    it("auto goes on and says so, in the same words for every image", () => {
      lock({ load: unsupported }).claim(WRITER)();
      lock({ load: unsupported, filename: "second.img" }).claim(WRITER);
      const line = `${HERE}: another process that opens the same image will not be noticed`;
      expect(warnings.splice(0)).to.deep.equal([line, line]);
    });

    it("on is refused, and off does not ask", async () => {
      const error = await refusal(() => lock({ load: unsupported, locking: "on" }));
      expect([error.kind, describeError(error)]).to.deep.equal([
        "unsupported",
        `${HERE}, and 'locking=on' needs them (locking=auto continues without them, locking=off does not ask for them)`,
      ]);
      lock({ load: unsupported, locking: "off" }).claim(WRITER);
    });

    for (const [when, command] of [
      ["looked at", F_OFD_GETLK],
      ["taken", F_OFD_SETLK],
    ] as const) {
      const load = libcWith((fd, called, bytes) => (called === command ? -Errno.ENOLCK : libc.fcntlLock(fd, called, bytes)));
      const use = (locking: "auto" | "on" | "off"): (() => void) => lock({ load, locking }).claim(WRITER);

      it(`on a file system that refuses them when they are ${when}: auto warns, on fails, off does not ask`, async () => {
        use("auto")();
        expect(warnings.splice(0)).to.deep.equal([`${FILE}: another process that opens the same image will not be noticed`]);
        const error = await refusal(() => use("on"));
        expect([error.kind, error.message]).to.deep.equal(["unsupported", `${FILE}, and 'locking=on' needs them`]);
        use("off")();
        expect(held(open())).to.deep.equal([]);
      });
    }
  });
});
