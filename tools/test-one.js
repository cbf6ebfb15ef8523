/**
 * Compiles what has changed and runs single suites: `npm run test:one -- test/qom/tree.test.ts`. A folder stands for all suites in it, and
 * options of mocha may follow. With --watch (`npm run test:watch`) it does so again after each change; without paths it then runs the
 * suites beside the file that has changed: those of `test/ROOM` for a file of `src/ROOM`.
 *
 * Types are not checked, since that takes longer than all the rest: `npm test` and `npm run lint -- types` do. The programs are bundled
 * again when something that is in them has changed.
 */
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, statSync, watch } from "node:fs";
import { join, sep } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const SUITE = ".test.ts";
const WATCHED = ["src", "test", "examples"];

/** Editors write a file in several steps; what follows within this time is the same change. */
const SETTLE_MS = 50;

/**
 * Runs a program with its output on the terminal.
 * @param {string} program
 * @param {string[]} options
 */
function runs(program, ...options) {
  const { status, error } = spawnSync(program, options, { cwd: ROOT, stdio: "inherit" });
  if (error) throw error;
  return status === 0;
}

/**
 * Runs a program of node_modules/.bin.
 * @param {string} tool
 * @param {string[]} options
 */
function passes(tool, ...options) {
  return runs(join(ROOT, "node_modules", ".bin", tool), ...options);
}

/**
 * When the newest file of a folder was written.
 * @param {string} folder
 * @param {string} ending of the files that count
 */
function lastWritten(folder, ending) {
  const files = existsSync(folder) ? readdirSync(folder, { recursive: true, encoding: "utf8" }) : [];
  return Math.max(0, ...files.filter((file) => file.endsWith(ending)).map((file) => statSync(join(folder, file)).mtimeMs));
}

function compiles() {
  if (!runs(process.execPath, "tools/bundle/prune.js")) return false;
  if (!["tsconfig.json", "test/tsconfig.json"].every((project) => passes("tsc", "-p", project, "--noCheck"))) return false;
  return lastWritten("dist", ".js") <= lastWritten("lib", ".js") || runs(process.execPath, "tools/bundle/make.js");
}

/**
 * What mocha is to run for a path of the project: one compiled suite, or all of a folder.
 * @param {string} path
 */
function compiled(path) {
  return statSync(path).isDirectory() ? join("build", path, "**", "*.test.js") : join("build", path).replace(/\.ts$/, ".js");
}

/**
 * The suites beside a file that has changed.
 * @param {string} path of the file, from the root of the project
 */
function suitesBeside(path) {
  const [top, room = ""] = path.split(sep);
  const suites = path.endsWith(SUITE) ? path : join(top === "examples" ? "examples" : "test", top === "examples" ? "" : room);
  return existsSync(suites) ? [suites] : [];
}

/**
 * Compiles, and runs suites.
 * @param {string[]} paths
 * @param {string[]} options of mocha
 */
function test(paths, options) {
  return compiles() && (paths.length === 0 || passes("mocha", ...paths.map(compiled), ...options));
}

/**
 * Runs suites after each change, until it is interrupted.
 * @param {string[]} paths
 * @param {string[]} options of mocha
 */
function runAfterChanges(paths, options) {
  /** @type {Set<string>} */
  const changed = new Set();
  const run = () => {
    const beside = [...changed].flatMap(suitesBeside);
    if (paths.length === 0 && changed.size > 0 && beside.length === 0) console.log(`no suite is beside ${[...changed].join(", ")}`);
    changed.clear();
    test(paths.length === 0 ? [...new Set(beside)] : paths, options);
    console.log("waiting for changes");
  };
  for (const folder of WATCHED) {
    watch(folder, { recursive: true }, (_event, file) => {
      if (file === null || !file.endsWith(".ts")) return;
      if (changed.size === 0) setTimeout(run, SETTLE_MS);
      changed.add(join(folder, file));
    });
  }
  run();
}

process.chdir(ROOT);
const words = process.argv.slice(2);
const watching = words.includes("--watch");
const paths = words.filter((word) => existsSync(word));
const options = words.filter((word) => word !== "--watch" && !paths.includes(word));
const missing = options.find((word) => word.endsWith(SUITE));
if (missing !== undefined) {
  console.error(`there is no ${missing}`);
  process.exitCode = 1;
} else if (watching) runAfterChanges(paths, options);
else if (paths.length > 0) process.exitCode = test(paths, options) ? 0 : 1;
else {
  console.error("no suite is named: npm run test:one -- test/qom/tree.test.ts");
  process.exitCode = 1;
}
