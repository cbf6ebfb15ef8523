/**
 * What Linux says of a process or one of its threads, in /proc/PID/stat and /proc/PID/task/THREAD/stat (proc(5)). A process of another user
 * may not be seen there.
 *
 *     1  number   2  name in brackets, which may contain anything   3  state   9  flags   22  start   31  signals that wait for it
 */

import { readFileSync } from "node:fs";

/** The fields that are read. */
export interface ProcessStat {
  readonly pid: number;
  /** A letter: `Z` and `X` are those of one that has ended. */
  readonly state: string;
  /** Flags of the kernel (PF_* of include/linux/sched.h). */
  readonly flags: number;
  /** When it was started, in clock ticks since the system was: digits, so that none is lost. */
  readonly started: string;
  /** Signals that wait for this thread, a bit for each. */
  readonly pendingSignals: number;
}

const FIRST_FIELD_BEHIND_NAME = 3;
const LAST_FIELD = 31;

/** What the file at `path` says; null when there is no such process, or it may not be seen. */
export function readProcessStat(path: string): ProcessStat | null {
  let text;
  try {
    text = readFileSync(path, "latin1");
  } catch {
    return null;
  }
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  if (fields.length <= LAST_FIELD - FIRST_FIELD_BEHIND_NAME) return null;
  const field = (number: number): string => fields[number - FIRST_FIELD_BEHIND_NAME] ?? "";
  return {
    pid: Number.parseInt(text, 10),
    state: field(3),
    flags: Number(field(9)),
    started: field(22),
    pendingSignals: Number(field(31)),
  };
}
