/**
 * Runs the program in its arguments, and prints what that took as JSON (getrusage(2), RUSAGE_CHILDREN): a process of its own, so that there is
 * no other child.
 *
 *     struct rusage     0 i64 s, 8 i64 us  user time     16 i64 s, 24 i64 us  system time     32 i64  most KiB in memory
 */
import { spawnSync } from "node:child_process";
import { declareFunctions } from "#src/native/libc.js";
import { NativeMemory } from "#src/native/memory.js";
import type { Usage } from "./start.js";

const RUSAGE_CHILDREN = -1;
const RUSAGE_SIZE = 144;

interface UsageLibc {
  /** getrusage(2). */
  getrusage(who: number, usage: Uint8Array): number;
}

const [program = "", ...words] = process.argv.slice(2);
spawnSync(program, words, { stdio: "ignore" });
const usage = new NativeMemory(RUSAGE_SIZE);
const libc = declareFunctions<UsageLibc>({ getrusage: "int getrusage(int who, void *usage)" });
if (libc.getrusage(RUSAGE_CHILDREN, usage.bytes) < 0) throw new Error("getrusage failed");
const at = (offset: number): number => Number(usage.view.getBigInt64(offset, true));
const found: Usage = { cpuUs: (at(0) + at(16)) * 1_000_000 + at(8) + at(24), rssKib: at(32) };
process.stdout.write(JSON.stringify(found));
