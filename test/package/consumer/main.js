/** A user's program: two commands through a PR manager in memory. Prints what came of them as JSON. */
import { Machine, PersistentReserveIn, PersistentReserveOut } from "qom-pr";

const machine = await Machine.create([
  "-device",
  "virtio-scsi",
  "-object",
  "pr-manager-memory,id=pr0",
  "-drive",
  "if=none,id=hd,driver=raw,file.driver=sim-lun,file.wwn=naa.5000000000000001,file.pr-manager=pr0",
  "-device",
  "scsi-block,drive=hd,id=disk0",
]);
try {
  const disk = machine.scsiDevice("disk0");
  const registered = await disk.execute(PersistentReserveOut.encode({ action: "register", serviceActionKey: 0xabcn }));
  const answer = await disk.execute(PersistentReserveIn.readKeys(64));
  const { keys } = PersistentReserveIn.parse("read-keys", answer.dataIn);
  console.log(JSON.stringify({ statuses: [registered.status, answer.status], keys: keys.map(String) }));
} finally {
  await machine.close();
}
