/**
 * The package as a user gets it: packed, installed into an empty project, imported, type-checked, its programs started.
 *
 * Needs npm's cache or a registry for the dependencies. Where neither can be reached, what depends on the installation is skipped;
 * with REQUIRE_SYSTEM=1 it fails.
 */
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { expect } from "chai";
import { makeFolder, removeFolder } from "../support/folder.js";
import { skipUnlessRequired } from "../support/requirement.js";

const PROJECT = dirname(createRequire(import.meta.url).resolve("qom-pr/package.json"));
const CONSUMER = join(PROJECT, "test/package/consumer");
const { version } = JSON.parse(readFileSync(join(PROJECT, "package.json"), "utf8")) as { version: string };

/** Packing and installing write some hundred files each, and a slow disk is no fault of the package. */
const NPM_TIMEOUT_MS = 180_000;

/** npm's error codes for "nobody answered", as opposed to "the answer was no". */
const UNREACHABLE = /npm error code (?:ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ENOTCACHED)/;

/** One file of the tarball as `npm pack --json` tells it. */
interface PackedFile {
  readonly path: string;
  readonly mode: number;
}

/** Runs a program in `folder`; npm must not take that for a part of this project. */
function run(folder: string, program: string, ...options: string[]): { status: number | null; stdout: string; output: string } {
  const { npm_config_local_prefix: _, ...environment } = process.env;
  const { status, stdout, stderr, error } = spawnSync(program, options, { cwd: folder, encoding: "utf8", env: environment });
  if (error !== undefined) throw error;
  return { status, stdout, output: `${stdout}${stderr}` };
}

/** Pages with code for users. */
const PAGES = ["README.md", ...readdirSync(join(PROJECT, "docs")).map((name) => `docs/${name}`)].filter(
  (page) => page.endsWith(".md") && codeOf(readFileSync(join(PROJECT, page), "utf8")).length > 0,
);

/** The TypeScript on a page. */
function codeOf(text: string): readonly string[] {
  return [...text.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code]) => code ?? "");
}

/** Where a piece of code is put to be compiled. */
function fileOf(page: string, index: number): string {
  return `${page.replaceAll(/\W/g, "-")}-${index}.ts`;
}

/** Type-checks types.ts, library.ts and the code of all pages in the folder `project`, where the package is installed. */
function typeCheckAll(project: string): ReturnType<typeof run> {
  const files = ["types.ts", "library.ts"];
  for (const page of PAGES) {
    const text = readFileSync(join(project, "node_modules/qom-pr", page), "utf8");
    for (const [index, code] of codeOf(text).entries()) {
      files.push(fileOf(page, index));
      writeFileSync(join(project, fileOf(page, index)), `${code}\nexport {};\n`);
    }
  }
  const compilerOptions = {
    target: "ES2023",
    lib: ["ES2023"],
    module: "nodenext",
    strict: true,
    skipLibCheck: false,
    experimentalDecorators: true,
    // Nothing is written, and what is inferred must have public names all the same.
    declaration: true,
    noEmit: true,
    types: ["node"],
    typeRoots: [join(PROJECT, "node_modules/@types")],
  };
  writeFileSync(join(project, "tsconfig.json"), JSON.stringify({ compilerOptions, files }));
  return run(project, join(PROJECT, "node_modules/.bin/tsc"), "-p", ".", "--pretty", "false");
}

