/** A folder of reservations on a disk that fails for a while, or in which others move things: what is refused, what is said, and what is there. */
import { execFileSync } from "node:child_process";
import fs, { existsSync, mkdirSync, readFileSync, readlinkSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { expect } from "chai";
import type { ModelCommand } from "../reservation/support/model.js";
import { Fabric } from "#src/target/fabric/fabric.js";
import { readStateFile } from "#src/stores/folder/file.js";
import { DurableUnit } from "./support/durable-unit.js";
import type { Survivors } from "./support/durable-unit.js";
import { nexusOf, toScsi, WWN } from "./support/reservation-stream.js";
import { temporaryFolder } from "../support/folder.js";
import { outcome } from "../support/outcome.js";

const FILE = `${WWN}.json`;

/** REGISTER AND IGNORE EXISTING KEY of A1. */
function register(key: number, aptpl = true): ModelCommand {
  const rest = { type: 5, scope: 0, allTargetPorts: false, hosts: null, destination: "B1", unregister: false };
  return { nexus: "A1", action: "RAI", rk: 0, sark: key, aptpl, ...rest };
}

function saved(key: number): Survivors {
  return { aptpl: true, registrations: [{ nexus: "A1", key }], reservation: null };
}

/** A step of saving a file, by what it is done to: the unfinished file, the file, the folder. */
type Step = "write" | "sync file" | "rename" | "unlink" | "sync folder";

/**
 * Makes file operations fail, by the name of the step and how often that was asked for since.
 * @returns ends it
 */
async function failSteps(fails: (step: Step, time: number) => string | null): Promise<() => void> {
  const probe = await open("/", "r");
  const handles = Object.getPrototypeOf(probe) as FileHandle; // the methods of all file handles
  await probe.close();
  // oxlint-disable-next-line typescript/unbound-method -- they are called with the handle that they were called on
  const { sync, writeFile } = handles;
  const { rename, unlink } = fs.promises;
  const times = new Map<Step, number>();
  const pass = (step: Step): void => {
    const time = times.get(step) ?? 0;
    times.set(step, time + 1);
    const code = fails(step, time);
    if (code !== null) throw Object.assign(new Error(`${code}: ${step}`), { code, errno: -5, syscall: "fsync" });
  };
  handles.sync = async function (this: FileHandle): Promise<void> {
    pass(readlinkSync(`/proc/self/fd/${this.fd}`).includes(".json") ? "sync file" : "sync folder");
    await sync.call(this);
  };
  handles.writeFile = async function (this: FileHandle, ...args: Parameters<FileHandle["writeFile"]>): Promise<void> {
    pass("write");
    await writeFile.apply(this, args);
  };
  fs.promises.rename = async (from, to): Promise<void> => {
    pass("rename");
    await rename(from, to);
  };
  fs.promises.unlink = async (name): Promise<void> => {
    if (!String(name).endsWith(".unfinished")) pass("unlink");
    await unlink(name);
  };
  syncBuiltinESMExports();
  return () => {
    Object.assign(handles, { sync, writeFile });
    Object.assign(fs.promises, { rename, unlink });
    syncBuiltinESMExports();
  };
}

describe("folder of reservations that fails", () => {
  const { path } = temporaryFolder();
  let [folders, folder] = [0, ""];
  let disk: DurableUnit;
  let lines: string[];
  let repair: (() => void) | undefined;
  beforeEach(async () => {
    folder = path(`san${folders}`);
    folders += 1;
    disk = await DurableUnit.open(folder);
    lines = [];
    disk.fabric.onWarning((line) => lines.push(line));
  });
  afterEach(async () => {
    repair?.();
    repair = undefined;
    await disk.fabric.close();
  });
  const fail = async (fails: (step: Step, time: number) => string | null): Promise<void> => {
    repair = await failSteps(fails);
  };
  const content = (): string | null => (existsSync(`${folder}/${FILE}`) ? readFileSync(`${folder}/${FILE}`, "utf8") : null);
  /** What a process that comes after kill -9 finds. */
  const found = (): number | null => {
    const state = readStateFile(`${folder}/${FILE}`)?.state;
    return state === undefined ? null : Number([...state.registrations()][0]?.key);
  };

  const always = (): boolean => true;
  const failures: readonly (readonly [what: string, step: Step, when: (time: number) => boolean, errno: string, sense: string])[] = [
    ["the disk is full", "write", always, "ENOSPC", "07/27/07"],
    ["the file does not reach the disk", "sync file", always, "EIO", "03/0C/00"],
    ["the file cannot take its name", "rename", always, "EIO", "03/0C/00"],
    ["the folder does not reach the disk", "sync folder", always, "EIO", "03/0C/00"],
    ["the folder does not reach the disk once", "sync folder", (time) => time === 0, "EIO", "03/0C/00"],
  ];
  for (const [what, step, when, errno, sense] of failures) {
    for (const former of [null, 1]) {
      it(`because ${what} refuses commands, again and again, and no longer (${former === null ? "the first" : "a later"} save)`, async () => {
        if (former !== null) expect(await disk.send(register(former))).to.equal("GOOD");
        const before = await disk.survivors();
        await fail((each, time) => (each === step && when(time) ? errno : null));
        const once = when === always ? 3 : 1;
        for (let time = 0; time < once; time += 1) expect(await disk.send(register(2))).to.equal(sense);
        expect(await disk.survivors()).to.deep.equal(before);
        repair?.();
        expect(await disk.send(register(3))).to.equal("GOOD");
        expect(found()).to.equal(3);
        const said = lines.length === 0 ? 0 : 2;
        expect(lines, lines.join()).to.have.length(said);
        const differs = when === always && (step === "sync folder" || (step === "rename" && former !== null));
        expect(said === 2, "differences are said").to.equal(differs);
      });
    }
  }

  for (const last of ["a commit", "another unit's commit", "close()"]) {
    it(`until it could put back what it had: that is said, and done at ${last}`, async () => {
      expect(await disk.send(register(1))).to.equal("GOOD");
      const former = content();
      const other = await disk.fabric.attach({ wwn: "naa.5000000000000002" });
      await fail((step, time) => (step === "sync folder" || (step === "rename" && time > 0) ? "EIO" : null));
      expect(await disk.send(register(2))).to.equal("03/0C/00");
      expect(await disk.survivors()).to.deep.equal(saved(1));
      expect(found(), "what was refused is in the file").to.equal(2);
      expect(lines).to.have.length(1);
      expect(lines[0]).to.contain(`'${folder}/${FILE}'`).and.to.contain("(i/o error)");
      expect(await disk.send(register(2)), "once more").to.equal("03/0C/00");
      repair?.();
      if (last === "a commit") expect(await disk.send(register(3))).to.equal("GOOD");
      else if (last !== "close()") expect(outcome(await other.execute(nexusOf("A1"), toScsi(register(9))))).to.equal("GOOD");
      await disk.fabric.close();
      expect(lines).to.have.length(2);
      if (last === "a commit") expect(found()).to.equal(3);
      else expect(content()).to.equal(former);
    });
  }

  it("to bring back a file that was to go lets the next command work", async () => {
    expect(await disk.send(register(1))).to.equal("GOOD");
    await fail((step) => (step === "sync folder" || step === "write" ? "EIO" : null));
    for (let time = 0; time < 2; time += 1) expect(await disk.send(register(1, false))).to.equal("03/0C/00");
    expect(content(), "it is gone, and could not be written").to.equal(null);
    repair?.();
    expect(await disk.send(register(2))).to.equal("GOOD");
    expect(found()).to.equal(2);
  });

  for (const aptpl of [true, false]) {
    it(`since its file was moved away is written again (APTPL ${aptpl ? "on" : "off"})`, async () => {
      expect(await disk.send(register(1))).to.equal("GOOD");
      renameSync(`${folder}/${FILE}`, `${folder}/away`);
      expect(await disk.send(register(2, aptpl))).to.equal("GOOD");
      expect(found()).to.equal(aptpl ? 2 : null);
    });
  }

  it("since somebody put another file there has what memory has after the next change", async () => {
    expect(await disk.send(register(1))).to.equal("GOOD");
    for (const make of [(): void => writeFileSync(`${folder}/${FILE}`, "{"), (): void => fs.symlinkSync("away", `${folder}/${FILE}`)]) {
      rmSync(`${folder}/${FILE}`);
      make();
      expect(await disk.send(register(2))).to.equal("GOOD");
      expect(found()).to.equal(2);
    }
    rmSync(`${folder}/${FILE}`);
    mkdirSync(`${folder}/${FILE}`);
    expect(await disk.send(register(3)), "a folder cannot be replaced").to.match(/^0[34]\//);
    rmSync(`${folder}/${FILE}`, { recursive: true });
    expect(await disk.send(register(3))).to.equal("GOOD");
    expect(found()).to.equal(3);
  });

  it("since somebody put a FIFO in the way of the next save waits for nobody, and works again at once", async () => {
    expect(await disk.send(register(1))).to.equal("GOOD");
    execFileSync("sh", ["-c", 'mkfifo "$0"', `${folder}/${FILE}.unfinished`]);
    expect(await disk.send(register(2))).to.equal("04/44/00");
    expect(found()).to.equal(1);
    expect(await disk.send(register(3))).to.equal("GOOD");
    expect(found()).to.equal(3);
  });

  it("since it was moved away, or another one has its place, works when it is back", async () => {
    expect(await disk.send(register(1))).to.equal("GOOD");
    renameSync(folder, `${folder}.away`);
    expect(await disk.send(register(2))).to.equal("04/44/00");
    mkdirSync(folder);
    expect(await disk.send(register(2)), "where others may have it").to.equal("04/44/00");
    expect(fs.readdirSync(folder)).to.deep.equal([]);
    rmSync(folder, { recursive: true });
    renameSync(`${folder}.away`, folder);
    expect(found()).to.equal(1);
    expect(await disk.send(register(2))).to.equal("GOOD");
  });

  it("or not, lets a unit that was taken back begin anew", async () => {
    for (const aptpl of [true, false]) expect(await disk.send(register(1, aptpl))).to.equal("GOOD");
    for (const nexus of ["A1", "A2", "B1", "B2", "C1", "C2"]) disk.unit.logout(nexusOf(nexus));
    await disk.fabric.discard(disk.unit);
    const again = await disk.fabric.attach({ wwn: WWN });
    expect(again).not.to.equal(disk.unit);
    expect(outcome(await again.execute(nexusOf("A1"), toScsi(register(2))))).to.equal("GOOD");
    await disk.fabric.close();
    const next = await Fabric.open({ stateDir: folder });
    expect((await next.attach({ wwn: WWN })).reservations.registrants.map(({ key }) => key)).to.deep.equal([2n]);
    await next.close();
  });
});
