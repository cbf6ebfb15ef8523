/** `--status`: who is connected and what was done, as JSON. */

import { expect } from "chai";
import { closeSync, existsSync, lstatSync, mkdirSync, openSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { serveStatus } from "#src/helper/serving/status.js";
import type { StatusReport } from "#src/helper/serving/status.js";
import { libc } from "#src/native/libc.js";
import { loadServerLibc } from "#src/native/server/libc.js";
import { listenUnixStream } from "#src/native/server/unix.js";
import { copyPackage, removeManifest } from "../support/installed-copy.js";
import { until, Workshop } from "./support/helper-process.js";
import { RawClient } from "./support/raw-client.js";
import { RepeatedRuns } from "./support/repeated-runs.js";
import { cdb } from "./support/scenarios.js";
import { scriptedCdb, SgShim } from "./support/sg-shim.js";

describe("status of qom-pr-helper", () => {
  const workshop = new Workshop();
  const here = new RepeatedRuns();
  const shim = new SgShim();
  let device = -1;
  before(() => (device = openSync("/dev/null", "r+")));
  // When the suite is skipped, nothing was opened.
  after(() => device >= 0 && closeSync(device));

  async function status(name: string): Promise<StatusReport> {
    const result = await here.run(["--status", "-k", workshop.path(name)]);
    expect(result).to.include({ code: 0, stderr: "" });
    return JSON.parse(result.stdout) as StatusReport;
  }

  it("tells of clients, commands and errors", async () => {
    const helper = await workshop.start("told", ["--workers", "3"], shim.environment);
    const path = workshop.path("told");
    const [busy, idle, broken] = [await RawClient.greeted(path), await RawClient.greeted(path), await RawClient.greeted(path)];
    for (const answer of [{}, { status: 2, senseLength: 18 }, { status: 0x18 }, { status: 8 }]) {
      busy.send(scriptedCdb(0x5e, 8, answer), [device]);
      await busy.readAnswer();
    }
    busy.send(scriptedCdb(0x5f, 0), [device]);
    await busy.readAnswer();
    broken.send(cdb(0x12, 0, 8), [device]);
    await broken.readToEnd();
    await until(async () => (await status("told")).clients.length === 2);
    const report = await status("told");
    const who = { pid: process.pid, uid: process.getuid?.(), gid: process.getgid?.() };
    expect(report).to.deep.include({
      pid: helper.pid,
      socket: path,
      manager: { type: "pr-manager-sgio", connected: true },
      commands: { total: 5, in: 4, out: 1, cleanUp: 0, good: 2, checkCondition: 1, reservationConflict: 1, otherStatus: 1 },
      errors: { protocol: 1, stalled: 0, multipathRefused: 0 },
    });
    expect(report.workers.max).to.equal(3);
    expect(report.clients.map(({ commands, errors, pid, uid, gid }) => ({ commands, errors, pid, uid, gid }))).to.have.deep.members([
      { commands: 5, errors: 3, ...who },
      { commands: 0, errors: 0, ...who },
    ]);
    expect(report.connections.refused).to.equal(0);
    for (const client of [busy, idle]) client.close();
    expect(await helper.stop()).to.deep.equal({ code: 0, signal: null });
    expect(existsSync(`${path}.status`)).to.be.false;
  });

  it("is given while every worker waits for a disk", async () => {
    const helper = await workshop.start("stuck", ["--workers", "1"], shim.environment);
    const client = await RawClient.greeted(workshop.path("stuck"));
    const calls = shim.calls.length;
    client.send(scriptedCdb(0x5e, 8, { hold: 200 }), [device]);
    await shim.called(calls + 1);
    expect((await status("stuck")).workers).to.deep.equal({ running: 1, idle: 0, max: 1 });
    shim.release(200);
    await client.readAnswer();
    await helper.stop();
  });

  it("is given while the package is replaced, and its manifest is not there", async () => {
    const folder = workshop.path("package");
    mkdirSync(folder);
    copyPackage(folder);
    const helper = await workshop.start("replaced", [], {}, join(folder, "bin/qom-pr-helper.js"));
    removeManifest(folder);
    expect((await status("replaced")).pid).to.equal(helper.pid);
    expect(await helper.stop()).to.deep.equal({ code: 0, signal: null });
  });

  it("is for the owner and root only", async () => {
    const helper = await workshop.start("private");
    expect(lstatSync(`${workshop.path("private")}.status`).mode & 0o777).to.equal(0o600);
    await helper.stop();
  });

  it("keeps no helper from ending, when somebody asks and does not take the answer", async () => {
    const helper = await workshop.start("asked");
    const asker = connect(`${workshop.path("asked")}.status`);
    await new Promise((resolve) => asker.once("connect", resolve));
    asker.pause();
    expect(await helper.stop()).to.deep.equal({ code: 0, signal: null });
    asker.destroy();
  });

  it("survives that a connection cannot be accepted", async () => {
    const path = workshop.path("refused");
    const said: string[] = [];
    const nothing = {} as StatusReport; // nobody reads it
    const server = serveStatus(
      listenUnixStream(libc(), loadServerLibc(), path),
      () => nothing,
      (line) => void said.push(line),
    );
    try {
      const error = Object.assign(new Error("accept ENOMEM"), { code: "ENOMEM", errno: -12, syscall: "accept" });
      expect(server.emit("error", error)).to.equal(true);
      expect(said).to.deep.equal(["the status could not be given: not enough memory"]);
      expect((await connect(path).toArray()).join("")).to.equal("{}\n");
    } finally {
      await new Promise((resolve) => server.close(resolve));
    }
  });

  it("is missing, with one line, where no helper is", async () => {
    const result = await here.run(["--status", "-k", workshop.path("nobody")]);
    expect(result.code).to.equal(1);
    expect(result.stderr).to.match(/^qom-pr-helper: no status from '.*nobody\.status': no helper serves that socket\n$/);
    expect((await here.run(["--status", "-k", "/nonexistent/socket"])).stderr).to.equal(
      "qom-pr-helper: no status from '/nonexistent/socket.status': the folder '/nonexistent' does not exist\n",
    );
  });

  it("is not offered where the path is too long for it, and the helper serves nevertheless", async () => {
    const name = "x".repeat(106 - workshop.path("").length);
    const helper = await workshop.start(name);
    expect(helper.stderr).to.match(/^qom-pr-helper: the status cannot be queried: .*107 bytes.*\n/);
    await helper.stop();
  });
});
