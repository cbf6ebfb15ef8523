/** QMP over sockets: where it listens, who may connect, many clients at once, and clients that do not behave. */
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { once } from "node:events";
import { existsSync, lstatSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo, Server, Socket } from "node:net";
import { PassThrough } from "node:stream";
import { expect } from "chai";
import { Machine } from "qom-pr";
import type { MachineOptions } from "qom-pr";
import { openChardev } from "#src/chardev/chardev.js";
import { temporaryFolder } from "../support/folder.js";
import { memoryInUse } from "../support/memory.js";
import { refusal } from "../support/refusal.js";
import { QmpClient } from "./support/qmp-client.js";

const MEBIBYTE = 0x10_0000;

describe("QMP sockets", () => {
  const folder = temporaryFolder();
  const open: (Machine | QmpClient)[] = [];

  afterEach(async () => {
    for (const each of open.splice(0).toReversed()) await each.close();
  });

  async function machine(argv: readonly string[], options: MachineOptions = {}): Promise<Machine> {
    const made = await Machine.create(argv, options);
    open.push(made);
    return made;
  }

  async function client(path: string): Promise<QmpClient> {
    const made = await QmpClient.ready({ path });
    open.push(made);
    return made;
  }

  async function served(name: string, more: readonly string[] = []): Promise<{ readonly path: string; readonly machine: Machine }> {
    const path = folder.path(name);
    return { path, machine: await machine(["-qmp", `unix:${path},server=on,wait=off`, ...more]) };
  }

  it("is a socket for its owner alone, removed with the machine", async () => {
    const umask = process.umask(0);
    const { path, machine: made } = await served("mode").finally(() => process.umask(umask));
    expect(lstatSync(path).mode & 0o777).to.equal(0o600);
    await made.close();
    expect(existsSync(path)).to.equal(false);
  });

  it("replaces no file, and no socket that somebody listens on", async () => {
    const file = folder.path("file");
    writeFileSync(file, "mine");
    expect((await refusal(() => machine(["-qmp", `unix:${file},server,nowait`]))).kind).to.equal("wrong-type");
    expect(readFileSync(file, "utf8")).to.equal("mine");
    const { path } = await served("live");
    expect((await refusal(() => machine(["-qmp", `unix:${path},server,nowait`]))).kind).to.equal("in-use");
    expect(await (await client(path)).run("query-pr-managers")).to.deep.equal([]);
  });

  it("leaves no socket behind when the machine cannot be made", async () => {
    const path = folder.path("failed");
    await refusal(() => machine(["-qmp", `unix:${path},server,nowait`, "-device", "nope"]));
    expect(existsSync(path)).to.equal(false);
  });

  it("serves several clients at once, each with its own negotiation, and tells all of events", async () => {
    const { path } = await served("many");
    const [a, b] = [await client(path), await client(path)];
    const third = await QmpClient.connect({ path });
    open.push(third);
    expect((await third.next())?.QMP).to.be.an("object");
    expect((await third.answer({ execute: "query-status", id: 1 })).error?.class).to.equal("CommandNotFound");
    a.send({ execute: "quit", id: "bye" });
    expect(await a.next()).to.deep.equal({ return: {}, id: "bye" });
    for (const each of [a, b]) {
      const { data, timestamp } = await each.event("SHUTDOWN");
      expect(data).to.deep.equal({ guest: false, reason: "host-qmp-quit" });
      expect(timestamp?.seconds).to.be.closeTo(Date.now() / 1000, 600);
      expect(timestamp?.microseconds).to.be.within(0, 999_999);
      expect(await each.next()).to.equal(undefined);
    }
    expect(await third.next(), "a client that has not negotiated hears of no event").to.equal(undefined);
  });

  it("serves 64 clients at once and hangs up on more, until one leaves", async () => {
    const { path } = await served("crowd");
    const clients: QmpClient[] = [];
    for (let count = 0; count < 64; count += 1) clients.push(await client(path));
    const refused = await QmpClient.connect({ path });
    open.push(refused);
    expect(await refused.next(), "not even a greeting").to.equal(undefined);
    expect(await clients[63]?.run("query-pr-managers")).to.deep.equal([]);
    await clients[0]?.close();
    // The server hears of that when it hears of it.
    let late: QmpClient;
    do {
      late = await QmpClient.connect({ path });
      open.push(late);
    } while ((await late.next()) === undefined);
    expect(await late.run("qmp_capabilities")).to.deep.equal({});
  });

  it("says host-signal when the machine is closed", async () => {
    const { path, machine: made } = await served("closed");
    const told = await client(path);
    await made.close();
    expect((await told.event("SHUTDOWN")).data).to.deep.equal({ guest: false, reason: "host-signal" });
    await made.ended;
  });

  it("listens on TCP", async () => {
    const probe = createServer().listen(0, "127.0.0.1");
    await once(probe, "listening");
    const { port } = probe.address() as AddressInfo; // of a TCP server
    await new Promise((resolve) => probe.close(resolve));
    await machine(["-qmp", `tcp:127.0.0.1:${port},server=on,wait=off`]);
    const told = await QmpClient.ready({ host: "127.0.0.1", port });
    open.push(told);
    expect(await told.run("query-pr-managers")).to.deep.equal([]);
  });

  it("survives a server that resets the connection before a monitor has it", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const accepted = once(server, "connection");
    const { port } = server.address() as AddressInfo; // a server that listens on TCP has one
    const stdio = { input: new PassThrough(), output: new PassThrough() };
    const spec = { kind: "socket", address: { kind: "tcp", host: "127.0.0.1", port }, server: false, wait: false } as const;
    const device = await openChardev(spec, { stdio, wait: true, signal: undefined, notify: () => undefined, warn: () => undefined });
    const [peer] = (await accepted) as [Socket]; // what the event has
    peer.resetAndDestroy();
    // Not by once() of node:events, which hears of the error.
    await new Promise<void>((closed) => device.start(({ input }) => void (input.closed ? closed() : input.on("close", closed))));
    server.close();
  });

  it("survives that a connection cannot be accepted, and says so until one can", async () => {
    const path = folder.path("refused");
    let server: Server | undefined;
    const onSocket = (message: unknown): void => {
      ({ server } = (message as { readonly socket: Socket & { readonly server: Server } }).socket); // what node publishes there
    };
    const said: string[] = [];
    await machine(["-qmp", `unix:${path},server=on,wait=off`], { notify: (line) => void said.push(line) });
    const refuse = (): unknown =>
      server?.emit("error", Object.assign(new Error("accept EMFILE"), { code: "EMFILE", errno: -24, syscall: "accept" }));
    subscribe("net.server.socket", onSocket);
    try {
      await client(path);
    } finally {
      unsubscribe("net.server.socket", onSocket);
    }
    expect([refuse(), refuse()]).to.deep.equal([true, true]);
    const line = `cannot accept a connection on unix:${path}: too many open files`;
    expect(said).to.deep.equal([line]);
    await client(path);
    refuse();
    expect(said).to.deep.equal([line, line]);
  });

  it("connects to a server that listens, and is refused where none does", async () => {
    const path = folder.path("server");
    expect((await refusal(() => machine(["-qmp", `unix:${path}`]))).kind).to.equal("connection");
    const server = createServer().listen(path);
    await once(server, "listening");
    const connection = once(server, "connection");
    await machine(["-qmp", `unix:${path}`]);
    const [socket] = (await connection) as [Socket]; // what the event has
    const told = new QmpClient(socket);
    open.push(told);
    expect((await told.next())?.QMP).to.be.an("object");
    server.close();
  });

  it("takes -chardev and -mon, pretty or not", async () => {
    const path = folder.path("pretty");
    await machine(["-mon", "chardev=c,mode=control,pretty=on", "-chardev", `socket,id=c,path=${path},server=on,wait=off`]);
    const told = await QmpClient.connect({ path });
    open.push(told);
    const [text] = (await once(told.socket, "data")) as [string]; // the encoding is set
    expect(text).to.match(/^\{\n {4}"QMP": \{\n {8}"version"/);
  });

  it("waits for a client by default, and says so", async () => {
    const path = folder.path("wait");
    const lines: string[] = [];
    let connected: Promise<QmpClient> | undefined;
    const notify = (line: string): void => {
      lines.push(line);
      connected = QmpClient.connect({ path });
    };
    await machine(["-qmp", `unix:${path},server=on`], { notify });
    expect(lines).to.deep.equal([`waiting for a connection on unix:${path}`]);
    const told = await connected;
    if (told !== undefined) open.push(told);
    expect((await told?.next())?.QMP).to.be.an("object");
  });

  it("waits no longer than it is told", async () => {
    const path = folder.path("aborted");
    const controller = new AbortController();
    const creation = Machine.create(["-qmp", `unix:${path},server=on`], { signal: controller.signal, notify: () => controller.abort() });
    const failure: unknown = await creation.then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(failure).to.equal(controller.signal.reason);
    expect(existsSync(path)).to.equal(false);
    await machine(["-qmp", `unix:${path},server=on`], { wait: false });
  });

  it("answers what came before the client closed its side", async () => {
    const { path } = await served("half");
    const told = await QmpClient.connect({ path });
    open.push(told);
    told.socket.end('{"execute":"qmp_capabilities"}{"execute":"query-pr-managers","id":1} 7');
    await told.next();
    expect(await told.next()).to.deep.equal({ return: {} });
    expect(await told.next()).to.deep.equal({ return: [], id: 1 });
    expect((await told.next())?.error?.class).to.equal("GenericError");
    expect(await told.next()).to.equal(undefined);
  });

  it("refuses a message of 64 MiB without keeping it, and goes on", async function () {
    this.timeout(60_000);
    const { path } = await served("long");
    const told = await client(path);
    const piece = Buffer.alloc(MEBIBYTE, "x");
    const before = memoryInUse();
    let most = 0;
    told.send('{"execute": "');
    for (let sent = 0; sent < 64; sent += 1) {
      if (!told.socket.write(piece)) await once(told.socket, "drain");
      if (sent % 8 === 0) most = Math.max(most, memoryInUse());
    }
    told.send('"}');
    expect((await told.next())?.error?.class).to.equal("GenericError");
    expect(await told.run("query-pr-managers")).to.deep.equal([]);
    expect(most - before, "both ends are in this process").to.be.below(16 * MEBIBYTE);
  });

  it("hangs up on a client that reads no events, and nobody else notices", async function () {
    this.timeout(60_000);
    const helper = createServer((socket) =>
      socket
        .on("error", () => undefined)
        .resume()
        .write(new Uint8Array(4)),
    );
    const helperPath = folder.path("helper");
    helper.listen(helperPath);
    await once(helper, "listening");
    const { path, machine: made } = await served("deaf");
    const [deaf, other] = [await client(path), await client(path)];
    deaf.socket.pause();
    const id = "x".repeat(MEBIBYTE / 4);
    const events = 100;
    for (let count = 0; count < events; count += 1) {
      await made.qmp.execute("object-add", { "qom-type": "pr-manager-helper", id, path: helperPath });
      await made.qmp.execute("object-del", { id });
      expect((await other.event("PR_MANAGER_STATUS_CHANGED")).data?.["connected"]).to.equal(true);
    }
    deaf.socket.resume();
    let taken = 0;
    while ((await deaf.next()) !== undefined) taken += 1;
    expect(taken, "what its socket held").to.be.below(events / 2);
    expect(await other.run("query-pr-managers")).to.deep.equal([]);
    helper.close();
  });

  it("does not run on while a client does not take its answers", async function () {
    this.timeout(60_000);
    const { path, machine: made } = await served("slow");
    const [slow, other] = [await client(path), await client(path)];
    slow.socket.pause();
    const pairs = 200;
    for (let count = 0; count < pairs; count += 1) {
      slow.send({ execute: "object-add", arguments: { "qom-type": "pr-manager-memory", id: `m${count}` } });
      slow.send({ execute: "query-qmp-schema" });
    }
    const objects = (): number => made.qom.children(made.qom.resolve("/objects")).filter(({ id }) => id?.startsWith("m") === true).length;
    for (let count = 0; count < pairs; count += 1) await other.run("query-name");
    expect(objects()).to.be.below(pairs / 2);
    slow.socket.resume();
    for (let count = 0; count < pairs; count += 1) {
      expect((await slow.next())?.return).to.deep.equal({});
      expect((await slow.next())?.return).to.be.an("array");
    }
    expect(objects()).to.equal(pairs);
  });

  it("has one user of standard input and output, and one monitor for each device", async () => {
    const cases: [string[], string][] = [
      [["-qmp", "stdio", "-qmp", "stdio"], "in-use"],
      [["-qmp", "stdio", "-chardev", "stdio,id=c"], "in-use"],
      [["-mon", "c,mode=control"], "not-found"],
      [["-chardev", "stdio,id=c", "-mon", "c,mode=control", "-mon", "c,mode=control"], "in-use"],
      [["-chardev", "stdio,id=c", "-chardev", "stdio,id=c"], "duplicate"],
      [["-chardev", "stdio"], "missing"],
      [["-chardev", "pty,id=c"], "invalid-value"],
      [["-chardev", "socket,id=c"], "missing"],
      [["-chardev", "socket,id=c,path=/x,port=1"], "conflict"],
      [["-qmp", "unix:/x,wait=off"], "conflict"],
      [["-qmp", "unix:/x,server=maybe"], "invalid-value"],
      [["-qmp", "unix:/x,telnet=on"], "unknown-name"],
      [["-qmp", "tcp:localhost"], "invalid-value"],
      [["-qmp", "tcp:localhost:99999"], "invalid-value"],
      [["-qmp", "udp:x"], "invalid-value"],
      [["-qmp", "unix:"], "missing"],
      [["-qmp", `unix:/${"x".repeat(200)},server=on,wait=off`], "limit"],
    ];
    for (const [argv, kind] of cases) {
      const error = await refusal(() => machine(argv, { strict: true, stdio: { input: new PassThrough(), output: new PassThrough() } }));
      expect(error.kind, `${argv.join(" ")}: ${error.message}`).to.equal(kind);
    }
  });
});
