/** Kinds of value that several tables of inert properties have (QEMU: qapi/common.json, qapi/machine.json). */
import * as z from "zod";
import { lazily } from "../base/lazily.js";
import { parseInteger } from "../options/scalars.js";
import { qom } from "../qom/property-type.js";
import type { PropertyType } from "../qom/property-type.js";
import { propertyType } from "../qom/property-kind.js";

/** `OnOffAuto`. */
export const ON_OFF_AUTO = qom.enumeration("OnOffAuto", ["auto", "on", "off"]);

/** QAPI's `int`. */
export const INT = qom.int64();

/** An `int` that is not negative. */
export const COUNT = qom.int64({ min: 0n });

/** Numbers of processors or of NUMA nodes: no machine has more. */
const NUMBER_MAX = 0xffff;

const NUMBERS = lazily(() => z.array(z.int().min(0).max(NUMBER_MAX)).readonly());

const RANGE = /^(?<first>[^-]+)(?:-(?<last>.+))?$/;

function parseRange(text: string): readonly number[] | undefined {
  const { first, last } = RANGE.exec(text)?.groups ?? {};
  const [from, to] = [parseInteger(first ?? ""), parseInteger(last ?? first ?? "")];
  if (from === undefined || to === undefined || from < 0n || to < from || to > BigInt(NUMBER_MAX)) return undefined;
  return Array.from({ length: Number(to - from) + 1 }, (_, index) => Number(from) + index);
}

const isRange = (numbers: readonly number[]): boolean =>
  numbers.length > 0 && numbers.every((number, index) => index === 0 || number === (numbers[index - 1] ?? 0) + 1);

/** A list of small numbers; text says one, or a range: `0-3`. */
export const NUMBER_LIST: PropertyType<readonly number[]> = propertyType(
  { name: "uint16List", expects: "a number or a range of numbers, such as 0-3", expectsJson: "a list of numbers" },
  NUMBERS,
  () =>
    z.codec(z.string(), NUMBERS(), {
      decode: (input, context) => {
        const numbers = parseRange(input);
        if (numbers !== undefined) return numbers;
        context.issues.push({ code: "custom", message: "refused", input });
        return z.NEVER;
      },
      encode: (numbers, context) => {
        if (isRange(numbers)) return numbers.length === 1 ? String(numbers[0]) : `${numbers[0]}-${numbers.at(-1)}`;
        context.issues.push({ code: "custom", message: "text has no word for it", input: numbers });
        return z.NEVER;
      },
    }),
);
