/** What the object model's operations cost in a large tree, compared with a small one: nothing that grows with the tree. */
import { addChild, Machine, qom, QomError, QomObject, qomProperty, qomType, USER_CREATABLE } from "qom-pr";
import type { Figure } from "./main.js";
import { inTurn, nanosecondsEach, ratios, spread } from "./measure.js";

const ROUNDS = 11;
const COUNT = 20_000;
/** Each object of the bench has two more below it. */
const OBJECTS_EACH = 3;
const SIZES = { small: 100, large: 100_000 } as const;

/** Three objects in a row, of names that all have, and a link to the first of all. */
@qomType({ name: "bench-object", description: "an object to be looked at", interfaces: [USER_CREATABLE] })
class BenchObject extends QomObject {
  @qomProperty(qom.uint32(), { description: "a number", default: 0, access: "read-write" })
  accessor value!: number;

  @qomProperty(qom.link<BenchObject>({ typeName: "bench-object", noun: "object", lookup: "objects" }), { description: "another object" })
  accessor peer: BenchObject | undefined;

  constructor() {
    super();
    const part = new BenchPart();
    addChild(this, "part", part);
    addChild(part, "end", new BenchPart());
  }
}

@qomType({ name: "bench-part", description: "a part of an object" })
class BenchPart extends QomObject {}

async function machineWith(objects: number): Promise<Machine> {
  const machine = await Machine.create([], { types: [BenchObject, BenchPart] });
  for (let index = 0; index * OBJECTS_EACH < objects; index += 1) {
    await machine.qom.add("bench-object", `o${index}`, new Map(index === 0 ? [] : [["peer", "o0"]]));
  }
  return machine;
}

function kindOf(action: () => unknown): string | null {
  try {
    action();
    return null;
  } catch (error) {
    return error instanceof QomError ? error.kind : null;
  }
}

/** By what is measured: one operation on object `name` of `machine`. */
const OPERATIONS: Readonly<Record<string, (machine: Machine, name: string) => unknown>> = {
  "qom-get, absolute path": (machine, name) => machine.qom.get(`/objects/${name}`, "value"),
  "qom-get, partial path": (machine, name) => machine.qom.get(name, "value"),
  "qom-set, absolute path": (machine, name) => machine.qom.set(`/objects/${name}`, "value", 1),
  "resolve, partial path of two": (machine, name) => machine.qom.resolve(`objects/${name}`),
  "resolve, names that all objects have": (machine, name) => machine.qom.resolve(`${name}/part/end`),
  "resolve, common names, ambiguous": (machine) => kindOf(() => machine.qom.resolve("part/end")),
  "resolve, common names, not found": (machine) => kindOf(() => machine.qom.resolve("end/part")),
  "resolve, through a link": (machine, name) => (name === "o0" ? null : machine.qom.resolve(`${name}/peer`)),
  "resolve, a link that all have, not found": (machine) => kindOf(() => machine.qom.resolve("peer/end")),
  "canonical path": (machine, name) => machine.object(name).canonicalPath,
};

/** Every operation in both trees, on objects all over the tree. */
export async function treeSize(): Promise<readonly Figure[]> {
  const [small, large] = [await machineWith(SIZES.small), await machineWith(SIZES.large)];
  const figures: Figure[] = [];
  const measure = (machine: Machine, size: number, operation: (machine: Machine, name: string) => unknown) => (): Promise<number> => {
    let at = 0;
    return nanosecondsEach(COUNT, () => {
      // A stride that meets every object before it meets one again.
      at = (at + 7919) % Math.ceil(size / OBJECTS_EACH);
      operation(machine, `o${at}`);
      return Promise.resolve();
    });
  };
  for (const [what, operation] of Object.entries(OPERATIONS)) {
    const [few = [], many = []] = await inTurn(ROUNDS, [measure(small, SIZES.small, operation), measure(large, SIZES.large, operation)]);
    figures.push({ what: `${what}, ${SIZES.large} objects`, unit: "ns", value: spread(many), aim: "" });
    figures.push({ what: `the same / with ${SIZES.small} objects`, unit: "ratio", value: spread(ratios(many, few)), aim: "<= 4 (median)" });
  }
  await small.close();
  await large.close();
  return figures;
}
