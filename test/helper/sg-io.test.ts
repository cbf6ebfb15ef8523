/** What becomes of a request at the device: the SG_IO call, and how its outcome is answered. A stand-in plays the disk. */

import { expect } from "chai";
import fc from "fast-check";
import { closeSync, openSync } from "node:fs";
import { RESPONSE_HEADER_SIZE } from "#src/scsi/pr-helper.js";
import { parseSense } from "#src/scsi/sense.js";
import { findPrHelper, skipWithoutPrHelper } from "../support/pr-helper.js";
import { Workshop } from "./support/helper-process.js";
import { RawClient } from "./support/raw-client.js";
import { cdb, SCENARIOS, converse } from "./support/scenarios.js";
import { scriptedCdb, SgShim } from "./support/sg-shim.js";
import type { ShimAnswer } from "./support/sg-shim.js";

const PR_IN = 0x5e;
const PR_OUT = 0x5f;
const PARAMETERS = Buffer.alloc(24, 0xc3);

/** Sends requests on one connection, in turn. */
class Disk {
  readonly #client: RawClient;
  readonly #fd = openSync("/dev/null", "r+");

  constructor(client: RawClient) {
    this.#client = client;
  }

  async request(bytes: Buffer): Promise<Buffer> {
    this.#client.send(bytes, [this.#fd]);
    if (bytes[0] === PR_OUT) this.#client.send(PARAMETERS);
    return this.#client.readAnswer();
  }

  close(): void {
    this.#client.close();
    closeSync(this.#fd);
  }
}

/** Host bytes that qemu-pr-helper knows; to others it answers GOOD, and to ECANCELED, which only our executor gives, something else. */
const HOST_STATUSES = [0x01, 0x02, 0x03, 0x04, 0x05, 0x08, 0x0e, 0x10, 0x11, 0x12, 0x13];
const ECANCELED = 125;
/** To which qemu-pr-helper answers as ours since QEMU 11, and 7.2 with an I/O error. */
const ENODEV = 19;

/** Outcomes of the call that the kernel has, and some that it should not have. */
const OUTCOMES: readonly ShimAnswer[] = [
  {},
  ...[64, 128, 4096, 8128, 8192, 16320].map((residual) => ({ residual })),
  ...[1, 4, 5, 6, 11, 12, 14, 16, 22, 25, 28, 33, 52, 61, 110, 121, 123].map((errno) => ({ errno })),
  ...[0x02, 0x04, 0x08, 0x18, 0x28, 0x30, 0x40].map((status) => ({ status })),
  ...[0, 8, 18, 32, 96, 252].map((senseLength) => ({ status: 2, driverStatus: 8, senseLength })),
  ...HOST_STATUSES.map((hostStatus) => ({ hostStatus })),
  { driverStatus: 6 },
  { status: 0x18, residual: 64 },
  { status: 2, driverStatus: 8, senseLength: 18, residual: 64 },
  { status: 2, hostStatus: 3, driverStatus: 8, senseLength: 18 },
];

/** Requests that a client sends before it has the answer to the first, which takes longer than its turn. */
const AHEAD = 60;

const RANDOM_REQUESTS = 500;
const RANDOM_TIMEOUT_MS = 60_000;

/**
 * Errnos that the kernel has, and outcomes in all combinations. Sense data comes with CHECK CONDITION and nothing else, as a driver gives
 * it: what qemu-pr-helper sends behind the sense data of other statuses is not for comparison.
 */
const anyOutcome: fc.Arbitrary<ShimAnswer> = fc.oneof(
  {
    weight: 1,
    arbitrary: fc.record({ errno: fc.integer({ min: 1, max: 133 }).filter((errno) => errno !== ECANCELED && errno !== ENODEV) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      status: fc.constantFrom(0, 0, 0, 0x02, 0x04, 0x08, 0x18, 0x28, 0x30, 0x40),
      hostStatus: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.constantFrom(...HOST_STATUSES) }),
      residual: fc.nat(255).map((units) => units * 64),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      status: fc.constant(2),
      driverStatus: fc.constant(8),
      senseLength: fc.nat(252),
      residual: fc.nat(255).map((units) => units * 64),
    }),
  },
);

const anyScriptedRequest: fc.Arbitrary<Buffer> = fc
  .record({ out: fc.boolean(), serviceAction: fc.nat(31), length: fc.nat(8192), outcome: anyOutcome })
  .map(({ out, serviceAction, length, outcome }) => {
    const bytes = scriptedCdb(out ? PR_OUT : PR_IN, out ? PARAMETERS.length : length, outcome);
    bytes[1] = serviceAction;
    return bytes;
  });

