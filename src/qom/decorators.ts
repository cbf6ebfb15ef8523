/**
 * The two decorators. They attach metadata to a class and do nothing else: a class becomes a type when a registry lists it.
 */
import { aBoolean, aFunction, anObject, arrayOf, aString, check, checkMembers, having, oneOf, optional } from "../base/check.js";
import { QomError } from "../base/errors.js";
import { assert } from "../base/assert.js";
import { printable } from "../base/limits.js";
import { inheritParameters, injectedParameters } from "./inject.js";
import { pointTo } from "./links.js";
import { stateOf } from "./object.js";
import type { QomObject } from "./object.js";
import type { PropertyAccess, PropertyDefinition } from "./property-definition.js";
import { accepts, aPropertyType } from "./property-kind.js";
import type { PropertyType } from "./property-type.js";
import type { QomInterface } from "./interfaces.js";
import { injectable } from "./tsyringe.js";

/** What {@link qomType} records on a class. */
export interface TypeMetadata {
  /** Type name: 2 or more of letters, digits, `-`, `_`, `.`, beginning with a letter or a digit other than 0. */
  readonly name: string;
  /** One sentence for `help`. */
  readonly description: string;
  /** An abstract type cannot be instantiated. */
  readonly abstract?: boolean;
  /** Interfaces that this type adds to those of its parent. */
  readonly interfaces?: readonly QomInterface[];
  /** Other names that option strings may use for the type. */
  readonly aliases?: readonly string[];
}

/** What {@link qomProperty} is told beside the kind of value. */
export interface PropertyOptions<T> {
  /** One phrase for `help`. */
  readonly description: string;
  /** Name in option strings and QMP; by default the member's name with `camelCase` turned into `kebab-case`. */
  readonly name?: string;
  /** The object cannot be created without it. */
  readonly required?: boolean;
  /** Value until one is set. */
  readonly default?: T;
  /** `write-once`: until the object is complete. An accessor without setter is read-only by itself. */
  readonly access?: PropertyAccess;
  /**
   * Refuses a value of the right kind that means nothing, by throwing a QomError. It sees the value alone, so that a command line can be
   * checked before anything is made of it.
   */
  readonly check?: (value: T) => void;
}

const METADATA = {
  name: aString,
  description: aString,
  abstract: optional(aBoolean),
  interfaces: optional(arrayOf(having("an interface, { name, description }", { name: aString, description: aString }))),
  aliases: optional(arrayOf(aString)),
} as const;

const PROPERTY_OPTIONS = {
  description: aString,
  name: optional(aString),
  required: optional(aBoolean),
  access: optional(oneOf(["write-once", "read-write", "read-only"])),
} as const;

const TYPE_KEY = "qom-pr:type";
const PROPERTIES_KEY = "qom-pr:properties";

/** A class whose instances are QOM objects; how it is constructed is the container's business. */
export type QomType<T extends QomObject = QomObject> = abstract new (...dependencies: never[]) => T;

/**
 * Makes a class a QOM type once it is registered. Its parent type is its JavaScript superclass.
 *
 * Constructor parameters need an explicit `@inject(token)` each; a class without a constructor of its own takes over its
 * superclass's.
 */
export function qomType(metadata: TypeMetadata) {
  checkMembers("@qomType", "metadata", metadata, METADATA);
  return (target: QomType): void => {
    check("@qomType", "class", target, aFunction);
    inheritInjection(target, metadata.name);
    // tsyringe's type wants a concrete class; of an abstract one it only records the tokens, which a subclass may take over.
    injectable()(target as unknown as new (...dependencies: never[]) => QomObject);
    Reflect.defineMetadata(TYPE_KEY, Object.freeze({ ...metadata }), target);
  };
}

/** The metadata of exactly this class, not of its superclass. */
export function typeMetadata(target: object): TypeMetadata | undefined {
  return Reflect.getOwnMetadata(TYPE_KEY, target) as TypeMetadata | undefined; // only qomType writes this key
}

/**
 * tsyringe constructs a class without a constructor of its own without any dependency, and gives `undefined` for a parameter
 * without a token. Both would be silent; the first is mended here and the second refused.
 */
function inheritInjection(target: QomType, name: string): void {
  if (injectedParameters(target) === undefined && target.length === 0) inheritParameters(target);
  const tokens = injectedParameters(target) ?? [];
  for (let index = 0; index < target.length; index += 1) {
    if (tokens[index] !== undefined) continue;
    throw new QomError(
      "type-definition",
      `parameter ${index} of the constructor of ${target.name} (type '${name}') has no @inject(token)`,
      {
        context: { object: name },
      },
    );
  }
}

/**
 * Makes an accessor a QOM property: `@qomProperty(qom.string(), { description: "…" }) accessor path!: string;`
 *
 * An accessor with a getter alone is a computed, read-only property. A default stands until a value is set. A link holds what it
 * points to; a weak link does not, and is undefined again when its target is gone.
 *
 * @throws QomError `type-definition` on a plain field, which would hide the property from the object model in silence, and for a name
 *   that the class has given already or that no option can have, and for a default that the property would not take.
 */
