/** Entry point of a worker thread; see worker.ts. */

import { parentPort, workerData } from "node:worker_threads";
import { present } from "../../base/assert.js";
import { HelperWorker } from "./worker.js";
import type { NumberedWorkerSetup } from "./worker.js";

const port = present(parentPort, "worker-main is started as a worker thread");
const setup = workerData as NumberedWorkerSetup; // typed any; WorkerPool passes exactly this
new HelperWorker(setup, (message) => port.postMessage(message)).run();
