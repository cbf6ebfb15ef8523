/**
 * Checks of what comes in through the public API: TypeScript says what may be passed, and a caller without it can pass anything. One QomError
 * says then what is wrong, before anything has happened.
 *
 *     check("Fabric.unit", "wwn", wwn, aString);
 *     checkMembers("new Fabric", "options", options, { clock: optional(aClock) });
 */

import { types } from "node:util";
import { QomError } from "./errors.js";
import { printable } from "./limits.js";

/** A kind of value. */
export interface Kind {
  /** Completes the sentence "it is not …". */
  readonly expects: string;
  /** May throw, which is a no: a Proxy can have any behaviour. */
  readonly holds: (value: unknown) => boolean;
}

/** Text. */
export const aString: Kind = { expects: "a string", holds: (value) => typeof value === "string" };
/** True or false. */
export const aBoolean: Kind = { expects: "true or false", holds: (value) => typeof value === "boolean" };
/** An integer of any size, as bigint. */
export const aBigint: Kind = { expects: "a bigint", holds: (value) => typeof value === "bigint" };
/** A number other than NaN. */
export const aNumber: Kind = { expects: "a number", holds: (value) => typeof value === "number" && !Number.isNaN(value) };
/** A time span. */
export const aDuration: Kind = { expects: "a number of milliseconds from 0", holds: (value) => typeof value === "number" && value >= 0 };
/** A size, an offset, or a number of things. */
export const aCount: Kind = {
  expects: "an integer from 0",
  holds: (value) => typeof value === "number" && value >= 0 && Number.isSafeInteger(value),
};
/** A function, or a class. */
export const aFunction: Kind = { expects: "a function", holds: (value) => typeof value === "function" };
/** Any object that is no function. */
export const anObject: Kind = {
  expects: "an object",
  // The question throws for a Proxy that is revoked, of which nothing can be asked.
  holds: (value) => isObject(value) && typeof Array.isArray(value) === "boolean",
};
/** A Uint8Array, and so a Buffer; a Proxy of one has no bytes. */
export const someBytes: Kind = { expects: "a Uint8Array with memory", holds: isBytes };
/** What `for … of` takes, other than a text. */
export const anIterable: Kind = {
  expects: "an iterable",
  holds: (value) => isObject(value) && typeof (value as Partial<Iterable<unknown>>)[Symbol.iterator] === "function", // any object may be asked
};
/** Ends a command early. */
export const aSignal: Kind = { expects: "an AbortSignal", holds: (value) => value instanceof AbortSignal };

/** Undefined, or of that kind. */
export function optional(kind: Kind): Kind {
  return { expects: `${kind.expects} or undefined`, holds: (value) => value === undefined || kind.holds(value) };
}

/** Null, or of that kind. */
export function nullable(kind: Kind): Kind {
  return { expects: `${kind.expects} or null`, holds: (value) => value === null || kind.holds(value) };
}

/** An array whose elements are all of that kind. */
export function arrayOf(kind: Kind): Kind {
  return {
    expects: `an array, each element ${kind.expects}`,
    holds: (value) => {
      if (!Array.isArray(value)) return false;
      // Not by every(), which leaves out what was never assigned.
      for (const element of value as readonly unknown[]) if (!kind.holds(element)) return false;
      return true;
    },
  };
}

/** An object whose members are all of that kind, whatever they are called. */
export function recordOf(noun: string, kind: Kind): Kind {
  return { expects: noun, holds: (value) => isObject(value) && Object.values(value).every((member) => kind.holds(member)) };
}

/** One of these texts. */
export function oneOf(values: readonly string[]): Kind {
  return { expects: `one of ${values.join(", ")}`, holds: (value) => typeof value === "string" && values.includes(value) };
}

/** An object made by that class. */
export function instanceOf(type: abstract new (...args: never[]) => unknown, noun: string): Kind {
  return { expects: noun, holds: (value) => value instanceof type };
}

/** An object with these members, and perhaps others. */
export function having(noun: string, members: Readonly<Record<string, Kind>>): Kind {
  const entries = Object.entries(members);
  return {
    expects: noun,
    holds: (value) => isObject(value) && entries.every(([name, kind]) => kind.holds(Reflect.get(value, name))),
  };
}

/**
 * States that an argument is of that kind.
 * @param where what was called, as in `Fabric.unit`
 * @throws QomError `invalid-value`
 */
export function check(where: string, name: string, value: unknown, kind: Kind): void {
  const problem = problemOf(where, name, value, kind);
  if (problem !== null) throw problem;
}

/** The error that {@link check} would throw; null where it throws none. */
export function problemOf(where: string, name: string, value: unknown, kind: Kind): QomError | null {
  return holds(kind, value) ? null : wrongValue(where, name, value, kind.expects);
}

/**
 * States that an argument is an object whose members are of these kinds; other members are not looked at.
 * @throws QomError `invalid-value` that names the member
 */
export function checkMembers(where: string, name: string, value: unknown, members: Readonly<Record<string, Kind>>): void {
  check(where, name, value, anObject);
  for (const member in members) {
    const kind = members[member];
    if (kind === undefined) continue;
    let found: unknown;
    try {
      found = Reflect.get(value as object, member); // it was just found to be one
    } catch {
      throw wrongValue(where, name, value, "an object whose members can be read");
    }
    check(where, `${name}.${member}`, found, kind);
  }
}

/** The error for an argument that is something else. */
export function wrongValue(where: string, name: string, value: unknown, expects: string): QomError {
  const shown = shownValue(value);
  return new QomError("invalid-value", `${where}: ${name} is ${shown} and not ${expects}`, { context: { option: name, value: shown } });
}

/**
 * Whether something is a Uint8Array whose memory is there. On the way of every command: the first question is cheap, and the second is for
 * arrays of another realm. A Proxy fails both.
 */
export function isBytes(value: unknown): boolean {
  const is = (ArrayBuffer.isView(value) && value instanceof Uint8Array) || types.isUint8Array(value);
  return is && (value.length > 0 || hasMemory(value));
}

/** False when the memory was transferred to another thread, or has shrunk: the array is empty then, and nothing can be done with it. */
function hasMemory(array: Uint8Array): boolean {
  try {
    array.subarray(0, 0);
    return true;
  } catch {
    return false;
  }
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

function holds(kind: Kind, value: unknown): boolean {
  try {
    return kind.holds(value);
  } catch {
    return false;
  }
}

/** A value for a message, whatever it is. */
function shownValue(value: unknown): string {
  switch (typeof value) {
    case "string":
      return `'${printable(value)}'`;
    case "bigint":
      return `the bigint ${printable(String(value))}`;
    case "function":
      return "a function";
    case "object":
      return value === null ? "null" : objectNoun(value);
    default:
      return printable(String(value));
  }
}

function objectNoun(value: object): string {
  if (types.isProxy(value)) return "a Proxy";
  return Array.isArray(value) ? "an array" : "an object";
}
