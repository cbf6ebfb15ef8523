/**
 * Kinds of value that consist of others: lists and objects. Option text says them by dotted keys (`rules.0.match=x`), where the
 * language nests; JSON by arrays and objects.
 */
import * as z from "zod";
import type { OptionMap, PlainValue } from "../options/value.js";
import { aString, check, recordOf } from "../base/check.js";
import { aPropertyType, propertyType } from "./property-kind.js";
import type { PropertyType } from "./property-kind.js";

const MEMBERS = recordOf("an object of property types", aPropertyType);

/** A list of `element`s, called `<element>List` as in QAPI. */
export function listOf<T>(element: PropertyType<T>): PropertyType<readonly T[]> {
  check("qom.listOf", "element", element, aPropertyType);
  const common = {
    name: `${element.name}List`,
    expects: `a list, each element ${element.expects}`,
    ...(element.values === undefined ? {} : { values: `each ${element.values}` }),
  };
  const json = (): z.ZodType<readonly T[]> => z.array(element.json).readonly();
  if (!("text" in element)) return propertyType(common, json);
  return propertyType(common, json, () => z.array(element.text ?? z.never()).readonly());
}

/** Members of an object property: their kinds by name. */
export type ObjectMembers = Readonly<Record<string, PropertyType<unknown>>>;

type Value<P> = P extends PropertyType<infer T> ? T : never;

/** Members as a record of their values. */
export type ObjectValue<Members extends ObjectMembers> = { readonly [K in keyof Members]: Value<Members[K]> };

/**
 * An object with these members and no others; the typed value is a record of them.
 * @param name name of the type, as `help` shows it
 */
export function object<const Required extends ObjectMembers>(name: string, required: Required): PropertyType<ObjectValue<Required>>;
export function object<const Required extends ObjectMembers, const Optional extends ObjectMembers>(
  name: string,
  required: Required,
  optional: Optional,
): PropertyType<ObjectValue<Required> & Partial<ObjectValue<Optional>>>;
export function object(name: string, required: ObjectMembers, optional: ObjectMembers = {}): PropertyType<unknown> {
  check("qom.object", "name", name, aString);
  check("qom.object", "required", required, MEMBERS);
  check("qom.object", "optional", optional, MEMBERS);
  const members = [
    ...Object.entries(required).map(([member, type]) => ({ member, type, needed: true })),
    ...Object.entries(optional).map(([member, type]) => ({ member, type, needed: false })),
  ];
  const schema = (form: "json" | "text"): z.ZodType => {
    const shape = members.map(({ member, type, needed }) => {
      const kind = type[form] ?? z.never();
      return [member, needed ? kind : kind.optional()] as const;
    });
    return z.codec(
      z.custom<OptionMap>((value) => value instanceof Map),
      z.strictObject(Object.fromEntries(shape)),
      {
        decode: (map) => Object.fromEntries(map),
        // The record came from the strict schema, so its members are encoded values.
        encode: (record) => new Map(Object.entries(record) as [string, PlainValue][]),
      },
    );
  };
  const expects = `an object of ${members.map(({ member, needed }) => (needed ? member : `${member} (optional)`)).join(", ")}`;
  const values = `an object of ${members.map(({ member, type, needed }) => `${member}=<${type.name}>${needed ? "" : " (optional)"}`).join(", ")}`;
  return propertyType(
    { name, expects, values },
    () => schema("json"),
    () => schema("text"),
  );
}
