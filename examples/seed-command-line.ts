/**
 * QEMU's documented command line for persistent reservations, on a simulated disk: only the `file.*` members differ.
 *
 * With the path of a helper's socket as argument it uses that helper; without one it starts no helper and uses pr-manager-memory.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { formatSense, Machine, parseSense, PersistentReserveIn } from "qom-pr";

const socket = process.argv[2];
const manager = socket === undefined ? "pr-manager-memory,id=helper0" : `pr-manager-helper,id=helper0,path=${socket}`;
const folder = await mkdtemp(join(tmpdir(), "qom-pr-"));
const machine = await Machine.create([
  ...["-device", "virtio-scsi"],
  ...["-object", manager],
  "-blockdev",
  `node-name=hd,driver=raw,file.driver=sim-lun,file.wwn=naa.5000000000000001,file.filename=${join(folder, "disk")},file.pr-manager=helper0`,
  ...["-device", "scsi-block,drive=hd"],
]);
for (const disk of machine.scsiDevices) {
  const result = await disk.execute(PersistentReserveIn.readKeys(256));
  const sense = parseSense(result.sense);
  console.log(`READ KEYS went to the ${disk.routeOf(0x5e)}: status ${result.status}${sense === null ? "" : `, ${formatSense(sense)}`}`);
}
await machine.close();
await rm(folder, { recursive: true });
