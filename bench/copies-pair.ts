/**
 * One process of a comparison of two builds: two copies of the package, in the order in which they are given, and how many times as
 * long each command takes with the first as with the second. Started by copies.ts, to which it prints JSON.
 */
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type * as Library from "qom-pr";
import { inTurn, ratios, spread } from "./measure.js";

const ROUNDS = 101;
const COUNT = 5000;

/** TEST UNIT READY is the shortest command, READ KEYS passes most points. */
const COMMANDS = [{ cdb: new Uint8Array(6) }, { cdb: Uint8Array.of(0x5e, 0, 0, 0, 0, 0, 0, 1, 0, 0), allocationLength: 256 }] as const;

async function machineOf(folder: string): Promise<Library.Machine> {
  const { Machine } = (await import(pathToFileURL(join(folder, "dist", "index.js")).href)) as typeof Library; // a copy of it
  return Machine.create([
    ...["-device", "virtio-scsi", "-object", "pr-manager-memory,id=pr0"],
    ...["-blockdev", "node-name=hd,driver=sim-lun,wwn=naa.5000000000000001,pr-manager=pr0"],
    ...["-device", "scsi-block,drive=hd,id=disk0"],
  ]);
}

/**
 * Nanoseconds of processor time that one of `COUNT` runs takes: a few nanoseconds in a microsecond are looked for, and what else the
 * computer does must not count.
 */
async function cpuTimeEach(action: () => Promise<unknown>): Promise<number> {
  const begin = process.cpuUsage();
  for (let run = 0; run < COUNT; run += 1) await action();
  const { user, system } = process.cpuUsage(begin);
  return ((user + system) * 1000) / COUNT;
}

const machines: Library.Machine[] = [];
for (const folder of process.argv.slice(2)) machines.push(await machineOf(folder));
const disks = machines.map((machine) => machine.scsiDevice("disk0"));
const found: number[] = [];
for (const command of COMMANDS) {
  const [first = [], second = []] = await inTurn(
    ROUNDS,
    disks.map((disk) => () => cpuTimeEach(() => disk.execute(command))),
  );
  found.push(spread(ratios(first, second)).median);
}
for (const machine of machines) await machine.close();
console.log(JSON.stringify(found));
