import { expect } from "chai";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import type { Socket } from "node:net";
import { setImmediate as nextTurn } from "node:timers/promises";
import { promisify } from "node:util";
import { QomError } from "#src/base/errors.js";
import { HelperConnection } from "#src/backends/helper-socket/connection.js";
import { encodeFeatures } from "#src/scsi/pr-helper.js";
import { openDescriptors } from "../support/descriptors.js";
import { ManualClock } from "../support/manual-clock.js";
import { failure } from "../support/refusal.js";
import { DATA, exchange, exchangeFailure, headerBytes, readKeys, RESERVE, responseBytes, ScriptedHelper } from "./helper-socket-server.js";

describe("helper socket: connection", () => {
  let helper: ScriptedHelper | null = null;
  let connections: HelperConnection[] = [];
  let fd = -1;

  before(() => {
    fd = openSync("/dev/null", "r+");
  });

  after(() => closeSync(fd));

  afterEach(async () => {
    for (const connection of connections) connection.close();
    connections = [];
    await helper?.close();
    helper = null;
  });

  async function connect(server: ScriptedHelper): Promise<HelperConnection> {
    helper = server;
    const connection = await HelperConnection.open(server.path, { clock: new ManualClock(), handshakeTimeoutMs: 1000 });
    connections.push(connection);
    return connection;
  }

  describe("the greeting", () => {
    for (const offer of [1, 0xffff_ffff]) {
      it(`is accepted when the server offers ${offer.toString(16)}h, and answered with no wish`, async () => {
        let answered = (_bytes: Buffer): void => {};
        const answer = new Promise<Buffer>((resolve) => (answered = resolve));
        const server = await ScriptedHelper.listen((client) => {
          client.once("data", answered).write(encodeFeatures(offer));
        });
        expect((await connect(server)).connected).to.equal(true);
        expect([...(await answer)]).to.deep.equal([0, 0, 0, 0]);
      });
    }

    it("may come in pieces", async () => {
      const server = await ScriptedHelper.listen(async (client) => {
        for (let i = 0; i < 4; i += 1) {
          client.write(Uint8Array.of(0));
          await nextTurn();
        }
      });
      expect((await connect(server)).connected).to.equal(true);
    });

    for (let length = 0; length < 4; length += 1) {
      it(`that ends after ${length} bytes fails, naming the path`, async () => {
        helper = await ScriptedHelper.listen((client) => client.end(new Uint8Array(length)));
        const error = await failure(HelperConnection.open(helper.path, { clock: new ManualClock(), handshakeTimeoutMs: 1000 }));
        expect(error).to.be.instanceOf(QomError).with.property("kind", "connection");
        expect(error).to.have.property(
          "message",
          `the PR helper at '${helper.path}' closed the connection after ${length} of 4 bytes of its greeting`,
        );
      });
    }

    it("that is too long fails", async () => {
      helper = await ScriptedHelper.listen((client) => client.write(new Uint8Array(5)));
      const error = await failure(HelperConnection.open(helper.path, { clock: new ManualClock(), handshakeTimeoutMs: 1000 }));
      expect(error).to.have.property("message", `the PR helper at '${helper.path}' sent more than a greeting`);
    });

    it("that never comes is given up after the handshake timeout, or when told to; nothing is left open", async () => {
      const clock = new ManualClock();
      let accepted = (_client: Socket): void => {};
      helper = await ScriptedHelper.listen((client) => accepted(client.resume()));
      const before = openDescriptors();
      let client = new Promise<Socket>((resolve) => (accepted = resolve));
      const late = failure(HelperConnection.open(helper.path, { clock, handshakeTimeoutMs: 1000 }));
      const lateClient = await client;
      clock.advance(999);
      await nextTurn();
      expect(lateClient.readableEnded).to.equal(false);
      clock.advance(1);
      expect(await late).to.have.property("message", `the PR helper at '${helper.path}' did not greet within 1000 ms`);
      await once(lateClient, "close");

      const giveUp = new AbortController();
      client = new Promise<Socket>((resolve) => (accepted = resolve));
      const cancelled = failure(HelperConnection.open(helper.path, { clock, handshakeTimeoutMs: 1000, signal: giveUp.signal }));
      const cancelledClient = await client;
      giveUp.abort(new Error("enough"));
      expect(await cancelled).to.have.property("message", "enough");
      await once(cancelledClient, "close");
      expect(clock.timers).to.equal(0);
      expect(openDescriptors()).to.deep.equal(before);
    });

    it("is not waited for when there is no server, and nothing is left open", async () => {
      const before = openDescriptors();
      const error = await failure(HelperConnection.open("/nowhere/socket", { clock: new ManualClock(), handshakeTimeoutMs: 1000 }));
      expect(error)
        .to.be.instanceOf(QomError)
        .with.property("message")
        .that.includes("/nowhere/socket")
        .and.includes("the folder '/nowhere' does not exist");
      expect(openDescriptors()).to.deep.equal(before);
    });
  });

  describe("an exchange", () => {
    it("brings back data, sense or a bare status", async () => {
      const sense = Uint8Array.of(0x70, 0, 5);
      const answers = [responseBytes(0, DATA), responseBytes(2, undefined, sense), responseBytes(0x18)];
      const connection = await connect(await ScriptedHelper.serve((client) => client.write(answers.shift() ?? "")));
      expect(await exchange(connection, fd, readKeys())).to.deep.equal({ status: 0, dataIn: DATA, sense: new Uint8Array(0) });
      const check = await exchange(connection, fd, RESERVE);
      expect(check.status).to.equal(2);
      expect(check.sense).to.have.length(96);
      expect(check.sense.subarray(0, 3)).to.deep.equal(sense);
      expect(await exchange(connection, fd, RESERVE)).to.deep.equal({ status: 0x18, dataIn: new Uint8Array(0), sense: new Uint8Array(0) });
    });

    it("delivers the parameter list, however long", async () => {
      const dataOut = Uint8Array.from({ length: 8192 }, (_, i) => i % 253);
      let seen: Uint8Array = new Uint8Array(0);
      const server = await ScriptedHelper.serve((client, _cdb, parameterList) => {
        seen = new Uint8Array(parameterList);
        client.write(responseBytes(0));
      });
      const connection = await connect(server);
      const cdb = Uint8Array.of(0x5f, 0, 0, 0, 0, 0, 0, 0x20, 0, 0);
      expect((await exchange(connection, fd, { cdb, dataOut, bufferBytes: 0 })).status).to.equal(0);
      expect(seen).to.deep.equal(dataOut);
    });

    it("survives an answer byte by byte", async () => {
      const server = await ScriptedHelper.serve(async (client) => {
        for (const byte of responseBytes(0, DATA)) {
          client.write(Uint8Array.of(byte));
          await nextTurn();
        }
      });
      const connection = await connect(server);
      expect((await exchange(connection, fd, readKeys())).dataIn).to.deep.equal(DATA);
      expect((await exchange(connection, fd, readKeys())).dataIn).to.deep.equal(DATA);
    });

    it("fails before anything is sent when the descriptor is none, and the connection goes on", async () => {
      const connection = await connect(await ScriptedHelper.serve((client) => client.write(responseBytes(0, DATA))));
      const error = await exchangeFailure(exchange(connection, 99_999, readKeys()));
      expect(error).to.include({ reason: "refused", sent: false });
      expect(error.cause).to.have.property("code", "EBADF");
      expect((await exchange(connection, fd, readKeys())).status).to.equal(0);
    });
  });

  it("leaks no descriptor, however it ends", async () => {
    let round = 0;
    const server = await ScriptedHelper.serve((client) => {
      if (round % 3 === 0) client.write(responseBytes(0, DATA));
      else if (round % 3 === 1) client.write(headerBytes(0, -1));
      else client.end();
    });
    helper = server;
    const before = openDescriptors();
    for (round = 0; round < 60; round += 1) {
      const connection = await HelperConnection.open(server.path, { clock: new ManualClock(), handshakeTimeoutMs: 1000 });
      await exchange(connection, fd, readKeys()).catch(() => {});
      connection.close();
    }
    while (server.clients.size > 0) await nextTurn();
    expect(openDescriptors()).to.deep.equal(before);
  });

  it("does not keep the process alive while it is idle", async () => {
    const server = await ScriptedHelper.serve((client) => client.write(responseBytes(0, DATA)));
    helper = server;
    const script = `
      import { HelperConnection } from "#src/backends/helper-socket/connection.js";
import { encodeFeatures } from "#src/scsi/pr-helper.js";
      import { encodeRequest } from "#src/scsi/pr-helper.js";
      import { systemClock } from "#src/base/clock.js";
      const hold = setTimeout(() => {}, 5000); // connecting does not keep the process alive either
      const connection = await HelperConnection.open(${JSON.stringify(server.path)}, { clock: systemClock, handshakeTimeoutMs: 5000 });
      clearTimeout(hold);
      const request = encodeRequest(Uint8Array.of(0x5e, 0, 0, 0, 0, 0, 0, 0, 24, 0));
      connection.start({ fd: 0, request, dataMax: 24, settle: ({ status }) => console.log("status", status, connection.connected) });
    `;
    const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", script]);
    expect(stdout).to.equal("status 0 true\n");
  });
});
