/** What the packaged unit lets the helper take is enough for whatever its clients can make it keep at the same time: threads and disks. */

import { expect } from "chai";
import { chmodSync, closeSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { STUCK_CLOSES_MAX, STUCK_CLOSES_PER_USER } from "#src/helper/workers/spent-descriptors.js";
import { USERS_AT_THEIR_LIMIT } from "#src/helper/managers/user-ledger.js";
import { BYTES_PER_USER_DEFAULT } from "#src/helper/managers/user-limits.js";
import { threadsMaxOf } from "#src/helper/workers/worker-pool.js";
import { greetedAs } from "./support/command-client.js";
import { until, Workshop } from "./support/helper-process.js";
import { MuteFuse } from "./support/mute-fuse.js";
import { cdb } from "./support/scenarios.js";

const SERVICE = fileURLToPath(new URL("../../../packaging/systemd/qom-pr-helper.service", import.meta.url));

/** The default of `--workers`. */
const WORKERS = 16;
const FIRST_UID = 2000;
const READ_KEYS = cdb(0x5e, 0, 32);

/** Bytes that a process has in memory (proc_pid_status(5)). */
function memoryOf(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "latin1"))?.[1]) * 1024;
}

describe("memory of qom-pr-helper", () => {
  const fuse = new MuteFuse();
  const workshop = new Workshop();

  it("is less than the packaged unit allows, with all threads and all that users may have it keep", async function () {
    const server = await fuse.serve(this);
    const helper = await workshop.start("memory", ["--object", "pr-manager-memory"]);
    const path = workshop.path("memory");
    chmodSync(path, 0o666);
    chmodSync(workshop.path("."), 0o711);
    const atStart = memoryOf(helper.pid);
    for (let close = 0; close < STUCK_CLOSES_MAX; close += 1) {
      const client = await greetedAs(FIRST_UID + Math.floor(close / STUCK_CLOSES_PER_USER), path);
      const fd = server.open();
      client.send(READ_KEYS, [fd]);
      closeSync(fd);
      await client.readAnswer();
    }
    // The two of the start may be among those that wait: the last ones have nobody who would have to replace them.
    const lines = (): number =>
      helper.stderr.match(/closing a descriptor of user \d+ is waiting for its file system or disk\n/g)?.length ?? 0;
    await until(() => lines() >= STUCK_CLOSES_MAX - 1);
    const ofThread = (memoryOf(helper.pid) - atStart) / STUCK_CLOSES_MAX;
    const allowed = Number(/^MemoryMax=(\d+)M$/m.exec(readFileSync(SERVICE, "latin1"))?.[1]) * 1024 ** 2;
    expect(atStart + ofThread * threadsMaxOf(WORKERS) + USERS_AT_THEIR_LIMIT * BYTES_PER_USER_DEFAULT).to.be.lessThan(allowed);
    await server.end();
    expect(await helper.stop()).to.deep.equal({ code: 0, signal: null });
  });
});
