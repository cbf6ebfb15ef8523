/** What link properties do to the objects they point to: a strong link holds its target, a weak one is emptied when that is gone. */
import { assert } from "../base/assert.js";
import { hold, stateOf } from "./object.js";
import type { Holder, QomObject } from "./object.js";
import { indexOf } from "./tree-root.js";

/** A link property as the holder of its target. What an object holds within itself keeps nobody from deleting it. */
export class LinkHolder implements Holder {
  readonly owner: QomObject;
  readonly #name: string;

  constructor(owner: QomObject, name: string) {
    this.owner = owner;
    this.#name = name;
  }

  describe(): string {
    return `property '${this.#name}' of ${this.owner.describe()}`;
  }
}

/** A link property that is being set. */
export interface LinkChange {
  readonly owner: QomObject;
  readonly name: string;
  readonly weak: boolean;
  readonly target: QomObject | undefined;
  /** Empties the property; called when the target of a weak link is gone, unless it points elsewhere by then. */
  readonly clear: () => void;
}

/** Lets go of what the link pointed to, and attends to what it points to from now on. */
export function pointTo({ owner, name, weak, target, clear }: LinkChange): void {
  const { links } = stateOf(owner);
  const before = links.get(name);
  if (target === undefined) {
    links.delete(name);
    indexOf(owner)?.deleteLink(owner, name);
  } else {
    const release = weak ? watch(owner, name, target, clear) : hold(target, new LinkHolder(owner, name));
    links.set(name, { target, release });
    indexOf(owner)?.addLink(owner, name, target);
  }
  before?.release();
}

function watch(owner: QomObject, name: string, target: QomObject, clear: () => void): () => void {
  const { watchers, phase } = stateOf(target);
  assert(phase !== "finalized", "a finalized object cannot be pointed to");
  const gone = (): void => {
    stateOf(owner).links.delete(name);
    indexOf(owner)?.deleteLink(owner, name);
    clear();
  };
  watchers.add(gone);
  return () => void watchers.delete(gone);
}
