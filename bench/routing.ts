/** What routing costs: a command that is no PERSISTENT RESERVE with and without a manager, and one that is. */
import { Machine, PersistentReserveIn, PersistentReserveOut } from "qom-pr";
import type { ScsiDevice } from "qom-pr";
import type { Figure } from "./main.js";
import { inTurn, nanosecondsEach, ratios, spread } from "./measure.js";

const ROUNDS = 41;
const COUNT = 100_000;

async function machineWithDisk(manager: boolean): Promise<{ machine: Machine; disk: ScsiDevice }> {
  const machine = await Machine.create([
    ...["-device", "virtio-scsi"],
    ...(manager ? ["-object", "pr-manager-memory,id=pr0"] : []),
    ...["-blockdev", `node-name=hd,driver=sim-lun,wwn=naa.5000000000000001${manager ? ",pr-manager=pr0" : ""}`],
    ...["-device", "scsi-block,drive=hd,id=disk0"],
  ]);
  return { machine, disk: machine.scsiDevice("disk0") };
}

/** TEST UNIT READY, the shortest command there is, so that the routing shows most. */
export async function managerOverhead(): Promise<readonly Figure[]> {
  const [plain, managed] = [await machineWithDisk(false), await machineWithDisk(true)];
  const testUnitReady = { cdb: new Uint8Array(6) };
  const measure = (disk: ScsiDevice) => (): Promise<number> => nanosecondsEach(COUNT, () => disk.execute(testUnitReady));
  const [without = [], with_ = []] = await inTurn(ROUNDS, [measure(plain.disk), measure(managed.disk)]);
  await plain.machine.close();
  await managed.machine.close();
  return [
    { what: "TEST UNIT READY by scsi-block, no manager", unit: "ns", value: spread(without), aim: "" },
    { what: "TEST UNIT READY by scsi-block, manager", unit: "ns", value: spread(with_), aim: "" },
    { what: "the same, manager / no manager", unit: "ratio", value: spread(ratios(with_, without)), aim: "<= 1.03 (median)" },
  ];
}

/** READ KEYS with one registrant, the whole way through device, manager and unit. */
export async function readKeysRate(): Promise<readonly Figure[]> {
  const { machine, disk } = await machineWithDisk(true);
  await disk.execute(PersistentReserveOut.encode({ action: "register", serviceActionKey: 1n }));
  const readKeys = PersistentReserveIn.readKeys(256);
  const [times = []] = await inTurn(ROUNDS, [(): Promise<number> => nanosecondsEach(COUNT, () => disk.execute(readKeys))]);
  await machine.close();
  return [
    { what: "READ KEYS through pr-manager-memory", unit: "1/s", value: spread(times.map((ns) => 1e9 / ns)), aim: ">= 300000 (median)" },
  ];
}
