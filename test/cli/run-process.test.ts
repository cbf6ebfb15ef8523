/** What `qom-pr run` does with its process: in the background, a pid file, messages with the time, sockets that were handed to it. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, rmSync, statSync } from "node:fs";
import { createServer } from "node:net";
import type { Socket } from "node:net";
import { expect } from "chai";
import { messagePrefix } from "#src/cli/message-form.js";
import { libc } from "#src/native/libc.js";
import { loadServerLibc } from "#src/native/server/libc.js";
import { Listener } from "#src/native/server/listener.js";
import { until } from "../helper/support/helper-process.js";
import { QmpClient } from "../monitor/support/qmp-client.js";
import { temporaryFolder } from "../support/folder.js";
import { refusal } from "../support/refusal.js";
import { PROGRAM, run } from "./support/programs.js";
import type { Ended } from "./support/programs.js";

const AF_UNIX = 1;
const SOCK_DGRAM = 2;

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z $/;

describe("the process of qom-pr run", () => {
  const folder = temporaryFolder();

  /** Runs it with descriptors from 3 on, and says how it ended. */
  async function runWith(descriptors: readonly (number | "ignore" | Socket)[], argv: readonly string[]): Promise<Ended> {
    const child = spawn(process.execPath, [PROGRAM, "run", ...argv], { stdio: ["ignore", "pipe", "pipe", ...descriptors] });
    let [stdout, stderr] = ["", ""];
    child.stdout?.setEncoding("utf8").on("data", (text: string) => (stdout += text));
    child.stderr?.setEncoding("utf8").on("data", (text: string) => (stderr += text));
    await once(child, "close");
    return { code: child.exitCode, stdout, stderr };
  }

  it("goes to the background when the monitor on an inherited socket listens, with a pid file that it holds", async () => {
    const [socket, pidFile] = [folder.path("monitor.sock"), folder.path("pid")];
    const listener = await Listener.create(libc(), loadServerLibc(), socket, 0o600);
    const monitor = ["-chardev", "socket,id=c,fd=5,server=on,wait=off", "-object", '{"qom-type":"monitor-qmp","id":"m","chardev":"c"}'];
    const argv = ["-S", "-daemonize", "-no-shutdown", "-pidfile", pidFile, "-msg", "timestamp=on", ...monitor];
    const foreground = await runWith(["ignore", "ignore", listener.fd], argv);
    listener.leaveDescriptor();
    expect(foreground).to.deep.equal({ code: 0, stdout: "", stderr: "" });
    const client = await QmpClient.ready({ path: socket });
    expect(await client.run("query-status")).to.include({ status: "prelaunch" });
    const pid = Number(readFileSync(pidFile, "utf8"));
    expect(readFileSync(pidFile, "utf8")).to.equal(`${pid}\n`);
    expect(statSync(pidFile).mode & 0o777).to.equal(0o600);
    const second = await run(["run", "-daemonize", "-pidfile", pidFile, "-msg", "timestamp=on"]);
    expect([second.code, second.stdout]).to.deep.equal([1, ""]);
    expect(second.stderr).to.match(/^\d{4}-\d\d-\d\dT[\d:.]{15}Z qom-pr: the pid file '.*' is held by another process\n$/);
    await client.run("quit");
    expect(await client.event("SHUTDOWN")).to.have.property("data");
    expect(await client.next()).to.equal(undefined);
    await until(() => !existsSync(pidFile));
    rmSync(socket, { force: true });
  });

  it("says in the foreground why there is no machine", async () => {
    const wrong = await run(["run", "-daemonize", "-object", "nope,id=x"]);
    expect([wrong.code, wrong.stdout]).to.deep.equal([1, ""]);
    expect(wrong.stderr).to.match(/^qom-pr: -object nope,id=x: unknown type 'nope'/);
    const terminal = await run(["run", "-daemonize", "-qmp", "stdio"]);
    expect([terminal.code, terminal.stderr]).to.deep.equal([1, "qom-pr: '-daemonize' leaves no standard input and output for a monitor\n"]);
  });

  it("serves a client on a connected socket that it inherits, as libvirt hands one over", async () => {
    const path = folder.path("pair.sock");
    const server = createServer({ pauseOnConnect: true });
    server.listen(path);
    await once(server, "listening");
    const connecting = QmpClient.connect({ path });
    const [peer] = (await once(server, "connection")) as [Socket];
    const client = await connecting;
    const ended = runWith(["ignore", peer], ["-chardev", "socket,id=c,fd=4", "-mon", "chardev=c,mode=control"]);
    expect(await client.next()).to.have.property("QMP");
    expect(await client.run("qmp_capabilities")).to.deep.equal({});
    expect(await client.run("qom-get", { path: "/objects/compat_monitor0", property: "chardev" })).to.equal("c");
    await client.run("quit");
    expect((await ended).code).to.equal(0);
    peer.destroy();
    server.close();
    await client.close();
  });

  it("says in one line what is wrong with an inherited socket", async () => {
    const path = folder.path("two.sock");
    const server = createServer().listen(path);
    await once(server, "listening");
    const connecting = QmpClient.connect({ path });
    const [peer] = (await once(server, "connection")) as [Socket];
    const client = await connecting;
    const twice = ["-chardev", "socket,id=c,fd=4", "-mon", "c,mode=control", "-chardev", "socket,id=d,fd=4", "-mon", "d,mode=control"];
    const both = await runWith(["ignore", peer], twice);
    expect([both.code, both.stdout, both.stderr]).to.deep.equal([
      1,
      "",
      "qom-pr: -chardev socket,id=d,fd=4: descriptor 4 is in use already\n",
    ]);
    peer.destroy();
    server.close();
    await client.close();

    const listener = await Listener.create(libc(), loadServerLibc(), folder.path("twice.sock"), 0o600);
    const listening = twice.map((word) => word.replace("fd=4", "fd=4,server=on,wait=off"));
    const again = await runWith(["ignore", listener.fd], listening);
    listener.stop();
    expect(again.stderr).to.equal("qom-pr: -chardev socket,id=d,fd=4,server=on,wait=off: descriptor 4 is in use already\n");

    const datagrams = libc().socket(AF_UNIX, SOCK_DGRAM, 0);
    const other = await runWith(["ignore", datagrams], twice.slice(0, 4));
    libc().close(datagrams);
    expect([other.code, other.stderr]).to.deep.equal([1, "qom-pr: -chardev socket,id=c,fd=4: descriptor 4 is not a stream socket\n"]);
  });

  it("neither writes a pid file nor leaves the foreground with --check", async () => {
    const pidFile = folder.path("unwritten");
    const checked = await run(["run", "--check", "--json", "-daemonize", "-pidfile", pidFile, "-no-shutdown", "--strict"]);
    expect([checked.code, checked.stderr, Object.keys(JSON.parse(checked.stdout) as object)]).to.deep.equal([
      0,
      "",
      ["name", "objects", "blockdevs", "devices"],
    ]);
    expect(existsSync(pidFile)).to.equal(false);
  });

  it("begins messages as -msg says", async () => {
    const words = ["-name", "vm1", "-S"];
    expect(messagePrefix([], words)()).to.equal("");
    expect(messagePrefix(["timestamp=on"], words)()).to.match(TIME);
    expect(messagePrefix(["timestamp=on", "timestamp=off"], words)()).to.equal("");
    expect(messagePrefix(["timestamp=on,guest-name=on"], words)()).to.match(/^\S+Z vm1 $/);
    expect(messagePrefix(["guest-name=on"], ["-name", "guest=vm 2"])()).to.equal("vm-2 ");
    expect(messagePrefix(["guest-name=on"], [])()).to.equal("");
    expect((await refusal(() => messagePrefix(["time=on"], []))).message).to.equal(
      "-msg time=on: there is no option 'time': options are timestamp, guest-name",
    );
    expect((await refusal(() => messagePrefix(["timestamp=x"], []))).message).to.contain("expects 'on' or 'off'");
  });
});
