/** What signals do to a process that is about to run another program. */

import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect } from "chai";

const SIGNALS = fileURLToPath(import.meta.resolve("#src/native/signals.js"));

/** Hears of a signal that came before it has its default action back, and is ended by one that comes later. */
const PROGRAM = `
  import { setImmediate } from "node:timers/promises";
  import { restoreDefaults } from ${JSON.stringify(SIGNALS)};
  process.on("SIGTERM", () => console.log("heard"));
  process.kill(process.pid, "SIGTERM");
  restoreDefaults(["SIGTERM"]);
  await setImmediate();
  await setImmediate();
  console.log("alive");
  process.kill(process.pid, "SIGTERM");
  await setImmediate();
  await setImmediate();
  console.log("still alive");`;

describe("native: signals", () => {
  it("are heard of if they came before they have their default action again, and end the process if later", () => {
    const { stdout, stderr, signal } = spawnSync(process.execPath, ["--input-type=module", "--eval", PROGRAM], { encoding: "utf8" });
    expect({ stdout, stderr, signal }).to.deep.equal({ stdout: "heard\nalive\n", stderr: "", signal: "SIGTERM" });
  });
});
