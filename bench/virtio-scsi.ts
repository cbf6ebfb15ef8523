/** What the virtqueue costs: a request through the host adapter, and the same command given to the device. */
import { Machine, VirtioScsiQueue } from "qom-pr";
import type { ScsiDevice, VirtioScsi } from "qom-pr";
import type { Figure } from "./main.js";
import { cpuNanosecondsEach, inTurn, ratios, spread } from "./measure.js";

const ROUNDS = 41;
const COUNT = 20_000;
const BLOCKS_BYTES = 4096;
const TEST_UNIT_READY = new Uint8Array(6);
const READ_10 = Uint8Array.of(0x28, 0, 0, 0, 0, 0, 0, 0, BLOCKS_BYTES / 512, 0);

/** A command as a driver sends it: LUN field, filling, CDB. */
function request(cdb: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(19 + 32);
  bytes.set([1, 0, 0x40, 0]);
  bytes.set(cdb, 19);
  return bytes;
}

function byQueue(hba: VirtioScsi, cdb: Uint8Array, into: Uint8Array | null): () => Promise<number> {
  const readable = [request(cdb)];
  const writable = [new Uint8Array(12 + 96), ...(into === null ? [] : [into])];
  return () => cpuNanosecondsEach(COUNT, () => hba.submit(VirtioScsiQueue.REQUEST, { readable, writable }));
}

function byDevice(disk: ScsiDevice, { cdb, into, signal }: DeviceRun): () => Promise<number> {
  const command = { cdb, ...(into === null ? {} : { into }), ...(signal === null ? {} : { signal }) };
  return () => cpuNanosecondsEach(COUNT, () => disk.execute(command));
}

interface DeviceRun {
  readonly cdb: Uint8Array;
  readonly into: Uint8Array | null;
  /** One that all commands have. */
  readonly signal: AbortSignal | null;
}

/** A short command, and a read into guest memory: by a virtqueue, at the device, and there with a signal. Processor time. */
export async function queueOverhead(): Promise<readonly Figure[]> {
  const machine = await Machine.create([
    ...["-device", "virtio-scsi,id=scsi0", "-blockdev", "node-name=hd,driver=sim-lun,wwn=naa.5000000000000001"],
    ...["-device", "scsi-block,drive=hd,id=disk0"],
  ]);
  const [hba, disk] = [machine.hba("scsi0"), machine.scsiDevice("disk0")];
  // The first command meets the unit attention.
  await byQueue(hba, TEST_UNIT_READY, null)();
  const figures: Figure[] = [];
  const { signal } = new AbortController();
  for (const [what, cdb, into] of [
    ["TEST UNIT READY", TEST_UNIT_READY, null],
    ["READ(10) of 4 KiB", READ_10, new Uint8Array(BLOCKS_BYTES)],
  ] as const) {
    const [queue = [], device = [], withSignal = []] = await inTurn(ROUNDS, [
      byQueue(hba, cdb, into),
      byDevice(disk, { cdb, into, signal: null }),
      byDevice(disk, { cdb, into, signal }),
    ]);
    figures.push(
      { what: `${what} by virtqueue, processor time`, unit: "ns", value: spread(queue), aim: "" },
      { what: "the same, virtqueue / device", unit: "ratio", value: spread(ratios(queue, device)), aim: "<= 2.2 (median)" },
      {
        what: `${what} at the device, with a signal / without`,
        unit: "ratio",
        value: spread(ratios(withSignal, device)),
        aim: "<= 1.2 (median)",
      },
    );
  }
  await machine.close();
  return figures;
}
