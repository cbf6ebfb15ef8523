/** A thread of the SG_IO executor: takes one job at a time and answers each with its outcome. */

import { parentPort } from "node:worker_threads";
import { present } from "../../base/assert.js";
import { SgIoCaller } from "./call.js";
import type { SgIoJob, SgIoReady } from "./executor.js";
import { libc } from "../libc.js";
import { blockSignals } from "../signals.js";

const port = present(parentPort, "this file runs as a worker thread");
const caller = new SgIoCaller();
blockSignals();
libc();

port.on("message", (job: SgIoJob) => {
  if (job.request === null) {
    port.postMessage(caller.version(job.fd));
    return;
  }
  const outcome = caller.execute(job.fd, job.request);
  const data = outcome.errno === undefined ? outcome.dataIn.buffer : null;
  port.postMessage(outcome, data instanceof ArrayBuffer ? [data] : []);
});

const ready: SgIoReady = "ready";
port.postMessage(ready);
