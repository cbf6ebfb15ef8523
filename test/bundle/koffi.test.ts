/** How koffi is found and loaded, by a program that calls libc. */
import { cpSync, mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { expect } from "chai";
import { PROJECT, UserFolder } from "./support/folder.js";

/** Locks a folder of reservations, which is done by libc, and prints what of koffi was loaded. */
const CALL = `
  import { createRequire } from "node:module";
  import { Machine } from "qom-pr";
  const machine = await Machine.create(["-object", "scsi-fabric,id=san,state=" + process.cwd() + "/state"]);
  await machine.close();
  const files = Object.keys(createRequire(process.cwd() + "/").cache);
  console.log(JSON.stringify(files.filter((file) => file.includes("koffi")).map((file) => file.replace(/^.*\\/node_modules\\//, ""))));`;

const PLATFORM = `${process.platform}-${process.arch}`;

describe("koffi", () => {
  let folder: UserFolder;

  afterEach(() => folder.remove());

  it("is loaded by the package of its native code alone", () => {
    folder = new UserFolder(["koffi"]);
    const loaded = folder.evaluate(CALL) as string[]; // what it prints
    expect(loaded.filter((file) => file.endsWith(".node"))).to.have.lengthOf(1);
    expect(loaded.filter((file) => !file.startsWith(`@koromix/koffi-${PLATFORM}/`))).to.deep.equal([]);
  });

  it("finds its native code itself where that package is missing", () => {
    folder = new UserFolder([]);
    const installed = join(folder.path, "node_modules/koffi");
    cpSync(join(PROJECT, "node_modules/koffi"), installed, { recursive: true });
    const resolve = createRequire(join(PROJECT, "node_modules/koffi/index.cjs")).resolve;
    const packaged = dirname(resolve(`@koromix/koffi-${PLATFORM}`));
    const own = join(installed, "build/koffi");
    mkdirSync(own, { recursive: true });
    for (const libc of ["linux", "musl"])
      cpSync(join(packaged, `${libc}_${process.arch}`), join(own, `${libc}_${process.arch}`), { recursive: true });
    const loaded = folder.evaluate(CALL) as string[]; // what it prints
    expect(loaded.filter((file) => file.endsWith(".node"))).to.have.lengthOf(1);
    expect(loaded.filter((file) => !file.startsWith("koffi/"))).to.deep.equal([]);
  });
});
