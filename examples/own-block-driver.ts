/** A block driver of one's own: an ArrayBuffer as a disk, with reservations that the disk enforces. */
import { Machine, qomType } from "qom-pr";
import { SimLunNode } from "qom-pr/extend";
import type { Medium } from "qom-pr/extend";

/** Bytes that this program has in memory anyway. */
const disk = new ArrayBuffer(1024 * 1024);
new Uint8Array(disk).set(new TextEncoder().encode("made before the machine was"));

/** The bytes of an ArrayBuffer: everything is done on return, so every operation gives null. */
function mediumOf(buffer: ArrayBuffer): Medium {
  const bytes = new Uint8Array(buffer);
  return {
    sizeBytes: bytes.length,
    fd: null,
    deallocates: true,
    read: (offset, into) => {
      into.set(bytes.subarray(offset, offset + into.length));
      return null;
    },
    write: (offset, data) => {
      bytes.set(data, offset);
      return null;
    },
    deallocate: (offset, length) => void bytes.fill(0, offset, offset + length),
    flush: () => null,
    close: () => Promise.resolve(),
  };
}

const medium = mediumOf(disk);

@qomType({ name: "array-buffer", description: "a path to a unit whose blocks are this program's" })
class ArrayBufferNode extends SimLunNode {
  protected override openMedium(): Medium {
    return medium;
  }
}

const machine = await Machine.create(
  [
    ...["-object", "pr-manager-memory,id=pr0"],
    ...["-device", "virtio-scsi"],
    ...["-blockdev", "node-name=hd,driver=array-buffer,wwn=naa.5000000000000001,pr-manager=pr0"],
    ...["-device", "scsi-block,drive=hd,id=disk0"],
  ],
  { types: [ArrayBufferNode] },
);
const { dataIn } = await machine.scsiDevice("disk0").execute({ cdb: Uint8Array.of(0x28, 0, 0, 0, 0, 0, 0, 0, 1, 0) });
console.log(new TextDecoder().decode(dataIn.subarray(0, 27)));
await machine.scsiDevice("disk0").execute({ cdb: Uint8Array.of(0x2a, 0, 0, 0, 0, 0, 0, 0, 1, 0), dataOut: new Uint8Array(512).fill(0x5a) });
console.log(`byte 511 is now ${new Uint8Array(disk)[511]?.toString(16)}h`);
await machine.close();
