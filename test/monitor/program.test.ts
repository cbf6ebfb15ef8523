/** `qom-pr run` with a monitor, as a user runs it. */
import { spawn } from "node:child_process";
import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { copyPackage, removeManifest } from "../support/installed-copy.js";
import { temporaryFolder } from "../support/folder.js";
import { QmpClient } from "./support/qmp-client.js";

const PROGRAM = fileURLToPath(new URL("../../../bin/qom-pr.js", import.meta.url));

/** A running program and what it prints. */
class Program {
  readonly child: ChildProcessWithoutNullStreams;
  stdout = "";
  stderr = "";
  #wake: () => void = () => undefined;

  constructor(argv: readonly string[], program = PROGRAM) {
    this.child = spawn(process.execPath, [program, "run", ...argv]);
    this.child.stdout.setEncoding("utf8").on("data", (text: string) => this.#add("stdout", text));
    this.child.stderr.setEncoding("utf8").on("data", (text: string) => this.#add("stderr", text));
  }

  async until(stream: "stdout" | "stderr", text: string): Promise<void> {
    while (!this[stream].includes(text)) await new Promise<void>((resolve) => (this.#wake = resolve));
  }

  async ended(): Promise<number | null> {
    if (this.child.exitCode === null) await once(this.child, "close");
    return this.child.exitCode;
  }

  #add(stream: "stdout" | "stderr", text: string): void {
    this[stream] += text;
    this.#wake();
  }
}

describe("qom-pr run with QMP", () => {
  const folder = temporaryFolder();

  it("speaks QMP on standard input and output, and nothing else there", async () => {
    const program = new Program(["-qmp", "stdio"]);
    program.child.stdin.write('{"execute": "qmp_capabilities"}{"execute": "query-name", "id": 1}{"execute": "quit"}');
    expect(await program.ended()).to.equal(0);
    const names = program.stdout.split("\r\n").map((line) => (line === "" ? "" : Object.keys(JSON.parse(line) as object).join()));
    expect(names).to.deep.equal(["QMP", "return", "return,id", "return", "event,timestamp,data", ""]);
    expect(program.stderr).to.match(/^machine 'm0' is running/);
  });

  it("removes its socket at SIGTERM, and says why it ends", async () => {
    const path = folder.path("socket");
    const program = new Program(["-qmp", `unix:${path},server,nowait`]);
    await program.until("stdout", "running");
    const client = await QmpClient.ready({ path });
    program.child.kill("SIGTERM");
    expect((await client.event("SHUTDOWN")).data).to.deep.equal({ guest: false, reason: "host-signal" });
    expect(await client.next()).to.equal(undefined);
    expect(await program.ended()).to.equal(0);
    expect(existsSync(path)).to.equal(false);
  });

  it("greets clients while the package is replaced, and its manifest is not there", async () => {
    const installed = folder.path("package");
    mkdirSync(installed);
    copyPackage(installed);
    const path = folder.path("replaced");
    const program = new Program(["-qmp", `unix:${path},server,nowait`], join(installed, "bin/qom-pr.js"));
    await program.until("stdout", "running");
    removeManifest(installed);
    const client = await QmpClient.ready({ path });
    expect(await client.run("query-status")).to.include({ running: true });
    program.child.kill("SIGTERM");
    expect(await program.ended()).to.equal(0);
    await client.close();
  });

  it("waits for a client, says so, and can be told to end meanwhile", async () => {
    const path = folder.path("waiting");
    const program = new Program(["-qmp", `unix:${path},server=on`]);
    await program.until("stderr", `qom-pr: info: waiting for a connection on unix:${path}\n`);
    program.child.kill("SIGINT");
    expect(await program.ended()).to.equal(0);
    expect([program.stdout, existsSync(path)]).to.deep.equal(["", false]);
  });

  it("ends at SIGTERM though nobody reads what it writes to standard output", async () => {
    const program = new Program(["-qmp", "stdio"]);
    program.child.stdout.pause();
    await program.until("stderr", "running");
    program.child.stdin.write('{"execute": "qmp_capabilities"}' + '{"execute": "query-qmp-schema"}'.repeat(100));
    await once(program.child.stdout, "readable");
    program.child.kill("SIGTERM");
    const [status] = (await once(program.child, "exit")) as [number | null]; // what the event has
    expect(status).to.equal(0);
    program.child.stdout.destroy();
  });

  it("does not wait with --check", async () => {
    const program = new Program(["--check", "-qmp", `unix:${folder.path("check")},server=on`]);
    expect(await program.ended()).to.equal(0);
    expect([program.stdout, program.stderr]).to.deep.equal(["", ""]);
  });
});
