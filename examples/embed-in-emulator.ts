/** An emulator embeds a machine: chains from a guest's virtqueues go to the host adapter, and the lengths it gives go into the used rings. */
import { Machine, VirtioScsiQueue } from "qom-pr";

const machine = await Machine.create([
  ...["-device", "virtio-scsi,id=scsi0"],
  ...["-object", "pr-manager-memory,id=pr0"],
  ...["-blockdev", "node-name=hd,driver=sim-lun,wwn=naa.5000000000000001,size=16M,pr-manager=pr0"],
  ...["-device", "scsi-block,drive=hd,bus=scsi0.0,scsi-id=0,lun=0"],
]);
const hba = machine.hba("scsi0");
hba.onNeedsReset((reason) => console.error(`tell the guest that the device needs a reset: ${reason}`));
// The guest's driver has set DRIVER_OK, and accepted what the device offers.
hba.start(hba.features);

const guestMemory = new Uint8Array(0x3000);
const request = guestMemory.subarray(0x0000, 0x1000);
const response = guestMemory.subarray(0x1000, 0x2000);
const buffer = guestMemory.subarray(0x2000, 0x3000);

/** What the guest's driver does: a request for target 0, LUN 0 in memory, described by a chain; then it looks at the SAM status. */
async function command(cdb: Uint8Array, data: { out?: Uint8Array; in?: Uint8Array } = {}): Promise<number | undefined> {
  const [header, answer] = [request.subarray(0, 19 + 32), response.subarray(0, 12 + 96)];
  header.fill(0);
  header.set([1, 0, 0x40, 0]);
  header.set(cdb, 19);
  const chain = { readable: data.out ? [header, data.out] : [header], writable: data.in ? [answer, data.in] : [answer] };
  const used = await hba.submit(VirtioScsiQueue.REQUEST, chain);
  if (used === null) throw new Error("the chain is not to be put into the used ring");
  return answer[10];
}

const first = await command(Uint8Array.of(0x00, 0, 0, 0, 0, 0));
console.log(`TEST UNIT READY status ${first}: the unit attention of a new unit`);
const written = await command(Uint8Array.of(0x2a, 0, 0, 0, 0, 8, 0, 0, 8, 0), { out: buffer.fill(0x5a) });
const read = await command(Uint8Array.of(0x28, 0, 0, 0, 0, 8, 0, 0, 8, 0), { in: buffer.fill(0) });
console.log(`WRITE(10) status ${written}, READ(10) status ${read}, first byte ${buffer[0]?.toString(16)}h`);
const registered = await command(Uint8Array.of(0x5f, 0, 0, 0, 0, 0, 0, 0, 24, 0), { out: new Uint8Array(24).fill(1, 8, 16) });
console.log(
  `PERSISTENT RESERVE OUT status ${registered}, ${machine.fabric.unit("naa.5000000000000001").reservations.registrants.length} registrant`,
);
await machine.close();
