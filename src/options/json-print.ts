/** Plain values to JSON text. */
import { QomError } from "../base/errors.js";
import { replaceNoncharacters } from "./utf8.js";
import { INT64_MIN, isOptionMap, isPlainList, NESTING_MAX, UINT64_MAX } from "./value.js";
import type { PlainValue } from "./value.js";

/** How {@link printJson} lays out its text. */
export interface JsonPrintOptions {
  /** Blanks per level; each member and element is then on a line of its own. By default all is one line. */
  readonly indent?: number;
}

/**
 * `value` as JSON in ASCII, as QEMU writes it; `parseJson` gives `value` back. What is no Unicode character in a string becomes U+FFFD.
 * @throws QomError `invalid-value` for a number that is not finite; `limit` for an integer of more than 64 bits and for deep nesting
 */
export function printJson(value: PlainValue, options: JsonPrintOptions = {}): string {
  const parts: string[] = [];
  printValue(value, 0, { indent: options.indent ?? 0, emit: (part) => parts.push(part) });
  return parts.join("");
}

interface Printer {
  readonly indent: number;
  readonly emit: (part: string) => void;
}

function printValue(value: PlainValue, depth: number, printer: Printer): void {
  if (isPlainList(value)) return printContainer(["[", "]"], value, depth, printer, (element) => printValue(element, depth + 1, printer));
  if (!isOptionMap(value)) return printer.emit(scalarText(value));
  printContainer(["{", "}"], [...value], depth, printer, ([name, member]) => {
    printer.emit(`${stringText(name)}: `);
    printValue(member, depth + 1, printer);
  });
}

function printContainer<T>(
  [opening, closing]: readonly [string, string],
  items: readonly T[],
  depth: number,
  printer: Printer,
  print: (item: T) => void,
): void {
  if (depth === NESTING_MAX) throw new QomError("limit", `value nests deeper than ${NESTING_MAX}`);
  const lineBreak = (level: number): string => (printer.indent === 0 ? "" : `\n${" ".repeat(level * printer.indent)}`);
  printer.emit(opening);
  for (const [index, item] of items.entries()) {
    if (index > 0) printer.emit(printer.indent === 0 ? ", " : ",");
    printer.emit(lineBreak(depth + 1));
    print(item);
  }
  if (items.length > 0) printer.emit(lineBreak(depth));
  printer.emit(closing);
}

function scalarText(value: string | number | bigint | boolean | null): string {
  switch (typeof value) {
    case "string":
      return stringText(value);
    case "number":
      return numberText(value);
    case "bigint":
      if (value < INT64_MIN || value > UINT64_MAX) throw new QomError("limit", `integer ${value} has more than 64 bits`);
      return String(value);
    default:
      return String(value);
  }
}

/** A number such that it is read back as a number: a large one gets an exponent, or it would be read as an integer. */
function numberText(value: number): string {
  if (!Number.isFinite(value)) throw new QomError("invalid-value", `${value} is not a number of JSON`);
  if (Object.is(value, -0)) return "-0.0";
  return Number.isInteger(value) && !Number.isSafeInteger(value) ? value.toExponential() : String(value);
}

function stringText(value: string): string {
  const text = JSON.stringify(replaceNoncharacters(value));
  return text.replaceAll(/[\u007f-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
