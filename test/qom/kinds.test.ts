/** Kinds of properties beyond the scalar ones: lists, objects, weak links, properties of one object, aliases. */
import "reflect-metadata";
import { expect } from "chai";
import { parseJson } from "#src/options/json.js";
import { parseKeyval } from "#src/options/keyval.js";
import { isOptionMap } from "#src/options/value.js";
import type { OptionMap } from "#src/options/value.js";
import { qomProperty, qomType } from "#src/qom/decorators.js";
import type { QomType } from "#src/qom/decorators.js";
import { addObject } from "#src/qom/add-object.js";
import { ObjectFactory } from "#src/qom/factory.js";
import { addAlias, addProperty } from "#src/qom/instance-properties.js";
import { USER_CREATABLE } from "#src/qom/interfaces.js";
import { QomObject } from "#src/qom/object.js";
import { qom } from "#src/qom/property-type.js";
import { CompositionTree, Container } from "#src/qom/tree.js";
import { TypeRegistry } from "#src/qom/type-registry.js";
import { refusal } from "../support/refusal.js";

const RULE = qom.object("Rule", { match: qom.string(), limit: qom.uint64() }, { exact: qom.bool() });

@qomType({ name: "listed", description: "has lists and objects", interfaces: [USER_CREATABLE] })
class Listed extends QomObject {
  @qomProperty(qom.list(), { description: "names", default: [] })
  accessor names!: readonly string[];

  @qomProperty(RULE, { description: "one rule", access: "read-write" })
  accessor rule: { match: string; limit: bigint; exact?: boolean | undefined } | undefined;

  @qomProperty(qom.listOf(RULE), { description: "rules" })
  accessor rules: readonly { match: string; limit: bigint; exact?: boolean | undefined }[] | undefined;

  @qomProperty(qom.weakLink<Listed>({ typeName: "listed", noun: "listed", lookup: "objects" }), {
    description: "may go at any time",
    access: "read-write",
  })
  accessor friend: Listed | undefined;
}

/** Wears a property of its own and an alias of its part's. */
@qomType({ name: "owner", description: "has a part", interfaces: [USER_CREATABLE] })
class Owner extends QomObject {
  readonly part = new Listed();
  counter = 0;

  constructor() {
    super();
    addProperty(this, "counter", qom.uint8(), {
      description: "counts",
      get: () => this.counter,
      set: (value) => (this.counter = value ?? 0),
      default: 0,
      access: "read-write",
    });
    addProperty(this, "slot[*]", qom.string(), { description: "a slot", get: () => "first" });
    addProperty(this, "slot[*]", qom.string(), { description: "a slot", get: () => "second" });
    addAlias(this, "rule", this.part, "rule");
  }
}

function newTree(): CompositionTree {
  const registry = new TypeRegistry();
  registry.registerAll([Container, Listed, Owner]);
  return new CompositionTree(new ObjectFactory(registry, (type: QomType) => new (type as new () => QomObject)()));
}

const json = (text: string): OptionMap => {
  const value = parseJson(text);
  if (!isOptionMap(value)) throw new Error("no object");
  return value;
};

describe("what a value must be", () => {
  @qomType({ name: "told", description: "has what JSON says in other words", interfaces: [USER_CREATABLE] })
  class Told extends QomObject {
    @qomProperty(qom.bool(), { description: "a switch", default: false })
    accessor on!: boolean;

    @qomProperty(qom.size({ min: 1n, max: 4096n }), { description: "a size", default: 1n })
    accessor size!: bigint;
  }

  it("is told as the form wants it in which the value came", async () => {
    const registry = new TypeRegistry();
    registry.registerAll([Container, Told]);
    const tree = new CompositionTree(new ObjectFactory(registry, (type: QomType) => new (type as new () => QomObject)()));
    const told = async (values: OptionMap, form: "text" | "json"): Promise<string> =>
      (await refusal(() => addObject(tree, { values, form }))).message;
    expect(await told(json('{"qom-type": "told", "id": "a", "on": "on"}'), "json")).to.match(
      /'on' of 'told' expects true or false, not 'on'$/,
    );
    expect(await told(json('{"qom-type": "told", "id": "a", "size": "1K"}'), "json")).to.match(
      /expects an integer from 1 to 4096, in bytes, not '1K'$/,
    );
    expect(await told(parseKeyval("qom-type=told,id=a,on=1").values, "text")).to.match(/expects 'on' or 'off', not '1'$/);
    expect(await told(parseKeyval("qom-type=told,id=a,size=1X").values, "text")).to.match(
      /with an optional suffix K, M, G, T, P or E, not '1X'$/,
    );
  });
});

