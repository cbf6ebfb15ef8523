/**
 * Leaves of the text form: booleans, integers and sizes as QEMU reads them.
 *
 * A text that is not a value gives `undefined`, so that the caller, who knows the name of the option, can say so. Every function takes time
 * linear in the length of the text.
 */
import { assert } from "../base/assert.js";
import { INT64_MIN, UINT64_MAX } from "./value.js";

const BOOLEANS: ReadonlyMap<string, boolean> = new Map([
  ["on", true],
  ["yes", true],
  ["true", true],
  ["y", true],
  ["off", false],
  ["no", false],
  ["false", false],
  ["n", false],
]);

/** `on yes true y` and `off no false n`, in lower case only. */
export function parseBool(text: string): boolean | undefined {
  return BOOLEANS.get(text);
}

/** Digits of the largest number of 64 bits in the widest notation, octal: more, leading zeros apart, are out of range unseen. */
const DIGITS_MAX = 22;

/** Blanks, sign, then hexadecimal, octal or decimal digits: strtoll(3) with base 0 and nothing after the number. */
const C_INTEGER = /^[ \t\n\v\f\r]*([+-]?)(?:0[xX]([0-9A-Fa-f]+)|(0[0-7]*)|([1-9][0-9]*))$/;

/**
 * An integer as C writes it: `0x` hexadecimal, a leading 0 octal, blanks in front and a sign allowed, no suffix.
 * Anything from the smallest int64 to the largest uint64; the width of a property is its owner's business.
 */
export function parseInteger(text: string): bigint | undefined {
  const match = C_INTEGER.exec(text);
  if (match === null) return undefined;
  const [, sign, hexadecimal, octal, decimal] = match;
  const magnitude =
    hexadecimal !== undefined
      ? digitsValue("0x", hexadecimal)
      : octal !== undefined
        ? digitsValue("0o", octal)
        : digitsValue("", decimal ?? "");
  if (magnitude === undefined) return undefined;
  const value = sign === "-" ? -magnitude : magnitude;
  return value < INT64_MIN || value > UINT64_MAX ? undefined : value;
}

/** The number that `digits` write in the notation of BigInt's `prefix`, unless they are too many for 64 bits. */
function digitsValue(prefix: "0x" | "0o" | "", digits: string): bigint | undefined {
  const significant = digits.replace(/^0+(?=.)/, "");
  return significant.length > DIGITS_MAX ? undefined : BigInt(prefix + significant);
}

/** Suffixes of sizes, smallest first; each step is a factor of 1024. */
const SIZE_SUFFIXES = "BKMGTPE";

/** Blanks, a plus sign, then hexadecimal digits or decimal ones with a fraction; a suffix after either. */
const SIZE = /^[ \t\n\v\f\r]*\+?(?:0[xX]([0-9A-Fa-f]+)|([0-9]+)(?:\.([0-9]*))?)([BKMGTPEbkmgtpe]?)$/;

/**
 * A size in bytes: decimal (a leading 0 means nothing) or `0x` hexadecimal, with one of the suffixes `b k M G T P E` in either case,
 * factors of 1024. A fraction needs a suffix above `b`, and the result is rounded to whole bytes. From 0 to the largest uint64.
 * @param warn called, with one line, for a spelling that works and is deprecated
 */
export function parseSize(text: string, warn?: (message: string) => void): bigint | undefined {
  const match = SIZE.exec(text);
  if (match === null) return undefined;
  const [, hexadecimal, decimal, fractionDigits, suffix = ""] = match;
  const whole = hexadecimal === undefined ? digitsValue("", decimal ?? "") : digitsValue("0x", hexadecimal);
  if (whole === undefined) return undefined;
  const power = Math.max(0, SIZE_SUFFIXES.indexOf(suffix === "" ? "B" : suffix.toUpperCase()));
  const multiplier = 1024n ** BigInt(power);
  const fraction = fractionDigits === undefined || fractionDigits === "" ? 0 : Number(`0.${fractionDigits}`);
  if (fraction !== 0 && power === 0) return undefined;
  const value = whole * multiplier + fractionOf(multiplier, fraction);
  if (value > UINT64_MAX) return undefined;
  if (hexadecimal !== undefined && suffix !== "") warn?.(`a size suffix on a hexadecimal number is deprecated: ${text.trim()}`);
  return value;
}

/** `multiplier * fraction`, halves rounded up. QEMU's arithmetic: the fraction is a double, cut to 64 binary places. */
function fractionOf(multiplier: bigint, fraction: number): bigint {
  const places = 2n ** 64n;
  return (multiplier * BigInt(Math.trunc(fraction * 2 ** 64)) * 2n + places) / (places * 2n);
}

/** The shortest text without a fraction that {@link parseSize} reads as `sizeBytes`: `64M`, `1536K`, `17`. */
export function formatSize(sizeBytes: bigint): string {
  assert(sizeBytes >= 0n, `size ${sizeBytes} is not negative`);
  let count = sizeBytes;
  let power = 0;
  while (count !== 0n && count % 1024n === 0n && power < SIZE_SUFFIXES.length - 1) {
    count /= 1024n;
    power += 1;
  }
  return power === 0 ? String(count) : `${count}${SIZE_SUFFIXES.charAt(power)}`;
}
