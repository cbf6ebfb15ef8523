/**
 * Which modules share a file. To open and resolve a file takes as long as to read fifty kilobytes of code that nobody calls, so whatever is
 * loaded is few files, and they have little else. It follows from what imports what: where a source stands does not matter.
 */
import { join } from "node:path";
import { COMPILED } from "./project.js";

/** What is loaded at once: by name, the compiled file that it begins with. */
const LOADS = {
  library: "index.js",
  program: "cli/main.js",
  persist: "cli/persist/persist.js",
  folder: "cli/persist/object-manager.js",
  run: "cli/run.js",
  demo: "cli/demo.js",
  human: "monitor/human/session.js",
  helper: "helper/program/main.js",
  start: "helper/start/start.js",
  station: "helper/managers/manager-station.js",
  gate: "helper/serving/gate-main.js",
  worker: "helper/workers/worker-main.js",
};

/** What the library has too, by name of the chunk: the first that one of these loads needs the module for. @type {Record<string, Load[]>} */
const OF_LIBRARY = {
  base: ["program", "gate", "worker"],
  scsi: ["persist", "start"],
  objects: ["folder"],
  machine: ["library"],
};

/** The same of what the library has not, and two loads have. @type {Record<string, Load[]>} */
const OF_PROGRAMS = {
  programs: ["program", "persist", "folder", "run", "demo", "human"],
  helper: ["helper", "gate", "worker"],
};

/** @typedef {keyof typeof LOADS} Load */

/** Groups of modules for the bundler, the first first: what one needs is in it or in one before. @returns {import("rolldown").CodeSplittingGroup[]} */
export function chunks() {
  /** @type {Map<Load, ReadonlySet<string>> | undefined} */
  let needed;
  const chunkOf = (/** @type {string} */ id, /** @type {import("rolldown").ChunkingContext} */ graph) => {
    needed ??= new Map(Object.entries(LOADS).map(([load, file]) => [/** @type {Load} */ (load), reached(file, graph)]));
    const loads = [...needed].flatMap(([load, modules]) => (modules.has(id) ? [load] : []));
    const row = loads.includes("library") ? OF_LIBRARY : loads.length > 1 ? OF_PROGRAMS : {};
    return Object.keys(row).find((name) => row[name]?.some((load) => loads.includes(load)));
  };
  const names = [...Object.keys(OF_LIBRARY), ...Object.keys(OF_PROGRAMS)];
  return names.map((name, index) => ({
    debugName: name,
    name: (id, graph) => (chunkOf(id, graph) === name ? name : null),
    priority: names.length - index,
  }));
}

/** The modules that are loaded with a file of dist/. @param {string} file @param {import("rolldown").ChunkingContext} graph */
function reached(file, graph) {
  const found = new Set([join(COMPILED, file)]);
  for (const id of found) for (const imported of graph.getModuleInfo(id)?.importedIds ?? []) found.add(imported);
  return found;
}
