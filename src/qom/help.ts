/** What `help` prints: types with their descriptions, and the properties of one type; all of it from the registry. */
import { printJson } from "../options/json.js";
import type { PlainValue } from "../options/value.js";
import type { PropertyDefinition } from "./property-definition.js";
import type { RegisteredType } from "./type-registry.js";

/** A line per type: its name, and what it is. */
export function typesHelp(types: readonly RegisteredType[]): string {
  return columns(
    types.map(({ name, description, aliases }) => [name, [description, ...aliases.map((alias) => `(alias ${alias})`)].join(" ")]),
  );
}

/** What the type is, then a line per property that can be set: name, kind, description, its values, and its default or that it is required. */
export function typeHelp(type: RegisteredType): string {
  const settable = [...type.properties.values()].filter((property) => property.set !== undefined);
  return `${type.name}: ${type.description}\n${columns(settable.map((property) => [`${property.name}=<${property.type.name}>`, propertyText(property)]))}`;
}

function propertyText(property: PropertyDefinition): string {
  const remarks: string[] = [];
  if (property.type.values !== undefined) remarks.push(property.type.values);
  if (property.required) remarks.push("required");
  else if (property.default !== undefined) remarks.push(`default: ${defaultText(property)}`);
  return remarks.length === 0 ? property.description : `${property.description} (${remarks.join("; ")})`;
}

/** A default as a user would write it. */
function defaultText({ type, default: value }: PropertyDefinition): string {
  const text = type.text?.encode(value);
  // A codec's input side is JSON.
  return typeof text === "string" ? text : printJson(type.json.encode(value) as PlainValue);
}

function columns(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(0, ...rows.map(([first]) => first.length));
  return rows.map(([first, second]) => `  ${first.padEnd(width)}  ${second}`.trimEnd() + "\n").join("");
}
