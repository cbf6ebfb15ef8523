/**
 * What is bundled: the doors of the package, its programs, and the files that worker threads run.
 *
 * A door or program is a line of ENTRIES. Worker files are found by how a source names them, `new URL("./NAME.js", import.meta.url)`: all
 * bundles lie in one folder, so that this names the right file from whichever of them the line ends up in.
 */
import { readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { COMPILED } from "./project.js";

/** By name in lib/: the compiled file. @type {Readonly<Record<string, string>>} */
export const ENTRIES = {
  index: "index.js",
  extend: "extend.js",
  "qom-pr": "cli/main.js",
  "qom-pr-helper": "helper/program/main.js",
};

/** The name under which a source is given the text of its worker file; such a worker needs no file, so that an embedder can bundle it. */
export const WORKER_TEXT = "BUNDLED_WORKER";

const WORKER_URL = /new URL\("\.\/([\w-]+\.js)", import\.meta\.url\)/g;

/** Worker files of dist/: those that are run from a file, and those that are run from their text. */
export function workerFiles() {
  const sources = readdirSync(COMPILED, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".js"));
  const found = sources.flatMap((source) => {
    const code = readFileSync(join(COMPILED, source), "utf8");
    return [...code.matchAll(WORKER_URL)].map(([, name = ""]) => ({
      file: join(dirname(source), name),
      asText: code.includes(WORKER_TEXT),
    }));
  });
  return {
    files: found.filter(({ asText }) => !asText).map(({ file }) => file),
    texts: found.filter(({ asText }) => asText).map(({ file }) => file),
  };
}

/** All entries: by name in lib/, the path of the compiled file. @param {readonly string[]} workers */
export function entryPoints(workers) {
  const all = [...Object.entries(ENTRIES), ...workers.map((file) => /** @type {const} */ ([basename(file, ".js"), file]))];
  const names = all.map(([name]) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new Error(`two entries are named ${twice}, and all lie in one folder`);
  return Object.fromEntries(all.map(([name, file]) => [name, join(COMPILED, file)]));
}