describe("lists and objects as properties", () => {
  it("come from dotted keys and from JSON, and are read back as JSON", async () => {
    const tree = newTree();
    const text = "names.0=x,names.1=y,rule.match=m,rule.limit=0x10,rule.exact=on,rules.0.match=n,rules.0.limit=18446744073709551615";
    const fromText = await tree.add("listed", "t", parseKeyval(text).values, "text");
    const written = '{"names":["x","y"],"rule":{"match":"m","limit":16,"exact":true},"rules":[{"match":"n","limit":18446744073709551615}]}';
    const fromJson = await tree.add("listed", "j", json(written));
    for (const [path, object] of [
      ["t", fromText],
      ["j", fromJson],
    ] as const) {
      if (!(object instanceof Listed)) throw new Error("another type");
      expect(object.names).to.deep.equal(["x", "y"]);
      expect(object.rule).to.deep.equal({ match: "m", limit: 16n, exact: true });
      expect(object.rules?.[0]?.limit).to.equal(2n ** 64n - 1n);
      expect(tree.get(path, "names")).to.deep.equal(["x", "y"]);
      expect(tree.get(path, "rule")).to.deep.equal(
        new Map<string, unknown>([
          ["match", "m"],
          ["limit", 16n],
          ["exact", true],
        ]),
      );
    }
  });

  const bad: readonly [string, string, string][] = [
    ['{"names":"x"}', "invalid-value", "names"],
    ['{"names":[1]}', "invalid-value", "names.0"],
    ['{"rule":{"match":"m"}}', "missing", "rule.limit"],
    ['{"rule":{"match":"m","limit":"1"}}', "invalid-value", "rule.limit"],
    ['{"rule":{"match":"m","limit":1,"foo":2}}', "unknown-name", "rule.foo"],
    ['{"rule":{"match":"m","limit":1,"__proto__":{"exact":true}}}', "unknown-name", "rule.__proto__"],
    ['{"rules":[{"match":"m","limit":1},{"match":"m"}]}', "missing", "rules.1.limit"],
    ['{"rules":[5]}', "invalid-value", "rules.0"],
  ];
  for (const [text, kind, option] of bad) {
    it(`refuses ${text} at ${option}`, async () => {
      const error = await refusal(() => newTree().add("listed", "t", json(text)));
      expect([error.kind, error.context.option]).to.deep.equal([kind, option]);
      expect(error.message).to.contain(`'${option}'`);
    });
  }
});

describe("a weak link", () => {
  it("does not keep its target, and is empty when that is gone", async () => {
    const tree = newTree();
    await tree.add("listed", "a");
    const b = await tree.add("listed", "b", new Map([["friend", "a"]]));
    expect(tree.get("b", "friend")).to.equal("/objects/a");
    await tree.delete("a");
    expect(tree.get("b", "friend")).to.equal("");
    expect(b).to.have.property("friend", undefined);
  });

  it("that points elsewhere by then is left alone", async () => {
    const tree = newTree();
    for (const id of ["a", "c"]) await tree.add("listed", id);
    await tree.add("listed", "b", new Map([["friend", "a"]]));
    tree.set("b", "friend", "c");
    await tree.delete("a");
    expect(tree.get("b", "friend")).to.equal("/objects/c");
  });
});

describe("properties of one object", () => {
  it("are listed, read and written like those of a class, and numbered", async () => {
    const tree = newTree();
    await tree.add("owner", "o");
    expect(tree.list("o").map(({ name, type }) => `${name}: ${type}`)).to.deep.equal([
      "type: string",
      "counter: uint8",
      "slot[0]: str",
      "slot[1]: str",
      "rule: Rule",
    ]);
    expect(tree.list("o")).to.deep.include({ name: "counter", type: "uint8", description: "counts", defaultValue: 0 });
    tree.set("o", "counter", 7);
    expect([tree.get("o", "counter"), tree.get("o", "slot[1]")]).to.deep.equal([7, "second"]);
    expect((await refusal(() => tree.set("o", "counter", 256))).kind).to.equal("invalid-value");
    expect((await refusal(() => tree.set("o", "slot[0]", "x"))).kind).to.equal("read-only");
  });

  it("can be given on creation", async () => {
    const tree = newTree();
    await tree.add("owner", "o", json('{"counter":3,"rule":{"match":"m","limit":1}}'));
    expect(tree.get("o", "counter")).to.equal(3);
  });

  it("may not take a name that class, object or child has", async () => {
    const owner = new Owner();
    const add = (name: string) => (): unknown => addProperty(owner, name, qom.bool(), { description: "", get: () => true });
    for (const name of ["type", "counter", "rule"]) expect((await refusal(add(name))).kind, name).to.equal("duplicate");
    const listed = new Listed();
    expect((await refusal(() => addProperty(listed, "names", qom.bool(), { description: "", get: () => true }))).kind).to.equal(
      "duplicate",
    );
    const tree = newTree();
    expect((await refusal(() => tree.attach(owner, "counter", listed))).kind).to.equal("duplicate");
  });
});

describe("an alias", () => {
  it("reads and writes its target's property, with its kind and description", async () => {
    const tree = newTree();
    const owner = await tree.add("owner", "o");
    tree.set("o", "rule", json('{"match":"m","limit":1}'));
    expect(owner instanceof Owner && owner.part.rule).to.deep.equal({ match: "m", limit: 1n });
    expect(tree.list("o")).to.deep.include({ name: "rule", type: "Rule", description: "one rule" });
  });

  it("of a child is a link that paths lead through", async () => {
    const tree = newTree();
    const owner = await tree.add("owner", "o");
    const part = await tree.add("listed", "p");
    tree.attach(owner, "child", new Listed());
    addAlias(owner, "other", tree.resolve("/objects"), "p");
    expect(tree.get("o", "other")).to.equal("/objects/p");
    expect(tree.resolve("/objects/o/other")).to.equal(part);
    expect(tree.list("o")).to.deep.include({ name: "other", type: "link<listed>" });
  });

  it("of nothing is refused", async () => {
    expect((await refusal(() => addAlias(new Owner(), "x", new Listed(), "nope"))).kind).to.equal("unknown-name");
  });
});

describe("a link of a complete object", () => {
  it("is emptied by an empty text, which on creation is no id", async () => {
    const tree = newTree();
    await tree.add("listed", "a");
    await tree.add("listed", "b", new Map([["friend", "a"]]));
    tree.set("b", "friend", "");
    expect(tree.get("b", "friend")).to.equal("");
    expect((await refusal(() => tree.add("listed", "c", new Map([["friend", ""]])))).kind).to.equal("not-found");
  });
});
