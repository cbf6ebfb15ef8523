/**
 * A hostile driver: whatever it puts into the queues, every chain is answered or the device needs a reset; nothing is thrown, and no
 * memory is written but what the driver gave for that. The seed of a failure is printed by fast-check.
 */
import { expect } from "chai";
import fc from "fast-check";
import { OurPeer } from "./support/ours.js";
import { commandRequest, commandText, fields, lunField, send } from "./support/peer.js";

/** Drivers' lives, each of up to 30 requests: many in a soak run (SOAK=1), fewer while somebody waits. */
const RUNS = process.env["SOAK"] === "1" ? 50_000 : 1000;
const TIMEOUT_MS = process.env["SOAK"] === "1" ? 1_200_000 : 60_000;
const REQUESTS_MAX = 30;

const GUARD = 0xa5;
const RESPONSE_CODE_MAX = 12;
const SENSE_BYTES_MAX = 0xffff;
const QUEUES = 3;

/** Operation codes that take the interesting ways; any other byte comes too. */
const opcode = fc.oneof(
  fc.constantFrom(0x00, 0x03, 0x08, 0x0a, 0x12, 0x25, 0x28, 0x2a, 0x2f, 0x41, 0x46, 0x5e, 0x5f, 0x88, 0x89, 0x9e, 0xa0, 0xa3),
  fc.nat(255),
);
const cdb = fc.tuple(opcode, fc.uint8Array({ maxLength: 40 })).map(([first, rest]) => Buffer.from([first, ...rest]).toString("hex"));
/** Zeros are frequent where a field is small in real CDBs. */
const tameCdb = fc
  .tuple(opcode, fc.array(fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, fc.nat(255)), { minLength: 15, maxLength: 15 }))
  .map(([first, rest]) => Buffer.from([first, ...rest]).toString("hex"));
const lun = fc.oneof(
  fc.constantFrom(lunField([0, 0]), lunField([0, 300]), lunField([0, 7]), lunField([2, 0]), lunField([2, 3]), lunField([9, 0])),
  fc.uint8Array({ minLength: 8, maxLength: 8 }),
);
const tag = fc.bigInt(0n, 3n);

const request = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(lun, fc.oneof(cdb, tameCdb), tag).map(([to, text, name]) => commandRequest(to, text, name)) },
  { weight: 3, arbitrary: fc.tuple(fc.nat(9), lun, tag).map(([tmf, to, name]) => fields([0, 4], [tmf, 4], to, [name, 8])) },
  { weight: 1, arbitrary: fc.tuple(fc.nat(3), lun).map(([type, to]) => fields([type, 4], to, [0, 4])) },
  { weight: 2, arbitrary: fc.uint8Array({ maxLength: 80 }) },
);

/** Where to cut a buffer into segments. */
const cuts = fc.array(fc.nat(1200), { maxLength: 4 });
const dataBytes = fc.oneof(fc.constant(0), fc.constantFrom(8, 18, 36, 512, 1024), fc.nat(1100));

interface Step {
  readonly queue: number;
  readonly readable: Uint8Array;
  readonly readableCuts: readonly number[];
  readonly room: number;
  readonly writableCuts: readonly number[];
  readonly config: { readonly offset: number; readonly bytes: Uint8Array } | null;
}

const step: fc.Arbitrary<Step> = fc
  .record({
    queue: fc.oneof({ weight: 6, arbitrary: fc.constant(2) }, { weight: 3, arbitrary: fc.constant(0) }, fc.nat(QUEUES)),
    request,
    data: dataBytes,
    readableCuts: cuts,
    room: fc.oneof({ weight: 6, arbitrary: dataBytes.map((bytes) => 108 + bytes) }, fc.nat(120)),
    writableCuts: cuts,
    config: fc.option(fc.record({ offset: fc.integer({ min: -2, max: 40 }), bytes: fc.uint8Array({ maxLength: 4 }) }), { freq: 40 }),
  })
  .map(({ data, request: header, ...rest }) => ({ ...rest, readable: Buffer.concat([header, Buffer.alloc(data, 0x11)]) }));

function segments(bytes: Uint8Array, at: readonly number[]): Uint8Array[] {
  const ends = [...at.map((cut) => Math.min(cut, bytes.length)), bytes.length].toSorted((a, b) => a - b);
  return ends.map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end));
}

/** Chai would take a third of the run for what is as it should be. */
function isAll(value: number, bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === value);
}

/** Sends one chain; the returned promise is of the checks of its answer. */
function submit(peer: OurPeer, { queue, readable, readableCuts, room, writableCuts }: Step): Promise<void> {
  const memory = new Uint8Array(room + 64).fill(GUARD);
  const writable = memory.subarray(32, 32 + room).fill(0);
  const sent = Uint8Array.from(readable);
  const chain = { readable: segments(readable, readableCuts), writable: segments(writable, writableCuts) };
  return peer.hba.submit(queue, chain).then((used) => {
    if (Buffer.compare(readable, sent) !== 0) expect(readable, "what the driver wrote").to.deep.equal(Buffer.from(sent));
    if (!isAll(GUARD, memory.subarray(0, 32)) || !isAll(GUARD, memory.subarray(32 + room))) expect.fail("written beside the memory given");
    if (used === null) return;
    if (!(used >= 0 && used <= room)) expect.fail(`${used} bytes used of ${room}`);
    if (!isAll(0, writable.subarray(used))) expect.fail(`more is written than the ${used} bytes used`);
    if (queue !== 2) return;
    const view = new DataView(writable.buffer, writable.byteOffset);
    if (view.getUint32(0, true) > SENSE_BYTES_MAX) expect.fail(`${view.getUint32(0, true)} bytes of sense data`);
    if (view.getUint8(11) > RESPONSE_CODE_MAX) expect.fail(`response code ${view.getUint8(11)}`);
  });
}

describe("virtio-scsi and a hostile driver", () => {
  let peer: OurPeer;
  before(async () => {
    peer = await OurPeer.start();
  });
  after(() => peer.close());

  it("answers every chain or needs a reset", async function () {
    this.timeout(TIMEOUT_MS);
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: REQUESTS_MAX }), async (steps) => {
        await peer.restart();
        const answered: Promise<void>[] = [];
        for (const one of steps) {
          if (one.config !== null) peer.hba.writeConfig(one.config.offset, one.config.bytes);
          answered.push(submit(peer, one));
          if (peer.hba.needsReset !== null) await peer.restart();
        }
        await peer.restart();
        await Promise.all(answered);
        expect(commandText(await send(peer, [0, 0], { cdb: "000000000000" }))).to.contain("sense 7000060000");
        expect(commandText(await send(peer, [0, 0], { cdb: "120000000100", inBytes: 1 }))).to.equal("response 0, status 00, residual 0");
      }),
      { numRuns: RUNS },
    );
  });
});
