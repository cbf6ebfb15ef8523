/** Types of an embedder, with parts, aliases and links: what of them is written back and what is told to be left out, listed, and refused. */
import { expect } from "chai";
import { addAlias, addChild, addProperty, Fabric, Machine, qom, QomObject, qomProperty, qomType, USER_CREATABLE } from "qom-pr";
import { Device } from "#src/devices/device.js";
import { refusal } from "../support/refusal.js";

@qomType({ name: "test-slot", description: "a part of a rack" })
class Slot extends QomObject {
  @qomProperty(qom.size(), { description: "how much fits", access: "read-write" })
  accessor room: bigint | undefined;

  @qomProperty(qom.string(), { description: "no alias stands for it", access: "read-write" })
  accessor colour: string | undefined;
}

@qomType({ name: "test-rack", description: "has a part, and points to things", interfaces: [USER_CREATABLE] })
class Rack extends QomObject {
  @qomProperty(qom.link<QomObject>({ typeName: "object", noun: "object", lookup: "path" }), {
    description: "whatever it is for",
    access: "read-write",
  })
  accessor owner: QomObject | undefined;

  constructor() {
    super();
    const slot = new Slot();
    slot.colour = "grey";
    addChild(this, "slot", slot);
    addAlias(this, "slot-room", slot, "room");
  }
}

const create = (argv: readonly string[]): Promise<Machine> => Machine.create(argv, { types: [Rack, Slot] });

/** The machine's arguments, which have made another machine that is written the same. */
async function rewritten(machine: Machine): Promise<readonly string[]> {
  const written = machine.toArgs();
  const again = await create(written);
  expect(again.toArgs()).to.deep.equal(written);
  expect(again.omissions).to.deep.equal([]);
  await again.close();
  return written;
}

describe("a machine that was changed, written back", () => {
  it("has what was set on a part, where an alias stands for it", async () => {
    const machine = await create(["-object", "test-rack,id=r"]);
    expect(await rewritten(machine)).to.deep.equal(["-name", "m0", "-object", "test-rack,id=r"]);
    machine.qom.set("/objects/r/slot", "room", 4096);
    expect(await rewritten(machine)).to.deep.equal(["-name", "m0", "-object", "test-rack,id=r,slot-room=4K"]);
    expect(machine.omissions).to.deep.equal([]);
    machine.qom.set("/objects/r/slot", "colour", "red");
    expect(machine.omissions).to.have.lengthOf(1);
    expect(machine.omissions[0]).to.contain("'colour'").and.to.contain("/objects/r/slot");
    await machine.close();
  });

  it("leaves out a link from an object to a device, which is made later, and says so", async () => {
    const machine = await create(["-object", "test-rack,id=r", "-device", "virtio-scsi,id=hba"]);
    machine.qom.set("r", "owner", "/machine/peripheral/hba");
    expect(await rewritten(machine)).to.deep.equal(["-name", "m0", "-object", "test-rack,id=r", "-device", "virtio-scsi-pci,id=hba"]);
    expect(machine.omissions).to.have.lengthOf(1);
    expect(machine.omissions[0]).to.contain("'owner'").and.to.contain("/objects/r").and.to.contain("hba");
    await machine.close();
  });

  it("keeps links to what is there by then: other objects, their parts, containers", async () => {
    const machine = await create(["a", "b", "c"].flatMap((id) => ["-object", `test-rack,id=${id}`]));
    machine.qom.set("a", "owner", "/objects/b/slot");
    machine.qom.set("b", "owner", "/objects/c");
    machine.qom.set("c", "owner", "/machine");
    expect(await rewritten(machine)).to.deep.equal([
      ...["-name", "m0", "-object", "test-rack,id=c,owner=/machine", "-object", "test-rack,id=b,owner=/objects/c"],
      ...["-object", "test-rack,id=a,owner=/objects/b/slot"],
    ]);
    expect(machine.omissions).to.deep.equal([]);
    await machine.close();
  });

  it("leaves out one link of a ring, and a link of an object to itself", async () => {
    const machine = await create(["a", "b"].flatMap((id) => ["-object", `test-rack,id=${id}`]));
    machine.qom.set("a", "owner", "/objects/b");
    machine.qom.set("b", "owner", "/objects/a");
    expect(await rewritten(machine)).to.have.lengthOf(6);
    expect(machine.omissions).to.have.lengthOf(1);
    machine.qom.set("a", "owner", "/objects/a/slot");
    await rewritten(machine);
    expect(machine.omissions).to.have.lengthOf(1);
    await machine.close();
  });
});

