/** The lock of a folder: whose lock is respected, whose is taken over, and that processes which come at once do not both get it. */
import { spawn, spawnSync } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import fs, { mkdirSync, readdirSync, readFileSync, readlinkSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { present } from "#src/base/assert.js";
import { Fabric } from "#src/target/fabric/fabric.js";
import { FolderLock } from "#src/stores/folder/lock.js";
import { refusal } from "../support/refusal.js";
import { temporaryFolder } from "../support/folder.js";

const CHILD = fileURLToPath(new URL("./support/reservation-child.js", import.meta.url));

/** Between two looks at another process; the look decides, not the pause. */
const POLL_INTERVAL_MS = 5;

/** Field 22 of /proc/PID/stat: the 20th behind the program's name. */
function startOf(pid: number): string {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "";
}

/** f_type of NFS (statfs(2)). */
const NFS = 0x6969;

/** A lock without the name of its locked file, which is another one each time. */
function unheld(target: string): string {
  return target.replace(/held:\S*$/, "held:");
}

describe("lock of a folder", () => {
  const { path } = temporaryFolder();
  let folders = 0;
  let folder = "";
  /** What the lock of this process says. */
  let own = "";
  /** A live process of this user: where /proc has the option hidepid, others are not seen. */
  let alive = 0;
  let sleeping: ChildProcess | undefined;
  before(() => {
    sleeping = spawn("sleep", ["3600"], { stdio: "ignore" });
    alive = present(sleeping.pid, "the system has a program sleep");
  });
  after(() => void sleeping?.kill());
  beforeEach(() => {
    folder = path(`folder${folders}`);
    folders += 1;
    mkdirSync(folder);
    const lock = FolderLock.acquire(folder, "lasting");
    own = readlinkSync(`${folder}/lock`);
    lock.release();
  });

  const plant = (target: string, name = "lock"): void => symlinkSync(target, `${folder}/${name}`);
  const asPid = (pid: number, started = startOf(pid)): string => own.replace(/^pid:\d+ started:\d+/, `pid:${pid} started:${started}`);
  const takeOver = (): void => {
    const lock = FolderLock.acquire(folder, "lasting");
    expect(unheld(readlinkSync(`${folder}/lock`))).to.equal(unheld(own));
    expect(readdirSync(folder)).to.deep.equal(["lock", "lock.held"]);
    lock.release();
    expect(readdirSync(folder)).to.deep.equal([]);
  };

  it("says who holds it", () => {
    const time = String.raw`time:time:\[\d+\]`;
    expect(own).to.match(
      new RegExp(String.raw`^pid:\d+ started:\d+ boot:[0-9a-f-]{36} namespace:pid:\[\d+\] ${time} use:lasting held:[0-9a-f-]{36}$`),
    );
    expect(own).to.contain(`pid:${process.pid} started:${startOf(process.pid)} `);
  });

  it("of this process is refused to this process too", async () => {
    const lock = FolderLock.acquire(folder, "lasting");
    const error = await refusal(() => FolderLock.acquire(folder, "lasting"));
    expect([error.kind, error.message]).to.deep.equal([
      "in-use",
      `the folder '${folder}' is locked: process ${process.pid}, this one, is using it`,
    ]);
    lock.release();
    takeOver();
  });

  for (const use of ["moment", "lasting"] as const) {
    it(`says whether it is held for long: ${use}`, async () => {
      const fabric = await Fabric.open({ stateDir: folder, use });
      const error = await refusal(() => Fabric.open({ stateDir: folder }));
      expect([error.kind, error.context.heldFor, error.within({ option: "state" }).context.heldFor]).to.deep.equal(["in-use", use, use]);
      await fabric.close();
      plant(asPid(alive).replace(/use:\w+/, `use:${use}`));
      expect((await refusal(() => Fabric.open({ stateDir: folder }))).context.heldFor).to.equal(use);
    });
  }

  it("of version 0.1.0 does not say it", async () => {
    plant(asPid(alive).replace(/ time:.*$/, ""));
    const error = await refusal(() => FolderLock.acquire(folder, "lasting"));
    expect(error.message).to.contain(`is locked: process ${alive} is using it`);
    expect(error.context.heldFor).to.equal(undefined);
  });

  it("of a live process is respected", async () => {
    plant(asPid(alive));
    const error = await refusal(() => FolderLock.acquire(folder, "lasting"));
    expect(error.message).to.equal(`the folder '${folder}' is locked: process ${alive} is using it`);
    expect(readlinkSync(`${folder}/lock`)).to.equal(asPid(alive));
  });

  const dead: readonly (readonly [string, () => string])[] = [
    ["a process that is gone", () => asPid(spawnSync("true").pid, "1")],
    ["a process whose number another one has", () => asPid(process.pid, "1")],
    ["a process of before a reboot, with number and start time of this one", () => own.replace(/boot:\S+/, "boot:other")],
  ];
  for (const [whose, target] of dead) {
    it(`of ${whose} is taken over`, () => {
      plant(target());
      takeOver();
    });
  }

  it("of a process that has ended and is still listed is taken over", async () => {
    const child = spawn("true", { stdio: "ignore" });
    const reaped = once(child, "exit");
    const pid = present(child.pid, "the system has a program true");
    // node asks for its ended children from the event loop, which does not turn here
    const sleeper = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
    while (!readFileSync(`/proc/${pid}/stat`, "utf8").includes(" Z ")) Atomics.wait(sleeper, 0, 0, POLL_INTERVAL_MS);
    plant(asPid(pid));
    takeOver();
    await reaped;
  });

  it("is taken over although others died while they did so", () => {
    for (const name of ["lock", "lock.1", "lock.2"]) plant(asPid(process.pid, "1"), name);
    takeOver();
  });

  it("is not taken over while another process is about to", async () => {
    plant(asPid(process.pid, "1"));
    plant(asPid(alive), "lock.1");
    expect((await refusal(() => FolderLock.acquire(folder, "lasting"))).message).to.contain(`process ${alive} is using it`);
    expect(readdirSync(folder)).to.deep.equal(["lock", "lock.1"]);
  });

  it("is not taken from a process that has just taken it over", async () => {
    plant(asPid(process.pid, "1"));
    const { symlinkSync: original } = fs;
    fs.symlinkSync = (target, name): void => {
      if (name === `${folder}/lock.1`) spawnSync("ln", ["-sfn", asPid(alive), `${folder}/lock`]);
      original(target, name);
    };
    syncBuiltinESMExports();
    try {
      expect((await refusal(() => FolderLock.acquire(folder, "lasting"))).message).to.contain(`process ${alive} is using it`);
      expect(readdirSync(folder)).to.deep.equal(["lock"]);
    } finally {
      fs.symlinkSync = original;
      syncBuiltinESMExports();
    }
  });

  it("gives up when no attempt to take it over ever ended", async () => {
    for (let level = 0; level <= 8; level += 1) plant(asPid(process.pid, "1"), level === 0 ? "lock" : `lock.${level}`);
    expect((await refusal(() => FolderLock.acquire(folder, "lasting"))).message).to.contain("9 dead processes");
    expect(readdirSync(folder)).to.have.length(9);
  });

  const unclear: readonly (readonly [string, () => void, string])[] = [
    [
      "a container, whatever else it says",
      (): void => plant(own.replace(/boot:\S+/, "boot:other").replace(/namespace:\S+/, "namespace:other")),
      "container",
    ],
    ["a process that cannot be seen from here", () => plant(own.replace(/namespace:\S+/, "namespace:other")), "container"],
    ["nobody", () => plant("elsewhere"), "elsewhere"],
    ["a file of that name", () => writeFileSync(`${folder}/lock`, ""), "lock"],
  ];
  for (const [whose, make, says] of unclear) {
    it(`of ${whose} is refused with what to do`, async () => {
      make();
      const error = await refusal(() => FolderLock.acquire(folder, "lasting"));
      expect(error.message).to.contain(folder).and.to.contain(says);
      expect(error.hint).to.contain("lock");
      expect(readdirSync(folder)).to.deep.equal(["lock"]);
    });
  }

  it("of a holder that nobody can see is taken over when the kernel has dropped the lock on its file", async () => {
    const name = "5f0c1a2b-0000-4000-8000-000000000001";
    const unseen = own
      .replace(/boot:\S+/, "boot:other")
      .replace(/namespace:\S+/, "namespace:other")
      .replace(/held:\S+/, `held:${name}`);
    plant(unseen);
    for (const other of ["", name.slice(1), name.replace("1", "2")]) {
      writeFileSync(`${folder}/lock.held`, other);
      expect((await refusal(() => FolderLock.acquire(folder, "moment"))).message, "it held another file").to.contain("container");
    }
    writeFileSync(`${folder}/lock.held`, name);
    takeOver();
  });

  it("on a file system that other hosts may share is respected when the kernel is another one, or it is not certain", async () => {
    const { statfsSync } = fs;
    const name = "5f0c1a2b-0000-4000-8000-000000000001";
    const held = asPid(spawnSync("true").pid, "1").replace(/held:\S+/, `held:${name}`);
    writeFileSync(`${folder}/lock.held`, name);
    fs.statfsSync = ((at: string) => Object.assign(statfsSync(at), { type: NFS })) as typeof statfsSync; // only the type is looked at
    syncBuiltinESMExports();
    try {
      for (const boot of ["other", ""]) {
        plant(held.replace(/boot:\S+/, `boot:${boot}`));
        const error = await refusal(() => FolderLock.acquire(folder, "lasting"));
        expect(error.message).to.contain("another host");
        expect(error.hint).to.contain(`${folder}/lock`);
        unlinkSync(`${folder}/lock`);
      }
      plant(held);
      takeOver();
    } finally {
      fs.statfsSync = statfsSync;
      syncBuiltinESMExports();
    }
  });

  it("that was removed by hand is still respected while its holder lives", async () => {
    const lock = FolderLock.acquire(folder, "lasting");
    unlinkSync(`${folder}/lock`);
    expect((await refusal(() => FolderLock.acquire(folder, "lasting"))).message).to.contain("another process is using it");
    lock.release();
    takeOver();
  });

  it("that somebody else has by now is not released", () => {
    const lock = FolderLock.acquire(folder, "lasting");
    spawnSync("ln", ["-sfn", asPid(alive), `${folder}/lock`]);
    lock.release();
    expect(readlinkSync(`${folder}/lock`)).to.equal(asPid(alive));
  });

  it("is one process's alone, when several take it over at once, and the next one's after kill -9", async function () {
    this.timeout(60_000);
    for (let round = 0; round < 3; round += 1) {
      const outcomes = await Promise.all(Array.from({ length: 4 }, () => contend(folder)));
      const holders = outcomes.filter(({ refused }) => refused === null);
      expect(holders, JSON.stringify(outcomes)).to.have.length(1);
      const [holder] = holders;
      for (const { refused } of outcomes)
        if (refused !== null) expect(refused).to.match(/is locked: (?:process \d+|another process) is using it/);
      const error = await refusal(() => Fabric.open({ stateDir: folder }));
      expect(error.message).to.contain(`'${folder}'`).and.to.contain(`process ${holder?.pid} `);
      await holder?.kill();
      expect(readlinkSync(`${folder}/lock`), "left behind").to.contain(`pid:${holder?.pid} `);
    }
    await (await Fabric.open({ stateDir: folder })).close();
    expect(readdirSync(folder).filter((name) => name.startsWith("lock"))).to.deep.equal([]);
  });
});

/** A process that wants the folder: it has it, or was refused. */
interface Contender {
  readonly pid: number | undefined;
  readonly refused: string | null;
  readonly kill: () => Promise<void>;
}

async function contend(folder: string): Promise<Contender> {
  const child = spawn(process.execPath, [CHILD, folder, "1"], { stdio: ["ignore", "pipe", "pipe"] });
  let complaints = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (complaints += text));
  const closed = new Promise<void>((resolve) => child.once("close", () => resolve()));
  const works = new Promise<true>((resolve) => child.stdout.once("data", () => resolve(true)));
  const has = await Promise.race([works, closed.then(() => false)]);
  // what it goes on to write nobody reads
  child.stdout.resume();
  const kill = async (): Promise<void> => {
    child.kill("SIGKILL");
    await closed;
  };
  return { pid: child.pid, refused: has ? null : complaints, kill };
}
