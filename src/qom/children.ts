/** Who is whose child: in a tree, or in an object that is in no tree yet (QEMU: object_property_add_child). */
import { aString, check } from "../base/check.js";
import { QomError } from "../base/errors.js";
import { printable } from "../base/limits.js";
import { assert, present } from "../base/assert.js";
import { typeMetadata } from "./decorators.js";
import { freeName } from "./instance-properties.js";
import { aQomObject, stateOf } from "./object.js";
import type { QomObject } from "./object.js";
import { indexOf } from "./tree-root.js";

/**
 * Makes `child` a child of `parent`. A name that ends in `[*]` gets the next index.
 *
 * A child that is given to its parent before that is complete is a part of it: it is completed just before its parent (or just after,
 * when `complete` of the parent adds it), and finalized just after it; when any step fails, those before it are undone. Its class must
 * be registered, like every type. A child that is added later is neither completed nor finalized for whoever adds it.
 *
 * @returns the final name
 * @throws QomError `bad-id` for an empty name or one with a slash; `duplicate` when the parent has a property or child of that name; `in-use` when the child has a parent already;
 *   `conflict` when it is the parent itself or above it; `closed` when it is finalized
 */
export function addChild(parent: QomObject, name: string, child: QomObject): string {
  check("addChild", "parent", parent, aQomObject);
  check("addChild", "name", name, aString);
  check("addChild", "child", child, aQomObject);
  if (name === "" || name.includes("/")) {
    throw new QomError("bad-id", `'${printable(name)}' cannot be the name of a child: no path leads to it`, { context: { value: name } });
  }
  const final = freeName(parent, name);
  const state = stateOf(child);
  if (state.parent !== null) {
    throw new QomError("in-use", `${child.describe()} is a child of ${state.parent.describe()} already`, { context: { option: final } });
  }
  if (state.phase === "finalized") {
    throw new QomError("closed", `${child.describe()} is finalized and cannot be a child`, { context: { option: final } });
  }
  if (isWithin(parent, child)) {
    throw new QomError("conflict", `${child.describe()} cannot be a child of itself`, { context: { option: final } });
  }
  state.typeName ??= typeMetadata(child.constructor)?.name ?? null;
  state.parent = parent;
  state.id = final;
  stateOf(parent).children.set(final, child);
  const index = indexOf(parent);
  if (index !== null) for (const each of withDescendants(child)) index.add(each);
  return final;
}

/** Takes a child, and with it what is below it, away from its parent. */
export function removeChild(child: QomObject): void {
  const state = stateOf(child);
  assert(state.parent !== null, "only a child can be removed");
  const index = indexOf(state.parent);
  if (index !== null) for (const each of withDescendants(child)) index.delete(each);
  stateOf(state.parent).children.delete(nameOf(child));
  state.parent = null;
}

/** Whether `object` is `top` or below it. */
export function isWithin(object: QomObject, top: QomObject): boolean {
  for (let at: QomObject | null = object; at !== null; at = stateOf(at).parent) if (at === top) return true;
  return false;
}

/** `object` and all that is below it, parents first. */
export function* withDescendants(object: QomObject): Generator<QomObject> {
  yield object;
  for (const child of stateOf(object).childList) yield* withDescendants(child);
}

/** `object` and all that is above it, the root last. */
export function* withAncestors(object: QomObject): Generator<QomObject> {
  for (let at: QomObject | null = object; at !== null; at = stateOf(at).parent) yield at;
}

function nameOf(child: QomObject): string {
  return present(stateOf(child).id, "a child has a name");
}
