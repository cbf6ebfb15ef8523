/** Reading and writing properties by name, for option strings, QMP and the library alike. */
import type * as z from "zod";
import { assert } from "../base/assert.js";
import { QomError } from "../base/errors.js";
import { printable } from "../base/limits.js";
import { didYouMean } from "../options/nearest.js";
import { describeValue, valueText } from "../options/take.js";
import { memberAt } from "../options/value.js";
import type { OptionMap, PlainValue } from "../options/value.js";
import { instanceProperties, instanceProperty } from "./instance-properties.js";
import { CONTAINER_TYPE, stateOf } from "./object.js";
import type { QomObject } from "./object.js";
import type { PropertyDefinition } from "./property-definition.js";
import type { LinkResolver, PropertyType, ValueForm } from "./property-type.js";
import type { RegisteredType } from "./type-registry.js";

/** Values to be written, and what they are written in. */
export interface PropertyValues {
  readonly values: OptionMap;
  readonly form: ValueForm;
}

/** A row of a list of properties: of qom-list, qom-list-properties and `help` alike. */
export interface PropertyListing {
  readonly name: string;
  /** Type name; `child<T>` for a child. */
  readonly type: string;
  readonly description?: string;
  readonly defaultValue?: PlainValue;
}

/** A property as it is listed. */
export function listing(property: PropertyDefinition): PropertyListing {
  return {
    name: property.name,
    type: property.type.name,
    ...(property.description === "" ? {} : { description: property.description }),
    ...(property.default === undefined ? {} : { defaultValue: property.type.json.encode(property.default) as PlainValue }), // a codec's input side is JSON
  };
}

/** The property `name` of `object`: of its type, else its own. */
export function findProperty(type: RegisteredType, object: QomObject, name: string): PropertyDefinition | undefined {
  return type.properties.get(name) ?? instanceProperty(object, name);
}

/** All properties of `object`, those of its type first. */
export function allProperties(type: RegisteredType, object: QomObject): readonly PropertyDefinition[] {
  return [...type.properties.values(), ...instanceProperties(object)];
}

function requireProperty(type: RegisteredType, object: QomObject | undefined, name: string): PropertyDefinition {
  const found = type.properties.get(name) ?? (object === undefined ? undefined : instanceProperty(object, name));
  if (found !== undefined) return found;
  const hint = didYouMean(
    name,
    [...type.properties.values(), ...(object === undefined ? [] : instanceProperties(object))].map((property) => property.name),
  );
  throw new QomError("unknown-name", `'${type.name}' has no property '${printable(name)}'`, {
    context: { option: name },
    ...(hint === undefined ? {} : { hint }),
  });
}

/**
 * Writes one property. An empty text empties a link of an object that is complete, as an empty link reads "".
 * @throws QomError `unknown-name`, `read-only`, `invalid-value`, and for links what `resolve` throws
 */
export function setProperty(
  type: RegisteredType,
  object: QomObject,
  name: string,
  value: PlainValue,
  form: ValueForm,
  resolve: LinkResolver,
): void {
  const property = requireProperty(type, object, name);
  if (property.set === undefined) throw readOnly(object.id ?? object.typeName, name, value, `of '${type.name}' is read-only`);
  if (property.access === "write-once" && [object, property.aliasOf?.object ?? object].some((owner) => stateOf(owner).phase !== "new")) {
    throw readOnly(object.id ?? object.typeName, name, value, `of ${object.describe()} cannot be changed any more`);
  }
  const clears = value === "" && property.type.link !== undefined && !property.required && stateOf(object).phase !== "new";
  property.set(object, clears ? undefined : decode(type, property, value, form, resolve));
  const state = stateOf(object);
  if (state.parent !== null && state.parent.typeName !== CONTAINER_TYPE) state.given.add(name);
}

function readOnly(object: string, name: string, value: PlainValue, why: string): QomError {
  const context = { option: name, value: valueText(value), object };
  return new QomError("read-only", `property '${name}' ${why}`, { context });
}

/** Writes several properties, then checks that every required one was given. */
export function setProperties(type: RegisteredType, object: QomObject, given: PropertyValues, resolve: LinkResolver): void {
  for (const [name, value] of given.values) setProperty(type, object, name, value, given.form, resolve);
  const { assigned } = stateOf(object);
  requireAll(type, (name) => assigned.has(name), object.id ?? type.name);
}

function requireAll(type: RegisteredType, isThere: (name: string) => boolean, object: string): void {
  for (const property of type.properties.values()) {
    if (!property.required || isThere(property.name)) continue;
    throw new QomError("missing", `'${type.name}' needs the property '${property.name}' (${property.description})`, {
      context: { option: property.name, object },
    });
  }
}

/**
 * Refuses what {@link setProperties} would refuse, as far as that can be told without the object and others: names, kinds and formats of
 * values, what is missing.
 * @param object one of the type, for the properties that it has beside those of the type; undefined where there is none
 */
