/**
 * `npm run record:migration [-- FOLDER]`: asks the newest QEMU of Debian what it saves and sends when its scsi-block migrates, and writes it
 * down. FOLDER, or NEWER_QEMU of the environment, keeps the packages for the next time.
 */
import { spawnSync } from "node:child_process";
import { makeFolder, removeFolder } from "../support/folder.js";
import { LentDisks } from "../support/lent-disk.js";
import { NewerQemu } from "../support/newer-qemu.js";
import { Cluster } from "./support/migrating.js";
import { MigrationAsking } from "./support/migration-qemu.js";
import { writeMigrationRecord } from "./support/migration-record.js";
import { ROWS } from "./support/migration-rows.js";

const [kept = process.env["NEWER_QEMU"]] = process.argv.slice(2);
const folder = kept ?? makeFolder();
const disks = new LentDisks();
try {
  disks.open();
  const qemu = NewerQemu.fetch(folder);
  const { file, args, env } = qemu.program("qemu-system-x86_64", ["--version"]);
  const version =
    /version (\S+)/.exec(spawnSync(file, args, { env: { ...process.env, ...env }, encoding: "utf8" }).stdout)?.[1] ?? "unknown";
  const asking = new MigrationAsking(qemu, disks, new Cluster());
  try {
    const subsections: Record<string, string | null> = {};
    for (const row of ROWS) subsections[row[0]] = await asking.subsection(row);
    writeMigrationRecord({ version, capabilities: await asking.capabilities(), subsections, takeovers: await asking.takeovers() });
    console.log(`QEMU ${version}: ${ROWS.length} rows`);
  } finally {
    asking.close();
  }
} finally {
  disks.close();
  if (kept === undefined) removeFolder(folder);
}
