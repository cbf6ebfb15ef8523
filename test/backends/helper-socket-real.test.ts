import { expect } from "chai";
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "#src/base/clock.js";
import { HelperConnection, HelperExchangeError } from "#src/backends/helper-socket/connection.js";
import { Sense, parseSense } from "#src/scsi/sense.js";
import { openDescriptors } from "../support/descriptors.js";
import { ManualClock } from "../support/manual-clock.js";
import { usePrHelper } from "../support/pr-helper.js";

const READ_KEYS = { cdb: Uint8Array.of(0x5e, 0, 0, 0, 0, 0, 0, 0, 8, 0), allocationLength: 8 };
const REGISTER = { cdb: Uint8Array.of(0x5f, 0, 0, 0, 0, 0, 0, 0, 24, 0), dataOut: new Uint8Array(24), allocationLength: 0 };

describe("helper socket: against qemu-pr-helper", () => {
  const helper = usePrHelper();
  const folder = mkdtempSync(join(tmpdir(), "disk-"));
  const disk = join(folder, "disk");
  let connections: HelperConnection[] = [];
  let readWrite = -1;
  let readOnly = -1;
  let writeOnly = -1;

  before(() => {
    writeFileSync(disk, "");
    readWrite = openSync(disk, "r+");
    readOnly = openSync(disk, "r");
    writeOnly = openSync(disk, "a");
  });

  after(() => {
    // Without the program the suite is skipped, and nothing was opened.
    for (const fd of [readWrite, readOnly, writeOnly]) if (fd >= 0) closeSync(fd);
    rmSync(folder, { recursive: true });
  });

  afterEach(() => {
    for (const connection of connections) connection.close();
    connections = [];
  });

  async function connect(clock = systemClock, commandTimeoutMs?: number): Promise<HelperConnection> {
    const timeout = commandTimeoutMs === undefined ? {} : { commandTimeoutMs };
    const connection = await HelperConnection.open(helper.path, { clock, handshakeTimeoutMs: 5000, ...timeout });
    connections.push(connection);
    return connection;
  }

  it("passes the descriptor: a regular file is no SCSI device", async () => {
    const connection = await connect();
    for (const request of [READ_KEYS, REGISTER]) {
      const { status, dataIn, sense } = await connection.exchange(readWrite, request);
      expect(status).to.equal(0x02);
      expect(dataIn).to.have.length(0);
      expect(sense).to.have.length(96);
      expect(parseSense(sense)).to.deep.equal(Sense.IO_ERROR);
    }
  });

  it("passes the very descriptor: PERSISTENT RESERVE OUT needs one that was opened for writing", async () => {
    const connection = await connect();
    const answers = await Promise.all([readOnly, writeOnly, readWrite].map((fd) => connection.exchange(fd, REGISTER)));
    const senses = answers.map(({ sense }) => parseSense(sense));
    expect(senses).to.deep.equal([Sense.INVALID_COMMAND_OPERATION_CODE, Sense.IO_ERROR, Sense.IO_ERROR]);
    expect(parseSense((await connection.exchange(readOnly, READ_KEYS)).sense)).to.deep.equal(Sense.IO_ERROR);
  });

  it("answers many commands, in sequence and at once, on one connection and on several, and leaks nothing", async () => {
    const all = await Promise.all(Array.from({ length: 4 }, () => connect()));
    const before = openDescriptors();
    for (const connection of all) {
      for (let round = 0; round < 50; round += 1) {
        expect((await connection.exchange(readWrite, round % 2 === 0 ? READ_KEYS : REGISTER)).status).to.equal(0x02);
      }
    }
    const requests = Array.from({ length: 100 }, (_, i) => ({
      fd: i % 3 === 0 ? readOnly : readWrite,
      request: i % 2 === 0 ? READ_KEYS : REGISTER,
      expected: i % 3 === 0 && i % 2 === 1 ? Sense.INVALID_COMMAND_OPERATION_CODE : Sense.IO_ERROR,
    }));
    await Promise.all(
      all.flatMap((connection) =>
        requests.map(async ({ fd, request, expected }) => {
          expect(parseSense((await connection.exchange(fd, request)).sense)).to.deep.equal(expected);
        }),
      ),
    );
    expect(openDescriptors()).to.deep.equal(before);
  });

  it("takes the longest parameter list", async () => {
    const cdb = Uint8Array.of(0x5f, 0, 0, 0, 0, 0, 0, 0x20, 0, 0);
    const connection = await connect();
    for (let round = 0; round < 20; round += 1) {
      const { sense } = await connection.exchange(readWrite, { cdb, dataOut: new Uint8Array(8192), allocationLength: 0 });
      expect(parseSense(sense)).to.deep.equal(Sense.IO_ERROR);
    }
  });

  it("is dropped by the helper for a command that is none of its own, and says that the command went out", async () => {
    const connection = await connect();
    const error: unknown = await connection
      .exchange(readWrite, { cdb: new Uint8Array(6), allocationLength: 0 })
      .catch((reason: unknown) => reason);
    expect(error).to.be.instanceOf(HelperExchangeError).and.to.include({ reason: "closed", sent: true });
  });

  it("notices that the helper has died, and reaches its successor by a new connection", async () => {
    const connection = await connect();
    const closed = new Promise((resolve) => connection.onClose(resolve));
    await helper.kill();
    expect(await closed)
      .to.be.instanceOf(HelperExchangeError)
      .with.property("reason", "closed");
    await helper.start();
    expect((await (await connect()).exchange(readWrite, READ_KEYS)).status).to.equal(0x02);
  });

  it("gives up a helper that hangs", async () => {
    const clock = new ManualClock();
    const connection = await connect(clock, 1000);
    helper.signal("SIGSTOP");
    try {
      const answer = connection.exchange(readWrite, READ_KEYS).catch((reason: unknown) => reason);
      clock.advance(1000);
      expect(await answer)
        .to.be.instanceOf(HelperExchangeError)
        .and.to.include({ reason: "timeout", sent: true });
    } finally {
      helper.signal("SIGCONT");
    }
    expect((await (await connect()).exchange(readWrite, READ_KEYS)).status).to.equal(0x02);
  });
});
