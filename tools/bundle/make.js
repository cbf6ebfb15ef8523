/**
 * Makes lib/ of dist/: the library, the programs and their worker files, which share their code in chunks. docs/decisions/0011-bundles.md
 * says what is bundled and why.
 */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { rolldown } from "rolldown";
import { chunks } from "./chunks.js";
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
  // Of reflect-metadata, what does not bring a Map of its own along.
  resolve: { mainFields: ["es2015", "module", "main"], alias: { "reflect-metadata": "reflect-metadata/lite" } },
  transform: { target: "node20.19", define: { BUNDLED_VERSION: JSON.stringify(MANIFEST.version), ...define } },
});

/**
 * Names and lines stay, so that a stack trace is read as it is: shorter files start hardly sooner. Comments are in the source maps.
 * @type {import("rolldown").OutputOptions}
 */
const OUTPUT = { minify: false, comments: false };

/**
 * The same code. Of a text with other characters V8 keeps two bytes for each, and reads them more slowly; where there are any, they are in
 * strings. @param {string} code
 */
const inAscii = (code) => code.replaceAll(/[^\0-\x7F]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);

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
  codeSplitting: { groups: chunks() },
});
const modules = output.flatMap((each) => (each.type === "chunk" ? each.moduleIds : []));
replaceFiles(
  new Map([
    ...output.map((each) => /** @type {const} */ ([each.fileName, each.type === "chunk" ? inAscii(each.code) : each.source])),
    // For the compiler, which would read the code of what bin/ imports.
    ...Object.entries(ENTRIES).map(([name, file]) => /** @type {const} */ ([`${name}.d.ts`, `export * from "../dist/${file}";\n`])),
    ["LICENSES.txt", licenceTexts(modules)],
  ]),
);
