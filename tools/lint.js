/**
 * Runs every `lint:*` script of package.json, in their order there, and says at the end which of them failed.
 *
 * All of them run even when one fails: who lints wants to see everything. `npm run lint -- NAME...` runs only those named.
 */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";

const PREFIX = "lint:";

/** @type {{ scripts: Record<string, string> }} */
const { scripts } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
const known = Object.keys(scripts)
  .filter((script) => script.startsWith(PREFIX))
  .map((script) => script.slice(PREFIX.length));
const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !known.includes(name));

if (unknown.length > 0) {
  console.error(`no lint step named ${unknown.join(", ")} (there are ${known.join(", ")})`);
  process.exitCode = 1;
} else {
  const failed = known.filter((name) => (wanted.length === 0 || wanted.includes(name)) && !passes(name));
  console.log(failed.length === 0 ? "\nlint: all steps passed" : `\nlint: failed in ${failed.join(", ")}`);
  process.exitCode = failed.length === 0 ? 0 : 1;
}

/**
 * Runs one step with its output on the terminal.
 * @param {string} name
 */
function passes(name) {
  console.log(`\n== ${name}: ${scripts[PREFIX + name]}`);
  const { status, error } = spawnSync("npm", ["run", "--silent", PREFIX + name], {
    cwd: new URL("..", import.meta.url),
    stdio: ["ignore", "inherit", "inherit"],
  });
  if (error) console.error(error.message);
  return status === 0;
}
