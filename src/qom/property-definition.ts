/** What the object model knows of one property, of a class or of a single object. */
import type { QomObject } from "./object.js";
import type { PropertyType } from "./property-type.js";

/** When a property can be written. */
export type PropertyAccess = "read-write" | "write-once" | "read-only";

/** A property, as registry and objects know it. */
export interface PropertyDefinition {
  readonly name: string;
  readonly type: PropertyType<unknown>;
  readonly description: string;
  readonly required: boolean;
  readonly default: unknown;
  readonly access: PropertyAccess;
  /** Refuses, with a QomError, a value of the right kind that means nothing. */
  readonly check?: ((value: unknown) => void) | undefined;
  readonly get: (object: QomObject) => unknown;
  readonly set: ((object: QomObject, value: unknown) => void) | undefined;
  /** Of an alias: the object that has the property, and its name there; that object's life decides whether it can still be written. */
  readonly aliasOf?: { readonly object: QomObject; readonly name: string };
}
