/** `-object`, object-add: a user-creatable object from its options. */
import { QomError } from "../base/errors.js";
import { takeText } from "../options/take.js";
import type { ParsedOptions } from "../options/value.js";
import type { QomObject } from "./object.js";
import type { CompositionTree } from "./tree.js";

/**
 * Makes the object that parsed options describe: `qom-type`, `id` and properties.
 * @throws QomError `missing`, or what the tree refuses
 */
export async function addObject(tree: CompositionTree, parsed: Pick<ParsedOptions, "values" | "form">): Promise<QomObject> {
  const values = new Map(parsed.values);
  const type = takeText(values, "qom-type");
  if (type === undefined) throw missing("qom-type");
  try {
    tree.creatableType(type);
  } catch (error) {
    throw error instanceof QomError ? error.within({ option: "qom-type" }) : error;
  }
  const id = takeText(values, "id");
  if (id === undefined) throw missing("id");
  return tree.add(type, id, values, parsed.form);
}

function missing(option: string): QomError {
  return new QomError("missing", `the option '${option}' is required`, { context: { option } });
}
