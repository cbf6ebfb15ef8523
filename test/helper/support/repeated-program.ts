/**
 * Runs our program many times in one process, for tests of what it says before it serves. Each run is a message of the starter's (a
 * {@link ProgramRun}), answered by {@link ProgramEnd} when nothing that the run began is left.
 */
import type * as fileSystem from "node:fs";
import { readFileSync } from "node:fs";
import { createRequire, syncBuiltinESMExports } from "node:module";
import { setTimeout as pause } from "node:timers/promises";
import { OUR_PROGRAM } from "./helper-process.js";

/** One run. */
export interface ProgramRun {
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

/** How it ended. */
export interface ProgramEnd {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const STANDARD_ERROR = 2;

/** Between two looks whether something is left; the look decides, not the pause. */
const POLL_INTERVAL_MS = 2;

const fs = createRequire(import.meta.url)("node:fs") as typeof fileSystem; // the module that the program's imports are read from
const written = { out: "", error: "" };

/** Takes what the program writes to standard output and error. */
function catchOutput(): void {
  const { writeSync } = fs;
  const caught = (fd: number, text: string): number => {
    if (fd !== STANDARD_ERROR) return writeSync(fd, text);
    written.error += text;
    return Buffer.byteLength(text);
  };
  fs.writeSync = caught as typeof writeSync; // of its forms the program uses this one
  syncBuiltinESMExports();
  process.stdout.write = (text: string | Uint8Array): boolean => {
    written.out += String(text);
    return true;
  };
}

/** The module that the program is; a module runs once for each of its addresses. */
function programModule(): (count: number) => string {
  const [, specifier = ""] = /^import "(.*)";$/m.exec(readFileSync(OUR_PROGRAM, "utf8")) ?? [];
  const module = new URL(specifier, `file://${OUR_PROGRAM}`).href;
  return (count) => `${module}?${count}`;
}

/** What keeps this process alive beside the clock, and beside `known`. */
function resources(known: readonly string[] = []): string[] {
  const left = process.getActiveResourcesInfo().filter((kind) => kind !== "Timeout" && kind !== "Immediate");
  for (const kind of known) {
    const at = left.indexOf(kind);
    if (at >= 0) left.splice(at, 1);
  }
  return left;
}

/** What the program has set; the compiler takes it for what was assigned last. */
function exitStatus(): number {
  return Number(process.exitCode ?? 0);
}

async function runOnce({ args, environment }: ProgramRun, module: string): Promise<ProgramEnd> {
  const atRest = resources();
  const before = { ...process.env };
  Object.assign(written, { out: "", error: "" });
  Object.assign(process.env, environment);
  process.argv.splice(2, Infinity, ...args);
  process.exitCode = undefined;
  await import(module);
  while (resources(atRest).length > 0) await pause(POLL_INTERVAL_MS);
  const code = exitStatus();
  process.exitCode = undefined;
  for (const name of Object.keys(environment)) delete process.env[name];
  Object.assign(process.env, before);
  return { code, stdout: written.out, stderr: written.error };
}

process.setMaxListeners(0); // each run adds what a process has once
process.stdout.setMaxListeners(0);
catchOutput();
const moduleOf = programModule();
let count = 0;
process.once("disconnect", () => process.kill(process.pid, "SIGKILL")); // the starter has ended: a run may have left what would go on
process.on("message", (run: ProgramRun) => {
  count += 1;
  void runOnce(run, moduleOf(count)).then((end) => process.send?.(end));
});
