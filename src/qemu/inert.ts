/** Properties that QEMU has and that have no effect here: checked for form, kept, and written back. */
import { declareLater, qomProperty, qomType } from "../qom/decorators.js";
import type { PropertyOptions, QomType } from "../qom/decorators.js";
import { USER_CREATABLE } from "../qom/interfaces.js";
import { QomObject } from "../qom/object.js";
import type { PropertyType } from "../qom/property-type.js";

/** One of them, as the tables have it. */
export interface InertProperty extends Pick<PropertyOptions<unknown>, "description" | "required" | "default" | "access"> {
  readonly type: PropertyType<unknown>;
  /** Refuses a value of the right kind that QEMU does not take. */
  readonly check?: (value: unknown) => void;
}

/** Them by name. */
export type InertProperties = Readonly<Record<string, InertProperty>>;

/** What the value of a row may be, besides its kind. */
type Rest<T> = Omit<PropertyOptions<T>, "name" | "description">;

/** A row, in which the kinds of default and check are those of the property. */
export function row<T>(type: PropertyType<T>, description: string, { check, ...rest }: Rest<T> = {}): InertProperty {
  // what is checked was decoded by `type`
  return { type, description, ...rest, ...(check === undefined ? {} : { check: (value): void => check(value as T) }) };
}

/** Gives a type these properties, from the moment it is registered; a class decorator beside {@link qomType}. */
export function inert(properties: () => InertProperties) {
  return (target: QomType): void => {
    declareLater(target, () => {
      const prototype = target.prototype as object; // every class has one
      for (const [name, property] of Object.entries(properties())) declareInert(prototype, name, property);
    });
  };
}

function declareInert(prototype: object, name: string, { type, ...options }: InertProperty): void {
  const values = new WeakMap<object, unknown>();
  // A name of QEMU's might be that of a member of the class.
  const key = `inert ${name}`;
  const descriptor: TypedPropertyDescriptor<unknown> = {
    configurable: true,
    get(this: object): unknown {
      return values.get(this);
    },
    set(this: object, value: unknown): void {
      values.set(this, value);
    },
  };
  qomProperty(type, { ...options, name })(prototype, key, descriptor);
  Object.defineProperty(prototype, key, descriptor);
}

/** The value of an inert property of `object`; undefined when it was not set and has no default. */
export function inertValue(object: QomObject, name: string): unknown {
  return Reflect.get(object, `inert ${name}`);
}

/** A type of objects that has nothing else. */
export interface InertObject {
  readonly name: string;
  readonly description: string;
  readonly properties: InertProperties;
  /** Refuses what QEMU refuses of several properties together. */
  readonly complete?: (value: (name: string) => unknown) => void;
}

/** The class of such objects. */
export function inertObjectType({ name, description, properties, complete }: InertObject): QomType {
  @qomType({ name, description: `${description} (no effect)`, interfaces: [USER_CREATABLE] })
  @inert(() => properties)
  class Inert extends QomObject {
    override complete(): void {
      complete?.((property) => inertValue(this, property));
    }
  }
  return Inert;
}