@qomType({ name: "test-bus-owner", description: "has a property that no option reaches", interfaces: [USER_CREATABLE] })
class BusOwner extends QomObject {
  constructor() {
    super();
    addProperty(this, "id", qom.string(), { description: "not the id", get: () => undefined, set: () => undefined });
  }
}

describe("a property whose name an option takes for itself", () => {
  for (const name of ["qom-type", "id"]) {
    it(`is refused for objects: ${name}`, async () => {
      @qomType({ name: "test-clash", description: "cannot be", interfaces: [USER_CREATABLE] })
      class Clash extends QomObject {
        @qomProperty(qom.string(), { description: "x", name })
        accessor text: string | undefined;
      }
      const error = await refusal(() => Machine.create([], { types: [Clash] }));
      expect(error.kind).to.equal("type-definition");
      expect(error.message).to.contain(`'${name}'`).and.to.contain("'test-clash'");
    });
  }

  for (const name of ["driver", "id", "bus"]) {
    it(`is refused for devices: ${name}`, async () => {
      @qomType({ name: "test-clash-device", description: "cannot be" })
      class Clash extends Device {
        @qomProperty(qom.string(), { description: "x", name })
        accessor text: string | undefined;
      }
      expect((await refusal(() => Machine.create([], { types: [Clash] }))).kind).to.equal("type-definition");
    });
  }

  it("leaves no trace on the fabric of others: the name that the machine would have had is the next one's", async () => {
    @qomType({ name: "test-clash", description: "cannot be", interfaces: [USER_CREATABLE] })
    class Clash extends QomObject {
      @qomProperty(qom.string(), { description: "x", name: "id" })
      accessor text: string | undefined;
    }
    const fabric = new Fabric();
    await refusal(() => Machine.create([], { fabric, types: [Clash] }));
    const machine = await Machine.create([], { fabric });
    expect(machine.name).to.equal("m0");
    await machine.close();
    await fabric.close();
  });

  it("is refused when an object gives it itself", async () => {
    const error = await refusal(() => Machine.create(["-object", "test-bus-owner,id=a"], { types: [BusOwner] }));
    expect(error.kind).to.equal("type-definition");
  });
});

describe("qom-list-properties", () => {
  it("has what objects give themselves, as in QEMU, and makes nothing that stays", async () => {
    const machine = await create([]);
    const rows = machine.qom.listProperties("test-rack").map(({ name, type }) => [name, type]);
    expect(rows).to.deep.equal([
      ["type", "string"],
      ["owner", "link<object>"],
      ["slot-room", "size"],
      ["slot", "child<test-slot>"],
    ]);
    expect(machine.qom.children(machine.qom.resolve("/objects"))).to.deep.equal([]);
    await machine.close();
  });

  it("answers for every type that a machine knows", async () => {
    const machine = await create([]);
    for (const { name, properties } of machine.qom.listTypes({ abstract: true })) {
      const listed = machine.qom.listProperties(name).map((property) => property.name);
      expect(listed, name).to.include.members([...properties.keys()]);
    }
    await machine.close();
  });
});

describe("the value in the context of an error", () => {
  for (const [text, value] of [
    ["test-rack,id=r,slot-room=much", "much"],
    ['{"qom-type":"test-rack","id":"r","slot-room":"1K"}', "1K"],
    ['{"qom-type":"test-rack","id":"r","slot-room":-1}', "-1"],
    ["test-rack,id=r,type=other", "other"],
  ] as const) {
    it(`is what was written: ${text}`, async () => {
      const error = await refusal(() => create(["-object", text]));
      expect(error.context.value).to.equal(value);
    });
  }
});
