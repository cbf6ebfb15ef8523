/** What the object model's operations cost in a large tree, compared with a small one: nothing that grows with the tree. */
import { Machine, qom, QomObject, qomProperty, qomType, USER_CREATABLE } from "qom-pr";
import type { Figure } from "./main.js";
import { inTurn, nanosecondsEach, ratios, spread } from "./measure.js";

const ROUNDS = 11;
const COUNT = 20_000;
const SIZES = { small: 100, large: 100_000 } as const;

@qomType({ name: "bench-object", description: "an object to be looked at", interfaces: [USER_CREATABLE] })
class BenchObject extends QomObject {
  @qomProperty(qom.uint32(), { description: "a number", default: 0, access: "read-write" })
  accessor value!: number;
}

async function machineWith(objects: number): Promise<Machine> {
  const machine = await Machine.create([], { types: [BenchObject] });
  for (let index = 0; index < objects; index += 1) await machine.qom.add("bench-object", `o${index}`);
  return machine;
}

/** By what is measured: one operation on object `name` of `machine`. */
const OPERATIONS: Readonly<Record<string, (machine: Machine, name: string) => unknown>> = {
  "qom-get, absolute path": (machine, name) => machine.qom.get(`/objects/${name}`, "value"),
  "qom-get, partial path": (machine, name) => machine.qom.get(name, "value"),
  "qom-set, absolute path": (machine, name) => machine.qom.set(`/objects/${name}`, "value", 1),
  "resolve, partial path of two": (machine, name) => machine.qom.resolve(`objects/${name}`),
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
      at = (at + 7919) % size;
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
