/** What a simulated disk in a file costs: READ and WRITE given to the device, and the system calls that they come down to. */
import { mkdtempSync, openSync, closeSync, rmSync, write as writeAt } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { addressOf, declareFunctions } from "#src/native/libc.js";
import { FileMedium } from "#src/target/medium/file-medium.js";
import { TransportId } from "#src/scsi/transport-id.js";
import { Machine } from "qom-pr";
import type { ScsiCommand } from "qom-pr";
import { baseLibrary } from "./base.js";
import type { Figure } from "./main.js";
import { cpuNanosecondsEach, inTurn, ratios, spread } from "./measure.js";
import { unitOn } from "../test/target/support/unit-on.js";

const ROUNDS = 41;
/** Commands of each kind before the first round: the compiler takes its time, and its threads are counted too. */
const WARM_UP_COUNT = 4000;
const DISK_BYTES = 64 * 1024 * 1024;
const BLOCK_BYTES = 512;
const PAGE_BYTES = 4096;
const WWN = "naa.5000000000000001";

interface FileLibc {
  pread(fd: number, into: Uint8Array, length: number, offset: number): number;
  pwrite(fd: number, data: Uint8Array, length: number, offset: number): number;
}

/** Something that runs SCSI commands on a file of its own. */
interface Contender {
  readonly execute: (command: ScsiCommand) => Promise<unknown>;
  readonly close: () => Promise<void>;
}

async function device(library: { readonly Machine: Pick<typeof Machine, "create"> }, filename: string): Promise<Contender> {
  const machine = await library.Machine.create([
    ...["-device", "virtio-scsi", "-blockdev", `node-name=hd,driver=sim-lun,wwn=${WWN},size=${DISK_BYTES},filename=${filename}`],
    ...["-device", "scsi-block,drive=hd,id=disk0"],
  ]);
  const disk = machine.scsiDevice("disk0");
  return { execute: (command) => disk.execute(command), close: () => machine.close() };
}

/** A unit without a device before it. Without native code its file is read by node alone. */
async function bareUnit(filename: string, native: boolean): Promise<Contender> {
  const medium = await FileMedium.open(filename, DISK_BYTES, native ? {} : { cachedReads: () => ({ read: () => 0 }) });
  const unit = unitOn(medium, WWN, filename);
  const nexus = { initiator: TransportId.parse("iqn.2026-11.org.example:a,i,0x1"), targetPort: 1 };
  return { execute: (command) => unit.execute(nexus, command), close: () => unit.close() };
}

/** What no way through node's pool of threads can be cheaper than: a write of no bytes. */
function emptyTrip(fd: number): Promise<void> {
  return new Promise((resolve, reject) => {
    writeAt(fd, new Uint8Array(1), 0, 0, 0, (error) => {
      if (error === null) resolve();
      else reject(error);
    });
  });
}

/** READ(10) or WRITE(10) of the first blocks. */
function cdbOf(opcode: number, bytes: number): Uint8Array {
  const blocks = bytes / BLOCK_BYTES;
  return Uint8Array.of(opcode, 0, 0, 0, 0, 0, 0, blocks >> 8, blocks & 0xff, 0);
}

/** What is measured: its name, the command, the system call into or from the same memory, and the most that the one may cost of the other. */
interface Row {
  readonly what: string;
  readonly command: ScsiCommand;
  readonly call: (libc: FileLibc, fd: number) => number;
  readonly count: number;
  readonly aim: string;
  readonly poolAim: string;
}

/** Memory at the beginning of a page, as a guest's is: where it begins decides how fast anything is copied to there. */
function pages(bytes: number): Uint8Array {
  const memory = new Uint8Array(bytes + PAGE_BYTES);
  const at = PAGE_BYTES - Number(addressOf(memory) % BigInt(PAGE_BYTES));
  return memory.subarray(at, at + bytes).fill(1);
}

