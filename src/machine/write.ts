/** A machine written back: as values, as a command line, as JSON. Reading them again makes the same machine. */
import { QomError } from "../base/errors.js";
import { present } from "../base/assert.js";
import type { BlockGraph } from "../block/graph.js";
import { NODE_REFERENCE } from "../block/node.js";
import type { BlockNode } from "../block/node.js";
import type { DeviceSet } from "../devices/set/device-set.js";
import { MonitorObject } from "../monitor/monitor-objects.js";
import { ARGUMENT_GRAMMARS } from "../options/arguments.js";
import { printJson } from "../options/json.js";
import { printKeyval } from "../options/keyval.js";
import { printQemuOpts } from "../options/qemu-opts.js";
import { isOptionMap } from "../options/value.js";
import type { OptionMap, PlainValue } from "../options/value.js";
import { withAncestors } from "../qom/children.js";
import { CONTAINER_TYPE } from "../qom/object.js";
import type { QomObject } from "../qom/object.js";
import type { ValueForm } from "../qom/property-type.js";
import type { CompositionTree } from "../qom/tree.js";
import type { RegisteredType } from "../qom/type-registry.js";
import { hiddenProperties, writtenProperties } from "../qom/written.js";
import type { WrittenProperty } from "../qom/written.js";
import { QEMU_VERSION_DEFAULT } from "../qemu/compat.js";
import type { QemuVersion } from "../qemu/compat.js";
import type { StructuredArgument } from "./arguments.js";
import type { TypeRegistries } from "./types.js";

/** What is written. */
export interface WritableMachine {
  readonly name: string;
  readonly version: QemuVersion;
  readonly tree: CompositionTree;
  readonly graph: BlockGraph;
  readonly devices: DeviceSet;
  readonly registries: TypeRegistries;
}

/** What a machine is as arguments, and what of it they cannot say: a line each. */
interface Writing {
  readonly entries: readonly Entry[];
  readonly omissions: readonly string[];
}

/** One thing of a machine: the values of its option in either form; no text form where one of the values has none. */
interface Entry {
  readonly argument: Exclude<StructuredArgument, "drive">;
  readonly json: OptionMap;
  readonly text: OptionMap | null;
}

/**
 * The machine as plain values: `name`, `compat` unless it is the default, and the options of `objects`, `blockdevs` and `devices` in the order
 * in which they can be made. What was left at its default is left out, and so is what is computed. A drive is written as the block node that it made.
 */
export function machineValues(machine: WritableMachine): OptionMap {
  const { entries } = writingOf(machine);
  const of = (argument: Entry["argument"]): PlainValue => entries.filter((entry) => entry.argument === argument).map((entry) => entry.json);
  return new Map<string, PlainValue>([
    ["name", machine.name],
    ...(machine.version === QEMU_VERSION_DEFAULT ? [] : [["compat", machine.version] as const]),
    ["objects", of("object")],
    ["blockdevs", of("blockdev")],
    ["devices", of("device")],
  ]);
}

/** The machine as arguments of {@link Machine.create}: as text where the option's language can say it, else as JSON. */
export function machineArguments(machine: WritableMachine): readonly string[] {
  const entries = writingOf(machine).entries.map((entry) => ({ ...entry, written: textOf(entry) }));
  // Devices in JSON are made after all others: one of them makes all of them JSON, or their order would change.
  const devicesAsJson = entries.some(({ argument, written }) => argument === "device" && written === null);
  const options = entries.flatMap(({ argument, json, written }) => {
    const asJson = written === null || (argument === "device" && devicesAsJson);
    return [`-${argument}`, asJson ? printJson(json) : written];
  });
  const compat = machine.version === QEMU_VERSION_DEFAULT ? [] : ["-compat", `qemu=${machine.version}`];
  return ["-name", machine.name, ...compat, ...options];
}

/** What neither of the two can say of the machine, one line each. */
export function machineOmissions(machine: WritableMachine): readonly string[] {
  return writingOf(machine).omissions;
}

function textOf({ argument, text }: Entry): string | null {
  if (text === null) return null;
  const grammar = ARGUMENT_GRAMMARS[argument];
  try {
    return grammar.language === "keyval" ? printKeyval(text, grammar) : printQemuOpts(text, grammar);
  } catch (error) {
    if (error instanceof QomError && error.kind === "syntax") return null;
    throw error;
  }
}

