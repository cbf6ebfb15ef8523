/** The record of QEMU's answers: record.json, one line per script. */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Transcript } from "./conversation.js";

/** Beside the sources, not beside what is compiled from them. */
const PATH = fileURLToPath(new URL("../../../test/qmp-compare/record.json", import.meta.url));

/** QEMU's answers by name of the script. */
export function readRecord(): ReadonlyMap<string, Transcript> {
  return new Map(Object.entries(JSON.parse(readFileSync(PATH, "utf8")) as Record<string, Transcript>)); // as it was written
}

/** Writes the record anew. */
export function writeRecord(results: readonly (readonly [string, Transcript])[]): void {
  const lines = results.map(([key, result]) => `  ${JSON.stringify(key)}: ${JSON.stringify(result)}`);
  writeFileSync(PATH, `{\n${lines.join(",\n")}\n}\n`);
}
