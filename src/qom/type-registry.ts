/**
 * The types that one machine knows: registered by being listed, never by being imported.
 */
import { QomError } from "../base/errors.js";
import { lazily } from "../base/lazily.js";
import { printable } from "../base/limits.js";
import { didYouMean } from "../options/nearest.js";
import { ownProperties, typeMetadata } from "./decorators.js";
import type { QomType } from "./decorators.js";
import { USER_CREATABLE } from "./interfaces.js";
import type { QomInterface } from "./interfaces.js";
import { QomObject } from "./object.js";
import type { PropertyDefinition } from "./property-definition.js";
import { named } from "./property-kind.js";
import { qom } from "./property-type.js";

/** A type as the registry knows it: metadata of the class and everything inherited. */
export interface RegisteredType {
  readonly name: string;
  readonly description: string;
  readonly abstract: boolean;
  /** Other names that option strings may use for the type. */
  readonly aliases: readonly string[];
  /** Name of the parent type; null for `object`. */
  readonly parent: string | null;
  /** Own and inherited interfaces. */
  readonly interfaces: ReadonlySet<string>;
  /** Own and inherited properties, those of the root first. */
  readonly properties: ReadonlyMap<string, PropertyDefinition>;
  readonly constructor: QomType;
}

/** Which types {@link TypeRegistry.list} gives. */
export interface TypeFilter {
  /** Types that are, descend from, or implement this name. */
  readonly implements?: string;
  /** Include abstract types (default: no). */
  readonly abstract?: boolean;
}

/** Names that options of some types use for themselves. */
export interface ReservedNames {
  /** Types that are, descend from, or implement this. */
  readonly kind: string;
  readonly names: readonly string[];
}

/** Types that are registered when they are first needed, by name; see {@link TypeRegistry.registerLater}. */
export type LaterTypes = ReadonlyMap<string, () => QomType>;

/**
 * When the properties of a type are looked at. `registered`: at once, so that mistakes are found then. `needed`: for types that are known to
 * have none; to look at the properties of all of them takes longer than all else that a small machine needs.
 */
export type PropertiesRead = "registered" | "needed";

/** Type names as QEMU allows them: 2 or more characters, the first no digit 0 and no punctuation. */
const TYPE_NAME = /^[A-Za-z1-9][A-Za-z0-9._-]+$/;

const ROOT_TYPE = "object";

/** What QEMU calls the type of a text property: of devices and block nodes, and of objects that users create. */
const TEXT = "str";
const OBJECT_TEXT = "string";

/** The property that every object has. */
const TYPE_PROPERTY: PropertyDefinition = {
  name: "type",
  type: named(qom.string(), OBJECT_TEXT),
  description: "type of the object",
  required: false,
  default: undefined,
  access: "read-only",
  get: (object) => object.typeName,
  set: undefined,
};

/** What is registered. */
interface Tables {
  readonly types: Map<string, RegisteredType>;
  /** By alias: the name of the type. */
  readonly aliases: Map<string, string>;
  readonly byClass: Map<unknown, RegisteredType>;
  readonly interfaces: Map<string, QomInterface>;
}

/** See the module text. The root type `object` is there from the start. */
export class TypeRegistry {
  #tables: Tables;
  /** Another registry has the same tables: whoever adds to them makes its own first. */
  #isShared: boolean;
  #later: LaterTypes;
  readonly #reserved: readonly ReservedNames[];

  /**
   * @param reserved names that no property that can be set may have: no option would reach it
   * @param original one whose types it begins with
   */
  constructor(reserved: readonly ReservedNames[] = [], original: TypeRegistry | null = null) {
    this.#reserved = reserved;
    this.#tables = original === null ? newTables() : original.#tables;
    this.#isShared = original !== null;
    this.#later = original === null ? new Map() : original.#later;
  }