export function qomProperty<T>(type: PropertyType<T>, options: PropertyOptions<NoInfer<T>>) {
  check("@qomProperty", "type", type, aPropertyType);
  checkMembers("@qomProperty", "options", options, PROPERTY_OPTIONS);
  return <V>(
    target: object,
    key: string,
    descriptor?: TypedPropertyDescriptor<V> & ([T] extends [V] ? unknown : { typeOfAccessorAndProperty: "differ" }),
  ): void => {
    check("@qomProperty", "target", target, anObject);
    check("@qomProperty", "name", key, aString);
    const owner = `${target.constructor.name}.${key}`;
    if (descriptor?.get === undefined) {
      throw new QomError("type-definition", `@qomProperty on '${owner}' needs an accessor: write 'accessor ${key}' instead of '${key}'`, {
        context: { option: key },
      });
    }
    const definition = define(key, type, options, descriptor as PropertyDescriptor); // the accessor's own type is checked above, storage is untyped
    const { properties: own } = record(target);
    if (own.has(definition.name)) {
      throw new QomError("type-definition", `@qomProperty on '${owner}': the class has a property '${definition.name}' already`, {
        context: { option: definition.name },
      });
    }
    requireUsable(definition, owner);
    own.set(definition.name, definition);
  };
}

/**
 * Lets a class have further properties, which are declared when somebody first asks for its properties, as a registry does: a table of many
 * takes time, and most programs need few types.
 * @param declare calls {@link qomProperty}; one of a class
 */
export function declareLater(target: QomType, declare: () => void): void {
  const declared = record(target.prototype as object); // a prototype is an object
  assert(declared.later === undefined, "a class has one table of further properties");
  declared.later = declare;
}

/** What cannot be in the name of a property: characters that separate options or steps of a path, and blanks. */
const UNUSABLE = /[=,/\s]/;

function requireUsable({ name, type, default: value }: PropertyDefinition, owner: string): void {
  const context = { option: name };
  if (name === "" || UNUSABLE.test(name)) {
    throw new QomError("type-definition", `@qomProperty on '${owner}': '${printable(name)}' cannot be the name of a property`, { context });
  }
  if (value === undefined || accepts(type, value)) return;
  throw new QomError("type-definition", `@qomProperty on '${owner}': the default is not ${type.expects}`, { context });
}

/** Puts default and link handling around the accessor, in place, and describes it. */
function define<T>(key: string, type: PropertyType<T>, options: PropertyOptions<T>, descriptor: PropertyDescriptor): PropertyDefinition {
  const name = options.name ?? kebabCase(key);
  const stored = accessorOf(descriptor);
  if (stored.set !== undefined) {
    const { set } = stored;
    descriptor.get = function (this: QomObject): unknown {
      const value = stored.get(this);
      return value === undefined ? options.default : value;
    };
    descriptor.set = function (this: QomObject, value: unknown): void {
      const target = value as QomObject | undefined; // of a link, whose accessor takes nothing else
      if (type.link !== undefined) pointTo({ owner: this, name, weak: type.link.weak === true, target, clear: () => set(this, undefined) });
      stateOf(this).assigned.add(name);
      set(this, value);
    };
  }
  const checkValue = options.check;
  return {
    name,
    type,
    check: checkValue === undefined ? undefined : (value): void => checkValue(value as T), // what was decoded by `type`
    description: options.description,
    required: options.required ?? false,
    default: options.default,
    access: stored.set === undefined ? "read-only" : (options.access ?? "write-once"),
    ...accessorOf(descriptor),
  };
}

/** Getter and setter as functions of the object. */
function accessorOf(descriptor: PropertyDescriptor): Pick<PropertyDefinition, "get" | "set"> {
  const [get, set] = [Reflect.get(descriptor, "get") as unknown, Reflect.get(descriptor, "set") as unknown]; // methods without their object
  assert(typeof get === "function", "a property has a getter");
  return {
    get: (object) => Reflect.apply(get, object, []) as unknown, // whoever reads the value checks it
    set: typeof set === "function" ? (object, value): void => void Reflect.apply(set, object, [value]) : undefined,
  };
}

/** The properties declared by exactly this class, in order of declaration. */
export function ownProperties(target: QomType): ReadonlyMap<string, PropertyDefinition> {
  return recordedOn(target.prototype as object) ?? new Map<string, PropertyDefinition>(); // a prototype is an object
}

/** The property `name` that the class of `object` or one of its superclasses declares. */
export function classProperty(object: QomObject, name: string): PropertyDefinition | undefined {
  for (let at: unknown = Object.getPrototypeOf(object); typeof at === "object" && at !== null; at = Object.getPrototypeOf(at)) {
    const found = recordedOn(at)?.get(name);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** What is recorded on a prototype. */
interface Declared {
  readonly properties: Map<string, PropertyDefinition>;
  /** Declares further ones. */
  later?: (() => void) | undefined;
}

function declaredOn(prototype: object): Declared | undefined {
  return Reflect.getOwnMetadata(PROPERTIES_KEY, prototype) as Declared | undefined; // only record() writes this key
}

function record(prototype: object): Declared {
  const known = declaredOn(prototype);
  if (known !== undefined) return known;
  const declared: Declared = { properties: new Map() };
  Reflect.defineMetadata(PROPERTIES_KEY, declared, prototype);
  return declared;
}

/** The properties declared on exactly this prototype; those that were to be declared later are now. */
function recordedOn(prototype: object): ReadonlyMap<string, PropertyDefinition> | undefined {
  const declared = declaredOn(prototype);
  const later = declared?.later;
  if (declared !== undefined && later !== undefined) {
    declared.later = undefined;
    later();
  }
  return declared?.properties;
}

function kebabCase(key: string): string {
  return key.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
