/** What a program loads: the files of lib/ that it imports before it knows what it is asked for, and the sources in them. */
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { present } from "#src/base/assert.js";

const LIB = new URL("../../../lib/", import.meta.url);

const text = (file: string): string => readFileSync(fileURLToPath(new URL(file, LIB)), "utf8");

/** The files that are there once `file` is loaded: those that it imports, and so on; not those that it may import later. */
function loadedWith(file: string, found = new Set<string>()): ReadonlySet<string> {
  if (found.has(file)) return found;
  found.add(file);
  for (const [, name = ""] of text(file).matchAll(/^(?:import|export)\b[^;]*?["']\.\/([^"']+)["'];/gm)) loadedWith(name, found);
  return found;
}

/** The sources in these files, as their source maps tell, and packages by name. */
function sourcesOf(files: Iterable<string>): readonly string[] {
  const maps = [...files].map((file) => JSON.parse(text(`${file}.map`)) as { readonly sources: readonly string[] }); // a source map
  return maps.flatMap(({ sources }) => sources);
}

/** The file that has that source. */
function fileWith(source: string): string {
  const files = readdirSync(LIB).filter((name) => name.endsWith(".js.map"));
  const found = files.find((name) => sourcesOf([name.replace(/\.map$/, "")]).some((each) => each.endsWith(source)));
  return present(found, `a bundle has ${source}`).replace(/\.map$/, "");
}

const PACKAGES = /\/node_modules\//;
const MACHINE = /\/src\/(?:qom|reservation|stores|target|pr-manager|block|devices|machine)\/|\/src\/monitor\/(?!client)/;

describe("the files that a program loads", () => {
  it("are three for --version and --help, and have no package and no machine", () => {
    const files = loadedWith("qom-pr.js");
    expect([...files]).to.have.lengthOf(3);
    expect(sourcesOf(files).filter((source) => PACKAGES.test(source) || MACHINE.test(source))).to.deep.equal([]);
    expect(sourcesOf(files).some((source) => source.endsWith("/src/options/getopt.ts"))).to.equal(true);
  });

  it("have no package and no machine for persist by SG_IO, by a helper and by QMP", () => {
    const files = loadedWith(fileWith("/src/cli/persist/persist.ts"));
    const sources = sourcesOf(files);
    expect(sources.filter((source) => PACKAGES.test(source) || MACHINE.test(source))).to.deep.equal([]);
    for (const needed of ["native/sg-io/single.ts", "backends/helper-socket/client.ts", "monitor/client.ts"]) {
      expect(
        sources.some((source) => source.endsWith(`/src/${needed}`)),
        needed,
      ).to.equal(true);
    }
  });

  it("have no device, block node or monitor for persist on a state folder", () => {
    const sources = sourcesOf(loadedWith(fileWith("/src/cli/persist/object-manager.ts")));
    expect(
      sources.filter((source) => /\/src\/(?:block|devices|monitor\/(?!client)|helper\/(?!workers\/multipath))/.test(source)),
    ).to.deep.equal([]);
    expect(sources.some((source) => source.endsWith("/src/target/fabric/scsi-fabric.ts"))).to.equal(true);
  });

  it("have no package and no machine for a helper until it listens, nor for its threads, which are a few files each", () => {
    const helper = sourcesOf(loadedWith(fileWith("/src/helper/start/start.ts")));
    expect(helper.filter((source) => PACKAGES.test(source) || MACHINE.test(source))).to.deep.equal([]);
    for (const file of ["gate-main.js", "worker-main.js"]) {
      const files = loadedWith(file);
      expect(
        sourcesOf(files).filter((source) => PACKAGES.test(source) || MACHINE.test(source)),
        file,
      ).to.deep.equal([]);
      expect([...files], file).to.have.lengthOf.at.most(4);
    }
  });

  it("have no monitor for people for the library, and nothing of Node that is loaded when it is used", () => {
    const files = [...loadedWith("index.js")];
    const sources = sourcesOf(files.filter((file) => readdirSync(LIB).includes(`${file}.map`)));
    expect(sources.some((source) => source.endsWith("/src/monitor/session.ts"))).to.equal(true);
    expect(sources.filter((source) => source.includes("/src/monitor/human/"))).to.deep.equal([]);
    const imports = files.flatMap((file) => text(file).match(/^import\b.*"node:.*";$/gm) ?? []);
    expect(imports.some((line) => line.includes('"node:fs"'))).to.equal(true);
    expect(imports.filter((line) => /"node:(?:crypto|process|readline)"/.test(line))).to.deep.equal([]);
  });
});
