/**
 * Runs all suites: `npm test`. Options of mocha may follow. In a soak run (SOAK=1) two mochas share them, side by side: most of the soak
 * counts keep one processor busy for minutes, and would leave another one idle.
 */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const ALL = ["build/test/**/*.test.js", "build/examples/*.test.js"];

/** Suites with soak counts that take half of the time of a soak run. The other half is all others. */
const HALF_OF_A_SOAK_RUN = [
  "options/fuzz",
  "monitor/fuzz",
  "devices/virtio-scsi-fuzz",
  "devices/virtio-scsi-races",
  "target/shared-fuzz",
  "target/power-loss",
  "faults/client-fuzz",
  "faults/client-stall",
].map((suite) => `build/test/${suite}.test.js`);

/** No test speaks TLS, and every program of Node that tests start would read these certificates, which takes longer than all else in it. */
const { NODE_EXTRA_CA_CERTS: _, ...environment } = process.env;

/**
 * Runs mocha with its output on the terminal; whether all tests passed.
 * @param {string[]} words
 * @returns {Promise<boolean>}
 */
function passes(words) {
  const mocha = spawn(join(ROOT, "node_modules", ".bin", "mocha"), words, {
    cwd: ROOT,
    env: environment,
    stdio: ["ignore", "inherit", "inherit"],
  });
  return new Promise((resolve, reject) => {
    mocha.once("error", reject);
    mocha.once("exit", (code) => resolve(code === 0));
  });
}

/**
 * @param {string[]} options of mocha
 * @returns {Promise<boolean>[]}
 */
function start(options) {
  if (process.env["SOAK"] !== "1") return [passes([...ALL, ...options])];
  const missing = HALF_OF_A_SOAK_RUN.filter((suite) => !existsSync(join(ROOT, suite)));
  if (missing.length > 0) throw new Error(`no such suite: ${missing.join(", ")}`);
  const others = [...ALL, ...HALF_OF_A_SOAK_RUN.flatMap((suite) => ["--ignore", suite])];
  return [passes([...HALF_OF_A_SOAK_RUN, ...options]), passes([...others, ...options])];
}

const passed = await Promise.all(start(process.argv.slice(2)));
process.exitCode = passed.every(Boolean) ? 0 : 1;
