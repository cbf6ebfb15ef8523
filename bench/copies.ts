/**
 * Two builds of the package side by side, where they differ by a few percent at most.
 *
 * Two copies of the same text differ by some percent within a process, by which of them the compiler saw first; so there are many processes, half of
 * them with the copies the other way round, and two of these give one ratio. The same of two copies of one build shows what is left.
 */
import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { spread } from "./measure.js";
import type { Spread } from "./measure.js";

/** Processes of each order. */
const PROCESSES = 7;

/** The folder of the build that is measured. */
export const PACKAGE = fileURLToPath(new URL("../..", import.meta.url));
const PAIR = fileURLToPath(new URL("./copies-pair.js", import.meta.url));

/** What a process measures, in its order. */
export const MEASURED = ["TEST UNIT READY", "READ KEYS through pr-manager-memory"] as const;

/** What a copy of the package needs to be loaded: it reads its version from the second. */
const LOADED = ["dist", "package.json"] as const;

/** A copy of the build in `folder`, inside this package so that it finds its dependencies. */
export function copyOf(folder: string): string {
  const copy = mkdtempSync(join(PACKAGE, "build", "copy-"));
  for (const part of LOADED) cpSync(join(folder, part), join(copy, part), { recursive: true });
  return copy;
}

function processRatios(first: string, second: string): readonly number[] {
  return JSON.parse(execFileSync(process.execPath, [PAIR, first, second], { encoding: "utf8" })) as number[]; // what it prints
}

/** For each command how many times as long it takes with `first` as with `second`, whichever is loaded first. */
export function compareCopies(first: string, second: string): readonly Spread[] {
  const found = MEASURED.map((): number[] => []);
  for (let count = 0; count < PROCESSES; count += 1) {
    const [there, back] = [processRatios(first, second), processRatios(second, first)];
    for (const [index, values] of found.entries()) values.push(Math.sqrt((there[index] ?? Number.NaN) / (back[index] ?? Number.NaN)));
  }
  return found.map(spread);
}

/** The value of a figure, as a member to be spread. */
export function valueOf(value: Spread | undefined): { readonly value?: Spread } {
  return value === undefined ? {} : { value };
}
