/**
 * `npm run test:lab`: boots Linux with a SCSI target in it and runs the tests of inside/ there; options of mocha may follow. See docs/lab.md.
 */

import { appendFileSync, copyFileSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { availableParallelism } from "node:os";
import { dirname, join } from "node:path";
import { boot } from "./boot.js";
import { fetchKernel, findProgram, missingPrograms } from "./host.js";
import { writeImage, writeStart } from "./image.js";
import { InOrder } from "./in-order.js";

const ROOT = dirname(createRequire(import.meta.url).resolve("qom-pr/package.json"));

/** Kept over builds: the kernel is large. */
const CACHE = join(ROOT, ".lab");

/** Rebuilt every time. */
const SCRATCH = join(ROOT, "build", "lab");

/**
 * The guests, by the folder of inside/ whose tests they run; side by side as far as the host has processors. The two kinds of recordings need the same names on the same
 * target, and what a test does to a kernel stays in that kernel. LAB_GUESTS chooses among them.
 */
const GUESTS = (process.env["LAB_GUESTS"] ?? "one-initiator-per-port,shared-initiator,devices").split(",");

/** Environment variables that reach the tests. */
const PASSED_ON = ["SOAK", "REQUIRE_SYSTEM"];

/** Time limit of a test that has none of its own: software emulation is some 20 times slower than the host. */
const TEST_TIMEOUT_MS = 120_000;

/** Why there can be no laboratory here, or null. */
function obstacle(): string | null {
  if (process.platform !== "linux" || process.arch !== "x64")
    return `it needs Linux on x64, and this is ${process.platform} on ${process.arch}`;
  const missing = missingPrograms();
  if (missing.length === 0) return null;
  const programs = missing.map(({ program }) => program).join(", ");
  return `there is no ${programs}: apt-get install ${missing.map((one) => one.package).join(" ")}`;
}

/** Runs the tests of one folder in a guest of their own. */
async function runGuest(name: string, kernel: string, image: string, write: (text: string) => void): Promise<number> {
  const start = join(SCRATCH, `${name}.start.cpio`);
  writeStart(start, {
    mochaArguments: [
      `--timeout=${TEST_TIMEOUT_MS}`,
      ...(process.stdout.isTTY ? ["--color"] : ["--no-color"]),
      `build/test/lab/inside/${name}/*.lab.js`,
      ...process.argv.slice(2),
    ],
    environment: Object.fromEntries(PASSED_ON.map((variable) => [variable, process.env[variable] ?? ""])),
  });
  const guestImage = join(SCRATCH, `${name}.cpio`);
  copyFileSync(image, guestImage);
  appendFileSync(guestImage, readFileSync(start));
  const files = { kernel, image: guestImage, console: join(SCRATCH, `${name}.console`), status: join(SCRATCH, `${name}.status`) };
  return boot(findProgram("qemu-system-x86_64") ?? "", files, write);
}

async function main(): Promise<number> {
  const reason = obstacle();
  if (reason !== null) {
    const required = process.env["REQUIRE_SYSTEM"] === "1";
    console.log(required ? `the laboratory cannot be built, ${reason}` : `skipped, ${reason}`);
    return required ? 1 : 0;
  }
  const kernel = fetchKernel(CACHE);
  rmSync(SCRATCH, { recursive: true, force: true });
  mkdirSync(SCRATCH, { recursive: true });
  const image = join(SCRATCH, "image.cpio");
  writeImage(image, { root: ROOT, kernel });
  console.log(`Linux ${kernel.release}, emulated; consoles are build/lab/*.console`);
  const output = new InOrder((text) => void process.stdout.write(text));
  const waiting = GUESTS.map((name) => ({ name, writer: output.open() }));
  const statuses: number[] = [];
  const runWaiting = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      statuses.push(await runGuest(next.name, kernel.image, image, next.writer.write));
      next.writer.close();
    }
  };
  // A guest has one processor.
  await Promise.all(Array.from({ length: availableParallelism() }, runWaiting));
  // As mocha: the number of failures, at most what an exit status can say.
  return Math.min(
    statuses.reduce((sum, status) => sum + status, 0),
    255,
  );
}

process.exitCode = await main();
