/** fence_scsi of the fence agents, with `qom-pr persist` in the place of sg_persist: two nodes, two disks. */
import { once } from "node:events";
import { accessSync, constants, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import type { Socket } from "node:net";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { runPersist } from "#src/cli/persist/persist.js";
import { temporaryFolder } from "../support/folder.js";
import { skipUnlessRequired } from "../support/requirement.js";
import { PROGRAM, runProgram } from "./support/programs.js";
import type { Ended } from "./support/programs.js";

const source = (name: string): string => fileURLToPath(new URL(`../../../test/cli/support/${name}`, import.meta.url));
const RUNNER = source("fence-scsi.py");
const CLIENT = source("persist-client.py");

/** Seconds that the agent gives a command; what it would do on a slow computer is not asked here. */
const COMMAND_TIMEOUT = "600";

/** The node whose status the program itself tells. */
const PROGRAM_ITSELF = "a";

/** Exit statuses of fence agents. */
const ON = 0;
const OFF = 2;

interface Registrant {
  readonly key: string;
  readonly holder: boolean;
}

function findAgent(): string | null {
  const folders = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin"];
  return folders.map((folder) => join(folder, "fence_scsi")).find(isProgram) ?? null;
}

/** CI hides a program by a file in its place that cannot be executed. */
function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Its modules are those of the distribution's Python, which need not be the first one in PATH. */
function interpreter(agent: string): string {
  return /^#! ?(\S+)/.exec(readFileSync(agent, "utf8"))?.[1] ?? "python3";
}

/** Runs `persist` in this process, as the program does in its own. */
async function persist(argv: readonly string[]): Promise<Ended> {
  let [stdout, stderr] = ["", ""];
  const output = { out: (text: string) => void (stdout += text), error: (text: string) => void (stderr += text) };
  const code = await runPersist(argv, { output, variables: {} });
  return { code, stdout, stderr };
}

/** Lets persist-client.py have commands run in this process. */
async function answer(connection: Socket): Promise<void> {
  let words = "";
  connection.setEncoding("utf8").on("data", (text: string) => (words += text));
  await once(connection, "end");
  connection.end(JSON.stringify(await persist(JSON.parse(words) as string[]))); // what the client wrote
}

/** A blank in a path would be the end of a word. */
function quoted(word: string): string {
  return `'${word}'`;
}

describe("fence_scsi over qom-pr persist", function () {
  this.timeout(240_000);
  const folder = temporaryFolder();
  const server = createServer({ allowHalfOpen: true }, (connection) => {
    answer(connection).catch((error: unknown) => connection.destroy(error instanceof Error ? error : undefined));
  });
  let agent = "";
  let disks: readonly string[] = [];
  before(function () {
    const found = findAgent();
    if (found === null) skipUnlessRequired(this, "there is no fence_scsi: apt-get install fence-agents");
    agent = found;
    disks = ["disk one", "disk2"].map((name) => folder.path(name.replace(" ", "-")));
    for (const disk of disks) writeFileSync(disk, "");
    server.listen(folder.path("socket"));
  });
  after(() => void server.close());

  function wayOf(node: string): readonly string[] {
    return ["--name", node, "--object", `scsi-fabric,id=san,state=${folder.path("san")}`, "--manager", "pr-manager-memory,fabric=san"];
  }

  /** What a cluster configures, on the node. The agent starts the program for each command, dozens in all: some are enough. */
  function fence(node: string, action: string, key: string, ...further: readonly string[]): Promise<Ended> {
    const program =
      node === PROGRAM_ITSELF && action === "status"
        ? [process.execPath, PROGRAM, "persist"]
        : [interpreter(agent), "-S", "-E", CLIENT, folder.path("socket")];
    const command = [...program, ...wayOf(node)].map(quoted).join(" ");
    const paths = [`--sg_persist-path=${command}`, "--sg_turs-path=/bin/true", `--power-timeout=${COMMAND_TIMEOUT}`];
    const argv = ["-o", action, "-k", key, "-d", disks.join(","), ...paths, ...further];
    return runProgram(interpreter(agent), ["-W", "ignore", RUNNER, agent, folder.path(`store-${node}`), ...argv]);
  }

  async function registrants(disk: string): Promise<readonly Registrant[]> {
    const { stdout } = await persist([...wayOf("observer"), "--json", "-s", disk]);
    const { data } = JSON.parse(stdout) as { data: { registrants: readonly Registrant[] } }; // docs/cli.md has its members
    return data.registrants.map(({ key, holder }) => ({ key, holder }));
  }

  const registrant = (key: string, holder: boolean): Registrant => ({ key: `0x${key.padStart(16, "0")}`, holder });

  async function expectOn(node: string, key: string, ...further: readonly string[]): Promise<void> {
    const { code, stdout, stderr } = await fence(node, "status", key, ...further);
    expect([code, stdout], stderr).to.deep.equal([ON, "Status: ON\n"]);
  }

  it("lets two nodes in", async () => {
    for (const [node, key] of [
      ["a", "a1"],
      ["b", "b2"],
    ] as const) {
      const { code, stderr } = await fence(node, "on", key, "--aptpl");
      expect(code, stderr).to.equal(0);
    }
    for (const disk of disks) expect(await registrants(disk)).to.deep.equal([registrant("a1", true), registrant("b2", false)]);
    expect(readFileSync(folder.path("store-a.key"), "utf8")).to.equal("a1\n");
    expect(readFileSync(folder.path("store-b.dev"), "utf8")).to.equal(disks.map((disk) => `${disk}\n`).join(""));
  });

  it("tells their status, with and without --readonly", async () => {
    await expectOn("a", "a1");
    expect((await fence("b", "status", "c3", "--readonly")).code).to.equal(OFF);
  });

  it("does not fence the node that asks", async () => {
    expect((await fence("a", "off", "a1")).code).to.equal(1);
    for (const disk of disks) expect(await registrants(disk)).to.have.length(2);
  });

  it("fences the other node, and its own reservation stays", async () => {
    const { code, stderr } = await fence("a", "off", "b2", "--aptpl");
    expect(code, stderr).to.equal(0);
    for (const disk of disks) expect(await registrants(disk)).to.deep.equal([registrant("a1", true)]);
    expect((await fence("b", "status", "b2", "--readonly")).code).to.equal(OFF);
  });

  it("lets the fenced node in again", async () => {
    expect((await fence("b", "on", "b2", "--aptpl")).code).to.equal(0);
    for (const disk of disks) expect(await registrants(disk)).to.deep.include.members([registrant("a1", true), registrant("b2", false)]);
    await expectOn("b", "b2", "--readonly");
  });
});
