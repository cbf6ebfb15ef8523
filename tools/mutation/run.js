/**
 * Mutation testing: Stryker changes the sources that stryker.config.json names, one spot at a time, and looks whether a test fails.
 *
 * Stryker needs Node 22. Both come from npm by a lock file of their own, so that `npm ci` of the project stays small; they are installed
 * here when that file has changed. Arguments go to Stryker: `npm run mutation -- --mutate src/scsi/nexus.ts`.
 */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL(".", import.meta.url));

process.exitCode = install() || stryker(process.argv.slice(2));

/** Installs what the lock file says, unless that was done. */
function install() {
  const stamp = `${here}node_modules/.installed`;
  const lock = readFileSync(`${here}package-lock.json`, "utf8");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === lock) return 0;
  const status = run("npm", ["ci", "--prefix", here, "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]);
  if (status === 0) writeFileSync(stamp, lock);
  return status;
}

/** @param {readonly string[]} args */
function stryker(args) {
  // The Node that npm brought for this machine; the running one where npm has none.
  const broughtFolder = `${here}node_modules/node-${process.platform}-${process.arch}/bin`;
  const main = `${here}node_modules/@stryker-mutator/core/bin/stryker.js`;
  // It computes for a long time; everything else on the machine goes first.
  return run("nice", ["-n", "10", "node", main, "run", `${here}stryker.config.json`, ...args], {
    PATH: `${broughtFolder}:${process.env["PATH"] ?? ""}`,
    // For all processes that it starts.
    NODE_OPTIONS: `--require ${JSON.stringify(`${here}load-cjs.cjs`)}`,
  });
}

/**
 * Runs a program in the project's folder with its output on the terminal, and returns its status.
 * @param {string} program
 * @param {readonly string[]} args
 * @param {Record<string, string>} [variables]
 */
function run(program, args, variables = {}) {
  const { status, error } = spawnSync(program, args, {
    cwd: fileURLToPath(new URL("../..", import.meta.url)),
    env: { ...process.env, ...variables },
    stdio: "inherit",
  });
  if (error) throw error;
  return status ?? 1;
}
