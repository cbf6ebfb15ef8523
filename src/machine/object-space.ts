/**
 * Objects without a machine: what `-object` makes, for a program that needs a PR manager and no disk. They come from the same factory and
 * into the same tree as those of a machine, and what is wrong with an option is said in the same words.
 */
import { Clock, systemClock } from "../base/clock.js";
import { QomError } from "../base/errors.js";
import { printable } from "../base/limits.js";
import { runAll } from "../base/run-all.js";
import { parseOption } from "../options/arguments.js";
import { atOption } from "../options/option-error.js";
import type { ParsedOptions } from "../options/value.js";
import { addObject, checkObject } from "../qom/add-object.js";
import type { QomType } from "../qom/decorators.js";
import { ObjectFactory } from "../qom/factory.js";
import type { QomObject } from "../qom/object.js";
import { CompositionTree } from "../qom/tree.js";
import { TypeRegistry } from "../qom/type-registry.js";
import type { FolderUse } from "../stores/folder/holder.js";
import { unusedStores } from "../stores/reservation-store.js";
import { StoreUse } from "../stores/store-use.js";
import { Fabric } from "../target/fabric/fabric.js";
import type { FabricMember } from "../target/fabric/fabric-members.js";
import { MachineContext } from "../target/fabric/machine-context.js";
import { ScsiFabric } from "../target/fabric/scsi-fabric.js";
import { construct, createContainer, provide } from "./container.js";
import { machineName } from "./name.js";
import { OBJECT_TYPES } from "./object-types.js";

/** What is made. */
export interface ObjectSpaceOptions {
  /** Texts of `-object`, in the order of creation. */
  readonly objects: readonly string[];
  /** Text of `-name`: the host's name in initiator names. */
  readonly name: string | undefined;
  /** How long state folders will be held. */
  readonly folderUse: FolderUse;
}

interface GivenObject {
  readonly text: string;
  readonly parsed: ParsedOptions;
}

/** See the module text. */
export class ObjectSpace {
  /** What works and is probably not meant, one line each. */
  readonly warnings: readonly string[];
  readonly #tree: CompositionTree;
  readonly #factory: ObjectFactory;
  readonly #fabric = new Fabric();
  readonly #joined = new Set<Fabric>();
  readonly #member: FabricMember;

  private constructor(registry: TypeRegistry, { name, folderUse }: ObjectSpaceOptions, warnings: string[]) {
    this.warnings = warnings;
    const warn = (line: string): void => void warnings.push(line);
    this.#member = { name: name === undefined ? this.#fabric.members.nextName() : machineName(name), warn };
    this.#fabric.onWarning(warn);
    const container = createContainer();
    const make = (type: QomType): QomObject => {
      const object = construct(container, type);
      if (object instanceof ScsiFabric) object.onWarning((line) => warn(`'${object.id ?? ""}': ${line}`));
      return object;
    };
    this.#factory = new ObjectFactory(registry, make);
    this.#tree = new CompositionTree(this.#factory);
    const context: MachineContext = {
      name: this.#member.name,
      fabric: this.#fabric,
      joins: (fabric) => this.#join(fabric),
      unitCreated: () => undefined,
      warn: (line) => {
        if (!warnings.includes(line)) warn(line);
      },
    };
    provide(container, Clock, systemClock);
    provide(container, MachineContext, context);
    provide(container, StoreUse, { use: folderUse });
    this.#join(this.#fabric);
  }

  /**
   * Makes the objects, one after the other.
   * @throws QomError that names the option, what in it is wrong and the value; nothing is left then
   */
  static async create(options: ObjectSpaceOptions): Promise<ObjectSpace> {
    const given = options.objects.map(parse);
    const warnings = given.flatMap(({ text, parsed }) => parsed.warnings.map((line) => `-object ${printable(text)}: ${line}`));
    const space = new ObjectSpace(await registryFor(given), options, warnings);
    try {
      for (const { text, parsed } of given) await around(text, async () => checkObject(space.#tree, parsed));
      for (const { text, parsed } of given) await around(text, () => addObject(space.#tree, parsed));
      warnings.push(...unusedStores(space.#tree.children(space.#tree.resolve("/objects"))));
    } catch (error) {
      await runAll([(): Promise<void> => Promise.reject(error), () => space.close()]);
    }
    return space;
  }

  /** @throws QomError `not-found` */
  object(id: string): QomObject {
    return this.#tree.object(id);
  }

  async close(): Promise<void> {
    await runAll([
      () => this.#factory.close(),
      () => this.#tree.deleteAll(),
      () => this.#joined.forEach((fabric) => fabric.members.leave(this.#member)),
      () => this.#fabric.close(),
    ]);
  }

  #join(fabric: Fabric): void {
    this.#joined.add(fabric);
    fabric.members.join(this.#member);
  }
}

function parse(text: string): GivenObject {
  let parsed: ParsedOptions;
  try {
    parsed = parseOption("object", text);
  } catch (error) {
    throw atOption("object", text, error);
  }
  if (!parsed.help) return { text, parsed };
  throw new QomError("syntax", `-object ${printable(text)} asks for help and does not describe an object`, {
    context: { argument: "object", text },
    hint: "'qom-pr run -object help' gives it",
  });
}

/** The types of objects alone where they do; where another one is asked for, all there are, which are what the answer depends on. */
async function registryFor(given: readonly GivenObject[]): Promise<TypeRegistry> {
  const registry = new TypeRegistry();
  registry.registerAll(OBJECT_TYPES);
  const known = given.every(({ parsed }) => {
    const type = parsed.values.get("qom-type");
    return typeof type === "string" && registry.find(type) !== undefined;
  });
  return known ? registry : (await import("./types.js")).typeRegistries([]).objects;
}

async function around(text: string, action: () => Promise<unknown>): Promise<void> {
  try {
    await action();
  } catch (error) {
    throw atOption("object", text, error);
  }
}