export function checkProperties(type: RegisteredType, given: PropertyValues, object: QomObject | undefined): void {
  for (const [name, value] of given.values) {
    const property = requireProperty(type, object, name);
    if (property.set === undefined) throw readOnly(type.name, name, value, `of '${type.name}' is read-only`);
    if (property.type.link === undefined) decodeValue(type, property, value, given.form);
    else if (typeof value !== "string") throw unexpected(type, property, value, given.form);
  }
  const assigned = object === undefined ? undefined : stateOf(object).assigned;
  requireAll(type, (name) => given.values.has(name) || assigned?.has(name) === true, type.name);
}

/** Whether {@link checkProperties} can only tell with an object at hand. */
export function needsObjectToCheck(type: RegisteredType, { values }: PropertyValues): boolean {
  const unknown = [...values.keys()].some((name) => !type.properties.has(name));
  return unknown || [...type.properties.values()].some(({ name, required }) => required && !values.has(name));
}

/** What is to be said about values in deprecated spellings, one line each. */
export function deprecations(type: RegisteredType, given: PropertyValues): readonly string[] {
  return deprecated(type, given).map(({ property, message }) => `property '${property.name}' of '${type.name}': ${message}`);
}

/** Refuses values in deprecated spellings. @throws QomError `invalid-value` */
export function refuseDeprecated(type: RegisteredType, given: PropertyValues): void {
  const [first] = deprecated(type, given);
  if (first !== undefined) throw unexpected(type, first.property, first.value, given.form);
}

function deprecated(
  type: RegisteredType,
  { values, form }: PropertyValues,
): readonly { readonly property: PropertyDefinition; readonly value: string; readonly message: string }[] {
  if (form === "json") return [];
  return [...values].flatMap(([name, value]) => {
    const property = type.properties.get(name);
    const message = typeof value === "string" ? property?.type.deprecated?.(value) : undefined;
    return property === undefined || typeof value !== "string" || message === undefined ? [] : [{ property, value, message }];
  });
}

/** Reads one property as a JSON value: a link as the path or name of its target, null for a value that was never set. */
export function getProperty(type: RegisteredType, object: QomObject, name: string): PlainValue {
  const property = requireProperty(type, object, name);
  const value = property.get(object);
  if (property.type.link !== undefined) {
    const target = value as QomObject | undefined | null; // a link's accessor gives nothing else
    return target === undefined || target === null ? "" : (target.canonicalPath ?? target.id ?? "");
  }
  if (value === undefined || value === null) return null;
  return property.type.json.encode(value) as PlainValue; // a codec's input side is a JSON value
}

function decode(type: RegisteredType, property: PropertyDefinition, value: PlainValue, form: ValueForm, resolve: LinkResolver): unknown {
  const { link } = property.type;
  if (link === undefined) return decodeValue(type, property, value, form);
  if (typeof value !== "string") throw unexpected(type, property, value, form);
  return withContext(property, value, () => resolve(value, link));
}

/** The value of a property that is no link. */
function decodeValue(type: RegisteredType, property: PropertyDefinition, value: PlainValue, form: ValueForm): unknown {
  const kind: PropertyType<unknown> = property.type;
  const schema: z.ZodType | undefined = form === "text" ? kind.text : kind.json;
  const result = schema?.safeParse(value);
  if (result === undefined) throw unexpected(type, property, value, form);
  if (!result.success) throw inside(type, property, value, result.error) ?? unexpected(type, property, value, form);
  const { data } = result;
  assert(data !== undefined, "a property value is never undefined");
  withContext(property, value, () => property.check?.(data));
  return data;
}

function withContext<T>({ name }: PropertyDefinition, value: PlainValue, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw error instanceof QomError ? error.within({ option: name, value: valueText(value) }) : error;
  }
}

function unexpected(type: RegisteredType, { name, type: kind }: PropertyDefinition, value: PlainValue, form: ValueForm): QomError {
  const expects = form === "json" ? (kind.expectsJson ?? kind.expects) : kind.expects;
  return new QomError("invalid-value", `property '${name}' of '${type.name}' expects ${expects}, not ${describeValue(value)}`, {
    context: { option: name, value: valueText(value) },
  });
}

/** The error for a mistake inside a list or an object; undefined when the value as a whole is wrong. */
function inside(type: RegisteredType, property: PropertyDefinition, value: PlainValue, error: z.ZodError): QomError | undefined {
  const [issue] = error.issues;
  if (issue === undefined) return undefined;
  const key = (path: readonly PropertyKey[]): string => printable([property.name, ...path].map(String).join("."));
  const of = `of '${type.name}'`;
  if (issue.code === "unrecognized_keys") {
    const option = key([...issue.path, issue.keys[0] ?? ""]);
    return new QomError("unknown-name", `parameter '${option}' ${of} is unexpected`, { context: { option } });
  }
  if (issue.path.length === 0) return undefined;
  const option = key(issue.path);
  const given = memberAt(value, issue.path);
  if (given === undefined) return new QomError("missing", `parameter '${option}' ${of} is missing`, { context: { option } });
  const context = { option, value: valueText(given) };
  return new QomError("invalid-value", `parameter '${option}' ${of} does not accept ${describeValue(given)}`, {
    context,
    hint: `'${property.name}' is ${property.type.expects}`,
  });
}
