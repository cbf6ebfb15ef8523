/** A helper that may have few descriptors: connections wait, and those that are let in find room for their requests. */

import { expect } from "chai";
import { closeSync, existsSync, openSync } from "node:fs";
import { RESPONSE_HEADER_SIZE } from "#src/scsi/pr-helper.js";
import { connectionsFor } from "#src/helper/serving/gate.js";
import { OUR_PROGRAM, Workshop } from "./support/helper-process.js";
import { RawClient } from "./support/raw-client.js";
import { cdb } from "./support/scenarios.js";

describe("descriptors of qom-pr-helper", () => {
  const workshop = new Workshop();
  let device = -1;
  before(() => (device = openSync("/dev/null", "r+")));
  after(() => closeSync(device));

  for (const [limit, open, workers, connections] of [
    [8192, 40, 16, 4028],
    [1024, 40, 16, 444],
    [128, 40, 2, 24],
    [64, 40, 16, 8],
    [Infinity, 40, 16, Infinity],
  ] as const) {
    it(`of which it may have ${limit}: ${connections} connections, with ${workers} workers`, () => {
      expect(connectionsFor(limit, open, workers)).to.equal(connections);
    });
  }

  it("are there for the request of everybody who is let in, however many connect", async () => {
    const path = workshop.path("few");
    const helper = workshop.spawn(
      ["--nofile=128:128", OUR_PROGRAM, "-k", path, "--workers", "2", "--connections-per-user", "100"],
      {},
      {},
      "prlimit",
    );
    await helper.serves(path);
    const clients = Array.from({ length: 100 }, () => new RawClient(path));
    const admitted = clients.slice(0, 16);
    const request = cdb(0x5e, 0, 32);
    for (const client of admitted) {
      expect((await client.read(4)).length).to.equal(4);
      client.send(Buffer.alloc(4));
    }
    // All of them have a descriptor in the helper at the same time.
    for (const client of admitted) {
      client.send(request.subarray(0, 3), [device]);
      await client.drained();
    }
    for (const client of admitted) client.send(request.subarray(3));
    for (const client of admitted) expect((await client.readAnswer()).length).to.equal(RESPONSE_HEADER_SIZE);
    for (const client of clients.slice(0, -1)) client.close();
    // Who has waited in the kernel's queue comes when others have gone.
    const last = clients.at(-1);
    expect((await last?.read(4))?.length).to.equal(4);
    last?.close();
    expect(helper.stderr).not.to.match(/no descriptor|cannot accept/);
    await helper.stop();
  });

  it("end it with one line, when there are too few for it to start", async function () {
    this.timeout(120_000);
    const path = workshop.path("too-few");
    let [limit, failed] = [56, false];
    while (!failed) {
      limit -= 8;
      const helper = workshop.spawn([`--nofile=${limit}:${limit}`, OUR_PROGRAM, "-k", path], {}, {}, "prlimit");
      failed = await helper.serves(path).then(
        () => false,
        () => true,
      );
      if (!failed) await helper.stop();
      else
        expect(helper.stderr, String(limit)).to.match(
          /^(?:qom-pr-helper: CAP_SYS_RAWIO is missing[^\n]+\n)?(?:qom-pr-helper: listening on [^\n]+\n)?qom-pr-helper: [^\n]*(?:too many open files|EMFILE)[^\n]*\n$/,
        );
      expect((await helper.ended).code, String(limit)).to.equal(failed ? 1 : 0);
    }
    expect(existsSync(path)).to.equal(false);
  });

  it("leave room for others when one user connects as often as it can", async () => {
    const path = workshop.path("one-user");
    const helper = workshop.spawn(["--nofile=128:128", OUR_PROGRAM, "-k", path, "--workers", "2"], {}, {}, "prlimit");
    await helper.serves(path);
    const clients = Array.from({ length: 100 }, () => new RawClient(path));
    // Nobody waits in the kernel's queue: who is one too many for its user is told so, and the place is free.
    const greetings = await Promise.all(clients.map((client) => client.read(4)));
    const greeted = greetings.filter(({ length }) => length === 4).length;
    expect(greeted).to.be.within(4, 128 / 4);
    expect(helper.stderr).to.match(/refused: its user has \d+ connections, the most allowed/);
    for (const client of clients) client.close();
    await helper.stop();
  });
});
