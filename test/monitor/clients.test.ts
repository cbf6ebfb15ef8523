/** Clients that are not ours: a QMP library of somebody else, and socat. */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { Machine } from "qom-pr";
import { temporaryFolder } from "../support/folder.js";
import { machineArguments } from "../support/machine.js";
import { skipUnlessRequired } from "../support/requirement.js";

/** Where Debian and Ubuntu put the sources of Go packages. */
const GO_PATH = "/usr/share/gocode";
const GO_PACKAGES = "golang-go golang-github-digitalocean-go-qemu-dev";
const GO_CLIENT = fileURLToPath(new URL("../../../test/monitor/support/go-client.go", import.meta.url));

/** The Go compiler takes its time. */
const COMPILING_TIMEOUT_MS = 600_000;

/** Runs a program to its end, with `input` as its standard input. */
async function run(program: string, argv: readonly string[], input: string, environment = {}): Promise<string> {
  const child = spawn(program, argv, { env: { ...process.env, ...environment } });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text: string) => (output += text));
  child.stdin.end(input);
  await once(child, "close");
  return output;
}

describe("QMP clients of others", () => {
  const folder = temporaryFolder();
  let machine: Machine;

  async function serve(name: string): Promise<string> {
    const path = folder.path(name);
    machine = await Machine.create([
      ...machineArguments("blockdev", "pr-manager-memory,id=pr0"),
      "-qmp",
      `unix:${path},server=on,wait=off`,
    ]);
    return path;
  }
  afterEach(() => machine.close());

  it("are served: go-qemu of DigitalOcean", async function () {
    this.timeout(COMPILING_TIMEOUT_MS);
    machine = await Machine.create([]);
    if (spawnSync("go", ["version"]).status !== 0 || !existsSync(`${GO_PATH}/src/github.com/digitalocean/go-qemu`)) {
      skipUnlessRequired(this, `there is no Go client for QMP: apt-get install ${GO_PACKAGES}`);
    }
    const environment = { GO111MODULE: "off", GOPATH: GO_PATH, GOFLAGS: "", GOCACHE: folder.path("go-cache"), CGO_ENABLED: "0" };
    const program = folder.path("go-client");
    expect(await run("go", ["build", "-o", program, GO_CLIENT], "", environment)).to.equal("");
    const path = await serve("go");
    const commands = [
      { execute: "query-pr-managers" },
      { execute: "object-add", arguments: { "qom-type": "pr-manager-memory", id: "pr1" } },
      { execute: "qom-get", arguments: { path: "/objects/pr1", property: "type" } },
      { execute: "nope" },
      { execute: "device_del", arguments: { id: "disk0" } },
    ];
    const output = await run(program, [path, ...commands.map((command) => JSON.stringify(command))], "");
    const [version, managers, added, type, refused, deleted, event, ...rest] = output.split("\n");
    expect(version).to.match(/^version .*11.*1.*3/);
    expect(JSON.parse(managers ?? "")).to.deep.equal({ return: [{ id: "pr0", connected: true }] });
    expect(JSON.parse(added ?? "")).to.deep.equal({ return: {} });
    expect(JSON.parse(type ?? "")).to.deep.equal({ return: "pr-manager-memory" });
    expect(refused).to.match(/^error .*nope/);
    expect(JSON.parse(deleted ?? "")).to.deep.equal({ return: {} });
    expect(event).to.equal("event DEVICE_DELETED disk0 true");
    expect(rest).to.deep.equal([""]);
  });

  it("are served: socat", async function () {
    const path = await serve("socat");
    if (spawnSync("socat", ["-V"]).status !== 0) skipUnlessRequired(this, "there is no socat: apt-get install socat");
    const input = ["qmp_capabilities", "query-pr-managers", "quit"].map((execute) => JSON.stringify({ execute })).join("\n");
    const output = await run("socat", ["-t60", "-", `UNIX-CONNECT:${path}`], input);
    const messages = output.split("\r\n").map((line) => (line === "" ? null : Object.keys(JSON.parse(line) as object)[0]));
    // The client has closed its side before it hears of the end.
    expect(messages.filter((name) => name !== null && name !== "event")).to.deep.equal(["QMP", "return", "return", "return"]);
    await machine.ended;
  });
});
