import { expect } from "chai";
import { closeSync, openSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "#src/base/clock.js";
import { HelperConnection } from "#src/backends/helper-socket/connection.js";
import { HelperExchangeError } from "#src/backends/helper-socket/exchange.js";
import { HelperPool } from "#src/backends/helper-socket/pool.js";
import type { HelperResponse } from "#src/scsi/pr-helper.js";
import { Sense, parseSense } from "#src/scsi/sense.js";
import { makeFolder, removeFolder } from "../support/folder.js";
import { openDescriptors } from "../support/descriptors.js";
import { usePrHelper } from "../support/pr-helper.js";
import { exchange, exchangeFailure } from "./helper-socket-server.js";
import type { HelperRequest } from "./helper-socket-server.js";

const READ_KEYS = { cdb: Uint8Array.of(0x5e, 0, 0, 0, 0, 0, 0, 0, 8, 0), bufferBytes: 8 };
const REGISTER = { cdb: Uint8Array.of(0x5f, 0, 0, 0, 0, 0, 0, 0, 24, 0), dataOut: new Uint8Array(24), bufferBytes: 0 };

describe("helper socket: against qemu-pr-helper", () => {
  const helper = usePrHelper();
  const folder = makeFolder();
  const disk = join(folder, "disk");
  let connections: { close(): void }[] = [];
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
    removeFolder(folder);
  });

  afterEach(() => {
    for (const connection of connections) connection.close();
    connections = [];
  });

  async function connect(): Promise<HelperConnection> {
    const connection = await HelperConnection.open(helper.path, { clock: systemClock, handshakeTimeoutMs: 5000 });
    connections.push(connection);
    return connection;
  }

  /** Several connections that take commands at once, and a way to give them one. */
  async function pool(connectionsMax: number): Promise<(fd: number, request: HelperRequest) => Promise<HelperResponse>> {
    const options = { clock: systemClock, path: () => helper.path, handshakeTimeoutMs: () => 5000, changed: () => undefined };
    const made = new HelperPool({ ...options, connectionsMax });
    await made.start();
    connections.push(made);
    const owners = new Map([readOnly, readWrite, writeOnly].map((fd) => [fd, { fd }]));
    return (fd, request) =>
      new Promise((resolve, reject) => {
        made.submit({ ...request, owner: owners.get(fd) ?? { fd: null }, timeoutMs: 60_000 }, (outcome) =>
          outcome instanceof HelperExchangeError ? reject(outcome) : resolve(outcome),
        );
      });
  }

  it("passes the descriptor: a regular file is no SCSI device", async () => {
    const connection = await connect();
    for (const request of [READ_KEYS, REGISTER]) {
      const { status, dataIn, sense } = await exchange(connection, readWrite, request);
      expect(status).to.equal(0x02);
      expect(dataIn).to.have.length(0);
      expect(sense).to.have.length(96);
      expect(parseSense(sense)).to.deep.equal(Sense.IO_ERROR);
    }
  });

  it("passes the very descriptor: PERSISTENT RESERVE OUT needs one that was opened for writing", async () => {
    const run = await pool(1);
    const answers = await Promise.all([readOnly, writeOnly, readWrite].map((fd) => run(fd, REGISTER)));
    const senses = answers.map(({ sense }) => parseSense(sense));
    expect(senses).to.deep.equal([Sense.INVALID_COMMAND_OPERATION_CODE, Sense.IO_ERROR, Sense.IO_ERROR]);
    expect(parseSense((await run(readOnly, READ_KEYS)).sense)).to.deep.equal(Sense.IO_ERROR);
  });

  it("answers many commands, in sequence and at once, on several connections, and leaks nothing", async () => {
    const run = await pool(4);
    const one = openDescriptors().length;
    // The others are made one after the other, as long as commands wait.
    while (openDescriptors().length < one + 3) await Promise.all(Array.from({ length: 64 }, () => run(readWrite, READ_KEYS)));
    const before = openDescriptors();
    for (let round = 0; round < 200; round += 1) {
      expect((await run(readWrite, round % 2 === 0 ? READ_KEYS : REGISTER)).status).to.equal(0x02);
    }
    const requests = Array.from({ length: 400 }, (_, i) => ({
      fd: i % 3 === 0 ? readOnly : readWrite,
      request: i % 2 === 0 ? READ_KEYS : REGISTER,
      expected: i % 3 === 0 && i % 2 === 1 ? Sense.INVALID_COMMAND_OPERATION_CODE : Sense.IO_ERROR,
    }));
    await Promise.all(
      requests.map(async ({ fd, request, expected }) => {
        expect(parseSense((await run(fd, request)).sense)).to.deep.equal(expected);
      }),
    );
    expect(openDescriptors()).to.deep.equal(before);
  });

  it("takes the longest parameter list", async () => {
    const cdb = Uint8Array.of(0x5f, 0, 0, 0, 0, 0, 0, 0x20, 0, 0);
    const connection = await connect();
    for (let round = 0; round < 20; round += 1) {
      const { sense } = await exchange(connection, readWrite, { cdb, dataOut: new Uint8Array(8192), bufferBytes: 0 });
      expect(parseSense(sense)).to.deep.equal(Sense.IO_ERROR);
    }
  });

  it("is dropped by the helper for a command that is none of its own, and says that the command went out", async () => {
    const connection = await connect();
    const error = await exchangeFailure(exchange(connection, readWrite, { cdb: new Uint8Array(6), bufferBytes: 0 }));
    expect(error).to.include({ reason: "closed", sent: true });
  });

  it("notices that the helper has died, and reaches its successor by a new connection", async () => {
    const connection = await connect();
    const closed = new Promise((resolve) => connection.onClose(resolve));
    await helper.kill();
    expect(await closed)
      .to.be.instanceOf(HelperExchangeError)
      .with.property("reason", "closed");
    await helper.start();
    expect((await exchange(await connect(), readWrite, READ_KEYS)).status).to.equal(0x02);
  });
});