function rows(): readonly Row[] {
  const [long, short] = [pages(1024 * 1024), pages(4096)];
  const read = (what: string, into: Uint8Array, count: number, aim: string, poolAim: string): Row => ({
    what: `READ of ${what} in the page cache`,
    command: { cdb: cdbOf(0x28, into.length), into },
    call: (libc, fd) => libc.pread(fd, into, into.length, 0),
    count,
    aim,
    poolAim,
  });
  const write = (what: string, dataOut: Uint8Array, count: number, aim: string): Row => ({
    what: `WRITE of ${what}`,
    command: { cdb: cdbOf(0x2a, dataOut.length), dataOut },
    call: (libc, fd) => libc.pwrite(fd, dataOut, dataOut.length, 0),
    count,
    aim,
    poolAim: "",
  });
  return [
    read("1 MiB", long, 20, "<= 1.5 (median)", "<= 4 (median)"),
    read("4 KiB", short, 500, "<= 2.5 (median)", "<= 10 (median)"),
    write("1 MiB", long, 20, "<= 2.5 (median)"),
    write("4 KiB", short, 300, ""),
  ];
}

/** Processor time of all threads of this process, since the pool's threads do part of the work. */
export async function fileDisk(): Promise<readonly Figure[]> {
  const folder = mkdtempSync(join(tmpdir(), "qom-pr-bench-"));
  const libc = declareFunctions<FileLibc>({
    pread: "long pread(int fd, void *into, size_t length, long offset)",
    pwrite: "long pwrite(int fd, const void *data, size_t length, long offset)",
  });
  const base = await baseLibrary();
  const contenders: readonly [string, Contender][] = [
    ["device", await device({ Machine }, join(folder, "now"))],
    ["unit", await bareUnit(join(folder, "unit"), true)],
    ["pool", await bareUnit(join(folder, "pool"), false)],
    ...(base === null ? [] : [["base", await device(base, join(folder, "base"))] satisfies [string, Contender]]),
  ];
  const fd = openSync(join(folder, "plain"), "w+");
  const figures: Figure[] = [];
  try {
    const fill = { cdb: cdbOf(0x2a, 1024 * 1024), dataOut: new Uint8Array(1024 * 1024).fill(7) };
    for (const [, contender] of contenders) {
      // The first command meets the unit attention.
      await contender.execute({ cdb: new Uint8Array(6) });
      await contender.execute(fill);
    }
    libc.pwrite(fd, fill.dataOut, fill.dataOut.length, 0);
    for (const row of rows()) {
      for (const [, contender] of contenders) await cpuNanosecondsEach(WARM_UP_COUNT, () => contender.execute(row.command));
      const [calls = [], trips = [], ...results] = await inTurn(ROUNDS, [
        () => cpuNanosecondsEach(row.count, () => Promise.resolve(row.call(libc, fd))),
        () => cpuNanosecondsEach(row.count, () => emptyTrip(fd)),
        ...contenders.map(
          ([, contender]) =>
            () =>
              cpuNanosecondsEach(row.count, () => contender.execute(row.command)),
        ),
      ]);
      figures.push(
        { what: `${row.what}, system call`, unit: "ns", value: spread(calls), aim: "" },
        { what: "an empty trip through node's pool / system call", unit: "ratio", value: spread(ratios(trips, calls)), aim: "" },
      );
      for (const [index, [name]] of contenders.entries()) {
        const of = { unit: "unit without device", pool: "unit without native code", base: "device of QOM_PR_BASE" }[name] ?? name;
        const aim = name === "device" || name === "unit" ? row.aim : name === "pool" ? row.poolAim : "";
        figures.push({ what: `the same, ${of} / system call`, unit: "ratio", value: spread(ratios(results[index] ?? [], calls)), aim });
      }
    }
  } finally {
    closeSync(fd);
    for (const [, contender] of contenders) await contender.close();
    rmSync(folder, { recursive: true, force: true });
  }
  return figures;
}
