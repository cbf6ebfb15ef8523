/** A QMP command of one's own: which disks would refuse a write by somebody who is not registered. */
import * as z from "zod";
import { Machine, PersistentReserveOut } from "qom-pr";
import { defineCommand } from "qom-pr/extend";

const whoHolds = defineCommand({
  name: "x-who-holds",
  arguments: z.strictObject({ unit: z.string() }),
  result: z.strictObject({ holder: z.string().nullable(), registrants: z.int() }),
  run: ({ unit }, { host }) => {
    const { registrants, reservation } = host.fabric.unit(unit).reservations;
    return { holder: reservation?.holder?.initiator ?? null, registrants: registrants.length };
  },
});

const WWN = "naa.5000000000000001";
const machine = await Machine.create(
  [
    ...["-object", "pr-manager-memory,id=pr0"],
    ...["-device", "virtio-scsi"],
    ...["-blockdev", `node-name=hd,driver=sim-lun,wwn=${WWN},initiator=naa.5000000000000a01,pr-manager=pr0`],
    ...["-device", "scsi-block,drive=hd,id=disk0"],
  ],
  { commands: [whoHolds] },
);
const disk = machine.scsiDevice("disk0");
await disk.execute(PersistentReserveOut.encode({ action: "register", serviceActionKey: 0xa1n }));
const writeExclusive = 1;
await disk.execute(PersistentReserveOut.encode({ action: "reserve", key: 0xa1n, type: writeExclusive }));
console.log(JSON.stringify(await machine.qmp.execute("x-who-holds", { unit: WWN })));
await machine.close();