  /**
   * A registry with the same types, to which others are added without the first.
   * @param without names of properties that its types do not have
   */
  copy(without: readonly string[] = []): TypeRegistry {
    this.#isShared = true;
    const copy = new TypeRegistry(this.#reserved, this);
    if (without.length > 0) copy.#leaveOut(without);
    return copy;
  }

  /**
   * Registers a class that carries @qomType; its superclass must be registered already.
   * @throws QomError `type-definition` (no metadata, bad name, a property that a parent has), `duplicate` (type, alias, interface), `unknown-type` (parent)
   */
  register(type: QomType, read: PropertiesRead = "registered"): RegisteredType {
    const metadata = typeMetadata(type);
    if (metadata === undefined) {
      throw new QomError("type-definition", `class '${type.name}' cannot be registered: it has no @qomType of its own`);
    }
    const { name } = metadata;
    const context = { object: name };
    for (const known of [name, ...(metadata.aliases ?? [])]) {
      if (!TYPE_NAME.test(known)) throw new QomError("type-definition", `invalid type name '${printable(known)}'`, { context });
      if (this.#tables.types.has(known) || this.#tables.aliases.has(known) || this.#tables.interfaces.has(known)) {
        throw new QomError("duplicate", `type '${known}' is registered already`, { context });
      }
    }
    const superclass: unknown = Object.getPrototypeOf(type);
    const parent = this.#tables.byClass.get(superclass);
    if (parent === undefined) {
      const parentName = typeof superclass === "function" && superclass.name !== "" ? superclass.name : "none";
      throw new QomError("unknown-type", `parent class '${parentName}' of type '${name}' is not registered`, { context });
    }
    for (const added of metadata.interfaces ?? []) this.#requireInterface(added, name);
    const interfaces = new Set([...parent.interfaces, ...(metadata.interfaces ?? []).map((added) => added.name)]);
    const properties = lazily(() => {
      const merged = mergeProperties(parent, name, ownProperties(type));
      return interfaces.has(USER_CREATABLE.name) ? new Map([...merged].map(([key, property]) => [key, asOfObject(property)])) : merged;
    });
    const registered: RegisteredType = Object.freeze({
      name,
      description: metadata.description,
      abstract: metadata.abstract ?? false,
      aliases: metadata.aliases ?? [],
      parent: parent.name,
      interfaces,
      get properties() {
        return properties();
      },
      constructor: type,
    });
    if (read === "registered") this.requireReachable(registered, registered.properties.values());
    const own = this.#ownTables();
    for (const added of metadata.interfaces ?? []) own.interfaces.set(added.name, added);
    for (const alias of metadata.aliases ?? []) own.aliases.set(alias, name);
    add(own, registered);
    return registered;
  }

  /** Registers classes in any order, superclasses first. */
  registerAll(types: readonly QomType[], read?: PropertiesRead): void {
    const depth = (type: QomType): number => {
      let steps = 0;
      for (let current: unknown = type; typeof current === "function"; current = Object.getPrototypeOf(current)) steps += 1;
      return steps;
    };
    for (const type of types.toSorted((a, b) => depth(a) - depth(b))) this.register(type, read);
  }

  /**
   * Adds types that are registered when one is asked for by its name, or all types are. A type, alias or interface of the same name that is
   * registered goes before.
   */
  registerLater(types: LaterTypes): void {
    this.#later = types;
  }

  /**
   * The type of that name or alias.
   * @throws QomError `unknown-type`, see {@link typeHint}
   */
  get(name: string): RegisteredType {
    const found = this.find(name);
    if (found !== undefined) return found;
    throw new QomError("unknown-type", `unknown type '${printable(name)}'`, {
      context: { value: name },
      hint: typeHint(name, this.list(), "types"),
    });
  }

  /** The type of that name or alias, or undefined. */
  find(name: string): RegisteredType | undefined {
    const known = this.#registered(name);
    if (known !== undefined || this.#tables.interfaces.has(name)) return known;
    const later = this.#later.get(name);
    return later === undefined ? undefined : this.register(later(), "needed");
  }

  /** Whether `name` is that of an interface, of which there are no objects. */
  isInterface(name: string): boolean {
    return this.#tables.interfaces.has(name);
  }

  /** The type that `object` was created as; of a class that is not registered here the root, which is all that is known of it. */
  typeOf(object: QomObject): RegisteredType {
    return this.#tables.types.get(object.typeName) ?? this.get(ROOT_TYPE);
  }

  /** Whether type `name` is, descends from, or implements `ancestor`. */
  isA(name: string, ancestor: string): boolean {
    let current = this.find(name);
    if (current?.interfaces.has(ancestor) === true) return true;
    const wanted = this.#tables.aliases.get(ancestor) ?? ancestor;
    while (current !== undefined) {
      if (current.name === wanted) return true;
      current = current.parent === null ? undefined : this.#tables.types.get(current.parent);
    }
    return false;
  }

  /** Registered types, sorted by name. An unknown `implements` gives none, as QEMU does. */
  list(filter: TypeFilter = {}): readonly RegisteredType[] {
    for (const name of this.#later.keys()) this.find(name);
    return [...this.#tables.types.values()]
      .filter(
        (type) =>
          (filter.abstract === true || !type.abstract) && (filter.implements === undefined || this.isA(type.name, filter.implements)),
      )
      .toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** An interface has a name that no type and no other interface has: `implements` asks for either by name. */
  #requireInterface({ name, description }: QomInterface, owner: string): void {
    const context = { object: owner, value: name };
    if (!TYPE_NAME.test(name)) throw new QomError("type-definition", `invalid interface name '${printable(name)}'`, { context });
    const known = this.#tables.interfaces.get(name);
    const taken = this.#registered(name) !== undefined || name === owner || (known !== undefined && known.description !== description);
    if (taken)
      throw new QomError("duplicate", `interface '${name}' of type '${owner}' has the name of another type or interface`, { context });
  }

  /**
   * Refuses a property that can be set and whose name an option takes for something else.
   * @param properties those of the type, or of one object of it
   * @throws QomError `type-definition`
   */
  requireReachable(type: RegisteredType, properties: Iterable<PropertyDefinition>): void {
    const settable = new Set([...properties].filter(({ set }) => set !== undefined).map((property) => property.name));
    for (const { kind, names } of this.#reserved) {
      const taken = names.find((name) => settable.has(name));
      const concerned = type.name === kind || type.interfaces.has(kind) || (type.parent !== null && this.isA(type.parent, kind));
      if (taken === undefined || !concerned) continue;
      throw new QomError(
        "type-definition",
        `no option reaches the property '${taken}' of type '${type.name}': it has a meaning of its own`,
        {
          context: { object: type.name, option: taken },
          hint: `options of a ${kind} use ${names.join(", ")} for themselves`,
        },
      );
    }
  }

  #registered(name: string): RegisteredType | undefined {
    return this.#tables.types.get(this.#tables.aliases.get(name) ?? name);
  }

  /** The types are others then: those without the properties. */
  #leaveOut(names: readonly string[]): void {
    const { types, aliases, interfaces } = this.#tables;
    this.#tables = { types: new Map(), aliases: new Map(aliases), byClass: new Map(), interfaces: new Map(interfaces) };
    this.#isShared = false;
    for (const type of types.values()) add(this.#tables, withoutProperties(type, names));
  }

  /** The tables, which nobody else has from now on. */
  #ownTables(): Tables {
    if (!this.#isShared) return this.#tables;
    const { types, aliases, byClass, interfaces } = this.#tables;
    this.#tables = { types: new Map(types), aliases: new Map(aliases), byClass: new Map(byClass), interfaces: new Map(interfaces) };
    this.#isShared = false;
    return this.#tables;
  }
}

function newTables(): Tables {
  const tables: Tables = { types: new Map(), aliases: new Map(), byClass: new Map(), interfaces: new Map() };
  add(tables, {
    name: ROOT_TYPE,
    description: "root of all types",
    abstract: true,
    aliases: [],
    parent: null,
    interfaces: new Set(),
    properties: new Map([[TYPE_PROPERTY.name, TYPE_PROPERTY]]),
    constructor: QomObject,
  });
  return tables;
}

function add({ types, byClass }: Tables, type: RegisteredType): void {
  types.set(type.name, type);
  byClass.set(type.constructor, type);
}

function asOfObject(property: PropertyDefinition): PropertyDefinition {
  return property.type.name === TEXT ? { ...property, type: named(property.type, OBJECT_TEXT) } : property;
}

function withoutProperties(type: RegisteredType, names: readonly string[]): RegisteredType {
  const { name, description, abstract, aliases, parent, interfaces, constructor } = type;
  const properties = lazily(() => new Map([...type.properties].filter(([key]) => !names.includes(key))));
  return Object.freeze({
    ...{ name, description, abstract, aliases, parent, interfaces, constructor },
    get properties() {
      return properties();
    },
  });
}

/** Types that a hint lists: more than a machine has without those of an embedder. */
const TYPES_LISTED_MAX = 24;

/**
 * A hint for who asked for a type that does not exist: the nearest of the names of `types`, aliases included, or all of them.
 * @param noun what such types are called, in the plural
 */
export function typeHint(name: string, types: readonly RegisteredType[], noun: string): string {
  const question = didYouMean(
    name,
    types.flatMap((type) => [type.name, ...type.aliases]),
  );
  if (question !== undefined) return question;
  const listed = types.slice(0, TYPES_LISTED_MAX).map((type) => [type.name, ...type.aliases.map((alias) => `(alias ${alias})`)].join(" "));
  return `${noun} are ${listed.join(", ")}${types.length > TYPES_LISTED_MAX ? ", …" : ""}`;
}

/** A property may not hide one of a parent: QEMU refuses the duplicate too. */
function mergeProperties(
  parent: RegisteredType,
  name: string,
  own: ReadonlyMap<string, PropertyDefinition>,
): ReadonlyMap<string, PropertyDefinition> {
  for (const property of own.keys()) {
    if (!parent.properties.has(property)) continue;
    throw new QomError("type-definition", `property '${property}' of type '${name}' exists in its parent type '${parent.name}'`, {
      context: { object: name, option: property },
    });
  }
  return new Map([...parent.properties, ...own]);
}
