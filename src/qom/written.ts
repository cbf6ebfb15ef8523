/** The properties of an object as they would have to be given to make another one like it. */
import type { PlainValue } from "../options/value.js";
import { withDescendants } from "./children.js";
import { stateOf } from "./object.js";
import type { QomObject } from "./object.js";
import { allProperties } from "./properties.js";
import type { PropertyDefinition } from "./property-definition.js";
import type { PropertyType } from "./property-type.js";
import type { RegisteredType } from "./type-registry.js";

/** A property that was set, with its value in both forms. */
export interface WrittenProperty {
  readonly name: string;
  readonly type: PropertyType<unknown>;
  readonly json: PlainValue;
  /** Undefined where text cannot say the value. */
  readonly text: PlainValue | undefined;
  /** Of a link: what it points to. */
  readonly target?: QomObject;
}

/**
 * The properties of `object` that were set and have a value, in order of declaration. An alias counts as set when what it stands for was
 * set by a user.
 */
export function writtenProperties(type: RegisteredType, object: QomObject): readonly WrittenProperty[] {
  return allProperties(type, object).flatMap((property) => {
    const value = isSet(object, property) && property.set !== undefined ? property.get(object) : undefined;
    if (value === undefined || value === null) return [];
    const common = { name: property.name, type: property.type };
    if (property.type.link !== undefined) {
      const target = value as QomObject; // a link's accessor gives nothing else
      const path = property.type.link.lookup === "objects" ? target.id : target.canonicalPath;
      return path === null ? [] : [{ ...common, json: path, text: path, target }];
    }
    const json = property.type.json.encode(value) as PlainValue; // a codec's input side is plain
    const text = property.type.text?.safeEncode(value);
    return [{ ...common, json, text: text?.success === true ? (text.data as PlainValue) : undefined }]; // likewise
  });
}

function isSet(object: QomObject, { name, aliasOf }: PropertyDefinition): boolean {
  return stateOf(object).assigned.has(name) || (aliasOf !== undefined && stateOf(aliasOf.object).given.has(aliasOf.name));
}

/** What a user set on the parts of `object`, and no alias of `object` stands for: each by part and name of the property. */
export function hiddenProperties(type: RegisteredType, object: QomObject): readonly { readonly part: QomObject; readonly name: string }[] {
  const aliases = allProperties(type, object).flatMap(({ aliasOf }) => (aliasOf === undefined ? [] : [aliasOf]));
  const isReached = (part: QomObject, name: string): boolean => aliases.some((alias) => alias.object === part && alias.name === name);
  return [...withDescendants(object)]
    .filter((part) => part !== object)
    .flatMap((part) => [...stateOf(part).given].filter((name) => !isReached(part, name)).map((name) => ({ part, name })));
}
