/** The library as it is bundled: one copy of every class, nothing global, types that any container of tsyringe makes. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { PROJECT, UserFolder } from "./support/folder.js";

const LIB = join(PROJECT, "lib");

interface SourceMap {
  readonly sources: readonly string[];
  readonly sourcesContent?: readonly (string | null)[];
}

/** Source files by bundle, as paths from the project's root. */
function sourcesByBundle(): ReadonlyMap<string, readonly string[]> {
  const maps = readdirSync(LIB).filter((file) => file.endsWith(".js.map"));
  return new Map(
    maps.map((file) => {
      const { sources } = JSON.parse(readFileSync(join(LIB, file), "utf8")) as SourceMap;
      return [file.replace(/\.map$/, ""), sources.map((source) => join("lib", source))];
    }),
  );
}

/** The bundles that a bundle loads, itself among them; not those that it asks for later. */
function loadedWith(bundle: string, found = new Set<string>()): ReadonlySet<string> {
  if (found.has(bundle)) return found;
  found.add(bundle);
  const code = readFileSync(join(LIB, bundle), "utf8");
  for (const [, name = ""] of code.matchAll(/^(?:import|export)\b[^;]*?"\.\/([^"]+\.js)";/gm)) loadedWith(name, found);
  return found;
}

/** Source files and packages that are loaded with a bundle. */
function codeOf(bundle: string): string[] {
  const sources = sourcesByBundle();
  return [...loadedWith(bundle)].flatMap((each) => sources.get(each) ?? []);
}

/** The doors of the package: every entry of its exports that is code. */
const DOORS = Object.entries((JSON.parse(readFileSync(join(PROJECT, "package.json"), "utf8")) as { exports: object }).exports)
  .filter(([, target]) => typeof target === "object")
  .map(([name]) => name.replace(/^\./, "qom-pr"));

