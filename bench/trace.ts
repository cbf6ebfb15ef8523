/** What trace points cost while nobody listens: this library beside a copy of it from which they have been cut out. */
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type * as Library from "qom-pr";
import type { Figure } from "./main.js";
import { inTurn, ratios, spread } from "./measure.js";

const ROUNDS = 601;
const COUNT = 5000;

const PACKAGE = fileURLToPath(new URL("../..", import.meta.url));

/** A statement that asks whether a point is listened to. */
const TRACE_STATEMENT = /^ *if \((?:\w+Trace\.enabled|requestsTraced\(\))\)\s*[^;]*;$/gm;

/** Statements that there are at least; fewer mean that the pattern has gone out of use. */
const STATEMENTS_MIN = 8;

type Disk = Library.ScsiDevice;

async function machineOf({ Machine }: typeof Library): Promise<{ readonly disk: Disk; readonly close: () => Promise<void> }> {
  const machine = await Machine.create([
    ...["-device", "virtio-scsi", "-object", "pr-manager-memory,id=pr0"],
    ...["-blockdev", "node-name=hd,driver=sim-lun,wwn=naa.5000000000000001,pr-manager=pr0"],
    ...["-device", "scsi-block,drive=hd,id=disk0"],
  ]);
  return { disk: machine.scsiDevice("disk0"), close: () => machine.close() };
}

/**
 * Nanoseconds of processor time that one of `count` runs takes: a few nanoseconds in a microsecond are looked for, and what else the
 * computer does must not count.
 */
async function cpuTimeEach(count: number, action: () => Promise<unknown>): Promise<number> {
  const begin = process.cpuUsage();
  for (let run = 0; run < count; run += 1) await action();
  const { user, system } = process.cpuUsage(begin);
  return ((user + system) * 1000) / count;
}

/** A copy of the library without trace points, inside the package so that it finds its dependencies. */
function copyWithoutTraces(): string {
  const copy = mkdtempSync(join(PACKAGE, "build", "untraced-"));
  cpSync(join(PACKAGE, "dist"), copy, { recursive: true });
  let found = 0;
  for (const name of readdirSync(copy, { recursive: true, encoding: "utf8" })) {
    if (!name.endsWith(".js")) continue;
    const path = join(copy, name);
    const text = readFileSync(path, "utf8");
    writeFileSync(
      path,
      text.replaceAll(TRACE_STATEMENT, () => ((found += 1), "")),
    );
  }
  if (found < STATEMENTS_MIN) throw new Error(`only ${found} trace statements were found`);
  return copy;
}

/** TEST UNIT READY, which is the shortest command, and READ KEYS, which passes most points. */
export async function traceOverhead(): Promise<readonly Figure[]> {
  const copy = copyWithoutTraces();
  try {
    // Both are loaded in the same way: the one that is measured first must not be the only one in a program.
    const load = async (folder: string): Promise<typeof Library> =>
      (await import(pathToFileURL(join(folder, "index.js")).href)) as typeof Library;
    const [traced, untraced] = [await machineOf(await load(join(PACKAGE, "dist"))), await machineOf(await load(copy))];
    const testUnitReady = { cdb: new Uint8Array(6) };
    const readKeys = { cdb: Uint8Array.of(0x5e, 0, 0, 0, 0, 0, 0, 1, 0, 0), allocationLength: 256 };
    const figures: Figure[] = [];
    for (const [what, command] of [
      ["TEST UNIT READY", testUnitReady],
      ["READ KEYS through pr-manager-memory", readKeys],
    ] as const) {
      const measure = (disk: Disk) => (): Promise<number> => cpuTimeEach(COUNT, () => disk.execute(command));
      const [without = [], with_ = []] = await inTurn(ROUNDS, [measure(untraced.disk), measure(traced.disk)]);
      figures.push({
        what: `${what}, trace points nobody listens to / none`,
        unit: "ratio",
        value: spread(ratios(with_, without)),
        aim: "<= 1.01 (median)",
      });
    }
    await traced.close();
    await untraced.close();
    return figures;
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}
