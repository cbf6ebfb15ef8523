/**
 * What trace points cost while nobody listens, in two ways: the tests that a READ KEYS meets, by themselves, as a part of what it takes; and this library
 * beside a copy of it from which they have been cut out (copies.ts).
 */
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Machine } from "qom-pr";
import { tracePoint } from "#src/base/trace.js";
import { requestsTraced } from "#src/devices/disk/request-trace.js";
import type { Figure } from "./main.js";
import { compareCopies, copyOf, MEASURED, PACKAGE, valueOf } from "./copies.js";
import { inTurn, nanosecondsEach, spread } from "./measure.js";

/** A statement that asks whether a point is listened to. */
const TRACE_STATEMENT = /^ *if \((?:\w+Trace\.enabled|requestsTraced\(\))\)\s*[^;]*;$/gm;

/** Statements that there are at least; fewer mean that the pattern has gone out of use. */
const STATEMENTS_MIN = 8;

function cutTracesOut(copy: string): void {
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
}

/** Rounds and runs of the tests alone. */
const ROUNDS = 41;
const COUNT = 200_000;

/** The tests that a READ KEYS meets in the device and in the manager, behind an `await` so that each of them is made; and only that. */
async function testsAlone(): Promise<readonly Figure[]> {
  const machine = await Machine.create([
    ...["-device", "virtio-scsi", "-object", "pr-manager-memory,id=pr0"],
    ...["-blockdev", "node-name=hd,driver=sim-lun,wwn=naa.5000000000000001,pr-manager=pr0"],
    ...["-device", "scsi-block,drive=hd,id=disk0"],
  ]);
  const disk = machine.scsiDevice("disk0");
  const command = { cdb: Uint8Array.of(0x5e, 0, 0, 0, 0, 0, 0, 1, 0, 0), allocationLength: 256 };
  const [execute, run] = [tracePoint("pr_manager_execute"), tracePoint("pr_manager_run")];
  let heard = 0;
  const [without = [], with_ = [], all = []] = await inTurn(ROUNDS, [
    () => nanosecondsEach(COUNT, () => Promise.resolve()),
    () =>
      nanosecondsEach(COUNT, () => {
        if (requestsTraced()) heard += 1;
        if (execute.enabled) heard += 1;
        if (run.enabled) heard += 1;
        return Promise.resolve();
      }),
    () => nanosecondsEach(COUNT / 10, () => disk.execute(command)),
  ]);
  await machine.close();
  if (heard > 0) throw new Error("somebody listens to trace points");
  const part = all.map((whole, round) => Math.max(0, (with_[round] ?? Number.NaN) - (without[round] ?? Number.NaN)) / whole);
  return [{ what: "tests of trace points in a READ KEYS / READ KEYS", unit: "ratio", value: spread(part), aim: "<= 0.01 (median)" }];
}

/** The two measurements; for the second one line for each command, and one for what it cannot tell apart. */
export async function traceOverhead(): Promise<readonly Figure[]> {
  return [...(await testsAlone()), ...besideCopy()];
}

function besideCopy(): readonly Figure[] {
  const [traced, untraced, other] = [copyOf(PACKAGE), copyOf(PACKAGE), copyOf(PACKAGE)];
  try {
    for (const copy of [untraced, other]) cutTracesOut(copy);
    const [costs, noise] = [compareCopies(traced, untraced), compareCopies(other, untraced)];
    return MEASURED.flatMap((what, index): Figure[] => [
      { what: `${what}, trace points nobody listens to / none`, unit: "ratio", ...valueOf(costs[index]), aim: "<= 1.01 (median)" },
      { what: "the same, none / none", unit: "ratio", ...valueOf(noise[index]), aim: "1.00: the error of the line above" },
    ]);
  } finally {
    for (const copy of [traced, untraced, other]) rmSync(copy, { recursive: true, force: true });
  }
}
