/**
 * Makes lib/ of dist/: the library, the programs and their worker files, which share their code in chunks. docs/decisions/0011-bundles.md
 * says what is bundled and why.
 */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { rolldown } from "rolldown";
import { ENTRIES, entryPoints, WORKER_TEXT, workerFiles } from "./entries.js";
import { licenceTexts } from "./licences.js";
import { compilersMaps, zodWithoutGlobals } from "./plugins.js";
import { BUNDLED, COMPILED, MANIFEST } from "./project.js";

/**
 * @param {Record<string, string>} input by name, the file
 * @param {Record<string, string>} define by name, the expression that takes its place
 */
const inputOptions = (input, define) => ({
  input,
  platform: /** @type {const} */ ("node"),
  // koffi finds its native code beside itself; it is loaded when libc is first called.
  external: ["koffi", /^node:/],
  plugins: [compilersMaps, zodWithoutGlobals],
  // tsyringe's "main" loads tslib's, which puts its functions on globalThis.
  resolve: { mainFields: ["es2015", "module", "main"] },
  transform: { target: "node20.19", define: { BUNDLED_VERSION: JSON.stringify(MANIFEST.version), ...define } },
});

/**
 * Names and lines stay, so that a stack trace is read as it is: shorter files start no sooner. Comments are in the source maps.
 * @type {import("rolldown").OutputOptions}
 */
const OUTPUT = { minify: false, comments: false };

/** The text of a worker that has no file. In its thread, `WORKER_BASE` is the path of koffi. @param {string} file */
async function workerText(file) {
  const define = { "import.meta.url": "WORKER_BASE", __filename: "WORKER_BASE" };
  const bundle = await rolldown(inputOptions({ worker: join(COMPILED, file) }, define));
  const { output } = await bundle.generate({ ...OUTPUT, format: "cjs", codeSplitting: false });
  return output[0].code;
}

/** Writes the files into lib/, and takes away what else is there. @param {ReadonlyMap<string, string | Uint8Array>} files */
function replaceFiles(files) {
  mkdirSync(BUNDLED, { recursive: true });
  for (const [name, contents] of files) writeFileSync(join(BUNDLED, name), contents);
  for (const name of readdirSync(BUNDLED)) if (!files.has(name)) rmSync(join(BUNDLED, name), { recursive: true });
}

/** @param {string} files of dist/, or folders, as a regular expression */
const compiled = (files) => new RegExp(`^${COMPILED}/(?:${files})`);

/**
 * Which modules share a file: to open and resolve one takes as long as to read a hundred functions that nobody calls. Each file needs only
 * those before it, as its rooms do, so that a program is a few files, and has what it uses.
 */
const CHUNKS = [
  { name: "base", test: compiled("base|options") },
  // Apart, since the library has no use for it.
  { name: "table", test: compiled("cli/table") },
  { name: "scsi", test: compiled("scsi|native|host|backends/helper-socket/(?!manager)") },
  { name: "persist", test: compiled("cli/persist/(?!object-manager|manager-help)|helper/workers/multipath|monitor/client.js") },
  {
    name: "objects",
    test: new RegExp(
      `/node_modules/|${compiled("qom|reservation|stores|target|pr-manager|backends|machine/(?:container|name|object-)").source}`,
    ),
  },
  { name: "machine", test: compiled("block|chardev|devices|monitor/(?!human)|machine") },
];

const { files, texts } = workerFiles();
const [text, ...others] = await Promise.all(texts.map(workerText));
if (text === undefined || others.length > 0) throw new Error("one source takes its worker as text");

const bundle = await rolldown(inputOptions(entryPoints(files), { [WORKER_TEXT]: JSON.stringify(text) }));
const { output } = await bundle.generate({
  ...OUTPUT,
  format: "esm",
  dir: BUNDLED,
  sourcemap: true,
  entryFileNames: "[name].js",
  chunkFileNames: "[name]-[hash].js",
  codeSplitting: {
    groups: CHUNKS.map((chunk, index) => ({ ...chunk, priority: CHUNKS.length - index })),
  },
});
const modules = output.flatMap((each) => (each.type === "chunk" ? each.moduleIds : []));
replaceFiles(
  new Map([
    ...output.map((each) => /** @type {const} */ ([each.fileName, each.type === "chunk" ? each.code : each.source])),
    // For the compiler, which would read the code of what bin/ imports.
    ...Object.entries(ENTRIES).map(([name, file]) => /** @type {const} */ ([`${name}.d.ts`, `export * from "../dist/${file}";\n`])),
    ["LICENSES.txt", licenceTexts(modules)],
  ]),
);
