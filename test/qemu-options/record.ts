/** The record of QEMU's answers: a line for each row of the table. */
import { truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { QemuRecord } from "../support/qemu-record.js";
import { makeFolder, removeFolder } from "../support/folder.js";
import type { Result } from "./result.js";
import type { Row } from "./rows.js";

/** QEMU's answers by {@link keyOf}. */
export const RECORD = new QemuRecord<Result>("qemu-options/record");

/** Name of a row: how the texts are given, and the texts. */
export function keyOf(row: Row): string {
  return `${row.way} ${row.texts.join(" | ")}`;
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
