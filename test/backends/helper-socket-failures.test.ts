import { expect } from "chai";
import { closeSync, openSync } from "node:fs";
import type { Socket } from "node:net";
import fc from "fast-check";
import { present } from "#src/base/assert.js";
import { HelperConnection } from "#src/backends/helper-socket/connection.js";
import { HelperExchangeError } from "#src/backends/helper-socket/exchange.js";
import { ManualClock } from "../support/manual-clock.js";
import { DATA, exchange, exchangeFailure, headerBytes, readKeys, RESERVE, responseBytes, ScriptedHelper } from "./helper-socket-server.js";
import type { HelperRequest } from "./helper-socket-server.js";

describe("helper socket: failures of a connection", () => {
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

  async function connect(server: ScriptedHelper, clock = new ManualClock()): Promise<HelperConnection> {
    helper = server;
    const connection = await HelperConnection.open(server.path, { clock, handshakeTimeoutMs: 1000 });
    connections.push(connection);
    return connection;
  }

  describe("a server that breaks off or breaks the protocol", () => {
    const whole = responseBytes(0, DATA);
    const endings = Array.from({ length: whole.length }, (_, length) => length);

    it(`may end the stream after any of ${whole.length} bytes`, async () => {
      const ends = [...endings];
      helper = await ScriptedHelper.serve((client) => client.end(whole.subarray(0, ends.shift())));
      for (const length of endings) {
        const connection = await connect(helper);
        const causes: unknown[] = [];
        connection.onClose((cause) => causes.push(cause));
        const error = await exchangeFailure(exchange(connection, fd, readKeys()));
        expect(error, `after ${length}`).to.include({ reason: "closed", sent: true });
        const progress = length < 104 ? `${length} of 104 header bytes` : `${length - 104} of 24 data bytes`;
        expect(error.message).to.equal(`the PR helper at '${helper.path}' closed the connection after ${progress}`);
        expect([connection.connected, connection.idle]).to.deep.equal([false, false]);
        expect(causes).to.have.length(1);
      }
    });

    const violations: readonly (readonly [name: string, request: HelperRequest, bytes: Uint8Array])[] = [
      ["a negative size", readKeys(), headerBytes(0, -1)],
      ["a size beyond the buffer", readKeys(), headerBytes(0, 25)],
      ["data for PERSISTENT RESERVE OUT", RESERVE, headerBytes(0, 8)],
      ["an impossible status", readKeys(), headerBytes(0x7fffffff, 0)],
      ["text", readKeys(), Buffer.from("HTTP/1.1 400 Bad Request\r\n".repeat(5))],
      ["more than the response", readKeys(), Buffer.concat([whole, Buffer.alloc(1)])],
    ];
    for (const [name, request, bytes] of violations) {
      it(`is dropped for ${name}`, async () => {
        const connection = await connect(await ScriptedHelper.serve((client) => client.write(bytes)));
        expect(await exchangeFailure(exchange(connection, fd, request))).to.include({ reason: "protocol", sent: true });
        expect(connection.connected).to.equal(false);
      });
    }

    it("is dropped for bytes that nobody asked for", async () => {
      const server = await ScriptedHelper.serve((client) => client.write(responseBytes(0, DATA)));
      const connection = await connect(server);
      await exchange(connection, fd, readKeys());
      const closed = new Promise<HelperExchangeError | null>((resolve) => connection.onClose(resolve));
      for (const client of server.clients) client.write("!");
      const cause = await closed;
      expect(cause).to.include({ reason: "protocol" });
      expect(cause?.message).to.equal(`the PR helper at '${server.path}' sent 1 bytes that nobody asked for`);
    });

    it("never makes more of a mess than one failed exchange, whatever it sends", async () => {
      let answer: Uint8Array = new Uint8Array(0);
      helper = await ScriptedHelper.serve((client) => client.end(answer));
      const server = helper;
      await fc.assert(
        fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (bytes) => {
          answer = bytes;
          const connection = await connect(server);
          const status = await exchange(connection, fd, readKeys()).then(
            (response) => response.status,
            (error: unknown) => (error instanceof HelperExchangeError && error.sent ? "failed" : error),
          );
          expect(status === "failed" || typeof status === "number").to.equal(true);
          connection.close();
        }),
        { numRuns: 50 },
      );
    });

    it("is noticed when it goes away while idle", async () => {
      const server = await ScriptedHelper.serve((client) => client.write(responseBytes(0, DATA)));
      const connection = await connect(server);
      const closed = new Promise<HelperExchangeError | null>((resolve) => connection.onClose(resolve));
      for (const client of server.clients) client.end();
      expect((await closed)?.message).to.equal(`the PR helper at '${server.path}' closed the connection while it was idle`);
      expect(connection.connected).to.equal(false);
    });

    it("has sent nothing when the server was gone before the request, even if no one had noticed", async () => {
      const server = await ScriptedHelper.serve((client) => client.write(responseBytes(0, DATA)));
      const connection = await connect(server);
      await exchange(connection, fd, readKeys());
      for (const client of server.clients) client.destroy();
      const error = await exchangeFailure(exchange(connection, fd, readKeys()));
      expect(error).to.include({ reason: "closed", sent: false });
      expect(error.cause).to.have.property("code", "EPIPE");
      expect(connection.connected).to.equal(false);
    });
  });

  describe("giving up", () => {
    for (const reason of ["timeout", "aborted"] as const) {
      it(`closes the connection once the request is out, even in the moment it was sent (${reason})`, async () => {
        const connection = await connect(await ScriptedHelper.serve(() => {}));
        const given = exchangeFailure(exchange(connection, fd, readKeys()));
        connection.giveUp(reason, "was too slow");
        connection.giveUp("aborted", "is not there any more");
        const error = await given;
        expect(error).to.include({ reason, sent: true });
        expect(error.message).to.match(/^the PR helper at '.*' was too slow$/);
        expect(connection.connected).to.equal(false);
      });
    }

    /** A connection whose server takes nothing more, and an exchange that waits to be sent. */
    async function stuck(): Promise<{ connection: HelperConnection; client: Socket; running: Promise<unknown> }> {
      const clock = new ManualClock();
      const server = await ScriptedHelper.listen((client) => client.pause().write(new Uint8Array(4)));
      const connection = await connect(server, clock);
      const [client] = server.clients;
      const request = { cdb: Uint8Array.of(0x5f, 0, 0, 0, 0, 0, 0, 0x20, 0, 0), dataOut: new Uint8Array(8192), bufferBytes: 0 };
      for (;;) {
        const running = exchange(connection, fd, request);
        if (clock.timers > 0) return { connection, client: present(client, "the server has a client"), running };
        client?.write(responseBytes(0));
        await running;
      }
    }

    it("has sent nothing while the server's queue was full", async () => {
      const { connection, running } = await stuck();
      const error = exchangeFailure(running);
      connection.close();
      expect(await error).to.include({ reason: "closed", sent: false });
    });

    it("is up to us when the server answers what it has not got", async () => {
      const { client, running } = await stuck();
      client.write(responseBytes(0));
      expect(await exchangeFailure(running)).to.include({ reason: "protocol", sent: false });
    });

    it("by close() ends what runs, once", async () => {
      let received = (): void => {};
      const request = new Promise<void>((resolve) => (received = resolve));
      const connection = await connect(await ScriptedHelper.serve(() => received()));
      const causes: unknown[] = [];
      connection.onClose((cause) => causes.push(cause));
      const first = exchangeFailure(exchange(connection, fd, readKeys()));
      await request;
      connection.close();
      connection.close();
      expect(await first).to.include({ reason: "closed", sent: true });
      expect(causes).to.deep.equal([null]);
    });
  });
});
