/** The record of QEMU's answers: record.json, one line per row of the table. */
import { readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { makeFolder, removeFolder } from "../support/folder.js";
import type { Result } from "./result.js";
import type { Row } from "./rows.js";

/** Beside the sources, not beside what is compiled from them. */
const PATH = fileURLToPath(new URL("../../../test/qemu-options/record.json", import.meta.url));

/** Name of a row: how the texts are given, and the texts. */
export function keyOf(row: Row): string {
  return `${row.way} ${row.texts.join(" | ")}`;
}

/** QEMU's answers by {@link keyOf}. */
export function readRecord(): ReadonlyMap<string, Result> {
  return new Map(Object.entries(JSON.parse(readFileSync(PATH, "utf8")) as Record<string, Result>));
}

/** Writes the record anew. */
export function writeRecord(results: readonly (readonly [string, Result])[]): void {
  const lines = results.map(([key, result]) => `  ${JSON.stringify(key)}: ${JSON.stringify(result)}`);
  writeFileSync(PATH, `{\n${lines.join(",\n")}\n}\n`);
}

/** Gives `action` the path of a file of 1 MiB, which is gone afterwards. */
export async function withFile<T>(action: (path: string) => T | Promise<T>): Promise<T> {
  const folder = makeFolder();
  const path = join(folder, "disk");
  try {
    writeFileSync(path, "");
    truncateSync(path, 0x100000);
    return await action(path);
  } finally {
    removeFolder(folder);
  }
}
