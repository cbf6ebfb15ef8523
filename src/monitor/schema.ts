/**
 * query-qmp-schema: the zod schemas of commands and events, and the properties of types, as QEMU's SchemaInfo (qapi/introspect.json).
 *
 * A schema is a list of entities that name each other; clients look for commands, members and enum values in it. As in QEMU, built-in
 * types have their own names and all others numbers. Objects whose members depend on a type (object-add on `qom-type`, blockdev-add on
 * `driver`) have a variant for each value of that member.
 */
import { z } from "zod";
import { assert } from "../base/assert.js";
import type { PropertyType } from "../qom/property-kind.js";
import type { RegisteredType } from "../qom/type-registry.js";
import type { QmpCommand } from "./command.js";
import { EVENT_SCHEMAS } from "./event-schemas.js";

/** An entity, as it is sent. */
export type SchemaInfo = { readonly name: string; readonly "meta-type": string } & Readonly<Record<string, unknown>>;

interface Member {
  readonly name: string;
  readonly type: string;
  /** Null: it may be left out, and nothing is said about what it is then. */
  readonly default?: null;
}

/** Objects that one member's value divides into kinds. */
export interface SchemaVariants {
  readonly tag: string;
  readonly types: readonly RegisteredType[];
}

/** JSON types of the built-in types of QAPI. */
const BUILTINS = { str: "string", int: "int", bool: "boolean", any: "value", number: "number", null: "null" } as const;
type Builtin = keyof typeof BUILTINS;

/** The schema of a machine's commands; `variants` by command. */
export function qmpSchema(commands: readonly QmpCommand[], variants: ReadonlyMap<string, SchemaVariants>): readonly SchemaInfo[] {
  return new SchemaWriter().write(commands, variants);
}

class SchemaWriter {
  readonly #entities: SchemaInfo[] = [];
  /** Names of entities by what they say: what is equal is one type. */
  readonly #named = new Map<string, string>();
  readonly #builtins = new Set<Builtin>();

  write(commands: readonly QmpCommand[], variants: ReadonlyMap<string, SchemaVariants>): readonly SchemaInfo[] {
    const heads: SchemaInfo[] = commands.map((command) => ({
      name: command.name,
      "meta-type": "command",
      "arg-type": this.#arguments(command, variants.get(command.name)),
      "ret-type": this.#type(command.result),
      "allow-oob": false,
    }));
    const events: SchemaInfo[] = Object.entries(EVENT_SCHEMAS).map(([name, schema]) => ({
      name,
      "meta-type": "event",
      "arg-type": this.#type(schema),
    }));
    const builtins: SchemaInfo[] = [...this.#builtins].map((name) => ({ name, "meta-type": "builtin", "json-type": BUILTINS[name] }));
    return [...heads, ...events, ...this.#entities, ...builtins];
  }

  #arguments(command: QmpCommand, variants: SchemaVariants | undefined): string {
    if (variants === undefined) return this.#type(command.arguments);
    const { tag, types } = variants;
    const tagType = this.#enumeration(types.map(({ name }) => name));
    const members = this.#members(command.arguments.shape).map((member) => (member.name === tag ? { ...member, type: tagType } : member));
    const cases = types.map((type) => ({ case: type.name, type: this.#properties(type) }));
    return this.#entity("object", { members, tag, variants: cases });
  }

  /** What may be set of an object of a type. */
  #properties(type: RegisteredType): string {
    const members = [...type.properties.values()]
      .filter((property) => property.set !== undefined)
      .map((property): Member => ({
        name: property.name,
        type: this.#propertyType(property.type),
        ...(property.required ? {} : { default: null }),
      }));
    return this.#entity("object", { members });
  }

  #propertyType(type: PropertyType<unknown>): string {
    if (type.link !== undefined) return this.#builtin("str");
    return this.#type(type.json);
  }

  #type(schema: z.core.$ZodType): string {
    if (schema instanceof z.ZodString) return this.#builtin("str");
    if (schema instanceof z.ZodBoolean) return this.#builtin("bool");
    if (schema instanceof z.ZodNumber) return this.#builtin(schema.isInt ? "int" : "number");
    if (schema instanceof z.ZodBigInt) return this.#builtin("int");
    if (schema instanceof z.ZodCustom) return this.#builtin("any");
    if (schema instanceof z.ZodNull) return this.#builtin("null");
    if (schema instanceof z.ZodEnum) return this.#enumeration(schema.options.map(String));
    if (schema instanceof z.ZodOptional || schema instanceof z.ZodReadonly) return this.#type(schema.def.innerType);
    if (schema instanceof z.ZodArray) return this.#array(this.#type(schema.element));
    if (schema instanceof z.ZodObject) return this.#entity("object", { members: this.#members(schema.shape) });
    // A codec: of integers of 64 bits, whose input is either kind of number, or of a record, whose input is a map.
    if (schema instanceof z.ZodPipe) return this.#type(schema.def.in instanceof z.ZodCustom ? schema.def.out : schema.def.in);
    assert(schema instanceof z.ZodUnion, "the schemas of this library use no other kinds");
    return this.#union(schema.options.map((option) => this.#type(option)));
  }

  /** A type for one kind of value in two representations, or an alternate of several. */
  #union(types: readonly string[]): string {
    const different = [...new Set(types)];
    const [only] = different;
    if (different.length === 1 && only !== undefined) return only;
    return this.#entity("alternate", { members: different.map((type) => ({ type })) });
  }

  #members(shape: Readonly<Record<string, z.core.$ZodType>>): readonly Member[] {
    return Object.entries(shape).map(([name, schema]) => ({
      name,
      type: this.#type(schema),
      ...(schema instanceof z.ZodOptional ? { default: null } : {}),
    }));
  }

  #enumeration(values: readonly string[]): string {
    return this.#entity("enum", { members: values.map((name) => ({ name })), values });
  }

  /** An array is named after its elements, as in QEMU. */
  #array(element: string): string {
    const name = `[${element}]`;
    if (!this.#named.has(name)) {
      this.#named.set(name, name);
      this.#entities.push({ name, "meta-type": "array", "element-type": element });
    }
    return name;
  }

  #builtin(name: Builtin): string {
    this.#builtins.add(name);
    return name;
  }

  #entity(metaType: string, says: Readonly<Record<string, unknown>>): string {
    const key = JSON.stringify([metaType, says]);
    const known = this.#named.get(key);
    if (known !== undefined) return known;
    const name = String(this.#named.size);
    this.#named.set(key, name);
    this.#entities.push({ name, "meta-type": metaType, ...says });
    return name;
  }
}
