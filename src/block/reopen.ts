/**
 * blockdev-reopen (QEMU: block.c, bdrv_reopen_multiple): new options for a node that is in use. No option of a node can change here while
 * it is open, so what is accepted is what is there already; every other value is refused by the option's name, as QEMU refuses those that
 * cannot change there, `pr-manager` among them.
 */
import { QomError } from "../base/errors.js";
import { printable } from "../base/limits.js";
import { printJson } from "../options/json.js";
import { describeValue, takeText } from "../options/take.js";
import { isOptionMap } from "../options/value.js";
import type { OptionMap, PlainValue } from "../options/value.js";
import { listing } from "../qom/properties.js";
import { writtenProperties } from "../qom/written.js";
import type { BlockGraph } from "./graph.js";
import { NODE_REFERENCE } from "./node.js";
import type { BlockNode } from "./node.js";

/**
 * Checks the options of one node, JSON of blockdev-add.
 * @throws QomError `missing`, `not-found`, `unknown-name`; `read-only` for an option that would change
 */
export function reopen(graph: BlockGraph, given: OptionMap): void {
  if (!given.has("driver")) throw new QomError("missing", "parameter 'driver' is missing", { context: { option: "driver" } });
  const name = given.get("node-name");
  if (typeof name !== "string") throw new QomError("missing", "the option 'node-name' is required", { context: { option: "node-name" } });
  requireSame(graph, graph.node(name), given, "");
}

/** As in QEMU, only active nodes are reopened. */
function inactive(node: BlockNode): QomError {
  return new QomError("in-use", `${node.describe()} is not active, and blockdev-reopen is for active nodes`, {
    context: { object: node.nodeName },
    hint: "blockdev-set-active sets it active",
  });
}

function requireSame(graph: BlockGraph, node: BlockNode, given: OptionMap, prefix: string): void {
  const values = new Map(given);
  const name = takeText(values, "node-name");
  if (name !== undefined && name !== node.nodeName) throw cannotChange(`${prefix}node-name`, name);
  const driver = takeText(values, "driver");
  if (driver !== undefined && driver !== node.typeName) throw cannotChange(`${prefix}driver`, driver);
  const type = graph.typeOf(node);
  if (!node.active) throw inactive(node);
  const written = new Map(writtenProperties(type, node).map((property) => [property.name, property.json]));
  const nested = graph.nestedIn(node)[Symbol.iterator]();
  for (const [option, property] of type.properties) {
    if (property.set === undefined) continue;
    const value = values.get(option);
    values.delete(option);
    const isNode = property.type.name === NODE_REFERENCE;
    const child = isNode && isOptionMap(written.get(option) ?? null) ? nested.next().value : undefined;
    if (value === undefined && property.required) throw missing(prefix + option);
    if (child !== undefined && value !== undefined && isOptionMap(value)) requireSame(graph, child, value, `${prefix}${option}.`);
    else requireSameValue(prefix + option, value, child?.nodeName ?? written.get(option), listing(property).defaultValue);
  }
  const [unknown] = values.keys();
  if (unknown === undefined) return;
  throw new QomError("unknown-name", `parameter '${printable(prefix + unknown)}' is unexpected`, {
    context: { option: printable(unknown) },
  });
}

function requireSameValue(
  option: string,
  given: PlainValue | undefined,
  current: PlainValue | undefined,
  preset: PlainValue | undefined,
): void {
  if (same(given ?? preset, current ?? preset)) return;
  if (given !== undefined) throw cannotChange(option, describeValue(given));
  throw new QomError("read-only", `option '${option}' cannot be reset to its default while the node is open`, { context: { option } });
}

function same(a: PlainValue | undefined, b: PlainValue | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return printJson(a) === printJson(b);
}

function cannotChange(option: string, value: string): QomError {
  return new QomError("read-only", `option '${option}' cannot change while the node is open`, { context: { option, value } });
}

function missing(option: string): QomError {
  return new QomError("missing", `parameter '${option}' is missing`, { context: { option } });
}
