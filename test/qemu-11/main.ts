/**
 * `npm run test:qemu-11 [-- FOLDER]`: the comparisons with QEMU against a live 11.1, which is Debian's newest and is not installed;
 * `npm run record:qemu-11 [-- FOLDER]`: writes down its answers. FOLDER keeps the packages for the next time.
 */
import { spawnSync } from "node:child_process";
import { delimiter } from "node:path";
import { fileURLToPath } from "node:url";
import { makeFolder, removeFolder } from "../support/folder.js";
import { NewerQemu } from "../support/newer-qemu.js";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const NODE_OPTIONS = "--conditions=qom-pr-source";

/** Suites that ask a live QEMU, or its helper. */
const SUITES = [
  "qmp-compare/qmp-compare.test.js",
  "qemu-options/qemu-options.test.js",
  "qemu-inert/qemu-inert.test.js",
  "devices/virtio-scsi-qemu.test.js",
  "devices/migration-qemu.test.js",
  "monitor/qapi.test.js",
  "monitor/human/compare.test.js",
  "helper/qemu.test.js",
  "helper/protocol.test.js",
  "helper/sg-io.test.js",
  "backends/helper-socket-real.test.js",
];

/** Programs that write a record of what the QEMU on PATH answers. */
const RECORDERS = [
  "qmp-compare/rewrite.js",
  "qemu-options/rewrite.js",
  "devices/rewrite.js",
  "devices/rewrite-migration.js",
  "monitor/rewrite-qapi.js",
];

function run(words: readonly string[], env: NodeJS.ProcessEnv): void {
  const { status, error } = spawnSync(process.execPath, words, { cwd: ROOT, stdio: "inherit", env });
  if (error !== undefined) throw error;
  if (status !== 0) process.exitCode = 1;
}

const [mode, kept] = process.argv.slice(2);
const folder = kept ?? makeFolder();
try {
  const programs = NewerQemu.fetch(folder).wrappers();
  const env = { ...process.env, PATH: `${programs}${delimiter}${process.env["PATH"] ?? ""}`, REQUIRE_SYSTEM: "1", NEWER_QEMU: folder };
  if (mode === "record") for (const recorder of RECORDERS) run([NODE_OPTIONS, `build/test/${recorder}`], env);
  else run(["node_modules/mocha/bin/mocha.js", ...SUITES.map((suite) => `build/test/${suite}`)], env);
} finally {
  if (kept === undefined) removeFolder(folder);
}
