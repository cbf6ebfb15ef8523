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

/**
 * The same as work that can be interrupted (base/slices.ts): between two members of `value`, and between two elements or members of such a
 * member. Nobody may change `value` before all is done.
 */
export function* printingJson(value: PlainValue, options: JsonPrintOptions = {}): Generator<void, string> {
  const parts: string[] = [];
  yield* printingValue(value, 0, { indent: options.indent ?? 0, emit: (part) => parts.push(part) });
  return parts.join("");
}

/** Depth from which on {@link printingJson} writes values as a whole: a step for each would cost more than the value. */
const WHOLE_DEPTH = 2;

interface Printer {
  readonly indent: number;
  readonly emit: (part: string) => void;
}

function printValue(value: PlainValue, depth: number, printer: Printer): void {
  if (!isPlainList(value) && !isOptionMap(value)) return printer.emit(scalarText(value));
  const container = new PrintedContainer(printer, depth, isPlainList(value));
  if (isPlainList(value)) {
    for (const element of value) {
      container.begin();
      printValue(element, depth + 1, printer);
    }
  } else {
    for (const [name, member] of value) {
      container.begin(name);
      printValue(member, depth + 1, printer);
    }
  }
  container.end();
}

function* printingValue(value: PlainValue, depth: number, printer: Printer): Generator<void> {
  if (depth === WHOLE_DEPTH || (!isPlainList(value) && !isOptionMap(value))) {
    // One text of all its parts, or the last step of all would be long.
    const parts: string[] = [];
    printValue(value, depth, { indent: printer.indent, emit: (part) => parts.push(part) });
    return printer.emit(parts.join(""));
  }
  const container = new PrintedContainer(printer, depth, isPlainList(value));
  for (const [name, member] of value.entries()) {
    container.begin(typeof name === "string" ? name : undefined);
    yield* printingValue(member, depth + 1, printer);
    yield;
  }
  container.end();
}

/** The text around the elements of a list or the members of an object. */
class PrintedContainer {
  #isEmpty = true;
  readonly #printer: Printer;
  readonly #depth: number;
  readonly #isList: boolean;

  /** Writes its beginning. @throws QomError `limit` */
  constructor(printer: Printer, depth: number, isList: boolean) {
    if (depth === NESTING_MAX) throw new QomError("limit", `value nests deeper than ${NESTING_MAX}`);
    this.#printer = printer;
    this.#depth = depth;
    this.#isList = isList;
    printer.emit(isList ? "[" : "{");
  }

  /** Writes what stands before an element, or a member of that name. */
  begin(name?: string): void {
    const { indent, emit } = this.#printer;
    if (!this.#isEmpty) emit(indent === 0 ? ", " : ",");
    this.#isEmpty = false;
    this.#lineBreak(this.#depth + 1);
    if (name !== undefined) emit(`${stringText(name)}: `);
  }

  end(): void {
    if (!this.#isEmpty) this.#lineBreak(this.#depth);
    this.#printer.emit(this.#isList ? "]" : "}");
  }

  #lineBreak(level: number): void {
    const { indent, emit } = this.#printer;
    if (indent > 0) emit(`\n${" ".repeat(level * indent)}`);
  }
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

/** Texts that stand for themselves between quotation marks, as nearly all do. */
const PLAIN_TEXT = /^[ !#-[\]-~]*$/;

function stringText(value: string): string {
  // oxlint-disable-next-line own/single-quotes-in-messages -- this is JSON
  if (PLAIN_TEXT.test(value)) return `"${value}"`;
  const text = JSON.stringify(replaceNoncharacters(value));
  return text.replaceAll(/[\u007f-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