describe("SG_IO calls of qom-pr-helper", () => {
  const workshop = new Workshop();
  const shim = new SgShim();
  let ours: Disk;
  // Without a C compiler the suite is skipped, and nothing was opened.
  const opened: Disk[] = [];
  before(async () => {
    await workshop.start("ours", [], shim.environment);
    ours = new Disk(await RawClient.greeted(workshop.path("ours")));
    opened.push(ours);
  });
  after(() => opened.forEach((disk) => disk.close()));

  it("ask for 8192 bytes whatever the allocation length, and answer with as many as that allows", async () => {
    for (const [allocationLength, residual, expected] of [
      [8192, 0, 8192],
      [8192, 8128, 64],
      [100, 0, 100],
      [100, 8128, 64],
      [0, 0, 0],
    ] as const) {
      const answer = await ours.request(scriptedCdb(PR_IN, allocationLength, { residual }));
      expect([answer.readInt32BE(0), answer.readInt32BE(4), answer.length - RESPONSE_HEADER_SIZE]).to.deep.equal([0, expected, expected]);
      // interface 'S', from the device, 16 bytes of CDB, room for 96 of sense data, no scatter list, 8192 bytes, no flags
      const asked = Array.from({ length: Math.floor(expected / 4) }, (_, i) => answer.readInt32LE(RESPONSE_HEADER_SIZE + 4 * i));
      expect(asked.slice(0, 7)).to.deep.equal([0x53, -3, 16, 96, 0, 8192, 0].slice(0, asked.length));
    }
  });

  it("send the parameter list, and answer without data", async () => {
    const answer = await ours.request(scriptedCdb(PR_OUT, PARAMETERS.length, { status: 2, driverStatus: 8, senseLength: 96 }));
    expect([answer.readInt32BE(0), answer.readInt32BE(4), answer.length]).to.deep.equal([2, 0, RESPONSE_HEADER_SIZE]);
    const asked = Array.from({ length: 7 }, (_, i) => answer.readInt32LE(8 + 18 + 4 * i));
    expect(asked).to.deep.equal([0x53, -2, 16, 96, 0, PARAMETERS.length, 0]);
    expect(answer.subarray(8 + 60, 8 + 64)).to.deep.equal(PARAMETERS.subarray(0, 4));
  });

  it("say INTERNAL TARGET FAILURE of a device that is gone, as qemu-pr-helper since QEMU 11", async () => {
    for (const request of [scriptedCdb(PR_IN, 8, { errno: ENODEV }), scriptedCdb(PR_OUT, PARAMETERS.length, { errno: ENODEV })]) {
      const answer = await ours.request(request);
      expect([answer.readInt32BE(0), answer.readInt32BE(4)]).to.deep.equal([2, 0]);
      expect(parseSense(answer.subarray(8))).to.include({ key: 4, asc: 0x44, ascq: 0 });
    }
  });

  it("give sense data with CHECK CONDITION only", async () => {
    const answer = await ours.request(scriptedCdb(PR_IN, 0, { driverStatus: 8, senseLength: 18 }));
    expect(answer).to.deep.equal(Buffer.alloc(RESPONSE_HEADER_SIZE)); // qemu-pr-helper sends whatever sense data the kernel wrote
  });

  it("are made for reservation commands only", async () => {
    const calls = shim.calls.length;
    for (const scenario of SCENARIOS.filter(({ answers }) => answers.length === 0)) {
      await converse(workshop.path("ours"), scenario, "/dev/null");
    }
    await ours.request(cdb(PR_IN, 0, 8));
    expect([...shim.calls.subarray(calls)]).to.deep.equal([PR_IN]);
  });

  it("are made in turn for clients that share a worker, however many requests one of them has sent ahead", async () => {
    const helper = await workshop.start("shared", ["--workers", "1"], shim.environment);
    const [many, few] = [await RawClient.greeted(workshop.path("shared")), await RawClient.greeted(workshop.path("shared"))];
    const device = openSync("/dev/null", "r+");
    const before = shim.calls.length;
    const HOLD = 200;
    await few.drained(); // its first word counts as a turn
    many.send(scriptedCdb(PR_IN, 8, { hold: HOLD }), [device]);
    await shim.called(before + 1);
    for (let i = 0; i < AHEAD; i += 1) many.send(scriptedCdb(PR_IN, 8), [device]);
    few.send(scriptedCdb(PR_OUT, 0), [device]);
    shim.release(HOLD);
    await shim.called(before + AHEAD + 2);
    expect(shim.calls.subarray(before).indexOf(PR_OUT)).to.be.within(1, AHEAD - 1);
    for (let i = 0; i <= AHEAD; i += 1) expect((await many.readAnswer()).length).to.equal(RESPONSE_HEADER_SIZE + 8);
    expect((await few.readAnswer()).length).to.equal(RESPONSE_HEADER_SIZE);
    closeSync(device);
    await helper.stop();
  });

  describe("have the outcome they have with qemu-pr-helper", () => {
    let theirs: Disk | undefined;
    before(async function () {
      const program = findPrHelper();
      if (program === null) skipWithoutPrHelper(this);
      await workshop.start("theirs", [], shim.environment, program);
      theirs = new Disk(await RawClient.greeted(workshop.path("theirs")));
    });
    after(() => theirs?.close());

    it(`in ${RANDOM_REQUESTS} random requests`, async function () {
      this.timeout(RANDOM_TIMEOUT_MS);
      const property = fc.asyncProperty(anyScriptedRequest, async (request) => {
        expect(await ours.request(request)).to.deep.equal(await theirs?.request(request));
      });
      await fc.assert(property, { numRuns: RANDOM_REQUESTS });
    });

    for (const outcome of OUTCOMES) {
      it(JSON.stringify(outcome), async () => {
        for (const request of [
          ...[0, 8, 500, 8192].map((length) => scriptedCdb(PR_IN, length, outcome)),
          scriptedCdb(PR_OUT, PARAMETERS.length, outcome),
        ]) {
          expect(await ours.request(request)).to.deep.equal(await theirs?.request(request));
        }
      });
    }
  });
});