describe("the bundles", () => {
  let folder: UserFolder;

  before(() => (folder = new UserFolder(["koffi", "reflect-metadata", "tsyringe", "tslib"])));
  after(() => folder.remove());

  it("have each source once, so that a class is the same through every door", () => {
    const sources = [...sourcesByBundle().values()].flat();
    expect(sources).to.include.members(["src/base/errors.ts", "src/machine/machine.ts", "src/cli/main.ts"]);
    expect(sources.filter((source, index) => sources.indexOf(source) !== index)).to.deep.equal([]);
  });

  it("give one QomError, and one of everything else, through all doors", () => {
    const seen = folder.evaluate(`
      const doors = await Promise.all(${JSON.stringify(DOORS)}.map((door) => import(door)));
      const [library] = doors;
      const error = await library.Machine.create(["-object", "nothing,id=a"]).catch((error) => error);
      const names = doors.flatMap((door) => Object.keys(door));
      const different = names.filter((name) => new Set(doors.filter((door) => name in door).map((door) => door[name])).size !== 1);
      console.log(JSON.stringify({ different, thrown: error instanceof library.QomError, name: error.constructor.name }));`);
    expect(seen).to.deep.equal({ different: [], thrown: true, name: "QomError" });
  });

  it("keep the names of what they export", () => {
    const seen = folder.evaluate(`
      const library = await import("qom-pr");
      const functions = Object.entries(library).filter(([, value]) => typeof value === "function");
      console.log(JSON.stringify({ count: functions.length, renamed: functions.filter(([name, { name: own }]) => name !== own) }));`) as {
      count: number;
    };
    expect(seen).to.deep.include({ renamed: [] });
    expect(seen.count).to.be.greaterThan(10);
  });

  it("put nothing on globalThis, and on Reflect only what metadata needs", () => {
    const seen = folder.evaluate(`
      const [globals, functions] = [new Set(Reflect.ownKeys(globalThis)), new Set(Reflect.ownKeys(Reflect))];
      const { Machine } = await import("qom-pr");
      const machine = await Machine.create(["-object", "pr-manager-memory,id=pr0"]);
      await machine.qmp.execute("query-qmp-schema");
      await machine.close();
      console.log(JSON.stringify({
        globals: Reflect.ownKeys(globalThis).filter((key) => !globals.has(key)).map(String),
        reflect: Reflect.ownKeys(Reflect).filter((key) => !functions.has(key)).map(String).sort(),
      }));`);
    const metadata = [
      ...["Symbol(@reflect-metadata:registry)", "decorate", "defineMetadata", "deleteMetadata", "getMetadata", "getMetadataKeys"],
      ...["getOwnMetadata", "getOwnMetadataKeys", "hasMetadata", "hasOwnMetadata", "metadata"],
    ];
    expect(seen).to.deep.equal({ globals: [], reflect: metadata });
  });

  it("load nothing for the library that only programs need", () => {
    const code = codeOf("index.js");
    expect(code).to.include("src/machine/machine.ts");
    expect(code.filter((source) => /^src\/(?:cli|helper)\/|node_modules\/commander\//.test(source))).to.deep.equal([]);
  });

  it("load neither zod nor a machine before a subcommand of qom-pr is known, nor for the helper's threads", () => {
    for (const bundle of ["qom-pr.js", "qom-pr-helper.js", "worker-main.js", "gate-main.js"]) {
      const code = codeOf(bundle);
      expect(code, bundle).not.to.deep.equal([]);
      const heavy = code.filter((source) =>
        /^src\/(?:machine\/machine|monitor\/(?:commands|schema|executor))|node_modules\/(?:zod|tsyringe)\//.test(source),
      );
      expect(heavy, bundle).to.deep.equal([]);
    }
  });

  it("have no character beyond ASCII, for which V8 would keep two bytes of every one", () => {
    const files = readdirSync(LIB).filter((name) => name.endsWith(".js"));
    expect(files).to.include.members(["index.js", "qom-pr.js"]);
    expect(files.filter((name) => /[^\0-\x7F]/.test(readFileSync(join(LIB, name), "utf8")))).to.deep.equal([]);
  });

  it("have no message of zod in another language", () => {
    const sources = [...sourcesByBundle().values()].flat().filter((source) => source.includes("/zod/"));
    expect(sources).not.to.deep.equal([]);
    expect(sources.filter((source) => /\/locales\/(?!en\.js$)/.test(source))).to.deep.equal([]);
  });

  it("come with the terms of every package that they have code of", () => {
    const terms = readFileSync(join(LIB, "LICENSES.txt"), "utf8");
    const sources = [...sourcesByBundle().values()].flat();
    const packages = new Set(sources.flatMap((source) => /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(source)?.[1] ?? []));
    expect([...packages]).to.include.members(["reflect-metadata", "tsyringe", "zod"]);
    for (const name of packages) {
      const { version } = JSON.parse(readFileSync(join(PROJECT, "node_modules", name, "package.json"), "utf8")) as { version: string };
      const [, text = ""] = terms.split(`\n${name} ${version} (`);
      expect(text.split("-".repeat(80))[0], name).to.match(/permission|terms and conditions/i);
    }
  });

  describe("an error's stack", () => {
    const CODE = `import { Machine } from "qom-pr"; await Machine.create(["-object", "nothing,id=a"]);`;
    const failure = (...options: string[]): string => {
      try {
        return folder.run(...options, "--input-type=module", "--eval", CODE);
      } catch (error) {
        return String(error);
      }
    };

    it("has names, and no line that fills the screen", () => {
      const text = failure();
      expect(text).to.match(/at async Machine\.create \(.*\/lib\/[\w-]+\.js:\d+:\d+\)/);
      expect(Math.max(...text.split("\n").map((line) => line.length))).to.be.lessThan(400);
    });

    it("leads to the TypeScript, where node reads source maps", () => {
      const text = failure("--enable-source-maps");
      const [, line = ""] = /src\/machine\/machine\.ts:(\d+):\d+/.exec(text) ?? [];
      const source = readFileSync(join(PROJECT, "src/machine/machine.ts"), "utf8").split("\n")[Number(line) - 1];
      expect(source).to.match(/await checkOptions\(/);
    });
  });
});
