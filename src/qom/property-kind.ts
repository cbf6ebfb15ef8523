/** What a kind of property value is made of. */
import { aBoolean, anObject, aString, having, oneOf, optional } from "../base/check.js";
import type { Kind } from "../base/check.js";
import { lazily } from "../base/lazily.js";
import type * as z from "zod";
import type { QomObject } from "./object.js";

/** Which of the two languages a value came in: text leaves are strings to be converted, JSON values have their own types. */
export type ValueForm = "text" | "json";

/** Finds the object that a link names; throws a QomError `not-found`, `ambiguous` or `wrong-type`. */
export type LinkResolver = (name: string, link: LinkTarget) => QomObject;

/** What a link accepts. */
export interface LinkTarget {
  /** Name of the type (or interface) that the target must be of. */
  readonly typeName: string;
  /** What a user calls such an object, for error texts: `PR manager`. */
  readonly noun: string;
  /** `objects`: one component below /objects, as QEMU's lookup of PR managers; `path`: an absolute or partial path. */
  readonly lookup: "objects" | "path";
  /** The target may go while the link points to it; the link is empty then. */
  readonly weak?: boolean;
}

/** A {@link LinkTarget}. */
export const aLinkTarget: Kind = having("a link target, { typeName, noun, lookup }", {
  typeName: aString,
  noun: aString,
  lookup: oneOf(["objects", "path"]),
  weak: optional(aBoolean),
});

/** A kind of property value; made by the functions of {@link qom}. */
export interface PropertyType<T> {
  /** The type name as QEMU prints it. */
  readonly name: string;
  /** What a value must be, to complete the sentence "expects …". */
  readonly expects: string;
  /** The same of a JSON value, where that is another one. */
  readonly expectsJson?: string;
  /** What {@link name} does not tell of the values: those of an enumeration, members of an object, a range; for `help`. */
  readonly values?: string;
  /** Accepts JSON values, gives the typed value; its encode direction gives JSON back. */
  readonly json: z.ZodType<T>;
  /** Accepts option text, gives the typed value; its encode direction gives text back. Absent where text cannot say the value. */
  readonly text?: z.ZodType<T>;
  /** Whether this is such a value, where that can be told without {@link json}, which takes time to make. */
  readonly holds?: (value: unknown) => boolean;
  /** What to tell who wrote a value in a spelling that works and is deprecated. */
  readonly deprecated?: (text: string) => string | undefined;
  /** Present on links: they are resolved by the tree, and hold what they point to. */
  readonly link?: LinkTarget;
}

/** What a {@link PropertyType} says of its values beside the schemas. */
type Description<T> = Omit<PropertyType<T>, "json" | "text">;

/** The type of those schemas, which are made when first asked for: most properties are never set, and schemas take time to make. */
export function propertyType<T>(says: Description<T>, json: () => z.ZodType<T>, text?: () => z.ZodType<T>): PropertyType<T> {
  const madeJson = lazily(json);
  if (text === undefined) {
    return {
      ...says,
      get json() {
        return madeJson();
      },
    };
  }
  const madeText = lazily(text);
  return {
    ...says,
    get json() {
      return madeJson();
    },
    get text() {
      return madeText();
    },
  };
}

/** The same type under another name; its schemas are still made when first asked for. */
export function named<T>(type: PropertyType<T>, name: string): PropertyType<T> {
  const renamed = { ...Object.getOwnPropertyDescriptors(type), name: { value: name, enumerable: true } };
  return Object.defineProperties({}, renamed) as PropertyType<T>; // all members of one, with their getters
}

const DESCRIBED = having("a type of properties", { name: aString, expects: aString });
const WITH_SCHEMA = having("a type of properties", { json: anObject });

/** A {@link PropertyType}. To ask for its schema would make it. */
export const aPropertyType: Kind = {
  expects: "a type of properties, made by qom",
  holds: (value) => DESCRIBED.holds(value) && (makesSchema(value) || WITH_SCHEMA.holds(value)),
};

/** Whether a default is a value of this type. A copy with a schema of its own goes by that. */
export function accepts(type: PropertyType<unknown>, value: unknown): boolean {
  return type.holds !== undefined && makesSchema(type) ? type.holds(value) : type.json.safeEncode(value).success;
}

function makesSchema(value: unknown): boolean {
  return Object.getOwnPropertyDescriptor(value, "json")?.get !== undefined;
}
