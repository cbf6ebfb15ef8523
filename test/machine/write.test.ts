/** A machine written back as arguments or as JSON is the same machine. */
import { expect } from "chai";
import fc from "fast-check";
import { Machine, qom, QomObject, qomProperty, qomType, USER_CREATABLE } from "qom-pr";
import type { PlainValue } from "qom-pr";
import { Device } from "#src/devices/device.js";
import { parseJson, printJson } from "#src/options/json.js";
import { isOptionMap, isPlainList } from "#src/options/value.js";
import type { OptionMap } from "#src/options/value.js";
import { WWN } from "../support/machine.js";

/** Fewer than elsewhere: every run makes three machines. */
const RUNS = 150;

@qomType({ name: "note", description: "values of every kind", interfaces: [USER_CREATABLE] })
class Note extends QomObject {
  @qomProperty(qom.string(), { description: "any text", default: "none", access: "read-write" })
  accessor text!: string;

  @qomProperty(qom.uint64(), { description: "a wide number" })
  accessor wide: bigint | undefined;

  @qomProperty(qom.size(), { description: "a size" })
  accessor room: bigint | undefined;

  @qomProperty(qom.list(), { description: "texts" })
  accessor texts: readonly string[] | undefined;

  @qomProperty(qom.object("Pair", { first: qom.string() }, { second: qom.bool() }), { description: "a pair" })
  accessor pair: { first: string; second?: boolean | undefined } | undefined;

  @qomProperty(qom.nested("Any", "anything"), { description: "a value of any kind" })
  accessor any: PlainValue | undefined;

  @qomProperty(qom.link<Note>({ typeName: "note", noun: "note", lookup: "objects" }), { description: "another", access: "read-write" })
  accessor next: Note | undefined;
}

@qomType({ name: "listing-device", description: "a device with a list" })
class ListingDevice extends Device {
  @qomProperty(qom.list(), { description: "texts" })
  accessor texts: readonly string[] | undefined;
}

const create = (argv: readonly string[]): Promise<Machine> => Machine.create(argv, { types: [Note, ListingDevice] });

/** Arguments from what toJson says. */
function argumentsOfJson(text: string): string[] {
  const machine = parseJson(text);
  if (!isOptionMap(machine)) throw new Error("no object");
  const options = (member: string, argument: string): string[] => {
    const list = machine.get(member) ?? [];
    return isPlainList(list) ? list.flatMap((values) => [argument, printJson(values)]) : [];
  };
  return [
    ...["-name", printJson(machine.get("name") ?? null).slice(1, -1)],
    ...options("objects", "-object"),
    ...options("blockdevs", "-blockdev"),
    ...options("devices", "-device"),
  ];
}

/** All that qom-get says of objects and devices, by path, and what the block nodes are. */
function contents(machine: Machine): unknown {
  const objects = ["/objects", "/machine/peripheral", "/machine/peripheral-anon"].flatMap((path) =>
    machine.qom.children(machine.qom.resolve(path)),
  );
  const values = objects.map((object) => {
    const path = object.canonicalPath ?? "";
    return [path, machine.qom.list(path).map(({ name }) => [name, machine.qom.get(path, name)])] as const;
  });
  return {
    values: values.toSorted(([a], [b]) => (a < b ? -1 : 1)),
    addresses: machine.scsiDevices.map((device) => [device.typeName, device.bus.name, device.address]),
    nodes: machine.graph.nodes.map((node) => [node.nodeName, node.typeName, node.readOnly]),
  };
}

const flag = fc.boolean();
const word = fc
  .oneof(fc.string(), fc.constantFrom("a,b", ",", "x=y", "help", "?", "on", "{", ""))
  .filter((text) => !/\p{Surrogate}/u.test(text));

const note = fc
  .record(
    {
      text: word,
      wide: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
      room: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
      texts: fc.array(word, { maxLength: 3 }),
      any: fc.oneof(
        word,
        flag,
        fc.constantFrom<PlainValue>(null, 5, 1.5, 2n ** 63n, "5"),
        fc.array(fc.oneof(word, fc.constant(1)), { maxLength: 2 }),
      ),
      pair: fc
        .record({ first: word, second: flag }, { requiredKeys: ["first"] })
        .map((pair) => new Map<string, PlainValue>(Object.entries(pair))),
    },
    { requiredKeys: [] },
  )
  .map((values) => new Map<string, PlainValue>(Object.entries(values)));

const disk = fc.record({
  shape: fc.constantFrom("node", "nested", "named-nested", "reference", "drive"),
  device: fc.constantFrom("scsi-block", "scsi-generic", null),
  id: flag,
  manager: flag,
  readOnly: flag,
  json: flag,
  options: fc.record(
    {
      size: fc.constantFrom("1M", "64M", "0x200000"),
      initiator: fc.constantFrom("iqn.2026-11.org.example:a", "iqn.2026-11.org.example:a,i,0x123456789abc", "naa.5000000000000009"),
      "target-port": fc.constantFrom("2", "0x10"),
      "power-on-ua": fc.constantFrom("on", "off"),
      "physical-block-size": fc.constantFrom("512", "4K"),
      "write-protected": fc.constantFrom("on", "off"),
    },
    { requiredKeys: [] },
  ),
  address: fc.option(fc.record({ target: fc.integer({ min: 10, max: 20 }) }), { nil: null }),
});
type Disk = typeof disk extends fc.Arbitrary<infer T> ? T : never;

