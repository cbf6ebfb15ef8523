/**
 * Before a build that compiles only what changed: takes away what was compiled of sources that are gone, so that no test of a deleted file
 * lives on, and has the compiler begin anew where a file is missing that it remembers to have written.
 */
import { existsSync, readdirSync, readFileSync, rmdirSync, rmSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import { PROJECT } from "./project.js";

/** Ends of the names of what the compiler makes of one source. */
const ENDINGS = [".d.ts", ".js.map", ".js"];

/**
 * By configuration of the compiler: the folders of sources that it compiles, from the project's root; `root` is the folder that their
 * paths in the output begin after.
 */
const COMPILATIONS = [
  { config: "tsconfig.json", root: "src", sources: ["src"] },
  { config: "test/tsconfig.json", root: ".", sources: ["test", "examples", "bench"] },
];

for (const { config, root, sources } of COMPILATIONS) {
  const { compilerOptions, exclude = [] } = JSON.parse(readFileSync(join(PROJECT, config), "utf8"));
  const folder = dirname(join(PROJECT, config));
  const from = join(PROJECT, root);
  const to = join(folder, compilerOptions.outDir);
  const excluded = exclude.map((/** @type {string} */ path) => join(folder, path, "/"));
  const stems = sources
    .flatMap((source) => filesOf(join(PROJECT, source)))
    .filter((file) => file.endsWith(".ts") && !excluded.some((/** @type {string} */ path) => file.startsWith(path + sep)))
    .map((file) => relative(from, file).replace(/\.ts$/, ""));
  prune(to, new Set(stems));
  const endings = compilerOptions.declaration === false ? [".js"] : [".js", ".d.ts"];
  const complete = stems.every((stem) => endings.every((ending) => existsSync(join(to, stem + ending))));
  if (!complete) rmSync(join(folder, compilerOptions.tsBuildInfoFile), { force: true });
}

/** @param {string} folder */
function filesOf(folder) {
  if (!existsSync(folder)) return [];
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

/** Takes away what is compiled of no source, and folders that are empty then. @param {string} output @param {ReadonlySet<string>} stems */
function prune(output, stems) {
  for (const file of filesOf(output)) {
    const ending = ENDINGS.find((each) => file.endsWith(each));
    if (ending === undefined || stems.has(relative(output, file).slice(0, -ending.length))) continue;
    rmSync(file);
    for (let folder = dirname(file); folder !== output && readdirSync(folder).length === 0; folder = dirname(folder)) rmdirSync(folder);
  }
}
