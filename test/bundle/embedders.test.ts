/**
 * Programs of embedders who bundle the library into a file of their own: it starts where only koffi is installed, in each format, and tells
 * this package's version.
 */
import { copyFileSync, cpSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { expect } from "chai";
import { PROJECT, UserFolder } from "./support/folder.js";

/** Bundlers are not quick, and a busy machine is no fault of the library. */
const BUNDLER_TIMEOUT_MS = 180_000;

/** With the ends of the names of their files. */
const FORMATS = [
  ["esm", "mjs"],
  ["cjs", "cjs"],
] as const;

const BUNDLERS = ["esbuild", "rollup", "vite", "webpack"] as const;

const { version } = JSON.parse(readFileSync(join(PROJECT, "package.json"), "utf8")) as { version: string };

describe("a bundle of an embedder's", function () {
  this.timeout(BUNDLER_TIMEOUT_MS);
  let workshop: UserFolder;
  /** What the program prints when it is not bundled. */
  let expected: { version: string; keys: string[]; real: string };

  before(() => {
    workshop = new UserFolder(["koffi", ...BUNDLERS]);
    cpSync(join(PROJECT, "test/bundle/embedder"), workshop.path, { recursive: true });
    expected = JSON.parse(workshop.run("main.js")) as typeof expected;
  });
  after(() => workshop.remove());

  it("has something to be compared with", () => {
    expect(expected).to.deep.include({ version: `qom-pr ${version}`, keys: [String(0xabc)] });
    expect(expected.real).to.match(/^-device scsi-generic,drive=hd: .*(?:inappropriate ioctl|ENOTTY)/i);
  });

  for (const bundler of BUNDLERS) {
    describe(`by ${bundler}`, () => {
      const bundle = (ending: string): string => join(workshop.path, "out", `${bundler}.${ending}`);
      before(() => {
        workshop.run(`${bundler}.js`, ...FORMATS.flatMap(([format, ending]) => [format, bundle(ending)]));
      });

      for (const [format, ending] of FORMATS) {
        it(`${format}, starts, and tells the version`, () => {
          const deployed = new UserFolder(["koffi"], { library: false });
          try {
            copyFileSync(bundle(ending), join(deployed.path, basename(bundle(ending))));
            expect(JSON.parse(deployed.run(basename(bundle(ending))))).to.deep.equal(expected);
          } finally {
            deployed.remove();
          }
        });
      }
    });
  }

  it("keeps what has to run at import, though nothing is taken from it", () => {
    writeFileSync(join(workshop.path, "bare.js"), 'import "qom-pr";\nconsole.log(typeof Reflect.defineMetadata);\n');
    // Of the bundlers the quickest of those that go by the package's "sideEffects".
    writeFileSync(
      join(workshop.path, "bare-build.js"),
      `import { build } from "esbuild";
       await build({ entryPoints: ["bare.js"], bundle: true, platform: "node", format: "esm", outfile: "out/bare.mjs", logLevel: "error" });`,
    );
    workshop.run("bare-build.js");
    expect(workshop.run("out/bare.mjs")).to.equal("function\n");
  });
});