/** Arguments of the disk `index`: its node, in one of the ways to write one, and its device. */
function diskArguments(index: number, given: Disk): string[] {
  const [name, wwn] = [`hd${index}`, `${WWN.slice(0, -2)}${String(index).padStart(2, "0")}`];
  const members: Record<string, string> = { wwn, ...given.options, ...(given.manager ? { "pr-manager": "pr0" } : {}) };
  const text = (prefix: string): string =>
    Object.entries({ driver: "sim-lun", ...members })
      .map(([key, value]) => `${prefix}${key}=${value.replaceAll(",", ",,")}`)
      .join(",");
  const readOnly = given.readOnly ? ",read-only=on" : "";
  const nodes: Record<Disk["shape"], string[]> = {
    node: ["-blockdev", `node-name=${name},${text("")}${readOnly}`],
    nested: ["-blockdev", `driver=raw,node-name=${name},${text("file.")}${readOnly}`],
    "named-nested": ["-blockdev", `driver=raw,node-name=${name},file.node-name=${name}-file,${text("file.")}${readOnly}`],
    reference: ["-blockdev", `node-name=${name}-file,${text("")}`, "-blockdev", `driver=raw,node-name=${name},file=${name}-file`],
    drive: ["-drive", `if=none,id=${name},driver=raw,${text("file.")}${readOnly}`],
  };
  if (given.device === null) return nodes[given.shape];
  const id = given.id ? { id: `disk${index}` } : {};
  // Apart from each other: whether two of them collide is nothing to be generated.
  const address = given.address === null ? {} : { "scsi-id": given.address.target * 10 + index };
  const options = { driver: given.device, drive: name, ...id, ...address };
  const asText = Object.entries(options).map(([key, value]) => `${key}=${value}`);
  return [...nodes[given.shape], "-device", given.json ? JSON.stringify(options) : asText.join(",")];
}

const argv = fc
  .record({
    named: flag,
    adapters: fc.array(flag, { minLength: 1, maxLength: 2 }),
    notes: fc.array(note, { maxLength: 3 }),
    disks: fc.array(disk, { maxLength: 4 }),
  })
  .map(({ named, adapters, notes, disks }) => [
    ...(named ? ["-name", "host.A"] : []),
    ...adapters.flatMap((hasId, index) => ["-device", hasId ? `virtio-scsi,id=hba${index}` : "virtio-scsi-pci"]),
    ...["-object", "pr-manager-memory,id=pr0"],
    ...notes.flatMap((values, index) => {
      const link: readonly [string, string][] = index === 0 ? [] : [["next", `note${index - 1}`]];
      const head: readonly [string, string][] = [
        ["qom-type", "note"],
        ["id", `note${index}`],
      ];
      return ["-object", printJson(new Map<string, PlainValue>([...head, ...values, ...link]))];
    }),
    ...disks.flatMap((given, index) => diskArguments(index, given)),
  ]);

describe("a machine written back", function () {
  this.timeout(120_000);

  it("as arguments and as JSON is the same machine", async () => {
    await fc.assert(
      fc.asyncProperty(argv, async (given) => {
        const original = await create(given);
        const machines = [original];
        try {
          machines.push(await create(original.toArgs()), await create(argumentsOfJson(original.toJson())));
          for (const again of machines) {
            expect(contents(again)).to.deep.equal(contents(original));
            expect(again.toArgs()).to.deep.equal(original.toArgs());
            expect(again.omissions).to.deep.equal([]);
            expect(again.toJson()).to.equal(original.toJson());
          }
        } finally {
          for (const machine of machines) await machine.close();
        }
      }),
      { numRuns: RUNS },
    );
  });

  it("is text where that can say it, and JSON where not", async () => {
    const machine = await create([
      ...["-object", "note,id=a,text=x,,y,room=0x1000,wide=010", "-object", '{"qom-type":"note","id":"b","texts":["x"]}'],
      ...["-device", "virtio-scsi", "-object", "pr-manager-memory,id=pr0"],
      ...["-drive", `if=none,id=hd,readonly=on,file.driver=sim-lun,file.wwn=${WWN},file.pr-manager=pr0`, "-device", "scsi-block,drive=hd"],
    ]);
    expect(machine.toArgs()).to.deep.equal([
      ...["-name", "m0"],
      ...["-object", "note,id=a,text=x,,y,wide=8,room=4K", "-object", '{"qom-type": "note", "id": "b", "texts": ["x"]}'],
      ...["-object", "pr-manager-memory,id=pr0"],
      "-blockdev",
      `raw,node-name=hd,read-only=on,file.driver=sim-lun,file.read-only=on,file.pr-manager=pr0,file.wwn=${WWN}`,
      ...["-device", "virtio-scsi-pci", "-device", "scsi-block,bus=scsi.0,drive=hd,scsi-id=0,lun=0"],
    ]);
    await machine.close();
  });

  it("has all devices in JSON when one needs it, since JSON comes after text", async () => {
    const machine = await create([
      "-device",
      '{"driver":"listing-device","texts":["x"]}',
      "-device",
      '{"driver":"virtio-scsi","id":"hba"}',
    ]);
    expect(machine.toArgs()).to.deep.equal([
      ...["-name", "m0"],
      ...["-device", '{"driver": "listing-device", "texts": ["x"]}', "-device", '{"driver": "virtio-scsi-pci", "id": "hba"}'],
    ]);
    await machine.close();
  });

  it("has what was set later, and objects in an order in which they can be made", async () => {
    const machine = await create(["-object", "note,id=a", "-object", "note,id=b"]);
    machine.qom.set("a", "next", "b");
    machine.qom.set("b", "text", "later");
    expect(machine.toArgs()).to.deep.equal(["-name", "m0", "-object", "note,id=b,text=later", "-object", "note,id=a,next=b"]);
    const objects = (parseJson(machine.toJson()) as OptionMap).get("objects");
    expect(objects).to.have.lengthOf(2);
    await machine.close();
  });
});
