/** Partial paths, compared with a search of the whole tree; and what they cost. */
import "reflect-metadata";
import { expect } from "chai";
import fc from "fast-check";
import { addAlias, addChild, qom, QomError, QomObject, qomProperty, qomType, USER_CREATABLE } from "qom-pr";
import type { QomType } from "qom-pr";
import { present } from "#src/base/assert.js";
import { isWithin, removeChild } from "#src/qom/children.js";
import { ObjectFactory } from "#src/qom/factory.js";
import { CompositionTree, Container } from "#src/qom/tree.js";
import { TypeRegistry } from "#src/qom/type-registry.js";

const NAMES = ["a", "b", "c", "link", "weak", "alias"] as const;

@qomType({ name: "knot", description: "has children and a link", interfaces: [USER_CREATABLE] })
class Knot extends QomObject {
  @qomProperty(qom.link<Knot>({ typeName: "knot", noun: "knot", lookup: "path" }), { description: "another", access: "read-write" })
  accessor link: Knot | undefined;

  @qomProperty(qom.weakLink<Knot>({ typeName: "knot", noun: "knot", lookup: "path" }), { description: "another", access: "read-write" })
  accessor weak: Knot | undefined;
}

@qomType({ name: "holder", description: "points to a slip", interfaces: [USER_CREATABLE] })
class Holder extends QomObject {
  @qomProperty(qom.link<Slip>({ typeName: "slip", noun: "slip", lookup: "path" }), { description: "a slip", access: "read-write" })
  accessor to: Slip | undefined;
}

@qomType({ name: "slip", description: "a knot of another type", interfaces: [USER_CREATABLE] })
class Slip extends Knot {}

function newTree(): { readonly tree: CompositionTree; readonly registry: TypeRegistry } {
  const registry = new TypeRegistry();
  registry.registerAll([Container, Knot, Slip, Holder]);
  const construct = (type: QomType): QomObject => new (type as new () => QomObject)(); // both are concrete
  return { tree: new CompositionTree(new ObjectFactory(registry, construct)), registry };
}

/** Every object of the tree. */
function all(tree: CompositionTree, from: QomObject = tree.root): QomObject[] {
  return [from, ...tree.children(from).flatMap((child) => all(tree, child))];
}

/** What the path fits, tried below every object. */
function search(tree: CompositionTree, path: string): string[] {
  const found: string[] = [];
  for (const start of all(tree)) {
    try {
      found.push(tree.resolve(`${start.canonicalPath ?? ""}/${path}`).canonicalPath ?? "");
    } catch (error) {
      if (!(error instanceof QomError) || error.kind !== "not-found") throw error;
    }
  }
  return found;
}

/** The same by {@link CompositionTree.resolve}. */
function resolved(tree: CompositionTree, path: string): string {
  try {
    return tree.resolve(path).canonicalPath ?? "";
  } catch (error) {
    if (error instanceof QomError) return error.kind;
    throw error;
  }
}

/** The kind of the QomError that `action` throws. */
function refusalKind(action: () => void): string {
  try {
    action();
  } catch (error) {
    if (error instanceof QomError) return error.kind;
    throw error;
  }
  return "accepted";
}

const index = fc.nat({ max: 1000 });
const step = fc.record({
  kind: fc.constantFrom("child", "child", "child", "link", "weak", "alias", "unlink", "move"),
  name: fc.constantFrom(...NAMES),
  a: index,
  b: index,
});

/** Paths and what they lead to, in a tree where thousands of objects have the names `part`, `end`, `link` and `weak`. */
const COSTS: readonly (readonly [string, string])[] = [
  ["part", "ambiguous"],
  ["part/end", "ambiguous"],
  ["link", "ambiguous"],
  ["weak/end", "ambiguous"],
  ["link/nothing", "not-found"],
  ["link/end", "not-found"],
  ["link/link", "not-found"],
  ["part/nothing", "not-found"],
  ["end/part", "not-found"],
  ["part/part", "not-found"],
  ["part/end/even", "not-found"],
  ["part/even/odd", "not-found"],
  ["knot7/part", "/objects/knot7/part"],
  ["knot7/part/end", "/objects/knot7/part/end"],
  ["knot7/part/weak/end", "/objects/knot7/part/end"],
  ["knot8/link", "/machine/hub"],
  ["knot7/link", "not-found"],
  ["objects/knot7/part/end", "/objects/knot7/part/end"],
  ["objects/part/end", "not-found"],
  ["objects/knot7/part/nothing", "not-found"],
];

