/** A block driver of the embedder's own, which brings its medium along. */
import { expect } from "chai";
import { Fabric, Machine, PrManager, QomError, qomType } from "qom-pr";
import { SimLunNode } from "qom-pr/extend";
import type { Medium } from "qom-pr/extend";
import { refusal } from "../support/refusal.js";

const WWN = "naa.5000000000000001";
const SIZE_BYTES = 64 * 1024;

/** A medium in an array, and how often it was closed. */
class ArrayMedium implements Medium {
  readonly bytes: Uint8Array;
  readonly fd = null;
  readonly deallocates = false;
  closed = 0;

  constructor(readonly sizeBytes = SIZE_BYTES) {
    this.bytes = new Uint8Array(sizeBytes);
  }

  read(offset: number, into: Uint8Array): null {
    into.set(this.bytes.subarray(offset, offset + into.length));
    return null;
  }

  write(offset: number, data: Uint8Array): null {
    this.bytes.set(data, offset);
    return null;
  }

  deallocate(): void {}

  flush(): null {
    return null;
  }

  close(): Promise<void> {
    this.closed += 1;
    return Promise.resolve();
  }
}

/** A type whose nodes get what `open` gives. */
function driver(open: () => Medium): typeof SimLunNode {
  @qomType({ name: "array-disk", description: "a disk in an array" })
  class ArrayNode extends SimLunNode {
    protected override openMedium(): Medium {
      return open();
    }
  }
  return ArrayNode;
}

const node = (name: string, ...members: readonly string[]): string[] => [
  "-blockdev",
  [`node-name=${name}`, "driver=array-disk", `wwn=${WWN}`, ...members].join(","),
];

const DISK = ["-device", "virtio-scsi", "-device", "scsi-block,drive=hd,id=disk0"];
const WRITE = Uint8Array.of(0x2a, 0, 0, 0, 0, 1, 0, 0, 1, 0);
const READ_CAPACITY = Uint8Array.of(0x25, 0, 0, 0, 0, 0, 0, 0, 0, 0);

describe("a block driver with a medium of its own", () => {
  it("is a disk of that size, whose blocks are the medium's, and is closed with the unit", async () => {
    const medium = new ArrayMedium();
    const machine = await Machine.create([...DISK, ...node("hd")], { types: [driver(() => medium)] });
    const disk = machine.scsiDevice("disk0");
    const { dataIn } = await disk.execute({ cdb: READ_CAPACITY });
    expect([...dataIn]).to.deep.equal([0, 0, 0, SIZE_BYTES / 512 - 1, 0, 0, 2, 0]);
    expect((await disk.execute({ cdb: WRITE, dataOut: new Uint8Array(512).fill(0x5a) })).status).to.equal(0);
    expect([medium.bytes[511], medium.bytes[512], medium.bytes[1023], medium.bytes[1024]]).to.deep.equal([0, 0x5a, 0x5a, 0]);
    expect(medium.closed).to.equal(0);
    await machine.close();
    expect(medium.closed).to.equal(1);
  });

  it("has several paths to one medium", async () => {
    const medium = new ArrayMedium();
    const machine = await Machine.create([...DISK, ...node("hd"), ...node("other", "target-port=2")], { types: [driver(() => medium)] });
    expect(machine.fabric.units).to.have.lengthOf(1);
    await machine.close();
  });

  it("is refused where it contradicts what there is", async () => {
    const types = [driver(() => new ArrayMedium())];
    const cases: readonly (readonly [argv: readonly string[], message: RegExp])[] = [
      [node("hd", "size=1M"), /size of naa\.5000000000000001 contradicts the medium of its block driver/],
      [node("hd", "filename=disk.img"), /filename of naa\.5000000000000001 contradicts the medium of its block driver/],
      [[...node("hd"), ...node("other")], /naa\.5000000000000001 has another medium already/],
    ];
    for (const [argv, message] of cases) {
      const error = await refusal(() => Machine.create(argv, { types }));
      expect(error.kind, error.message).to.equal("conflict");
      expect(error.message).to.match(message);
    }
    const odd = await refusal(() => Machine.create(node("hd"), { types: [driver(() => new ArrayMedium(1000))] }));
    expect([odd.kind, /not a multiple of its block size/.test(odd.message)]).to.deep.equal(["invalid-value", true]);
  });

  it("is closed where it was refused, unless a unit has it", async () => {
    const media: ArrayMedium[] = [];
    const open = (): ArrayMedium => {
      const medium = new ArrayMedium();
      media.push(medium);
      return medium;
    };
    const fabric = new Fabric();
    const machine = await Machine.create(node("hd"), { types: [driver(open)], fabric });
    const other = { driver: "array-disk", "node-name": "other", wwn: WWN };
    expect((await refusal(() => machine.qmp.execute("blockdev-add", other))).kind).to.equal("conflict");
    const large = { ...other, wwn: "naa.5000000000000002", size: 2 * SIZE_BYTES };
    expect((await refusal(() => machine.qmp.execute("blockdev-add", large))).kind).to.equal("conflict");
    expect(media.map(({ closed }) => closed)).to.deep.equal([0, 1, 1]);
    await machine.close();
    await fabric.close();
    expect(media.map(({ closed }) => closed)).to.deep.equal([1, 1, 1]);
  });

  it("is closed where the node's manager refuses its unit, which is not left behind", async () => {
    @qomType({ name: "pr-manager-fussy", description: "takes no disk" })
    class FussyManager extends PrManager {
      override admit(): void {
        throw new QomError("invalid-value", "not this one");
      }
      protected override run(): Promise<never> {
        return Promise.reject(new Error("it has no disk"));
      }
    }
    const medium = new ArrayMedium();
    const machine = await Machine.create(["-object", "pr-manager-fussy,id=pr0"], { types: [driver(() => medium), FussyManager] });
    const given = { driver: "array-disk", "node-name": "hd", wwn: WWN, "pr-manager": "pr0" };
    expect((await refusal(() => machine.qmp.execute("blockdev-add", given))).message).to.equal("not this one");
    expect([machine.fabric.units.length, medium.closed]).to.deep.equal([0, 1]);
    await machine.close();
  });

  it("has one medium for each unit", async () => {
    const medium = new ArrayMedium();
    const machine = await Machine.create([...DISK, ...node("hd")], { types: [driver(() => medium)] });
    const other = { driver: "array-disk", "node-name": "other", wwn: "naa.5000000000000002" };
    const error = await refusal(() => machine.qmp.execute("blockdev-add", other));
    expect([error.kind, error.message]).to.deep.equal([
      "in-use",
      "the medium of naa.5000000000000001 cannot be that of naa.5000000000000002 too",
    ]);
    expect(medium.closed).to.equal(0);
    expect((await machine.scsiDevice("disk0").execute({ cdb: WRITE, dataOut: new Uint8Array(512) })).status).to.equal(0);
    await machine.close();
  });

  it("leaves the fabric's unit to others when its machine ends", async () => {
    const medium = new ArrayMedium();
    const fabric = new Fabric();
    const machine = await Machine.create([...DISK, ...node("hd")], { types: [driver(() => medium)], fabric });
    await machine.close();
    expect(medium.closed).to.equal(0);
    await fabric.close();
    expect(medium.closed).to.equal(1);
  });
});
