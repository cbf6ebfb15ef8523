/** A fabric whose reservations are in a folder: what is written there and when, what is read back, and what is refused. */
import fs, {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { open } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { expect } from "chai";
import { describeError, QomError } from "#src/base/errors.js";
import { Fabric } from "#src/target/fabric/fabric.js";
import { readStateFile } from "#src/stores/folder/file.js";
import type { ModelCommand } from "../reservation/support/model.js";
import { refusal } from "../support/refusal.js";
import { DurableUnit, NOTHING } from "./support/durable-unit.js";
import { nexusOf, WWN } from "./support/reservation-stream.js";
import { temporaryFolder } from "../support/folder.js";

const FILE = `${WWN}.json`;

/** What locks a folder. */
const LOCK: readonly string[] = ["lock", "lock.held"];

/** A command of A1 with the key 1 unless told otherwise. */
function command(action: ModelCommand["action"], change: Partial<ModelCommand> = {}): ModelCommand {
  const own = action === "REG" ? { rk: 0, sark: 1 } : { rk: 1, sark: 0 };
  const rest = { type: 5, scope: 0, aptpl: true, allTargetPorts: false, hosts: null, destination: "B1", unregister: false };
  return { nexus: "A1", action, ...own, ...rest, ...change };
}

const REGISTER = command("REG");
const RESERVE = command("RSV");
const SAVED = { aptpl: true, registrations: [{ nexus: "A1", key: 1 }], reservation: { type: 5, holder: "A1" } };

describe("state folder", () => {
  const { path } = temporaryFolder();
  let folders = 0;
  let folder = "";
  const opened: DurableUnit[] = [];
  const openUnit = async (): Promise<DurableUnit> => {
    const disk = await DurableUnit.open(folder);
    opened.push(disk);
    return disk;
  };
  beforeEach(() => {
    folder = path(`san${folders}`);
    folders += 1;
  });
  afterEach(async () => {
    for (const { fabric } of opened.splice(0)) await fabric.close();
  });

  it("brings back registrations, reservation and APTPL, and not PRgeneration", async () => {
    const disk = await openUnit();
    expect(await disk.capabilities()).to.deep.equal({ persistThroughPowerLoss: true, persistThroughPowerLossActive: false });
    expect([await disk.send(REGISTER), await disk.send(RESERVE)]).to.deep.equal(["GOOD", "GOOD"]);
    expect(disk.unit.reservations.generation).to.equal(1);
    const before = await disk.survivors();
    await disk.fabric.close();
    const again = await openUnit();
    expect(await again.survivors())
      .to.deep.equal(before)
      .and.to.deep.equal(SAVED);
    expect(again.unit.reservations.generation).to.equal(0);
    expect(await again.capabilities()).to.deep.equal({ persistThroughPowerLoss: true, persistThroughPowerLossActive: true });
    expect(await again.send(command("CLR"))).to.equal("GOOD");
    await again.fabric.close();
    const cleared = await openUnit();
    expect(await cleared.survivors(), "CLEAR leaves APTPL on").to.deep.equal({ ...NOTHING, aptpl: true });
  });

  it("is made for its owner alone, with the folders around it", async () => {
    folder = `${folder}/a/b`;
    const disk = await openUnit();
    await disk.send(REGISTER);
    const modes = [folder, `${folder}/${FILE}`].map((name) => (statSync(name).mode & 0o777).toString(8));
    expect(modes).to.deep.equal(["700", "600"]);
  });

  it("has nothing written to it while APTPL is off, and the saved state removed when it is switched off", async () => {
    const disk = await openUnit();
    const files = (): string[] => readdirSync(folder).filter((name) => !LOCK.includes(name));
    for (const each of [command("REG", { aptpl: false }), RESERVE]) expect(await disk.send(each)).to.equal("GOOD");
    expect(files()).to.deep.equal([]);
    expect(await disk.send(command("REG", { nexus: "B1" }))).to.equal("GOOD");
    expect(files()).to.deep.equal([FILE]);
    expect(await disk.send(command("REG", { nexus: "C1", aptpl: false }))).to.equal("GOOD");
    expect(files()).to.deep.equal([]);
    expect(await disk.send(command("REG", { nexus: "C2", aptpl: true }))).to.equal("GOOD");
    expect(files()).to.deep.equal([FILE]);
    expect(await disk.send(command("REG", { nexus: "C2", rk: 1, sark: 2, aptpl: false }))).to.equal("GOOD");
    await disk.fabric.close();
    expect(await (await openUnit()).survivors()).to.deep.equal(NOTHING);
  });

  it("keeps each unit in a file of its own, and shadow units beside those of the same name", async () => {
    const disk = await openUnit();
    const other = await disk.fabric.attach({ wwn: "naa.5000000000000002" });
    const register = { cdb: Uint8Array.of(0x5f, 0, 0, 0, 0, 0, 0, 0, 24, 0), dataOut: new Uint8Array(24).fill(1, 15, 16).fill(1, 20, 21) };
    const nexus = nexusOf("A1");
    for (const unit of [other, disk.fabric.shadow(WWN), disk.fabric.shadow(`/dev/${"x".repeat(300)}`)]) {
      expect((await unit.execute(nexus, register)).status).to.equal(0);
    }
    expect(readdirSync(folder).map((name) => name.replace(/[0-9a-f]{64}/, "HASH"))).to.have.members([
      ...LOCK,
      "naa.5000000000000002.json",
      "sha256-HASH.json",
      "sha256-HASH.json",
    ]);
    await disk.fabric.close();
    const again = await openUnit();
    expect(again.unit.reservations.registrants).to.deep.equal([]);
    expect(again.fabric.shadow(WWN).reservations.registrants).to.have.length(1);
  });

  it("is written, brought to the disk, renamed, and brought to the disk itself before the answer", async () => {
    const disk = await openUnit();
    await disk.send(REGISTER);
    const steps = await recordSteps(async () => {
      expect(await disk.send(RESERVE)).to.equal("GOOD");
    });
    expect(steps).to.deep.equal([
      `write ${folder}/${FILE}.unfinished`,
      `sync ${folder}/${FILE}.unfinished`,
      `rename ${folder}/${FILE}.unfinished ${folder}/${FILE}`,
      `sync ${folder}`,
    ]);
    const removal = await recordSteps(async () => {
      expect(await disk.send(command("REG", { nexus: "B1", aptpl: false }))).to.equal("GOOD");
    });
    expect(removal).to.deep.equal([`unlink ${folder}/${FILE}`, `sync ${folder}`]);
  });

  it("that fails the last step has the former content again, and the command is not executed", async () => {
    const disk = await openUnit();
    const off = command("REG", { nexus: "B1", aptpl: false });
    const content = (): string | null => (existsSync(`${folder}/${FILE}`) ? readFileSync(`${folder}/${FILE}`, "utf8") : null);
    for (const [first, failing] of [
      [null, REGISTER],
      [REGISTER, RESERVE],
      [RESERVE, off],
    ] as const) {
      if (first !== null) expect(await disk.send(first)).to.equal("GOOD");
      const before = [content(), await disk.survivors()];
      await recordSteps(async () => {
        expect(await disk.send(failing)).to.equal("03/0C/00");
      }, folder);
      expect([content(), await disk.survivors()]).to.deep.equal(before);
    }
    expect(await disk.send(off), "it works again").to.equal("GOOD");
    expect(content()).to.equal(null);
  });

  it("that is gone lets no change be made", async () => {
    const disk = await openUnit();
    await disk.send(REGISTER);
    const before = disk.unit.reservations;
    rmSync(folder, { recursive: true });
    for (const each of [RESERVE, command("CLR"), command("REG", { nexus: "B1", aptpl: false }), command("REG", { nexus: "B1" })]) {
      expect(await disk.send(each)).to.equal("04/44/00");
    }
    expect(disk.unit.reservations).to.deep.equal(before);
    await disk.fabric.close();
  });

  it("is rid of what a killed process did not finish", async () => {
    await (await openUnit()).fabric.close();
    writeFileSync(`${folder}/${FILE}.unfinished`, '{"unit":"naa.50');
    writeFileSync(`${folder}/disk.img`, "a medium");
    await openUnit();
    expect(readdirSync(folder).toSorted()).to.deep.equal(["disk.img", ...LOCK]);
  });

  it("is let go of when it cannot be used, and by close()", async () => {
    mkdirSync(folder);
    writeFileSync(`${folder}/${FILE}`, "{");
    await refusal(() => Fabric.open({ stateDir: folder }));
    expect(readdirSync(folder)).to.deep.equal([FILE]);
    rmSync(`${folder}/${FILE}`);
    await (await openUnit()).fabric.close();
    expect(readdirSync(folder)).to.deep.equal([]);
  });

  const places: readonly (readonly [string, () => string, string])[] = [
    ["an empty name", () => "", "empty"],
    ["a file", () => (writeFileSync(folder, ""), folder), "not a directory"],
    ["a folder in a file", () => (writeFileSync(folder, ""), `${folder}/san`), "not a directory"],
    ["a folder in /proc", () => "/proc/qom-pr", "no such file or directory"],
  ];
  for (const [what, make, says] of places) {
    it(`is not ${what}`, async () => {
      const stateDir = make();
      const error = await refusal(() => Fabric.open({ stateDir }));
      expect(describeError(error)).to.contain(stateDir).and.to.contain(says);
    });
  }

  describe("with a file that is not what was written", () => {
    let written = Buffer.alloc(0);
    let whole = "";
    beforeEach(async () => {
      const disk = await openUnit();
      for (const each of [REGISTER, RESERVE]) await disk.send(each);
      await disk.fabric.close();
      written = readFileSync(`${folder}/${FILE}`);
      // as version 1, without a checksum: what it says is looked at
      whole = written.toString("utf8").replace(/"version":2,"sha256":"[0-9a-f]{64}",/, "");
    });

    const edit = (from: string | RegExp, to: string) => (): string => whole.replace(from, to);
    const rows: readonly (readonly [what: string, text: () => string, kind: string, says: string])[] = [
      ["empty", () => "", "syntax", "JSON"],
      ["half of it", () => whole.slice(0, whole.length / 2), "syntax", "JSON"],
      ["all but the last brace", () => whole.slice(0, whole.lastIndexOf("}")), "syntax", "JSON"],
      ["zeros", () => "\0".repeat(whole.length), "syntax", "JSON"],
      ["with something behind it", () => whole + whole, "syntax", "JSON"],
      ["somebody else's JSON", () => '{ "name": "package" }', "invalid-value", "name"],
      ["an array", () => "[]", "invalid-value", "object"],
      ["of a version to come", () => `{"version":3,${whole.slice(1)}`, "unsupported", "version"],
      ["of no unit", edit(/"unit":"[^"]*",/, ""), "invalid-value", "whose"],
      ["of another unit", edit(WWN, "naa.5000000000000002"), "invalid-value", "naa.5000000000000002"],
      ["without revision", edit(/"revision":\d+,/, ""), "invalid-value", "revision"],
      ["of revision 0", edit(/"revision":\d+/, '"revision":0'), "invalid-value", "revision"],
      ["of another version", edit('"version":1', '"version":2'), "unsupported", "version 2"],
      ["without reservations", () => `{"unit":"${WWN}","revision":1}`, "invalid-value", "missing"],
      ["with APTPL off", edit('"aptpl":true', '"aptpl":false'), "invalid-value", "power loss"],
      ["with an unknown member", edit('"unit"', '"colour":"red","unit"'), "invalid-value", "colour"],
      ["with a key of zero", edit(/"key":"0x\d+"/, '"key":"0x0000000000000000"'), "invalid-value", "key"],
      ["with an initiator that is none", edit(/iqn\.[^"]*/, "nobody"), "invalid-value", "TransportID"],
      ["with a nexus twice", edit(/\[(\{.*?\})\]/, "[$1,$1]"), "invalid-value", "registered once"],
      ["with a holder that is not registered", edit('"holder":0', '"holder":1'), "invalid-value", "holder"],
      ["with a reservation and no registration", edit(/\[.*\]/, "[]"), "invalid-value", "holder"],
      ["with a type that is none", edit('"type":5', '"type":2'), "invalid-value", "type"],
    ];
    for (const [what, text, kind, says] of rows) {
      it(`refuses one that is ${what}, names it and leaves it`, async () => {
        const content = text();
        expect(content, "the row changes something").not.to.equal(whole);
        writeFileSync(`${folder}/${FILE}`, content);
        const error = await refusal(() => Fabric.open({ stateDir: folder }));
        expect([error.kind, describeError(error)]).to.satisfy(
          ([k, line]: string[]) => k === kind && line?.includes(says),
          describeError(error),
        );
        expect(error.message).to.contain(`${folder}/${FILE}`);
        expect(readFileSync(`${folder}/${FILE}`, "utf8")).to.equal(content);
        expect(readdirSync(folder)).to.deep.equal([FILE]);
      });
    }

    it("refuses every one in which a single bit is another", () => {
      const [file, accepted] = [`${folder}/${FILE}`, [] as number[]];
      for (let bit = 0; bit < written.length * 8; bit += 1) {
        const flipped = Buffer.from(written);
        flipped.writeUInt8(flipped.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
        writeFileSync(file, flipped);
        try {
          readStateFile(file);
          accepted.push(bit);
        } catch (error) {
          if (!(error instanceof QomError)) throw error;
        }
      }
      expect(accepted).to.deep.equal([]);
      writeFileSync(file, written);
      expect(readStateFile(file)?.unit).to.equal(WWN);
    });

    it("says of one that was edited what to do, and reads it then", async () => {
      const edited = written.toString("utf8").replace('"type":5', '"type":6');
      writeFileSync(`${folder}/${FILE}`, edited);
      const { hint } = await refusal(() => Fabric.open({ stateDir: folder }));
      expect(hint).to.contain("edited").and.to.contain("version and sha256").and.to.contain("move it away");
      const { version, sha256, ...rest } = JSON.parse(edited) as Record<string, unknown>; // the test knows its own file
      expect([version, typeof sha256]).to.deep.equal([2, "string"]);
      writeFileSync(`${folder}/${FILE}`, JSON.stringify({ version, sha256, ...rest }, null, 2));
      expect((await refusal(() => Fabric.open({ stateDir: folder }))).hint, "laid out anew").to.contain("edited");
      writeFileSync(`${folder}/${FILE}`, JSON.stringify(rest, null, 2));
      const disk = await openUnit();
      expect((await disk.survivors()).reservation?.type).to.equal(6);
      expect(await disk.send(command("REL", { type: 6 }))).to.equal("GOOD");
      expect(readFileSync(`${folder}/${FILE}`, "utf8"), "the next change is saved with a checksum").to.match(/^\{"version":2,"sha256":"/);
    });

    it("refuses the file of a unit under the name of another, a link, and a folder in its place", async () => {
      const other = `${folder}/naa.5000000000000009.json`;
      const makers = [(): void => writeFileSync(other, whole), (): void => symlinkSync(FILE, other), (): void => mkdirSync(other)];
      for (const make of makers) {
        make();
        const error = await refusal(() => Fabric.open({ stateDir: folder }));
        expect(error.message).to.contain(other);
        rmSync(other, { recursive: true });
      }
      expect(await (await openUnit()).survivors()).to.deep.equal(SAVED);
    });

    it("reads one that its owner alone may read, and one of any other mode", async () => {
      chmodSync(`${folder}/${FILE}`, 0o644);
      expect(await (await openUnit()).survivors()).to.deep.equal(SAVED);
    });
  });
});

/**
 * What `action` does to files, in order, as `step name`. With `failing` the sync of that folder fails, as it does on a broken disk.
 */
async function recordSteps(action: () => Promise<void>, failing?: string): Promise<readonly string[]> {
  const steps: string[] = [];
  const probe = await open("/", "r");
  const handles = Object.getPrototypeOf(probe) as FileHandle; // the methods of all file handles
  await probe.close();
  // oxlint-disable-next-line typescript/unbound-method -- they are called with the handle that they were called on
  const { sync, writeFile } = handles;
  const { rename, unlink } = fs.promises;
  const nameOf = (handle: FileHandle): string => readlinkSync(`/proc/self/fd/${handle.fd}`);
  handles.sync = async function (this: FileHandle): Promise<void> {
    steps.push(`sync ${nameOf(this)}`);
    if (nameOf(this) === failing) throw Object.assign(new Error("broken"), { code: "EIO", errno: -5, syscall: "fsync" });
    await sync.call(this);
  };
  handles.writeFile = async function (this: FileHandle, ...args: Parameters<FileHandle["writeFile"]>): Promise<void> {
    steps.push(`write ${nameOf(this)}`);
    await writeFile.apply(this, args);
  };
  fs.promises.rename = async (from, to): Promise<void> => {
    steps.push(`rename ${String(from)} ${String(to)}`);
    await rename(from, to);
  };
  fs.promises.unlink = async (name): Promise<void> => {
    steps.push(`unlink ${String(name)}`);
    await unlink(name);
  };
  syncBuiltinESMExports();
  try {
    await action();
  } finally {
    Object.assign(handles, { sync, writeFile });
    Object.assign(fs.promises, { rename, unlink });
    syncBuiltinESMExports();
  }
  return steps;
}
