/** Children: parts of an object live with it, and are found, read and written like every object. */
import "reflect-metadata";
import { expect } from "chai";
import { addAlias, addChild, qom, QomObject, qomProperty, qomType, USER_CREATABLE } from "qom-pr";
import type { LinkTarget, QomType } from "qom-pr";
import { ObjectFactory } from "#src/qom/factory.js";
import { CompositionTree, Container } from "#src/qom/tree.js";
import { TypeRegistry } from "#src/qom/type-registry.js";
import { refusal } from "../support/refusal.js";

/** What happened to objects, in order. */
const log: string[] = [];
/** Names of objects that cannot be completed. */
const broken = new Set<string>();

const PART: LinkTarget = { typeName: "part", noun: "part", lookup: "path" };

@qomType({ name: "logged", description: "says what happens to it", abstract: true })
abstract class Logged extends QomObject {
  override complete(): void {
    log.push(`complete ${this.id}`);
    if (broken.has(this.id ?? "")) throw new Error("broken");
  }

  override finalize(): void {
    log.push(`finalize ${this.id}`);
  }
}

@qomType({ name: "part", description: "a part" })
class Part extends Logged {
  @qomProperty(qom.uint8(), { description: "may change", default: 3, access: "read-write" })
  accessor level!: number;

  @qomProperty(qom.uint8(), { description: "given once" })
  accessor once: number | undefined;

  @qomProperty(qom.link<Part>(PART), { description: "another part", access: "read-write" })
  accessor other: Part | undefined;
}

@qomType({ name: "demanding-part", description: "needs a value" })
class DemandingPart extends Logged {
  @qomProperty(qom.string(), { description: "a text", required: true })
  accessor text!: string;
}

@qomType({ name: "unlisted-part", description: "in no registry" })
class UnlistedPart extends QomObject {}

@qomType({ name: "whole", description: "has parts", interfaces: [USER_CREATABLE] })
class Whole extends Logged {
  readonly front = new Part();
  readonly inner = new Part();
  readonly late = new Part();

  constructor() {
    super();
    addChild(this, "part[*]", this.front);
    addChild(this, "part[*]", new Part());
    addChild(this.front, "inner", this.inner);
    addAlias(this, "level", this.front, "level");
    addAlias(this, "once", this.front, "once");
  }

  override complete(): void {
    super.complete();
    addChild(this, "late", this.late);
  }
}

@qomType({ name: "lacking", description: "leaves out what its part needs", interfaces: [USER_CREATABLE] })
class Lacking extends Logged {
  constructor() {
    super();
    addChild(this, "first", new Part());
    addChild(this, "needy", new DemandingPart());
  }
}

@qomType({ name: "foreign", description: "has a part of a type that is not registered", interfaces: [USER_CREATABLE] })
class Foreign extends Logged {
  constructor() {
    super();
    addChild(this, "stranger", new UnlistedPart());
  }
}

function newTree(): CompositionTree {
  const registry = new TypeRegistry();
  registry.registerAll([Container, Logged, Part, DemandingPart, Whole, Lacking, Foreign]);
  return new CompositionTree(new ObjectFactory(registry, (type: QomType) => new (type as new () => QomObject)())); // all are concrete
}

/** What happens to a whole, in order. */
const LIFE = ["complete inner", "complete part[0]", "complete part[1]", "complete o", "complete late"];

