/** A QAPI schema, the answer to query-qmp-schema, and whether values keep to it (QEMU: qapi/introspect.json). */

/** An element of the answer. */
export interface Entity {
  readonly name: string;
  readonly "meta-type": string;
  readonly "arg-type"?: string;
  readonly "ret-type"?: string;
  readonly "element-type"?: string;
  readonly "json-type"?: string;
  readonly members?: readonly { readonly name?: string; readonly type?: string; readonly default?: null }[];
  readonly variants?: readonly { readonly case: string; readonly type: string }[];
  readonly values?: readonly string[];
  readonly tag?: string;
}

/** See the module text. */
export class QapiSchema {
  readonly entities: ReadonlyMap<string, Entity>;

  constructor(entities: readonly Entity[]) {
    this.entities = new Map(entities.map((entity) => [entity.name, entity]));
  }

  /** The command or event of that name. */
  find(name: string): Entity | undefined {
    return this.entities.get(name);
  }

  /** Types of the members of an object, by name. */
  members(type: string | undefined): Readonly<Record<string, string>> {
    return Object.fromEntries((this.entities.get(type ?? "")?.members ?? []).map((each) => [each.name ?? "", each.type ?? ""]));
  }

  /** Names of the types that an entity names. */
  uses(entity: Entity): readonly string[] {
    const named = [entity["arg-type"], entity["ret-type"], entity["element-type"]];
    if (entity["meta-type"] !== "enum") named.push(...(entity.members ?? []).map((member) => member.type));
    named.push(...(entity.variants ?? []).map(({ type }) => type));
    return named.filter((name) => name !== undefined);
  }

  /** Whether a value is of a type, as a client that has nothing but the schema finds out; undefined, or the first mistake. */
  mistake(type: string | undefined, value: unknown, at: string): string | undefined {
    const entity = this.entities.get(type ?? "");
    switch (entity?.["meta-type"]) {
      case "builtin":
        return isOfJsonType(entity["json-type"], value) ? undefined : `${at} is not a ${entity["json-type"]}`;
      case "enum":
        return valuesOf(entity).includes(String(value)) ? undefined : `${at} has no value ${String(value)}`;
      case "array":
        if (!Array.isArray(value)) return `${at} is not a list`;
        return firstOf(value.map((each, index) => this.mistake(entity["element-type"], each, `${at}[${index}]`)));
      case "alternate": {
        const mistakes = (entity.members ?? []).map((member) => this.mistake(member.type, value, at));
        return mistakes.includes(undefined) ? undefined : `${at} is none of the alternatives`;
      }
      case "object":
        return this.#mistakeInObject(entity, value, at);
      default:
        return `${at} is of the unknown type ${type ?? ""}`;
    }
  }

  #mistakeInObject(entity: Entity, value: unknown, at: string): string | undefined {
    if (typeof value !== "object" || value === null || Array.isArray(value)) return `${at} is not an object`;
    const given = new Map(Object.entries(value));
    const branch = entity.variants?.find((variant) => variant.case === given.get(entity.tag ?? ""));
    const members = [...(entity.members ?? []), ...(this.entities.get(branch?.type ?? "")?.members ?? [])];
    const missing = members.find((member) => !("default" in member) && !given.has(member.name ?? ""));
    if (missing !== undefined) return `${at} lacks ${missing.name}`;
    return firstOf(
      [...given].map(([name, each]) => {
        const member = members.find((known) => known.name === name);
        return member === undefined ? `${at} has ${name}` : this.mistake(member.type, each, `${at}.${name}`);
      }),
    );
  }
}

/** Of QEMU 7.2 and of schemas without conditions `values` are the names of the members. */
function valuesOf({ members = [], values = members.flatMap(({ name }) => name ?? []) }: Entity): readonly string[] {
  return values;
}

function firstOf(mistakes: readonly (string | undefined)[]): string | undefined {
  return mistakes.find((each) => each !== undefined);
}

function isOfJsonType(type: string | undefined, value: unknown): boolean {
  if (type === "value") return true;
  const kind = typeof value === "bigint" || Number.isInteger(value) ? "int" : value === null ? "null" : typeof value;
  return type === kind || (type === "number" && kind === "int");
}
