/** The record of what QEMU knows: record.json. */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { KnownProgram } from "./known.js";

/** Beside the sources, not beside what is compiled from them. */
const PATH = fileURLToPath(new URL("../../../test/qemu-known/record.json", import.meta.url));

/** By program and version: `qemu-system-x86_64 11.1.3`. */
export function readRecord(): ReadonlyMap<string, KnownProgram> {
  return new Map(Object.entries(JSON.parse(readFileSync(PATH, "utf8")) as Record<string, KnownProgram>)); // what writeRecord wrote
}

/** Writes the record anew: a line for each part of what a program knows. */
export function writeRecord(known: readonly (readonly [string, KnownProgram])[]): void {
  const text = known.map(([program, parts]) => {
    const lines = Object.entries(parts).map(([part, value]) => `    ${JSON.stringify(part)}: ${JSON.stringify(value)}`);
    return `  ${JSON.stringify(program)}: {\n${lines.join(",\n")}\n  }`;
  });
  writeFileSync(PATH, `{\n${text.join(",\n")}\n}\n`);
}
