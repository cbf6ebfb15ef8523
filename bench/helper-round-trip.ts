/**
 * A round trip through the real qemu-pr-helper: the library's client, alone and behind a device, against a C client, in turn, on the same
 * helper.
 */
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { openSync, closeSync } from "node:fs";
import { Machine, PersistentReserveIn, PrManager } from "qom-pr";
import type { ScsiUnit } from "qom-pr";
import { compileClient } from "../test/faults/helper-support.js";
import { findPrHelper, PrHelper } from "../test/support/pr-helper.js";
import type { Figure } from "./main.js";
import { inTurn, nanosecondsEach, ratios, spread } from "./measure.js";

const run = promisify(execFile);
/** Many short ones: on a machine that does something else as well, a round is either disturbed or not. */
const ROUNDS = 61;
const COUNT = 500;
const MEBIBYTE = 1024 * 1024;

/** Commands before the first round: the compiler takes its time. */
const WARM_UP_COUNT = 40_000;

/** Compiles the C client; null where there is no compiler. */
function clientIn(folder: string): string | null {
  const program = join(folder, "client");
  try {
    compileClient(program);
    return program;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
    throw error;
  }
}

/** See the module text. */
export async function helperRoundTrip(): Promise<readonly Figure[]> {
  const what = "helper round trip, library / C client";
  const folder = await mkdtemp(join(tmpdir(), "qom-pr-bench-"));
  const program = findPrHelper();
  const client = clientIn(folder);
  if (program === null || client === null) {
    await rm(folder, { recursive: true });
    return [{ what, unit: "ratio", aim: "not measured: needs qemu-pr-helper (qemu-system-common) and cc (gcc, libc6-dev)" }];
  }
  const helper = new PrHelper(program);
  await helper.start();
  const medium = join(folder, "disk");
  await writeFile(medium, new Uint8Array(MEBIBYTE));
  const machine = await Machine.create([
    ...["-device", "virtio-scsi", "-object", `pr-manager-helper,id=pr0,path=${helper.path}`],
    ...["-blockdev", `node-name=hd,driver=sim-lun,wwn=naa.5000000000000001,filename=${medium},pr-manager=pr0`],
    ...["-device", "scsi-block,drive=hd,id=disk0"],
  ]);
  const fd = openSync(medium, "r+");
  try {
    const disk = machine.scsiDevice("disk0");
    const manager = machine.object("pr0");
    if (!(manager instanceof PrManager)) throw new Error("pr0 is a PR manager");
    const unit: ScsiUnit = { fd, readOnly: false, identity: "disk", nexus: null, sgio: () => Promise.reject(new Error("not this way")) };
    const readKeys = PersistentReserveIn.readKeys(8192);
    const byManager = (): Promise<number> => nanosecondsEach(COUNT, () => manager.execute(unit, readKeys));
    const byDevice = (): Promise<number> => nanosecondsEach(COUNT, () => disk.execute(readKeys));
    const theirs = async (): Promise<number> => Number((await run(client, [helper.path, medium, String(COUNT)])).stdout) / COUNT;
    await nanosecondsEach(WARM_UP_COUNT, () => disk.execute(readKeys));
    const [alone = [], behindDevice = [], c = []] = await inTurn(ROUNDS, [byManager, byDevice, theirs]);
    return [
      { what: "helper round trip, library", unit: "µs", value: spread(alone.map((ns) => ns / 1000)), aim: "" },
      { what: "helper round trip, C client", unit: "µs", value: spread(c.map((ns) => ns / 1000)), aim: "" },
      { what, unit: "ratio", value: spread(ratios(alone, c)), aim: "<= 1.2" },
      { what: "helper round trip, library by a device / C client", unit: "ratio", value: spread(ratios(behindDevice, c)), aim: "" },
    ];
  } finally {
    closeSync(fd);
    await machine.close();
    await helper.dispose();
    await rm(folder, { recursive: true });
  }
}
