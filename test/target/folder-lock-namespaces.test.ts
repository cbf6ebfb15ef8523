/** The lock of a folder between processes that do not see each other as they are: by another /proc, boot id, clock or process numbers. */
import { spawn, spawnSync } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { mkdirSync, readdirSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { skipUnlessRequired } from "../support/requirement.js";
import { temporaryFolder } from "../support/folder.js";

const CHILD = fileURLToPath(new URL("./support/folder-child.js", import.meta.url));

/** Whoever owns a process without this capability sees, on such a /proc, only those with no more than its own. */
const UNPRIVILEGED = "setpriv --regid 65534 --clear-groups --bounding-set -sys_ptrace --inh-caps -sys_ptrace";

/** A way to run a program: what it does not see as it is. */
interface Surroundings {
  readonly name: string;
  /** Words that the program's own are added to; `shell` runs its argument. */
  readonly words: (shell: (script: string) => readonly string[], bootId: string) => readonly string[];
  /** What the refusal says when the lock is one of version 0.1.0, so that there is nothing but /proc to go by. */
  readonly says: RegExp;
}

const SURROUNDINGS: readonly Surroundings[] = [
  {
    name: "a /proc that hides it (hidepid=2)",
    words: (shell) => ["unshare", "--mount", ...shell(`mount -t proc -o hidepid=2 proc /proc && exec ${UNPRIVILEGED} "$0" "$@"`)],
    says: /process \d+ may be using it/,
  },
  {
    name: "a boot id of its own",
    words: (shell, bootId) => ["unshare", "--mount", ...shell(`mount --bind ${bootId} /proc/sys/kernel/random/boot_id && exec "$0" "$@"`)],
    says: /process \d+ (?:is|may be) using it/,
  },
  {
    name: "a time namespace of its own",
    words: () => ["unshare", "--time", "--boottime", "100000", "--fork", "--kill-child=SIGKILL"],
    says: /process \d+ may be using it/,
  },
  {
    name: "process numbers of its own",
    words: () => ["unshare", "--pid", "--mount-proc", "--fork", "--kill-child=SIGKILL"],
    says: /process \d+ of another container may be using it/,
  },
];

describe("lock of a folder between namespaces", () => {
  const { path } = temporaryFolder();
  const running: ChildProcess[] = [];
  let folders = 0;
  let folder = "";
  before(function () {
    const tried = spawnSync("unshare", [
      "--mount",
      "--time",
      "--pid",
      "--fork",
      "--mount-proc",
      "setpriv",
      "--regid",
      "0",
      "--clear-groups",
      "true",
    ]);
    if (tried.status !== 0) skipUnlessRequired(this, "namespaces cannot be made here: run as root, apt-get install util-linux");
    writeFileSync(path("boot_id"), "11111111-2222-4333-8444-555555555555\n");
  });
  beforeEach(() => {
    folder = path(`folder${folders}`);
    folders += 1;
    mkdirSync(folder);
  });
  afterEach(async () => {
    for (const child of running.splice(0)) await kill(child);
  });

  /** What a process that wants the folder says first; it holds it until it is killed. */
  const contend = async (words: readonly string[] = []): Promise<string> => {
    const [program, ...rest] = [...words, process.execPath, CHILD, folder];
    const child = spawn(program, rest, { stdio: ["pipe", "pipe", "inherit"] });
    running.push(child);
    return new Promise((resolve, reject) => {
      child.once("error", reject);
      child.stdout.once("data", (text: Buffer) => resolve(text.toString().trim()));
      child.once("close", () => reject(new Error("it has said nothing")));
    });
  };
  const kill = async (child: ChildProcess | undefined): Promise<void> => {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const closed = new Promise((resolve) => child.once("close", resolve));
    child.kill("SIGKILL");
    await closed;
  };
  const shell = (script: string): readonly string[] => ["sh", "-c", script];

  for (const { name, words, says } of SURROUNDINGS) {
    const around = (): readonly string[] => words(shell, path("boot_id"));

    it(`is respected by a process with ${name}, and taken over when its holder is dead`, async () => {
      expect(await contend()).to.equal("has it");
      expect(await contend(around())).to.match(/is locked: process \d+(?: of another container)? is using it/);
      await kill(running[0]);
      expect(readdirSync(folder)).to.deep.equal(["lock", "lock.held"]);
      expect(await contend(around())).to.equal("has it");
    });

    it(`of version 0.1.0 is respected by a process with ${name}`, async () => {
      expect(await contend()).to.equal("has it");
      const old = readlinkSync(`${folder}/lock`).replace(/ time:.*$/, "");
      expect(old).to.match(/^pid:\d{1,10} started:\d+ boot:\S+ namespace:\S+$/);
      spawnSync("ln", ["-sfn", old, `${folder}/lock`]);
      rmSync(`${folder}/lock.held`);
      const said = await contend(around());
      expect(said).to.match(says).and.not.to.equal("has it");
      expect(readlinkSync(`${folder}/lock`)).to.equal(old);
    });

    it(`of a process with ${name} is respected, and taken over when it is dead`, async () => {
      expect(await contend(around())).to.equal("has it");
      expect(await contend()).to.match(/is locked: process \d+(?: of another container)? is using it/);
      await kill(running[0]);
      expect(await contend()).to.equal("has it");
    });
  }
});
