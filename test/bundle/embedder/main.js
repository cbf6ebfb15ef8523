/**
 * An embedder's program, which is bundled together with the library. It prints as JSON what it found: the version that a monitor tells, keys
 * read from a simulated disk, and what became of a command that a thread sends by SG_IO to a file that is no disk.
 */
import { Machine, PersistentReserveIn, PersistentReserveOut, QomError } from "qom-pr";

async function simulated() {
  const machine = await Machine.create([
    ...["-device", "virtio-scsi", "-object", "pr-manager-memory,id=pr0"],
    ...["-blockdev", "driver=sim-lun,node-name=hd,wwn=naa.5000000000000001,pr-manager=pr0", "-device", "scsi-block,drive=hd,id=disk0"],
  ]);
  try {
    const disk = machine.scsiDevice("disk0");
    await disk.execute(PersistentReserveOut.encode({ action: "register", serviceActionKey: 0xabcn }));
    const { dataIn } = await disk.execute(PersistentReserveIn.readKeys(64));
    const { package: version } = await machine.qmp.execute("query-version");
    return { version, keys: PersistentReserveIn.parse("read-keys", dataIn).keys.map(String) };
  } finally {
    await machine.close();
  }
}

async function real() {
  try {
    const machine = await Machine.create([
      ...["-device", "virtio-scsi", "-blockdev", "driver=host_device,node-name=hd,filename=/dev/null,locking=off"],
      ...["-device", "scsi-generic,drive=hd"],
    ]);
    await machine.close();
    return "a disk";
  } catch (error) {
    return error instanceof QomError ? error.message : String(error);
  }
}

async function main() {
  console.log(JSON.stringify({ ...(await simulated()), real: await real() }));
}

void main();
