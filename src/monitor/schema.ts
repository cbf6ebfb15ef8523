/**
 * query-qmp-schema: the zod schemas of commands and events, and the properties of types, as QEMU's SchemaInfo (qapi/introspect.json).
 *
 * A schema is a list of entities that name each other; clients look for commands, members and enum values in it. As in QEMU, built-in
 * types have their own names and all others numbers. Objects whose members depend on a type (object-add on `qom-type`, blockdev-add on
 * `driver`) have a variant for each value of that member.
 */
import * as z from "zod";
import { lazily } from "../base/lazily.js";
import { NODE_REFERENCE } from "../block/node.js";
import type { PropertyType } from "../qom/property-kind.js";
import type { RegisteredType } from "../qom/type-registry.js";
import { anyValueSchema } from "./command.js";
import type { QmpCommand } from "./command.js";
import { eventSchemas } from "./event-schemas.js";

/** An entity, as it is sent. Which members there are depends on `meta-type`; QEMU says so with variants. */
export const schemaInfo = lazily(() =>
  z.strictObject({
    name: z.string(),
    "meta-type": z.enum(["builtin", "enum", "array", "object", "alternate", "command", "event"]),
    /** Of a command or an event. */
    "arg-type": z.string().optional(),
    "ret-type": z.string().optional(),
    "allow-oob": z.boolean().optional(),
    /** Of an enum, which has names, an object, which has both, or an alternate, which has types. */
    members: z
      .array(z.strictObject({ name: z.string().optional(), type: z.string().optional(), default: anyValueSchema().optional() }))
      .optional(),
    values: z.array(z.string()).optional(),
    tag: z.string().optional(),
    variants: z.array(z.strictObject({ case: z.string(), type: z.string() })).optional(),
    "element-type": z.string().optional(),
    "json-type": z.enum(["string", "int", "boolean", "value", "number", "null"]).optional(),
  }),
);

/** See {@link schemaInfo}. */
export type SchemaInfo = z.output<ReturnType<typeof schemaInfo>>;

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

/** The command whose arguments are the options of a block node. */
const NODE_COMMAND = "blockdev-add";

/** The schema of a machine's commands; `variants` by command. */
export function qmpSchema(commands: readonly QmpCommand[], variants: ReadonlyMap<string, SchemaVariants>): readonly SchemaInfo[] {
  return new SchemaWriter().write(commands, variants);
}

class SchemaWriter {
  readonly #entities: SchemaInfo[] = [];
  /** Names of entities by what they say: what is equal is one type. */
  readonly #named = new Map<string, string>();
  readonly #builtins = new Set<Builtin>();
  /** Name of the object of options of a block node, which nests in itself. */
  #nodeOptions: string | undefined;

  write(commands: readonly QmpCommand[], variants: ReadonlyMap<string, SchemaVariants>): readonly SchemaInfo[] {
    const heads: SchemaInfo[] = commands.map((command) => ({
      name: command.name,
      "meta-type": "command",
      "arg-type": this.#arguments(command, variants.get(command.name)),
      "ret-type": this.#type(command.result),
      "allow-oob": false,
    }));
    const events: SchemaInfo[] = Object.entries(eventSchemas()).map(([name, schema]) => ({
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
    const name = this.#newName(`arguments of ${command.name}`);
    if (command.name === NODE_COMMAND) this.#nodeOptions = name;
    const tagType = this.#enumeration(types.map((type) => type.name));
    const members = this.#members(command.arguments.shape).map((member) => (member.name === tag ? { ...member, type: tagType } : member));
    const cases = types.map((type) => ({ case: type.name, type: this.#properties(type) }));
    this.#entities.push({ name, "meta-type": "object", members, tag, variants: cases });
    return name;
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
    if (type.name === NODE_REFERENCE && this.#nodeOptions !== undefined) return this.#union([this.#nodeOptions, this.#builtin("str")]);
    return this.#type(type.json);
  }

  /** By what the schema says of itself, not by its class: a command of the embedder's own may come with another copy of zod. */
  #type(schema: z.core.$ZodType): string {
    const { def } = (schema as z.core.$ZodTypes)._zod; // the union of all kinds, which the base class does not tell apart
    switch (def.type) {
      case "string":
        return this.#builtin("str");
      case "boolean":
        return this.#builtin("bool");
      case "number":
        return this.#builtin(isInteger(def) ? "int" : "number");
      case "bigint":
        return this.#builtin("int");
      case "null":
        return this.#builtin("null");
      case "enum":
        return this.#enumeration(Object.values(def.entries).map(String));
      case "optional":
      case "nonoptional":
      case "readonly":
      case "default":
      case "prefault":
        return this.#type(def.innerType);
      case "nullable":
        return this.#union([this.#type(def.innerType), this.#builtin("null")]);
      case "array":
        return this.#array(this.#type(def.element));
      case "object":
        return this.#entity("object", { members: this.#members(def.shape) });
      case "union":
        return this.#union(def.options.map((option) => this.#type(option)));
      case "pipe":
        // A codec: of integers of 64 bits, whose input is either kind of number, or of a record, whose input is a map.
        return this.#type(def.in._zod.def.type === "custom" ? def.out : def.in);
      default:
        // What QAPI has no word for is judged by the command.
        return this.#builtin("any");
    }
  }

  /** A type for one kind of value in two representations, or an alternate of several. */
  #union(types: readonly string[]): string {
    const different = [...new Set(types)];
    const [only] = different;
    if (different.length === 1 && only !== undefined) return only;
    return this.#entity("alternate", { members: different.map((type) => ({ type })) });
  }

  #members(shape: Readonly<Record<string, z.core.$ZodType>>): Member[] {
    return Object.entries(shape).map(([name, schema]) => ({
      name,
      type: this.#type(schema),
      ...(schema._zod.optin === "optional" ? { default: null } : {}),
    }));
  }

  #enumeration(values: string[]): string {
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

  #entity(metaType: SchemaInfo["meta-type"], says: Omit<SchemaInfo, "name" | "meta-type">): string {
    const key = JSON.stringify([metaType, says]);
    const known = this.#named.get(key);
    if (known !== undefined) return known;
    const name = this.#newName(key);
    this.#entities.push({ name, "meta-type": metaType, ...says });
    return name;
  }

  #newName(key: string): string {
    const name = String(this.#named.size);
    this.#named.set(key, name);
    return name;
  }
}

/** Whether a schema of numbers takes only whole ones: it has such a format, itself or as a check, or asks for multiples of one. */
function isInteger(number: z.core.$ZodNumberDef): boolean {
  const checks = [number, ...(number.checks ?? []).map((check) => check._zod.def)] as readonly Partial<NumberCheck>[]; // members are looked for
  return checks.some(({ format, check, value }) => INTEGER_FORMATS.has(format) || (check === "multiple_of" && Number.isSafeInteger(value)));
}

/** What is looked at in a check of numbers. */
interface NumberCheck {
  readonly check: string;
  readonly format: string;
  readonly value: unknown;
}

const INTEGER_FORMATS: ReadonlySet<string | undefined> = new Set(["safeint", "int32", "uint32"]);