describe("children of an object", () => {
  beforeEach(() => {
    log.length = 0;
    broken.clear();
  });

  it("are completed and finalized with it", async () => {
    const tree = newTree();
    await tree.add("whole", "o");
    expect(log).to.deep.equal(LIFE);
    log.length = 0;
    await tree.delete("o");
    expect(log).to.deep.equal(["finalize o", "finalize late", "finalize part[1]", "finalize part[0]", "finalize inner"]);
    expect((await refusal(() => tree.resolve("inner"))).kind).to.equal("not-found");
  });

  for (const [name, completed] of [
    ["part[1]", 2],
    ["o", 3],
    ["late", 4],
  ] as const) {
    it(`are undone in reverse order when '${name}' cannot be completed`, async () => {
      broken.add(name);
      const tree = newTree();
      const caught = await tree.add("whole", "o").then(
        () => undefined,
        (error: unknown) => error,
      );
      expect(caught).to.have.property("message", "broken");
      const undone = LIFE.slice(0, completed)
        .toReversed()
        .map((line) => line.replace("complete", "finalize"));
      expect(log).to.deep.equal([...LIFE.slice(0, completed + 1), ...undone]);
      expect(tree.list("/objects").map((entry) => entry.name)).to.deep.equal(["type"]);
    });
  }

  it("are found, listed, read and written like every object", async () => {
    const tree = newTree();
    const whole = await tree.add("whole", "o");
    expect(whole instanceof Whole && whole.inner.canonicalPath).to.equal("/objects/o/part[0]/inner");
    expect(tree.list("o").filter(({ type }) => type.startsWith("child"))).to.deep.equal([
      { name: "part[0]", type: "child<part>" },
      { name: "part[1]", type: "child<part>" },
      { name: "late", type: "child<part>" },
    ]);
    expect(tree.list("o/part[0]")).to.deep.include({ name: "level", type: "uint8", description: "may change", defaultValue: 3 });
    expect(tree.get("o", "part[1]")).to.equal("/objects/o/part[1]");
    tree.set("inner", "level", 5);
    expect(tree.get("/objects/o/part[0]/inner", "level")).to.equal(5);
    tree.set("o/part[1]", "other", "inner");
    expect(tree.get("o/part[1]", "other")).to.equal("/objects/o/part[0]/inner");
  });

  it("take a property that is written once by an alias until they are complete, and not later", async () => {
    const tree = newTree();
    const whole = await tree.add("whole", "o", new Map([["once", 7]]));
    expect(whole instanceof Whole && whole.front.once).to.equal(7);
    expect((await refusal(() => tree.set("o", "once", 8))).kind).to.equal("read-only");
    tree.set("o", "level", 9);
    expect(tree.get("o/part[0]", "level")).to.equal(9);
  });

  it("are missed when a property they need was not given, and when their type is not registered", async () => {
    const tree = newTree();
    expect((await refusal(() => tree.add("lacking", "l"))).message).to.contain("'text'");
    expect(log).to.deep.equal(["complete first", "finalize first"]);
    expect((await refusal(() => tree.add("foreign", "f"))).kind).to.equal("unknown-type");
  });

  it("keep their parent while somebody outside holds them, and not when they hold each other", async () => {
    const tree = newTree();
    await tree.add("whole", "o");
    await tree.add("whole", "p");
    tree.set("o/part[1]", "other", "o/part[0]");
    tree.set("p/part[0]", "other", "o/late");
    const error = await refusal(() => tree.delete("o"));
    expect(error.kind).to.equal("in-use");
    expect(error.message).to.contain("/objects/o/late").and.to.contain("/objects/p/part[0]");
    tree.set("p/part[0]", "other", "");
    await tree.delete("o");
  });

  it("have one parent, which is not below them, and are refused when they are gone", async () => {
    const [first, second] = [new Part(), new Part()];
    addChild(first, "below", second);
    expect((await refusal(() => addChild(new Part(), "x", second))).kind).to.equal("in-use");
    expect((await refusal(() => addChild(second, "above", first))).kind).to.equal("conflict");
    expect((await refusal(() => addChild(first, "below", new Part()))).kind).to.equal("duplicate");
    for (const name of ["", "a/b"]) expect((await refusal(() => addChild(first, name, new Part()))).kind, name).to.equal("bad-id");
    expect(second.canonicalPath, "in no tree").to.equal(null);
    const tree = newTree();
    const whole = await tree.add("whole", "o");
    await tree.delete("o");
    expect((await refusal(() => addChild(new Part(), "x", whole))).kind).to.equal("closed");
  });

  it("given later are in the tree, and their life is not the parent's business", async () => {
    const tree = newTree();
    const whole = await tree.add("whole", "o");
    log.length = 0;
    const guest = new Part();
    tree.attach(whole, "guest", guest);
    expect(tree.resolve("guest")).to.equal(guest);
    await tree.delete("o");
    expect(log).to.not.include("complete guest").and.not.include("finalize guest");
  });
});

describe("an object whose place was taken while it was made", () => {
  it("is finalized", async () => {
    log.length = 0;
    const tree = newTree();
    const adding = tree.add("whole", "o");
    tree.attach(tree.resolve("/objects"), "o", new Part());
    expect((await refusal(() => adding)).kind).to.equal("duplicate");
    expect(log).to.include("finalize o");
  });
});
