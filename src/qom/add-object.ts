/** `-object`, object-add: a user-creatable object from its options. */
import { QomError } from "../base/errors.js";
import { takeText } from "../options/take.js";
import type { OptionMap, ParsedOptions } from "../options/value.js";
import type { QomObject } from "./object.js";
import type { CompositionTree } from "./tree.js";

/** What an object is made of: `qom-type`, `id` and properties. */
type ObjectOptions = Pick<ParsedOptions, "values" | "form">;

/**
 * Makes the object that parsed options describe.
 * @throws QomError `missing`, or what the tree refuses
 */
export async function addObject(tree: CompositionTree, options: ObjectOptions): Promise<QomObject> {
  const { type, id, values } = takeHead(tree, options);
  return tree.add(type, id, values, options.form);
}

/**
 * Refuses what {@link addObject} would refuse whatever other objects there are.
 * @throws QomError as {@link addObject}
 */
export function checkObject(tree: CompositionTree, options: ObjectOptions): void {
  const { type, id, values } = takeHead(tree, options);
  tree.check(type, id, values, options.form);
}

function takeHead(
  tree: CompositionTree,
  options: ObjectOptions,
): { readonly type: string; readonly id: string; readonly values: OptionMap } {
  const values = new Map(options.values);
  const type = takeText(values, "qom-type");
  if (type === undefined) throw missing("qom-type");
  try {
    tree.creatableType(type);
  } catch (error) {
    throw error instanceof QomError ? error.within({ option: "qom-type" }) : error;
  }
  const id = takeText(values, "id");
  if (id === undefined) throw missing("id");
  return { type, id, values };
}

function missing(option: string): QomError {
  return new QomError("missing", `the option '${option}' is required`, { context: { option } });
}
