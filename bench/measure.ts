/** Measuring things side by side: in turn, in one run, as min, median and max. */

import { readFileSync } from "node:fs";

/** What several rounds of the same measurement gave. */
export interface Spread {
  readonly min: number;
  readonly median: number;
  readonly max: number;
}

/** Min, median and max of some numbers. */
export function spread(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (index: number): number => sorted[index] ?? Number.NaN;
  return { min: at(0), median: at(Math.floor(sorted.length / 2)), max: at(sorted.length - 1) };
}

/** Nanoseconds that one of `count` runs of `action`, one after the other, takes. */
export async function nanosecondsEach(count: number, action: () => Promise<unknown>): Promise<number> {
  const begin = process.hrtime.bigint();
  for (let run = 0; run < count; run += 1) await action();
  return Number(process.hrtime.bigint() - begin) / count;
}

/** Runs the contenders in turn for `rounds` rounds, after one that does not count, and gives each one's results in order. */
export async function inTurn(rounds: number, contenders: readonly (() => Promise<number>)[]): Promise<number[][]> {
  for (const contender of contenders) await contender();
  const results = contenders.map((): number[] => []);
  for (let round = 0; round < rounds; round += 1) {
    // The order changes from round to round, so that no contender always runs in the wake of the same other one.
    const order = contenders.map((_, index) => (index + round) % contenders.length);
    for (const index of order) results[index]?.push((await contenders[index]?.()) ?? Number.NaN);
  }
  return results;
}

/** Round by round, how many times as long the first took as the second. */
export function ratios(first: readonly number[], second: readonly number[]): number[] {
  return first.map((value, index) => value / (second[index] ?? Number.NaN));
}

/** Nanoseconds of processor time, of all threads of the process, that one of `count` runs of `action`, one after the other, takes. */
export async function cpuNanosecondsEach(count: number, action: () => Promise<unknown>): Promise<number> {
  const begin = process.cpuUsage();
  for (let run = 0; run < count; run += 1) await action();
  const { user, system } = process.cpuUsage(begin);
  return ((user + system) * 1000) / count;
}

/** Processor time of the main thread so far, in milliseconds; where the kernel does not tell (/proc), that of all threads. */
function mainThreadMs(): number {
  try {
    return Number(readFileSync("/proc/self/schedstat", "latin1").split(" ", 1)[0]) / 1e6;
  } catch {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1000;
  }
}

/**
 * Milliseconds of processor time of the main thread in the longest turn of the event loop while `action` runs: how long nobody else is
 * served, on a computer that has nothing else to do.
 */
export async function longestStallMs(action: () => Promise<void>): Promise<number> {
  await new Promise((begun) => setImmediate(begun));
  let [longest, last, running] = [0, mainThreadMs(), true];
  const turn = (): void => {
    const now = mainThreadMs();
    longest = Math.max(longest, now - last);
    last = now;
    if (running) setImmediate(turn);
  };
  setImmediate(turn);
  await action();
  turn();
  running = false;
  return longest;
}
