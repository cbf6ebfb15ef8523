/**
 * Properties of a single object, beside those of its class: added as it is constructed or later, and aliases of other objects'
 * properties (QEMU: object_property_add, object_property_add_alias).
 */
import { assert } from "../base/assert.js";
import { aFunction, aString, check, checkMembers, optional } from "../base/check.js";
import { QomError } from "../base/errors.js";
import { printable } from "../base/limits.js";
import { classProperty } from "./decorators.js";
import { pointTo } from "./links.js";
import { aQomObject, numberedName, stateOf } from "./object.js";
import type { QomObject } from "./object.js";
import type { PropertyAccess, PropertyDefinition } from "./property-definition.js";
import { aPropertyType } from "./property-kind.js";
import { qom } from "./property-type.js";
import type { PropertyType } from "./property-type.js";
import { indexOf } from "./tree-root.js";

/** What {@link addProperty} is told. */
export interface InstanceProperty<T> {
  /** One phrase for `qom-list`. */
  readonly description: string;
  readonly get: () => T | undefined;
  /** Absent: the property is read-only. */
  readonly set?: (value: T | undefined) => void;
  readonly default?: T;
  /** As of class properties: by default until the object is complete. */
  readonly access?: PropertyAccess;
}

/**
 * Gives `object` a property of its own. A name that ends in `[*]` gets the next free index.
 * @returns the final name
 * @throws QomError `duplicate` when the object, its class or its children have that name
 */
export function addProperty<T>(object: QomObject, name: string, type: PropertyType<T>, property: InstanceProperty<T>): string {
  check("addProperty", "object", object, aQomObject);
  check("addProperty", "name", name, aString);
  check("addProperty", "type", type, aPropertyType);
  checkMembers("addProperty", "property", property, { description: aString, get: aFunction, set: optional(aFunction) });
  const final = freeName(object, name);
  const { set } = property;
  insert(object, {
    name: final,
    type,
    description: property.description,
    required: false,
    default: property.default,
    access: set === undefined ? "read-only" : (property.access ?? "write-once"),
    get: () => property.get() ?? property.default,
    set:
      set === undefined
        ? undefined
        : (owner, value): void => {
            const given = value as T | undefined; // checked against `type` by whoever sets a property by name
            const target = value as QomObject | undefined; // of a link, which takes nothing else
            const weak = type.link?.weak === true;
            if (type.link !== undefined) pointTo({ owner: object, name: final, weak, target, clear: () => set(undefined) });
            set(given);
            stateOf(owner).assigned.add(final);
          },
  });
  return final;
}

/**
 * Makes `name` of `object` stand for a property or a child of `target`, which must live as long as `object`: one of its children, as a
 * rule. Kind, description and default are the target's; an alias of a child is a link.
 * @returns the final name
 * @throws QomError `duplicate`; `unknown-name` when the target has no such property or child
 */
export function addAlias(object: QomObject, name: string, target: QomObject, targetName: string): string {
  check("addAlias", "object", object, aQomObject);
  check("addAlias", "name", name, aString);
  check("addAlias", "target", target, aQomObject);
  check("addAlias", "targetName", targetName, aString);
  const child = stateOf(target).child(targetName);
  const aliased = child === undefined ? propertyOf(target, targetName) : childLink(child);
  if (aliased === undefined) {
    throw new QomError(
      "unknown-name",
      `${target.describe()} has no property '${printable(targetName)}' that '${printable(name)}' could stand for`,
      {
        context: { option: name },
      },
    );
  }
  const { get, set } = aliased;
  const final = freeName(object, name);
  insert(object, {
    ...aliased,
    name: final,
    required: false,
    aliasOf: aliased.aliasOf ?? { object: target, name: targetName },
    get: () => get(target),
    set:
      set === undefined
        ? undefined
        : (owner, value): void => {
            set(target, value);
            stateOf(owner).assigned.add(final);
          },
  });
  return final;
}

/** The property `name` of `object`: of its class, else its own. */
function propertyOf(object: QomObject, name: string): PropertyDefinition | undefined {
  return classProperty(object, name) ?? instanceProperty(object, name);
}

/** The property `name` that `object` alone has. */
export function instanceProperty(object: QomObject, name: string): PropertyDefinition | undefined {
  return stateOf(object).properties.get(name) as PropertyDefinition | undefined; // only insert() below writes there
}

/** The properties that `object` alone has, in the order in which they were added. */
export function instanceProperties(object: QomObject): readonly PropertyDefinition[] {
  return [...stateOf(object).propertyList] as PropertyDefinition[]; // only insert() below writes there
}

function insert(object: QomObject, definition: PropertyDefinition): void {
  assert(!stateOf(object).properties.has(definition.name), "the name was checked");
  stateOf(object).properties.set(definition.name, definition);
  if (isStandingLink(definition)) indexOf(object)?.addLink(object, definition.name, null);
}

function childLink(child: QomObject): PropertyDefinition {
  return {
    name: child.id ?? "",
    type: qom.link({ typeName: child.typeName, noun: child.typeName, lookup: "path" }),
    description: "",
    required: false,
    default: undefined,
    access: "read-only",
    get: () => child,
    set: undefined,
  };
}

/**
 * The name under which `object` can get a property or a child; one that ends in `[*]` gets the next index.
 * @throws QomError `duplicate`, `limit`
 */
export function freeName(object: QomObject, name: string): string {
  const final = numberedName(object, name);
  const taken = final === "type" || propertyOf(object, final) !== undefined || stateOf(object).child(final) !== undefined;
  if (!taken) return final;
  throw new QomError("duplicate", `${object.describe()} has a property '${printable(final)}' already`, { context: { option: final } });
}

/** Whether a property is a link that may lead somewhere without having been set: it is computed, or an alias. */
export function isStandingLink({ type, set, aliasOf }: PropertyDefinition): boolean {
  return type.link !== undefined && (set === undefined || aliasOf !== undefined);
}