function writingOf(machine: WritableMachine): Writing {
  const { tree, graph, devices, registries } = machine;
  const objects = tree.children(tree.resolve("/objects")).filter((object) => !(object instanceof MonitorObject));
  const entry = (argument: Entry["argument"], head: OptionMap, properties: readonly WrittenProperty[]): Entry => ({
    argument,
    json: valuesOf(head, properties, "json"),
    text: properties.some(({ text }) => text === undefined) ? null : valuesOf(head, properties, "text"),
  });
  const typeOf = (object: QomObject): RegisteredType => registries.objects.get(object.typeName);
  const properties = (object: QomObject): readonly WrittenProperty[] => writtenProperties(typeOf(object), object);
  const progress = new Progress();
  /** The properties that can be given when `object` is made, which is next. */
  const givable = (object: QomObject): readonly WrittenProperty[] => progress.make(object, properties(object), typeOf(object));
  const entries = [
    ...targetsFirst(objects, properties).map((object) =>
      entry("object", given(["qom-type", object.typeName], ["id", object.id]), givable(object)),
    ),
    ...graph.outermost.map((node) =>
      entry("blockdev", given(["driver", node.typeName], ["node-name", node.nodeName]), nodeProperties(node, machine)),
    ),
    ...devices.all.map((device) => {
      const { placement } = device;
      const id = device.canonicalPath?.startsWith("/machine/peripheral/") === true ? device.id : null;
      return entry("device", given(["driver", device.typeName], ["id", id], ...placement), givable(device));
    }),
  ];
  return { entries, omissions: progress.omissions };
}

/** What has been made when the arguments are carried out in order, and what therefore cannot be given to the next. */
class Progress {
  readonly omissions: string[] = [];
  readonly #made = new Set<QomObject>();

  /** Those of the `properties` of `object` that can be given to it: a link to something that is made later cannot. */
  make(object: QomObject, properties: readonly WrittenProperty[], type: RegisteredType): readonly WrittenProperty[] {
    const possible = properties.filter(({ name, target }) => {
      if (target === undefined || this.#isThere(target)) return true;
      this.omissions.push(`property '${name}' of ${object.describe()}: ${target.describe()}, to which it points, is made later`);
      return false;
    });
    for (const { part, name } of hiddenProperties(type, object)) {
      this.omissions.push(`property '${name}' of ${part.describe()}: no option of ${object.describe()} stands for it`);
    }
    this.#made.add(object);
    return possible;
  }

  /** Whether `target` exists by now: it or something around it has been made, or it is a container that every machine has. */
  #isThere(target: QomObject): boolean {
    const way = [...withAncestors(target)];
    return way.some((object) => this.#made.has(object)) || way.every((object) => object.typeName === CONTAINER_TYPE);
  }
}

/** Members that have a value. */
function given(...members: readonly (readonly [string, PlainValue])[]): OptionMap {
  return new Map(members.filter(([, value]) => value !== null));
}

function valuesOf(head: OptionMap, properties: readonly WrittenProperty[], form: ValueForm): OptionMap {
  return new Map([...head, ...properties.map((property) => [property.name, present(property[form], "asked for before")] as const)]);
}

/** The properties of a node; a nested node's options are written anew, since they were given in either form. */
function nodeProperties(node: BlockNode, machine: WritableMachine): readonly WrittenProperty[] {
  const nested = machine.graph.nestedIn(node)[Symbol.iterator]();
  return writtenProperties(machine.registries.drivers.get(node.typeName), node).map((property) => {
    if (!isOptionMap(property.json) || property.type.name !== NODE_REFERENCE) return property;
    const child: BlockNode = present(nested.next().value, "a node that was given by its options is nested");
    const properties = nodeProperties(child, machine);
    const name = child.nodeName.startsWith("#") ? null : child.nodeName;
    const head = given(["driver", child.typeName], ["node-name", name]);
    const json = valuesOf(head, properties, "json");
    const text = properties.some((inner) => inner.text === undefined) ? undefined : valuesOf(head, properties, "text");
    return { ...property, json, text };
  });
}

/** Objects such that what a link points to, or what that is a part of, comes before the link; in a ring of links nothing can. */
function targetsFirst(objects: readonly QomObject[], properties: (object: QomObject) => readonly WrittenProperty[]): readonly QomObject[] {
  const ordered = new Set<QomObject>();
  const known = new Set(objects);
  const begun = new Set<QomObject>();
  const visit = (object: QomObject): void => {
    if (begun.has(object)) return;
    begun.add(object);
    const targets = properties(object).flatMap(({ target }) => (target === undefined ? [] : [...withAncestors(target)]));
    for (const around of targets) if (known.has(around)) visit(around);
    ordered.add(object);
  };
  for (const object of objects) visit(object);
  return [...ordered];
}
