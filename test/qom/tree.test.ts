import "reflect-metadata";
import { expect } from "chai";
import { container } from "tsyringe";
import type { PlainValue } from "#src/options/value.js";
import { qomProperty, qomType } from "#src/qom/decorators.js";
import type { QomType } from "#src/qom/decorators.js";
import { ObjectFactory } from "#src/qom/factory.js";
import { USER_CREATABLE } from "#src/qom/interfaces.js";
import { hold, QomObject } from "#src/qom/object.js";
import { qom } from "#src/qom/property-type.js";
import { CompositionTree, Container } from "#src/qom/tree.js";
import { TypeRegistry } from "#src/qom/type-registry.js";
import { refusal } from "../support/refusal.js";

/** What happened to things, in order. */
const log: string[] = [];

@qomType({ name: "thing", description: "a thing", interfaces: [USER_CREATABLE] })
class Thing extends QomObject {
  @qomProperty(qom.string(), { description: "any text", required: true, access: "read-write" })
  accessor text!: string;

  @qomProperty(qom.bool(), { description: "a switch", default: false })
  accessor flag!: boolean;

  @qomProperty(qom.uint8({ max: 10 }), { description: "a small number" })
  accessor small: number | undefined;

  @qomProperty(qom.size(), { description: "a size" })
  accessor room: bigint | undefined;

  @qomProperty(qom.uint64(), { description: "a wide number" })
  accessor wide: bigint | undefined;

  @qomProperty(qom.enumeration("Colour", ["red", "green"]), { description: "a colour" })
  accessor colour: "red" | "green" | undefined;

  @qomProperty(qom.link<Thing>({ typeName: "thing", noun: "thing", lookup: "objects" }), { description: "another thing" })
  accessor other: Thing | undefined;

  @qomProperty(qom.uint32(), { description: "length of the text" })
  get length(): number {
    return this.text.length;
  }

  override complete(): void {
    log.push(`complete ${this.id ?? ""}`);
    if (this.text === "bad") throw new Error("refused by complete");
  }

  override finalize(): void {
    log.push(`finalize ${this.id ?? ""}`);
  }
}

@qomType({ name: "orphan", description: "not user-creatable" })
class Orphan extends QomObject {}

@qomType({ name: "idea", description: "abstract", abstract: true, interfaces: [USER_CREATABLE] })
abstract class Idea extends QomObject {}

function newTree(): CompositionTree {
  const registry = new TypeRegistry();
  registry.registerAll([Container, Thing, Orphan, Idea]);
  const child = container.createChildContainer();
  const construct = (type: QomType): QomObject => child.resolve(type as unknown as new () => QomObject); // all of the above are concrete
  return new CompositionTree(new ObjectFactory(registry, construct));
}

const values = (record: Record<string, PlainValue>): ReadonlyMap<string, PlainValue> => new Map(Object.entries(record));

