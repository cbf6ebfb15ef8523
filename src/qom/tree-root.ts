/** The root of a tree, through which its objects tell the tree what has changed. */
import { QomObject, stateOf } from "./object.js";

/** Keeps what paths may lead along. */
export interface EdgeIndex {
  /** Takes note of an object that has come into the tree, with its links. */
  add(object: QomObject): void;
  /** Forgets an object that leaves the tree; it is still where it was. */
  delete(object: QomObject): void;
  /** Takes note that the link property `name` of an object of the tree points to `target`; null when where it leads may change unseen. */
  addLink(owner: QomObject, name: string, target: QomObject | null): void;
  /** Takes note that it leads nowhere any more. */
  deleteLink(owner: QomObject, name: string): void;
}

/** The root of a tree. A member in every object that leads to the index would only fill memory caches. */
export abstract class TreeRoot extends QomObject {
  abstract readonly index: EdgeIndex;
}

/** The index of the tree that `object` is in. */
export function indexOf(object: QomObject): EdgeIndex | null {
  let top = object;
  for (let above = stateOf(top).parent; above !== null; above = stateOf(top).parent) top = above;
  return top instanceof TreeRoot ? top.index : null;
}
