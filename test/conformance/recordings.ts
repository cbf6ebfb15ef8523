/** The recordings of test/vectors: what was sent to a Linux target, and what it answered. See the README there. */

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { gunzipSync } from "node:zlib";
import type { Quirk } from "./quirks.js";

/** One command and its recorded answer; bytes are hexadecimal digits. */
export interface RecordedStep {
  /** Index of the nexus that sent it. */
  readonly nexus: number;
  readonly cdb: string;
  /** Data-out; empty when there is none. */
  readonly out: string;
  /** Size of the initiator's buffer for data-in, 0 for a command without. */
  readonly inLen: number;
  readonly status: number;
  readonly sense: string;
  /** Data-in of a command that ended GOOD. */
  readonly in: string;
  /** The departures from SPC-4 that show in this step. */
  readonly quirks?: readonly Quirk[];
}

/** Commands that begin with a unit in its initial state. */
export interface RecordedSequence {
  readonly name: string;
  readonly kind: "hand" | "matrix" | "random";
  readonly steps: readonly RecordedStep[];
}

/** One file of recordings. */
export interface Recording {
  readonly name: "one-initiator-per-port" | "shared-initiator";
  /** Initiator ports of the nexuses 0 to 2, which come through target ports 1 to 3. */
  readonly initiators: readonly [string, string, string];
}

/** Both files. */
export const RECORDINGS: readonly Recording[] = [
  { name: "one-initiator-per-port", initiators: ["naa.60014050000000a1", "naa.60014050000000a2", "naa.60014050000000a3"] },
  { name: "shared-initiator", initiators: ["naa.60014050000000a1", "naa.60014050000000a1", "naa.60014050000000a3"] },
];

/** Capacity of the recorded unit. */
export const RECORDED_SIZE_BYTES = 16 * 1024 * 1024;

const PROJECT = dirname(createRequire(import.meta.url).resolve("qom-pr/package.json"));

/** All sequences of a file, in its order. */
export function readRecording({ name }: Recording): readonly RecordedSequence[] {
  const text = gunzipSync(readFileSync(join(PROJECT, "test", "vectors", `${name}.jsonl.gz`))).toString("utf8");
  return text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as RecordedSequence); // the files are part of the project, and their format is its README's
}
