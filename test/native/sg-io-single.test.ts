/** SG_IO without threads of its own. What the kernel answers to a disk's commands: lab tests, and canned disks in test/cli. */
import { closeSync, openSync } from "node:fs";
import { expect } from "chai";
import { Errno } from "#src/native/errno.js";
import { addressOf } from "#src/native/libc.js";
import { SgIoHdr } from "#src/native/sg-io/layout.js";
import { SingleSgIoExecutor } from "#src/native/sg-io/single.js";

const TEST_UNIT_READY = { cdb: new Uint8Array(6), timeoutMs: 1000, senseLength: 96 };

describe("a single SG_IO command", () => {
  let fd = -1;
  before(() => (fd = openSync("/dev/null", "r")));
  after(() => closeSync(fd));

  it("has the error number of its own call, however many run at once", async () => {
    const sgIo = new SingleSgIoExecutor();
    const outcomes = await Promise.all([fd, -1, fd, -1, fd].map((each) => sgIo.execute(each, TEST_UNIT_READY)));
    const [none, bad] = [{ errno: Errno.ENOTTY }, { errno: Errno.EBADF }];
    expect(outcomes).to.deep.equal([none, bad, none, bad, none]);
    await sgIo.close();
  });

  it("is refused without a call where its shape is wrong", async () => {
    const sgIo = new SingleSgIoExecutor();
    expect(await sgIo.execute(fd, { ...TEST_UNIT_READY, cdb: new Uint8Array(17) })).to.deep.equal({ errno: Errno.EINVAL });
    await sgIo.close();
  });

  it("ends with ECANCELED by its signal and by close", async () => {
    const canceled = { errno: Errno.ECANCELED };
    const sgIo = new SingleSgIoExecutor();
    const controller = new AbortController();
    const running = sgIo.execute(fd, { ...TEST_UNIT_READY, signal: controller.signal });
    controller.abort();
    expect(await running).to.deep.equal(canceled);
    expect(await sgIo.execute(fd, { ...TEST_UNIT_READY, signal: AbortSignal.abort() })).to.deep.equal(canceled);
    const closed = sgIo.execute(fd, TEST_UNIT_READY);
    await sgIo.close();
    expect(await closed).to.deep.equal(canceled);
    expect(await sgIo.execute(fd, TEST_UNIT_READY)).to.deep.equal(canceled);
  });

  it("lets go of data-out when it is given up, and holds on to a copy for the kernel", async () => {
    const dataOut = Uint8Array.of(1, 2, 3, 4);
    const controller = new AbortController();
    let header = new Uint8Array(0);
    const sgIo = new SingleSgIoExecutor((_fd, _request, argument) => {
      header = new Uint8Array(argument);
      return new Promise(() => undefined);
    });
    const running = sgIo.execute(fd, { ...TEST_UNIT_READY, dataOut, signal: controller.signal });
    controller.abort();
    expect(await running).to.deep.equal({ errno: Errno.ECANCELED });
    const view = new DataView(header.buffer, header.byteOffset);
    expect(view.getUint32(SgIoHdr.DXFER_LEN, true)).to.equal(4);
    expect(view.getBigUint64(SgIoHdr.DXFERP, true)).not.to.equal(addressOf(dataOut));
  });
});
