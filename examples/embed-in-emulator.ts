/** An emulator embeds a machine: its host adapter hands SCSI requests to `execute` and gives the guest what comes back. */
import { Machine, type ScsiResult } from "qom-pr";

const machine = await Machine.create([
  ...["-device", "virtio-scsi,id=scsi0"],
  ...["-object", "pr-manager-memory,id=pr0"],
  ...["-blockdev", "node-name=hd,driver=sim-lun,wwn=naa.5000000000000001,size=16M,pr-manager=pr0"],
  ...["-device", "scsi-block,drive=hd,bus=scsi0.0,scsi-id=0,lun=0"],
]);

/** A request as it comes out of the guest's memory: target, CDB, and a buffer in one direction. */
async function request(target: number, cdb: Uint8Array, buffer: { out?: Uint8Array; in?: Uint8Array }): Promise<ScsiResult> {
  const disk = machine.scsiDevices.find((device) => device.address.target === target);
  if (disk === undefined) throw new Error(`no target ${target}`);
  if (buffer.out !== undefined) return disk.execute({ cdb, dataOut: buffer.out });
  return disk.execute({ cdb, ...(buffer.in === undefined ? {} : { into: buffer.in }) });
}

const guestMemory = new Uint8Array(4096).fill(0x5a);
const written = await request(0, Uint8Array.of(0x2a, 0, 0, 0, 0, 8, 0, 0, 8, 0), { out: guestMemory });
guestMemory.fill(0);
const read = await request(0, Uint8Array.of(0x28, 0, 0, 0, 0, 8, 0, 0, 8, 0), { in: guestMemory });
console.log(`WRITE(10) status ${written.status}, READ(10) status ${read.status}, first byte ${guestMemory[0]?.toString(16)}h`);
await machine.close();
