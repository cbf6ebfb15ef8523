/**
 * A folder of reservations that version 0.1.0 has written (folder-0.1.0): what of it is used, and under which names. It has a simulated disk
 * on which a machine's default initiator is registered and holds a reservation, a disk with a name of its own, one without, and two files.
 */
import { cpSync, existsSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { DirectoryStore } from "#src/stores/folder/store.js";
import { Fabric } from "#src/target/fabric/fabric.js";
import type { LogicalUnit } from "#src/target/unit/logical-unit.js";
import { fileShadowName, outlivesRestart } from "#src/base/shadow-name.js";
import { stateFileName } from "#src/stores/folder/file.js";
import { temporaryFolder } from "../support/folder.js";
import { WWN } from "./support.js";

const WRITTEN = fileURLToPath(new URL("../../../test/target/folder-0.1.0", import.meta.url));
const NODE_A = "iqn.2026-11.org.qom-pr:node-a:hd,i,0x80609524091b";
const DAY_NS = 86_400_000_000_000n;

/** Today's name of the first file in the folder, made `afterNs` after the folder was written. */
function fileName(folder: string, afterNs: bigint | null, generation: number | null = null): string {
  const { mtimeNs } = statSync(`${folder}/${stateFileName("shadow file 8:1:424242")}`, { bigint: true });
  return fileShadowName({
    fileSystem: { major: 8, minor: 1 },
    inode: 424242n,
    birthNs: afterNs === null ? null : mtimeNs + afterNs,
    generation,
  });
}

function keysOf({ reservations }: LogicalUnit): readonly bigint[] {
  return reservations.registrants.map(({ key }) => key);
}

describe("folder of version 0.1.0", () => {
  const { path } = temporaryFolder();
  let [folders, folder] = [0, ""];
  let lines: string[] = [];
  const opened: Fabric[] = [];
  const open = async (): Promise<Fabric> => {
    const fabric = await Fabric.open({ stateDir: folder });
    opened.push(fabric);
    lines = [];
    fabric.onWarning((line) => lines.push(line));
    return fabric;
  };
  const close = async (): Promise<void> => {
    for (const fabric of opened.splice(0)) await fabric.close();
  };
  beforeEach(() => {
    folder = path(`old${folders}`);
    folders += 1;
    cpSync(WRITTEN, folder, { recursive: true });
  });
  afterEach(close);

  it("has its reservations for those who made them, a line for what is another one now, and not twice", async () => {
    const fabric = await open();
    const unit = await fabric.attach({ wwn: WWN });
    expect(unit.reservations.reservation?.holder?.initiator).to.equal(NODE_A);
    expect(keysOf(fabric.shadow("unit naa.60014050000000aa"))).to.deep.equal([0xb1n]);
    expect(lines.filter((line) => line.includes(NODE_A))).to.have.length(1);
    await close();
    const again = await open();
    expect((await again.attach({ wwn: WWN })).reservations.reservation?.holder?.initiator).to.equal(NODE_A);
    expect(lines.filter((line) => line.includes(NODE_A))).to.deep.equal([]);
    expect(readFileSync(`${folder}/${WWN}.json`, "utf8")).to.match(/^\{"version":2,/);
  });

  it("has those of a disk without a name for nobody, and says which file that is", async () => {
    const fabric = await open();
    const [line] = lines.filter((each) => each.includes("block device 8:16"));
    expect(line)
      .to.contain(`${folder}/${stateFileName("shadow block device 8:16")}`)
      .and.to.contain("remove");
    expect(keysOf(fabric.shadow("block device 8:16 diskseq 9 boot 11111111-2222-4333-8444-555555555555"))).to.deep.equal([]);
  });

  it("has those of a file for the file, by the name that it has today", async () => {
    const [former, today] = [stateFileName("shadow file 8:1:424242"), fileName(folder, -DAY_NS)];
    const fabric = await open();
    expect(keysOf(fabric.shadow(today))).to.deep.equal([0xb1n]);
    expect(lines.filter((line) => line.includes(today))).to.have.length(1);
    await close();
    const files = readdirSync(folder);
    expect(files)
      .to.include(stateFileName(`shadow ${today}`))
      .and.not.to.include(former);
    const again = await open();
    expect(keysOf(again.shadow(today)), "once").to.deep.equal([0xb1n]);
    expect(lines.filter((line) => line.includes(today))).to.deep.equal([]);
    expect(keysOf(again.shadow(fileName(WRITTEN, DAY_NS)))).to.deep.equal([]);
  });

  for (const [what, afterNs, generation] of [
    ["that was made since", DAY_NS, null],
    ["whose time of birth is not known", null, 7],
  ] as const) {
    it(`has none for a file ${what}, and says so`, async () => {
      const name = fileName(folder, afterNs, generation);
      const fabric = await open();
      expect(keysOf(fabric.shadow(name))).to.deep.equal([]);
      expect(lines.filter((line) => line.includes(stateFileName("shadow file 8:1:424242")))).to.have.length(1);
      await close();
      expect(readdirSync(folder)).to.include(stateFileName("shadow file 8:1:424242"));
    });
  }

  it("has those of a file for it where nothing but its inode is known still", async () => {
    const fabric = await open();
    expect(keysOf(fabric.shadow(fileName(folder, null)))).to.deep.equal([0xb1n]);
  });

  it("that is taken over half when the process is killed is taken over again", async () => {
    const [former, today] = [stateFileName("shadow file 8:1:424242"), fileName(folder, -DAY_NS)];
    const saved = readFileSync(`${folder}/${former}`);
    (await open()).shadow(today);
    await close();
    // killed after the new file was written
    writeFileSync(`${folder}/${former}`, saved);
    expect(keysOf((await open()).shadow(today))).to.deep.equal([0xb1n]);
    await close();
    // killed before
    renameSync(`${folder}/${stateFileName(`shadow ${today}`)}`, `${folder}/away`);
    expect(keysOf((await open()).shadow(today))).to.deep.equal([0xb1n]);
    await close();
    expect(existsSync(`${folder}/${former}`)).to.equal(false);
  });

  it("loses nothing of a file when the next change comes at once", async () => {
    const store = await DirectoryStore.open(folder);
    const today = `shadow ${fileName(folder, -DAY_NS)}`;
    store.adopt(today, { unit: "shadow file 8:1:424242", birthNs: 1n });
    const saved = store.load(today);
    if (saved === null) throw new Error("it was taken over");
    await store.commit(today, saved.revision + 1, saved.image);
    await store.close();
    const files = readdirSync(folder);
    expect(files).to.include(stateFileName(today)).and.not.to.include(stateFileName("shadow file 8:1:424242"));
  });

  it("is told from names that outlive no restart", () => {
    expect(outlivesRestart("block device 8:0 diskseq 1 boot x")).to.equal(false);
    for (const name of ["unit naa.5000000000000001", fileName(WRITTEN, 0n)]) expect(outlivesRestart(name)).to.equal(true);
  });
});