/** How many members of maps and sets are looked up or passed while `action` runs: what grows where a tree is searched. */
function lookups(action: () => void): number {
  let count = 0;
  const restore: (() => void)[] = [];
  const counted = (holder: object, name: string): void => {
    const descriptor = Object.getOwnPropertyDescriptor(holder, name);
    const original: unknown = descriptor?.value;
    if (typeof original !== "function") throw new Error(`no method ${name}`);
    const counting = function (this: unknown, ...given: unknown[]): unknown {
      count += 1;
      return Reflect.apply(original, this, given);
    };
    Object.defineProperty(holder, name, { ...descriptor, value: counting });
    restore.push(() => void Object.defineProperty(holder, name, descriptor ?? {}));
  };
  counted(Map.prototype, "get");
  counted(Object.getPrototypeOf(new Map().values()) as object, "next"); // the common prototype of all iterators of maps
  counted(Object.getPrototypeOf(new Set().values()) as object, "next"); // and of sets
  try {
    action();
  } finally {
    for (const put of restore) put();
  }
  return count;
}

/** A tree of so many knots with a part each, whose links lead back to others. */
function treeOf(size: number): CompositionTree {
  const { tree } = newTree();
  const hub = new Knot();
  tree.attach(tree.resolve("/machine"), "hub", hub);
  for (let count = 0; count < size; count += 1) {
    const knot = new Knot();
    const part = new Knot();
    addChild(part, "end", new Knot());
    addChild(part, count % 2 === 0 ? "even" : "odd", new Knot());
    addChild(knot, "part", part);
    tree.attach(tree.resolve("/objects"), `knot${count}`, knot);
    if (count % 2 === 0) knot.link = hub;
    part.weak = part;
  }
  return tree;
}

describe("partial paths", () => {
  it("lead where a search of the whole tree leads", () => {
    fc.assert(
      fc.property(
        fc.boolean(),
        fc.array(step, { maxLength: 20 }),
        fc.array(fc.array(fc.constantFrom(...NAMES), { minLength: 1, maxLength: 4 })),
        (padded, steps, paths) => {
          const { tree } = newTree();
          const knots = [new Knot()];
          tree.attach(tree.resolve("/objects"), "a", knots[0] ?? new Knot());
          // so many of each name that one of them is chosen
          for (const [at, name] of ["a", "b", "c", "alias"]
            .flatMap((each) => Array.from({ length: padded ? 9 : 0 }, () => each))
            .entries()) {
            const shelf = new Knot();
            tree.attach(tree.resolve("/machine/unattached"), `shelf${at}`, shelf);
            addChild(shelf, name, new Knot());
          }
          for (const { kind, name, a, b } of steps) {
            const [from, to] = [knots[a % knots.length], knots[b % knots.length]];
            if (from === undefined || to === undefined) continue;
            try {
              if (kind === "child") {
                const child = new Knot();
                addChild(from, name, child);
                knots.push(child);
              } else if (kind === "link" || kind === "weak") {
                from[kind] = to;
              } else if (kind === "unlink") {
                from.link = undefined;
              } else if (kind === "move") {
                if (to === knots[0] || isWithin(from, to) || tree.isTaken(from, name)) continue;
                removeChild(to);
                addChild(from, name, to);
              } else if (to.id !== null) {
                addAlias(from, "alias", tree.resolve(to.canonicalPath?.replace(/\/[^/]*$/, "") ?? "/"), to.id);
              }
            } catch (error) {
              if (!(error instanceof QomError) || !["duplicate", "conflict"].includes(error.kind)) throw error;
            }
          }
          for (const path of paths.map((names) => names.join("/"))) {
            const found = search(tree, path);
            const [only = "not-found"] = found;
            expect(resolved(tree, path), path).to.equal(found.length > 1 ? "ambiguous" : only);
          }
        },
      ),
      { numRuns: 300 },
    );
  });

  it("that are empty fit everything", () => {
    expect(resolved(newTree().tree, "")).to.equal("ambiguous");
  });

  it("are looked at by type where a link wants one", () => {
    const { tree } = newTree();
    const [knot, slip, holder] = [new Knot(), new Slip(), new Holder()];
    for (const [name, object] of Object.entries({ knot, slip, holder })) tree.attach(tree.resolve("/objects"), name, object);
    addChild(knot, "part", new Knot());
    addChild(slip, "part", new Slip());
    expect(resolved(tree, "part")).to.equal("ambiguous");
    tree.set("holder", "to", "part");
    expect(tree.get("holder", "to")).to.equal("/objects/slip/part");
    expect(refusalKind(() => tree.set("holder", "to", "knot"))).to.equal("wrong-type");
    expect(refusalKind(() => tree.set("holder", "to", "none"))).to.equal("not-found");
    addChild(slip, "more", new Slip());
    addChild(tree.resolve("/objects/slip/more"), "part", new Slip());
    expect(refusalKind(() => tree.set("holder", "to", "part"))).to.equal("ambiguous");
  });

  describe("cost the same in a large tree", () => {
    let [large, small]: [CompositionTree | null, CompositionTree | null] = [null, null];
    before(() => ([large, small] = [treeOf(4000), treeOf(40)]));
    after(() => ([large, small] = [null, null]));

    for (const [path, expected] of COSTS) {
      it(path, () => {
        const work = (tree: CompositionTree | null): number =>
          lookups(() => expect(resolved(present(tree, "made before"), path)).to.equal(expected));
        expect(work(large)).to.be.at.most(work(small) * 2);
      });
    }
  });
});
