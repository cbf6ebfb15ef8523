/** Partial paths, compared with a search of the whole tree; and what they cost. */
import "reflect-metadata";
import { expect } from "chai";
import fc from "fast-check";
import { addAlias, addChild, qom, QomError, QomObject, qomProperty, qomType, USER_CREATABLE } from "qom-pr";
import type { QomType } from "qom-pr";
import { ObjectFactory } from "#src/qom/factory.js";
import { CompositionTree, Container } from "#src/qom/tree.js";
import { TypeRegistry } from "#src/qom/type-registry.js";

const NAMES = ["a", "b", "c", "link", "alias"] as const;

@qomType({ name: "knot", description: "has children and a link", interfaces: [USER_CREATABLE] })
class Knot extends QomObject {
  @qomProperty(qom.link<Knot>({ typeName: "knot", noun: "knot", lookup: "path" }), { description: "another", access: "read-write" })
  accessor link: Knot | undefined;
}

function newTree(): { readonly tree: CompositionTree; readonly registry: TypeRegistry } {
  const registry = new TypeRegistry();
  registry.registerAll([Container, Knot]);
  const construct = (type: QomType): QomObject => new (type as new () => QomObject)(); // both are concrete
  return { tree: new CompositionTree(new ObjectFactory(registry, construct)), registry };
}

/** Every object of the tree. */
function all(tree: CompositionTree, from: QomObject = tree.root): QomObject[] {
  return [from, ...tree.children(from).flatMap((child) => all(tree, child))];
}

/** What the path fits, tried below every object. */
function search(tree: CompositionTree, path: string): Set<string> {
  const found = new Set<string>();
  for (const start of all(tree)) {
    const [first = ""] = path.split("/");
    if (!tree.children(start).some(({ id }) => id === first)) continue;
    try {
      found.add(tree.resolve(`${start.canonicalPath ?? ""}/${path}`).canonicalPath ?? "");
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

const index = fc.nat({ max: 1000 });
const step = fc.record({
  kind: fc.constantFrom("child", "child", "child", "link", "alias"),
  name: fc.constantFrom(...NAMES),
  a: index,
  b: index,
});

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
              } else if (kind === "link") {
                from.link = to;
              } else if (to.id !== null) {
                addAlias(from, "alias", tree.resolve(to.canonicalPath?.replace(/\/[^/]*$/, "") ?? "/"), to.id);
              }
            } catch (error) {
              if (!(error instanceof QomError) || error.kind !== "duplicate") throw error;
            }
          }
          for (const path of paths.map((names) => names.join("/"))) {
            const found = [...search(tree, path)];
            const [only = "not-found"] = found;
            expect(resolved(tree, path), path).to.equal(found.length > 1 ? "ambiguous" : only);
          }
        },
      ),
      { numRuns: 300 },
    );
  });

  it("do not look at every object whose name they have", () => {
    const { tree, registry } = newTree();
    for (let count = 0; count < 1000; count += 1) {
      const knot = new Knot();
      addChild(knot, "part", new Knot());
      tree.attach(tree.resolve("/objects"), `knot${count}`, knot);
    }
    let looked = 0;
    const original = registry.typeOf.bind(registry);
    registry.typeOf = (object) => {
      looked += 1;
      return original(object);
    };
    expect(resolved(tree, "part/nothing")).to.equal("not-found");
    expect(resolved(tree, "knot7/part")).to.equal("/objects/knot7/part");
    expect(resolved(tree, "objects/knot7/part/nothing")).to.equal("not-found");
    expect(looked).to.be.lessThan(10);
  });
});
