/** What QEMU 11.1 saves and sends when its scsi-block migrates: migration.json, written by `npm run record:migration`. */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** Beside the sources, not beside what is compiled from them. */
const PATH = fileURLToPath(new URL("../../../../test/devices/migration.json", import.meta.url));

/** See the file text. Bytes are hexadecimal digits. */
export interface MigrationRecord {
  readonly version: string;
  /** REPORT CAPABILITIES of a disk with all capabilities, as its guest gets it. */
  readonly capabilities: string;
  /** The subsection of the stream by row of migration-rows.ts; null where there is none. */
  readonly subsections: Readonly<Record<string, string | null>>;
  /** Of a destination, by what it takes over. */
  readonly takeovers: Readonly<Record<string, MigrationTakeover>>;
}

/** What a destination does. */
export interface MigrationTakeover {
  /** CDB and data-out. */
  readonly commands: readonly string[];
  /** What is registered and reserved then, as `Cluster.reserved` says it. */
  readonly reserved: string;
}

export function readMigrationRecord(): MigrationRecord {
  return JSON.parse(readFileSync(PATH, "utf8")) as MigrationRecord; // written below
}

/** Writes the record anew. */
export function writeMigrationRecord(record: MigrationRecord): void {
  writeFileSync(PATH, `${JSON.stringify(record, null, 2)}\n`);
}
