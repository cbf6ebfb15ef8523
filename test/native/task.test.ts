/** What the threads of this process are doing. */

import { expect } from "chai";
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { callingTask, isRunnable } from "#src/native/process/task.js";

describe("a thread of this process", () => {
  it("has a number, and runs when it asks", () => {
    expect(callingTask()).to.equal(process.pid);
    expect(isRunnable(process.pid)).to.be.true;
  });

  it("does not run while it waits, or when there is none", async () => {
    const flag = new Int32Array(new SharedArrayBuffer(4));
    const code = `
      const { parentPort, workerData } = require("node:worker_threads");
      parentPort.postMessage(require("node:fs").readlinkSync("/proc/thread-self").split("/").pop());
      Atomics.wait(workerData, 0, 0);`;
    const worker = new Worker(code, { eval: true, workerData: flag });
    const task = await new Promise((resolve) => worker.once("message", resolve));
    while (isRunnable(Number(task))) await new Promise((resolve) => setImmediate(resolve));
    Atomics.store(flag, 0, 1);
    Atomics.notify(flag, 0);
    await once(worker, "exit");
    // Newer versions of Node say so while the thread has its last steps before it; the test's own limit of time ends the wait.
    while (isRunnable(Number(task))) await new Promise((resolve) => setImmediate(resolve));
    expect(isRunnable(Number(task))).to.be.false;
  });
});
