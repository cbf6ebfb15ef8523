/** When a unit lets go of the locks on its image: not while something of it can still be written. */
import { open } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { setImmediate as everythingSettled } from "node:timers/promises";
import { expect } from "chai";
import { ImageLock } from "#src/native/file/image-lock.js";
import type { LogicalUnit } from "#src/target/unit/logical-unit.js";
import type { Medium } from "#src/target/medium/medium.js";
import { temporaryFolder } from "../support/folder.js";
import { refusal } from "../support/refusal.js";
import { blocks, command, nexus, WWN } from "./support.js";
import { outcome } from "../support/outcome.js";
import { unitOn } from "./support/unit-on.js";

const WRITER = { writes: true, sharesWrites: false };
const WRITE = command("2a 00 00 00 00 00 00 00 01 00", { dataOut: blocks(1, 1) });

/** A medium with a locked file, whose writes end when the test lets them. */
class SlowMedium implements Medium {
  readonly sizeBytes = 1024 * 1024;
  readonly fd = null;
  readonly deallocates = true;
  readonly ends: (() => void)[] = [];

  constructor(readonly lock: ImageLock) {}

  read(): null {
    return null;
  }

  write(): Promise<void> {
    return new Promise((resolve) => this.ends.push(resolve));
  }

  deallocate(): void {}

  flush(): null {
    return null;
  }

  async close(): Promise<void> {}
}

describe("a unit's claims of its image", () => {
  const A = nexus("A1");
  const folder = temporaryFolder();
  const handles: FileHandle[] = [];
  let medium: SlowMedium;
  let unit: LogicalUnit;
  let other: ImageLock;
  const lock = async (): Promise<ImageLock> => {
    const handle = await open(folder.path("image"), "a+");
    handles.push(handle);
    return new ImageLock({ fd: handle.fd, filename: "image", locking: "on", warn: (line) => expect.fail(line) });
  };
  beforeEach(async () => {
    medium = new SlowMedium(await lock());
    other = await lock();
    unit = unitOn(medium, WWN, "/slow");
  });
  afterEach(async () => {
    for (const end of medium.ends.splice(0)) end();
    await unit.close();
    for (const handle of handles.splice(0)) await handle.close();
  });

  it("end at once when nothing is under way", () => {
    unit.claimMedium(WRITER)();
    other.claim(WRITER);
  });

  it("last as long as a write that was begun, though its command was aborted and its user is gone", async () => {
    const release = unit.claimMedium(WRITER);
    const abort = new AbortController();
    const writing = unit.execute(A, { ...WRITE, signal: abort.signal });
    abort.abort();
    release();
    unit.logout(A);
    expect((await refusal(() => other.claim(WRITER))).kind).to.equal("in-use");
    for (const end of medium.ends.splice(0)) end();
    expect(outcome(await writing)).to.equal("ABORTED");
    await everythingSettled();
    other.claim(WRITER);
  });
});