describe("the package", function () {
  this.timeout(NPM_TIMEOUT_MS);
  let folder: string;
  let tarball: string;
  let packed: readonly PackedFile[] = [];

  before(() => {
    folder = makeFolder();
    // Scripts off: prepack would build again and take dist/ away from under the other tests.
    const { status, stdout, output } = run(PROJECT, "npm", "pack", "--json", "--ignore-scripts", `--pack-destination=${folder}`);
    expect(status, output).to.equal(0);
    const [report] = JSON.parse(stdout) as { filename: string; files: PackedFile[] }[];
    tarball = join(folder, report?.filename ?? "");
    packed = report?.files ?? [];
  });

  after(() => removeFolder(folder));

  describe("as a tarball", () => {
    it("holds the declarations of all sources, neither more nor less", () => {
      const sources = readdirSync(join(PROJECT, "src"), { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts"));
      const declarations = sources.map((file) => `dist/${file.replace(/\.ts$/, ".d.ts")}`);
      expect(packed.map(({ path }) => path).filter((path) => path.startsWith("dist/"))).to.have.members(declarations);
    });

    it("holds all bundles with their maps, and the terms of what is in them", () => {
      const bundles = readdirSync(join(PROJECT, "lib"));
      expect(packed.map(({ path }) => path).filter((path) => path.startsWith("lib/"))).to.have.members(
        bundles.map((file) => `lib/${file}`),
      );
      expect(bundles.filter((file) => !/\.(?:js|js\.map|d\.ts)$/.test(file))).to.deep.equal(["LICENSES.txt"]);
      const named = ["index.js", "qom-pr.js", "qom-pr-helper.js", "worker-main.js", "gate-main.js"];
      expect(bundles).to.include.members(named);
    });

    it("holds the programs, the documentation, units for systemd, and nothing else", () => {
      const known = /^(?:dist|lib)\/|^docs\/.+\.(?:md|svg)$|^packaging\/systemd\/[^/]+\.(?:service|socket)$/;
      const others = packed.map(({ path }) => path).filter((path) => !known.test(path));
      expect(others).to.have.members(["CHANGELOG.md", "LICENSE", "README.md", "bin/qom-pr-helper.js", "bin/qom-pr.js", "package.json"]);
    });

    // Beyond that the modes follow the umask of whoever checked the project out; npm sets them right when it installs.
    it("marks the programs as executable and no other file, and lets no stranger write", () => {
      for (const { path, mode } of packed) {
        expect((mode & 0o100) !== 0, `${path} is executable`).to.equal(path.startsWith("bin/"));
        expect(mode & 0o002, `${path} has mode ${mode.toString(8)}`).to.equal(0);
      }
    });

    it("is built anew before it is published", () => {
      const { scripts } = JSON.parse(readFileSync(join(PROJECT, "package.json"), "utf8")) as { scripts: Record<string, string> };
      expect(scripts["prepack"]).to.equal("npm run -s build");
    });
  });

  describe("installed in an empty project", () => {
    let project: string;

    before(function () {
      project = join(folder, "consumer");
      mkdirSync(project);
      writeFileSync(join(project, "package.json"), JSON.stringify({ private: true, type: "module" }));
      const options = ["--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund", "--fetch-retries=0"];
      const install = (): ReturnType<typeof run> => run(project, "npm", "install", ...options, tarball);
      const first = install();
      // A registry that failed once is asked once more.
      const { status, output } = first.status === 0 ? first : install();
      if (status !== 0 && UNREACHABLE.test(output)) {
        skipUnlessRequired(this, "the dependencies are not in npm's cache and no registry answers: connect to a network");
      }
      expect(status, output).to.equal(0);
      cpSync(CONSUMER, project, { recursive: true });
    });

    it("has readable files, and programs that can be started", () => {
      const root = join(project, "node_modules/qom-pr");
      for (const { path } of packed) {
        const { mode } = statSync(join(root, path));
        expect(mode & 0o500, `${path} has mode ${mode.toString(8)}`).to.equal(path.startsWith("bin/") ? 0o500 : 0o400);
      }
    });

    it("has source maps that lead to the sources", () => {
      const root = join(project, "node_modules/qom-pr");
      const maps = readdirSync(root, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".map"));
      expect(maps).not.to.have.lengthOf(0);
      for (const map of maps) {
        const { sources, sourcesContent } = JSON.parse(readFileSync(join(root, map), "utf8")) as {
          sources: string[];
          sourcesContent?: (string | null)[];
        };
        for (const [index, source] of sources.entries()) {
          expect(
            typeof sourcesContent?.[index] === "string" || existsSync(join(root, dirname(map), source)),
            `${source} of ${map}`,
          ).to.equal(true);
        }
      }
    });

    it("can be imported and works", () => {
      const { status, stdout, output } = run(project, process.execPath, "main.js");
      expect(status, output).to.equal(0);
      expect(JSON.parse(stdout)).to.deep.equal({ statuses: [0, 0], keys: [String(0xabc)] });
    });

    /** What the compiler says, as a strict user has set it, of all that is to be checked: one program, since the library takes longest. */
    const typeCheck = (): ReturnType<typeof run> => {
      checked ??= typeCheckAll(project);
      return checked;
    };
    let checked: ReturnType<typeof run> | null = null;

    const compiles = (...files: string[]): void => {
      const { status, output } = typeCheck();
      const mistakes = output.split("\n").filter((line) => files.some((file) => line.startsWith(`${file}(`)));
      expect(mistakes, output).to.deep.equal([]);
      expect(status, output).to.equal(0);
    };

    it("has types for the whole public contract", () => compiles("types.ts"));

    it("has public names for the types of what it gives, so that a library on top of it can have declarations", () =>
      compiles("library.ts"));

    for (const page of PAGES) {
      it(`has code in ${page} that compiles`, () => {
        const text = readFileSync(join(project, "node_modules/qom-pr", page), "utf8");
        expect(codeOf(text)).not.to.have.lengthOf(0);
        compiles(...codeOf(text).map((_code, index) => fileOf(page, index)));
      });
    }

    for (const program of ["qom-pr", "qom-pr-helper"]) {
      it(`has the program ${program}`, () => {
        const { status, stdout, output } = run(project, "npx", "--no", "--", program, "--version");
        expect(status, output).to.equal(0);
        expect(stdout.split(/\s+/)).to.include(version);
      });
    }
  });
});
