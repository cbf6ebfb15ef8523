/** The root of a tree, through which its objects find what the tree knows of all of them. */
import { QomObject, stateOf } from "./object.js";

/** Finds the objects of a tree by their names. */
export interface ChildIndex {
  /** Takes note of an object that has come into the tree. */
  add(name: string, object: QomObject): void;
  /** Forgets an object that leaves the tree. */
  delete(name: string, object: QomObject): void;
  /** Takes note that some object in the tree has a link property of that name, of its own and not of its class. */
  noteLink(name: string): void;
}

/** The root of a tree. A member in every object that leads to the index would only fill memory caches. */
export abstract class TreeRoot extends QomObject {
  abstract readonly index: ChildIndex;
}

/** The index of the tree that `object` is in. */
export function indexOf(object: QomObject): ChildIndex | null {
  let top = object;
  for (let above = stateOf(top).parent; above !== null; above = stateOf(top).parent) top = above;
  return top instanceof TreeRoot ? top.index : null;
}
