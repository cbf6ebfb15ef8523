/** Values of every kind that JavaScript has, for arguments that want another. */
import { types } from "node:util";

/** Whether a value is of the kind that an argument wants, as far as a check at the door can tell. */
export type Accepts = (value: unknown) => boolean;

/** A Proxy that cannot even be asked what it is. */
function revoked(): unknown {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

/** Bytes of which another thread has the memory. */
function transferred(): Uint8Array {
  const array = new Uint8Array(16);
  structuredClone(array.buffer, { transfer: [array.buffer] });
  return array;
}

/** The values, by what they are called in the name of a test. */
export const VALUES: readonly (readonly [name: string, value: unknown])[] = [
  ["undefined", undefined],
  ["null", null],
  ["true", true],
  ["0", 0],
  ["-1", -1],
  ["1.5", 1.5],
  ["NaN", Number.NaN],
  ["Infinity", Number.POSITIVE_INFINITY],
  ["2^53", 2 ** 53],
  ["5n", 5n],
  ["-5n", -5n],
  ["a huge bigint", 2n ** 4096n],
  ["an empty text", ""],
  ["a text", "logical unit\nreset"],
  ["a huge text", "x".repeat(100_000)],
  ["a symbol", Symbol("x")],
  ["a function", (): void => undefined],
  ["a class", Map],
  ["an empty array", []],
  ["an array of undefined", [undefined]],
  ["an array with a hole", Array.from({ length: 2 }).fill(0, 0, 1)],
  ["an object", {}],
  ["an object without prototype", Object.create(null)],
  ["a Map", new Map()],
  ["a Date", new Date(0)],
  ["a Proxy", new Proxy({}, {})],
  ["a revoked Proxy", revoked()],
  ["a Proxy of bytes", new Proxy(new Uint8Array(16), {})],
  ["a DataView", new DataView(new ArrayBuffer(16))],
  ["an ArrayBuffer", new ArrayBuffer(16)],
  ["16-bit numbers", new Uint16Array(8)],
  ["bytes", new Uint8Array(16)],
  ["bytes whose memory is elsewhere", transferred()],
];

/** The kinds, written down a second time and not taken from src. */
export const accepts = {
  text: (value) => typeof value === "string",
  flag: (value) => typeof value === "boolean",
  bigint: (value) => typeof value === "bigint",
  number: (value) => typeof value === "number" && !Number.isNaN(value),
  count: (value) => Number.isSafeInteger(value) && Number(value) >= 0,
  duration: (value) => typeof value === "number" && value >= 0,
  function: (value) => typeof value === "function",
  bytes: (value) => types.isUint8Array(value) && value.length > 0,
  object: (value) => isObject(value) && !isRevoked(value),
  map: (value) => value instanceof Map,
  iterable: (value) => isObject(value) && !isRevoked(value) && Symbol.iterator in Object(value),
  emptyArray: (value) => Array.isArray(value) && value.length === 0,
  nothing: () => false,
} as const satisfies Readonly<Record<string, Accepts>>;

/** An object without members. */
export function isEmpty(value: unknown): boolean {
  return isObject(value) && !isRevoked(value) && Object.keys(value).length === 0;
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

/** The same, or undefined. */
export function orNothing(kind: Accepts): Accepts {
  return (value) => value === undefined || kind(value);
}

function isRevoked(value: unknown): boolean {
  try {
    Reflect.get(Object(value), "x");
    return false;
  } catch {
    return true;
  }
}
