/** Sockets that systemd made: one is served and left alone, everything else is refused or is no activation. */

import { expect } from "chai";
import { closeSync, existsSync, lstatSync, openSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import type { Server } from "node:net";
import { once } from "node:events";
import { askStatus } from "#src/helper/serving/status.js";
import { libc } from "#src/native/libc.js";
import { loadServerLibc } from "#src/native/server/libc.js";
import { AF_UNIX, SOCK_STREAM, SOCKADDR_UN_PATH, SOCKADDR_UN_SIZE, unixAddress } from "#src/native/socket/layout.js";
import { greets, isListening } from "../support/pr-helper.js";
import { OUR_PROGRAM, run, until, Workshop } from "./support/helper-process.js";
import type { HelperProcess } from "./support/helper-process.js";
import { startLines } from "./support/process-status.js";
import { PublicProgram } from "./support/public-program.js";
import { RawClient } from "./support/raw-client.js";
import { cdb, converse } from "./support/scenarios.js";
import { scriptedCdb, SgShim } from "./support/sg-shim.js";

const SOCK_DGRAM = 2;

/** Runs the words behind it in the same process, with LISTEN_PID as $PASSED_TO says: `$$` is the number of the process. */
const SHELL = ["-c", 'export LISTEN_PID="$(eval echo "$PASSED_TO")" && exec "$0" "$@"'];

/** What systemd would set: whom descriptors are passed to, and how many. */
function passing(count: string, to = "$$"): NodeJS.ProcessEnv {
  return { LISTEN_FDS: count, LISTEN_FDNAMES: "helper", PASSED_TO: to };
}

describe("socket activation of qom-pr-helper", () => {
  const workshop = new Workshop("itself");
  const program = new PublicProgram();
  const opened: number[] = [];
  after(() => opened.forEach((fd) => closeSync(fd)));

  /** A descriptor that is closed with the suite. */
  function own(fd: number): number {
    expect(fd).to.be.greaterThan(2);
    opened.push(fd);
    return fd;
  }

  function startWith(descriptor: number, args: readonly string[], environment: NodeJS.ProcessEnv): HelperProcess {
    return workshop.spawn(
      [...SHELL, program.path, ...args],
      { ...environment, ...program.environment },
      { descriptors: [descriptor] },
      "/bin/sh",
    );
  }

  it("serves the one socket, and leaves it to the next helper", async () => {
    const path = workshop.path("one");
    const descriptor = workshop.listener("one");
    const before = lstatSync(path, { bigint: true });
    for (const args of [[], ["-f", workshop.path("one.pid")], ["-u", "nobody"]]) {
      if (args.includes("-u") && process.getuid?.() !== 0) continue;
      const helper = startWith(descriptor, args, passing("1"));
      await helper.serves(path);
      const readKeys = { bytes: cdb(0x5e, 0, 8), with: ["null" as const] };
      const transcript = await converse(path, { name: "", messages: [readKeys], answers: [], then: "eof", finish: true }, "/dev/null");
      expect(transcript.bytes.readInt32BE(0)).to.equal(2);
      expect(readFileSync(`/proc/${helper.pid}/environ`, "utf8")).not.to.contain("LISTEN_");
      expect(await helper.stop()).to.deep.equal({ code: 0, signal: null });
      const after = lstatSync(path, { bigint: true });
      expect([after.ino, after.mode]).to.deep.equal([before.ino, before.mode]);
      expect(await isListening(path), "the socket still takes connections, for the next helper").to.be.true;
    }
  });

  describe("stopped during a command", () => {
    const shim = new SgShim();

    it("answers it, and leaves new connections to the next helper", async () => {
      const path = workshop.path("stopped");
      const [descriptor, device] = [workshop.listener("stopped"), own(openSync("/dev/null", "r+"))];
      const helper = startWith(descriptor, ["--workers", "1"], { ...passing("1"), ...shim.environment });
      await helper.serves(path);
      const client = await RawClient.greeted(path);
      client.send(scriptedCdb(0x5e, 8, { hold: 1 }), [device]);
      await shim.called(1);
      helper.signal("SIGTERM");
      await until(() => !existsSync(`${path}.status`)); // it has heard it
      const late = new RawClient(path);
      shim.release(1);
      expect((await client.readAnswer()).readInt32BE(0)).to.equal(0);
      expect(await helper.ended).to.deep.equal({ code: 0, signal: null });
      expect(late.arrived).to.equal(0);
      const next = startWith(descriptor, [], passing("1"));
      expect((await late.read(4)).length).to.equal(4);
      await next.stop();
      late.close();
    });
  });

  it("names the socket in its status", async () => {
    const path = workshop.path("named");
    const helper = startWith(workshop.listener("named"), [], passing("1"));
    await helper.serves(path);
    expect(JSON.parse(await askStatus(path))).to.include({ pid: helper.pid, socket: path });
    await helper.stop();
  });

  it("says that it has no status where the socket has no path", async () => {
    const fd = own(libc().socket(AF_UNIX, SOCK_STREAM, 0));
    const abstract = unixAddress(`/qom-pr-test-${process.pid}`);
    abstract[SOCKADDR_UN_PATH] = 0;
    expect(loadServerLibc().bind(fd, abstract, SOCKADDR_UN_SIZE)).to.equal(0);
    expect(loadServerLibc().listen(fd, 1)).to.equal(0);
    const helper = startWith(fd, [], passing("1"));
    await until(() => helper.stderr.includes("the status cannot be queried: the socket that was passed has no path\n"));
    await helper.stop();
  });

  const REFUSED: readonly {
    readonly name: string;
    readonly descriptor: () => number | Promise<number>;
    readonly args?: readonly string[];
    readonly count?: string;
    readonly text: RegExp;
  }[] = [
    { name: "two sockets", descriptor: () => workshop.listener("two"), count: "2", text: /LISTEN_FDS: 2 sockets are passed/ },
    {
      name: "a socket and -k",
      descriptor: () => workshop.listener("chosen"),
      args: ["-k", "/nonexistent/socket"],
      text: /option '--socket': the socket is passed by LISTEN_FDS/,
    },
    {
      name: "a socket and -k, in the background",
      descriptor: () => workshop.listener("chosen-d"),
      args: ["-dk", "/nonexistent/socket"],
      text: /option '--socket': the socket is passed by LISTEN_FDS/,
    },
    {
      name: "a file",
      descriptor: () => own(openSync("/dev/null", "r")),
      text: /LISTEN_FDS cannot be used: .*: socket operation on non-socket/,
    },
    {
      name: "a socket that does not listen",
      descriptor: () => own(libc().socket(AF_UNIX, SOCK_STREAM, 0)),
      text: /descriptor 3 does not listen/,
    },
    { name: "a datagram socket", descriptor: datagramSocket, text: /descriptor 3 is not a stream socket/ },
    { name: "a TCP socket", descriptor: () => tcpListener(), text: /descriptor 3 is not a Unix socket/ },
  ];

  function datagramSocket(): number {
    const fd = own(libc().socket(AF_UNIX, SOCK_DGRAM, 0));
    expect(loadServerLibc().bind(fd, unixAddress(workshop.path("datagram")), SOCKADDR_UN_SIZE)).to.equal(0);
    return fd;
  }

  const servers: Server[] = [];
  after(() => servers.forEach((server) => server.close()));

  async function tcpListener(): Promise<number> {
    const server = createServer().listen(0, "127.0.0.1");
    servers.push(server);
    await once(server, "listening");
    const { _handle: handle } = server as unknown as { _handle: { fd: number } };
    return handle.fd;
  }

  for (const { name, descriptor, args = [], count = "1", text } of REFUSED) {
    it(`refuses ${name}`, async () => {
      const circumstances = { descriptors: [await descriptor()] };
      const result = await run("/bin/sh", [...SHELL, OUR_PROGRAM, ...args], passing(count), circumstances);
      expect(result).to.include({ code: 1, stdout: "" });
      expect(result.stderr).to.match(/^qom-pr-helper: [^\n]+\n$/);
      expect(result.stderr).to.match(text);
    });
  }

  for (const [name, environment] of [
    ["for another process", passing("1", "1")],
    ["for nobody", passing("1", "")],
    ["for no number", passing("1", "self")],
    ["of no socket", passing("0")],
    ["of no number of sockets", passing("many")],
    ["of a negative number of sockets", passing("-1")],
  ] as const) {
    it(`is none when the variables are ${name}: the helper makes its own socket`, async () => {
      const path = workshop.path("own");
      const helper = startWith(workshop.listener(`unused ${name}`), ["-k", path], environment);
      await helper.serves(path);
      expect(await helper.stop()).to.deep.equal({ code: 0, signal: null });
      expect(existsSync(path)).to.be.false;
    });
  }

  it("goes to the background with the socket", async () => {
    const path = workshop.path("background");
    const pidFile = workshop.path("background.pid");
    const result = await run("/bin/sh", [...SHELL, OUR_PROGRAM, "-d", "-f", pidFile], passing("1"), {
      descriptors: [workshop.listener("background")],
    });
    const pid = workshop.adopt(pidFile);
    expect(result).to.include({ code: 0, stdout: "", stderr: startLines(path) });
    expect(await greets(path)).to.be.true;
    process.kill(pid);
    await until(() => !existsSync(pidFile));
    expect(existsSync(path)).to.be.true;
  });
});