describe("composition tree", () => {
  beforeEach(() => {
    log.length = 0;
  });

  it("has the standard containers", () => {
    const tree = newTree();
    for (const path of ["/", "/objects", "/machine", "/machine/peripheral", "/machine/peripheral-anon", "/machine/unattached"]) {
      expect(tree.resolve(path).canonicalPath).to.equal(path);
      expect(tree.get(path, "type")).to.equal("container");
    }
  });

  it("adds an object from text and gives its values back", async () => {
    const tree = newTree();
    const given = { text: "x", flag: "on", small: "0x0a", room: "1.5K", wide: "18446744073709551615", colour: "green" };
    const thing = await tree.add("thing", "t0", values(given), "text");
    expect(thing.canonicalPath).to.equal("/objects/t0");
    const read = ["text", "flag", "small", "room", "wide", "colour", "length", "type", "other"].map((name) => tree.get("t0", name));
    expect(read).to.deep.equal(["x", true, 10, 1536n, 18446744073709551615n, "green", 1, "thing", ""]);
  });

  it("adds an object from JSON, strictly typed", async () => {
    const tree = newTree();
    await tree.add("thing", "t0", values({ text: "x", flag: true, small: 3, room: 4096, wide: 2n ** 63n }));
    expect(tree.get("/objects/t0", "wide")).to.equal(2n ** 63n);
    for (const [name, value] of Object.entries({ text: 5, flag: "on", small: "3", room: "4K", colour: 1, other: true } as const)) {
      const error = await refusal(() => tree.add("thing", "t1", values({ text: "x", [name]: value })));
      expect(error.kind, name).to.equal("invalid-value");
      expect(error.message, name).to.contain(`'${name}'`).and.to.contain("expects");
    }
  });

  for (const [name, value] of Object.entries({ flag: "1", small: "11", room: "1.5", wide: "-1", colour: "blue" })) {
    it(`refuses the text ${name}=${value} and names both`, async () => {
      const error = await refusal(() => newTree().add("thing", "t", values({ text: "x", [name]: value }), "text"));
      expect(error.kind).to.equal("invalid-value");
      expect(error.message).to.contain(`'${name}'`).and.to.contain(`'${value}'`);
    });
  }

  it("refuses unknown, abstract and other types", async () => {
    const tree = newTree();
    const kinds = [];
    for (const type of ["nope", "idea", "orphan"]) kinds.push((await refusal(() => tree.add(type, "x"))).kind);
    expect(kinds).to.deep.equal(["unknown-type", "abstract-type", "wrong-type"]);
  });

  it("refuses bad and taken ids, an unknown property, a missing one", async () => {
    const tree = newTree();
    await tree.add("thing", "t0", values({ text: "x" }));
    const refused = async (id: string, given: Record<string, PlainValue>): Promise<string> =>
      (await refusal(() => tree.add("thing", id, values(given)))).kind;
    expect(await refused("1a", { text: "x" })).to.equal("bad-id");
    expect(await refused("t0", { text: "x" })).to.equal("duplicate");
    expect(await refused("t1", { text: "x", txt: "y" })).to.equal("unknown-name");
    expect(await refused("t1", {})).to.equal("missing");
    expect(tree.children(tree.resolve("/objects"))).to.have.lengthOf(1);
  });

  it("keeps an id while the object is being made", async () => {
    const tree = newTree();
    const both = await Promise.allSettled([tree.add("thing", "t", values({ text: "x" })), tree.add("thing", "t", values({ text: "y" }))]);
    expect(both.map((one) => one.status)).to.deep.equal(["fulfilled", "rejected"]);
  });

  it("leaves nothing of an object that cannot be completed, not even its hold on another", async () => {
    const tree = newTree();
    await tree.add("thing", "t0", values({ text: "x" }));
    let caught: unknown;
    await tree.add("thing", "t1", values({ text: "bad", other: "t0" })).catch((error: unknown) => (caught = error));
    expect(caught).to.be.an("error");
    expect(log).to.deep.equal(["complete t0", "complete t1"]);
    await tree.delete("t0");
    await tree.add("thing", "t1", values({ text: "x" }));
  });

  it("keeps what a link points to, and says who holds it", async () => {
    const tree = newTree();
    await tree.add("thing", "t0", values({ text: "x" }));
    await tree.add("thing", "t1", values({ text: "y", other: "t0" }));
    expect(tree.get("t1", "other")).to.equal("/objects/t0");
    const error = await refusal(() => tree.delete("t0"));
    expect(error.kind).to.equal("in-use");
    expect(error.message).to.contain("'other'").and.to.contain("t1");
    await tree.delete("t1");
    await tree.delete("t0");
    expect(log.slice(-2)).to.deep.equal(["finalize t1", "finalize t0"]);
  });

  it("lets go when a holder does", async () => {
    const tree = newTree();
    const thing = await tree.add("thing", "t0", values({ text: "x" }));
    const release = hold(thing, { describe: () => "a command in flight" });
    expect((await refusal(() => tree.delete("t0"))).message).to.contain("a command in flight");
    release();
    release();
    await tree.delete("t0");
  });

  it("asks the object itself whether it may go", async () => {
    const tree = newTree();
    const thing = await tree.add("thing", "t0", values({ text: "x" }));
    thing.canBeDeleted = (): boolean => false;
    expect((await refusal(() => tree.delete("t0"))).message).to.contain("held by itself");
    thing.busyWith = (): string => "work";
    expect((await refusal(() => tree.delete("t0"))).message).to.contain("held by work");
  });

  it("refuses a link to nothing and to another type", async () => {
    const tree = newTree();
    expect((await refusal(() => tree.add("thing", "t1", values({ text: "x", other: "t0" })))).kind).to.equal("not-found");
    tree.attach(tree.resolve("/objects"), "o", new Orphan());
    expect((await refusal(() => tree.add("thing", "t1", values({ text: "x", other: "o" })))).kind).to.equal("wrong-type");
  });

  it("refuses writes to a computed property and to one of a complete object, and takes one that may change", async () => {
    const tree = newTree();
    await tree.add("thing", "t0", values({ text: "x" }));
    expect((await refusal(() => tree.set("t0", "length", 5))).kind).to.equal("read-only");
    expect((await refusal(() => tree.set("t0", "flag", true))).kind).to.equal("read-only");
    tree.set("t0", "text", "longer");
    expect(tree.get("t0", "length")).to.equal(6);
  });

  it("resolves absolute, partial and ambiguous paths", async () => {
    const tree = newTree();
    const thing = await tree.add("thing", "t0", values({ text: "x" }));
    await tree.add("thing", "t1", values({ text: "x", other: "t0" }));
    for (const path of ["/objects/t0", "//objects//t0/", "t0", "objects/t0", "/objects/t1/other", "t1/other"]) {
      expect(tree.resolve(path), path).to.equal(thing);
    }
    tree.attach(tree.resolve("/machine/unattached"), "t0", new Orphan());
    expect((await refusal(() => tree.resolve("t0"))).kind).to.equal("ambiguous");
    expect(tree.resolve("objects/t0")).to.equal(thing);
    expect((await refusal(() => tree.resolve(""))).kind).to.equal("ambiguous");
    for (const path of ["/objects/none", "none", "/t0", "/objects/t0/.."]) {
      const error = await refusal(() => tree.resolve(path));
      expect(error.qmpClass, path).to.equal("DeviceNotFound");
    }
  });

  it("numbers NAME[*] without using a number twice", () => {
    const tree = newTree();
    const parent = tree.resolve("/machine/peripheral-anon");
    const children = [new Orphan(), new Orphan(), new Orphan()] as const;
    tree.attach(parent, "device[*]", children[0]);
    tree.attach(parent, "device[*]", children[1]);
    tree.detach(children[1]);
    tree.attach(parent, "device[*]", children[2]);
    expect(children[2].canonicalPath).to.equal("/machine/peripheral-anon/device[2]");
    expect(children[1].canonicalPath).to.equal(null);
  });

  it("lists properties with types, descriptions and defaults, and children", async () => {
    const tree = newTree();
    await tree.add("thing", "t0", values({ text: "x" }));
    expect(tree.list("/objects")).to.deep.include({ name: "t0", type: "child<thing>" });
    expect(tree.list("t0")).to.deep.include({ name: "flag", type: "bool", description: "a switch", defaultValue: false });
    expect(tree.list("t0")).to.deep.include({ name: "other", type: "link<thing>", description: "another thing" });
  });

  for (const name of ["__proto__", "constructor", "toString"]) {
    it(`treats ${name} as a name like any other`, async () => {
      const tree = newTree();
      const given = new Map<string, PlainValue>([
        ["text", "x"],
        [name, "y"],
      ]);
      expect((await refusal(() => tree.add("thing", "t", given, "text"))).kind).to.equal("unknown-name");
      expect((await refusal(() => tree.resolve(`/${name}`))).kind).to.equal("not-found");
    });
  }
});
