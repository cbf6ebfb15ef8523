/** The tables of what QEMU has and this library has not, or has without effect, against what QEMU says of itself. */
import { expect } from "chai";
import { typeRegistries } from "#src/machine/types.js";
import { foreignDevices, foreignStorage } from "#src/qemu/device-names.js";
import { KINDS, PROXMOX_OPTIONS, REFUSED_OPTIONS } from "#src/qemu/kinds.js";
import type { KindRow } from "#src/qemu/kinds.js";
import { inertObjects } from "#src/qemu/objects.js";
import { DEVICES_LOOKED_AT, DRIVERS_LOOKED_AT, OBJECTS_LOOKED_AT } from "./known.js";
import type { KnownMembers, KnownProgram, KnownType } from "./known.js";
import { readRecord } from "./record.js";

const sorted = (names: Iterable<string>): readonly string[] => [...new Set(names)].toSorted();
const words = (text = ""): readonly string[] => text.split(" ").filter((word) => word !== "");

/** Members that the record has as `name!` when they must be given. */
const bare = (members: KnownMembers): ReadonlyMap<string, KnownType> =>
  new Map(Object.entries(members).map(([name, type]) => [name.replace(/!$/, ""), type]));

describe("what QEMU knows", () => {
  const record = readRecord();
  const programs = [...record.values()];
  const newest = programs.filter(({ version }) => !version.startsWith("7."));
  const { objects, drivers } = typeRegistries([]);
  const all = (names: (program: KnownProgram) => Iterable<string>): readonly string[] =>
    sorted(programs.flatMap((each) => [...names(each)]));
  const rows = (subject: KindRow["subject"]): readonly KindRow[] => KINDS.filter((row) => row.subject === subject);

  it("was told by a QEMU of each board, and by an older one", () => {
    expect([...record.keys()].map((name) => name.split(" ")[0])).to.deep.equal([
      "qemu-system-x86_64",
      "qemu-system-aarch64",
      "qemu-system-s390x",
      "qemu-system-x86_64",
    ]);
    expect(newest).to.have.lengthOf(3);
  });

  it("has a reason for each row, and each name in one", () => {
    for (const row of KINDS) expect(row.reason, row.names).not.to.equal("");
    for (const subject of ["option", "object", "driver", "chardev"] as const) {
      const names = rows(subject).flatMap((row) => [...words(row.names), ...words(row.flags)]);
      expect(names).to.deep.equal([...new Set(names)]);
    }
  });

  it("has a row for every option, and knows which take a text", () => {
    expect(sorted([...rows("option").flatMap(({ names }) => words(names)), ...REFUSED_OPTIONS.keys()])).to.deep.equal(
      sorted([...all(({ options }) => options), ...PROXMOX_OPTIONS]),
    );
    expect(sorted(rows("option").flatMap(({ flags }) => words(flags)))).to.deep.equal(all(({ flags }) => flags));
  });

  it("has a row for every type of object, block driver and character device", () => {
    const named = (subject: KindRow["subject"]): readonly string[] => sorted(rows(subject).flatMap(({ names }) => words(names)));
    expect(named("object")).to.deep.equal(all((program) => [...program.objects, ...Object.keys(program.objectMembers)]));
    expect(named("driver")).to.deep.equal(all((program) => program.drivers));
    expect(named("chardev")).to.deep.equal(all((program) => program.chardevs));
  });

  it("has every device, ours or not", () => {
    const ours = objects.list({ implements: "device" }).flatMap(({ name, aliases }) => [name, ...aliases]);
    const foreign = [...foreignStorage(), ...foreignDevices()];
    expect(sorted([...ours, ...foreign])).to.deep.equal(all(({ devices }) => devices.flatMap(words)));
    expect(ours.filter((name) => foreign.includes(name))).to.deep.equal([]);
  });

  it("has types for all that is ours or inert", () => {
    const kept = (subject: KindRow["subject"], kind: KindRow["kind"]): readonly string[] =>
      rows(subject).flatMap((row) => (row.kind === kind ? words(row.names) : []));
    expect(sorted(inertObjects().map(({ name }) => name))).to.deep.equal(sorted(kept("object", "inert")));
    for (const name of [...kept("object", "ours"), ...kept("object", "inert")]) expect(objects.find(name), name).not.to.equal(undefined);
    for (const name of kept("driver", "ours")) expect(drivers.find(name), name).not.to.equal(undefined);
  });

  for (const { name, properties } of inertObjects()) {
    it(`has the members of the object ${name}`, () => {
      const members = newest
        .map((program) => program.objectMembers[name])
        .find((each) => each !== undefined && Object.keys(each).length > 0);
      expect(sorted(Object.keys(properties))).to.deep.equal(sorted(bare(members ?? {}).keys()));
      for (const [member, { required }] of Object.entries(properties))
        expect(`${member}!` in (members ?? {}), member).to.equal(required ?? false);
      for (const [member, { type }] of Object.entries(properties))
        expectSameKind(`${name}.${member}`, type, bare(members ?? {}).get(member));
    });
  }

  for (const name of OBJECTS_LOOKED_AT) {
    it(`calls the kinds of the properties of the object ${name} as QEMU does`, () => {
      const { properties } = objects.get(name);
      const asked = newest.map(({ objectProperties }) => objectProperties[name]).filter((members) => members !== undefined);
      expect(asked).not.to.deep.equal([]);
      for (const members of asked)
        for (const [property, kind] of Object.entries(members)) expect(properties.get(property)?.type.name, property).to.equal(kind);
    });
  }

  for (const name of DRIVERS_LOOKED_AT) {
    it(`has the members of the block driver ${name}`, () => {
      const [program] = newest;
      const members = new Map([...bare(program?.blockMembers[""] ?? {}), ...bare(program?.blockMembers[name] ?? {})]);
      const ours = new Map([...drivers.get(name).properties].filter(([, { set }]) => set !== undefined));
      const refused = ["node-name"];
      expect(sorted([...ours.keys(), ...refused])).to.deep.equal(sorted(members.keys()));
      for (const [member, { type }] of ours) expectSameKind(`${name}.${member}`, type, members.get(member));
    });
  }

  for (const name of DEVICES_LOOKED_AT) {
    it(`has the properties of the device ${name}`, () => {
      const members = newest.map(({ properties }) => properties[name]).find((each) => each !== undefined) ?? {};
      const ours = new Map([...objects.get(name).properties].filter(([, { set }]) => set !== undefined));
      // Those that QEMU does not let anybody write.
      const computed = ["busnr", "dev_id", "subch_id", "virtio-backend"].filter((property) => property in members);
      expect(sorted([...ours.keys(), ...computed])).to.deep.equal(sorted(Object.keys(members)));
      for (const [property, { type }] of ours) {
        if (property !== "iothread-vq-mapping") expect(type.name, property).to.equal(members[property]);
      }
    });
  }
});

/** Whether a kind of value takes what the schema says, as far as the schema says it: it has one kind of integer. */
function expectSameKind(where: string, type: { readonly name: string; readonly values?: string }, known: KnownType | undefined): void {
  if (known === undefined) throw new Error(`QEMU has no ${where}`);
  if (typeof known !== "string") {
    if ("enum" in known) expect(sorted((type.values ?? "").replace("one of ", "").split(", ")), where).to.deep.equal(sorted(known.enum));
    else if ("list" in known) expect(type.name, where).to.match(/List$|^QAuthZListRule$|^int$/);
    else if ("members" in known)
      for (const member of Object.keys(known.members)) expect(type.values, where).to.contain(member.replace(/!$/, ""));
    return;
  }
  if (known === "int") expect(type.name, where).to.match(/^(?:u?int\d*(?:_t)?|size)$/);
  else if (known === "bool") expect(type.name, where).to.equal("bool");
  else if (known === "str") expect(type.name, where).to.match(/^str(?:ing)?$|^link</);
}
