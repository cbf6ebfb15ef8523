/**
 * The root of the type hierarchy, and what the object model keeps about each object: outside the object's own members, so that a
 * subclass sees none but its own.
 */
import { assert, present } from "../base/assert.js";
import { aFunction, check, having, instanceOf } from "../base/check.js";
import { QomError } from "../base/errors.js";
import { printable } from "../base/limits.js";

/** Somebody who needs an object to stay: a link, a command in flight, a block node. */
export interface Holder {
  /** Completes the sentence "is held by …". */
  describe(): string;
}

/** What a link property points to. */
export interface HeldLink {
  readonly target: QomObject;
  readonly release: () => void;
}

/** Stages of an object's life. */
export type LifePhase = "new" | "complete" | "finalized";

/**
 * What the model keeps about an object. Its collections are made when they are first needed: most objects of a large tree have
 * neither children nor holders, and six empty maps each would fill the memory caches with nothing.
 */
export class ObjectState {
  /** Name of the type that a registry created it as; null for an object made by `new`. */
  typeName: string | null = null;
  id: string | null = null;
  parent: QomObject | null = null;
  phase: LifePhase = "new";
  #children: Map<string, QomObject> | undefined;
  #holders: Set<Holder> | undefined;
  #assigned: Set<string> | undefined;
  #given: Set<string> | undefined;
  #links: Map<string, HeldLink> | undefined;
  #watchers: Set<() => void> | undefined;
  #properties: Map<string, { readonly name: string }> | undefined;
  #nextIndex: Map<string, number> | undefined;

  get children(): Map<string, QomObject> {
    return (this.#children ??= new Map());
  }

  /** The children in order of arrival, without making a collection for them. */
  get childList(): Iterable<QomObject> {
    return this.#children?.values() ?? [];
  }

  get holders(): Set<Holder> {
    return (this.#holders ??= new Set());
  }

  /** Names of the properties that were set, as opposed to left at their default. */
  get assigned(): Set<string> {
    return (this.#assigned ??= new Set());
  }

  /** Of a part of another object: names of the properties that a user set by name, and not its class itself. */
  get given(): Set<string> {
    return (this.#given ??= new Set());
  }

  /** By link property: what it points to, and how to let go of that. */
  get links(): Map<string, HeldLink> {
    return (this.#links ??= new Map());
  }

  /** The same, without making a collection for them. */
  get linkList(): Iterable<readonly [string, HeldLink]> {
    return this.#links ?? [];
  }

  /** By weak link that points here: how to clear it when this object is gone. */
  get watchers(): Set<() => void> {
    return (this.#watchers ??= new Set());
  }

  /** Properties of this object alone, beside those of its class; what they are is the business of instance-properties.ts. */
  get properties(): Map<string, { readonly name: string }> {
    return (this.#properties ??= new Map());
  }

  /** The same, without making a collection for them. */
  get propertyList(): Iterable<{ readonly name: string }> {
    return this.#properties?.values() ?? [];
  }

  /** Next index for names `NAME[*]`; indices are not reused, as in QEMU. */
  get nextIndex(): Map<string, number> {
    return (this.#nextIndex ??= new Map());
  }

  /** The child of that name, without making a collection for it. */
  child(name: string): QomObject | undefined {
    return this.#children?.get(name);
  }
}

/** Type name of the root of a tree and of its inner nodes, as in QEMU. */
export const CONTAINER_TYPE = "container";

/** The member that holds an object's state; nobody outside the qom room has the symbol. */
const objectState: unique symbol = Symbol("qom-pr object state");

/**
 * An object of the model. Its life: constructed by the dependency container, properties set, {@link complete}, attached to the
 * composition tree; later detached and {@link finalize}d. Subclasses override the hooks. The
 * other members have names that a property is unlikely to want.
 *
 * Follows QEMU's `object` (include/qom/object.h); `complete` is what user-creatable objects and devices (realize) have there.
 */
export abstract class QomObject {
  readonly [objectState] = new ObjectState();

  /** Name of the object's type, as `qom-get OBJECT type` gives it. */
  get typeName(): string {
    return this[objectState].typeName ?? "object";
  }

  /** Last component of the path: the id of a user-created object; null while it has no name. */
  get id(): string | null {
    return this[objectState].id;
  }

  /** Canonical path, from the root down; null for an object that is in no tree. */
  get canonicalPath(): string | null {
    const components: string[] = [];
    let top: ObjectState = this[objectState];
    while (top.parent !== null) {
      components.push(present(top.id, "a child has a name"));
      top = top.parent[objectState];
    }
    return top.typeName === CONTAINER_TYPE ? `/${components.toReversed().join("/")}` : null;
  }

  /** The object in an error text: its type and its path or id. */
  describe(): string {
    return `${this.typeName} '${this.canonicalPath ?? this[objectState].id ?? ""}'`;
  }

  /**
   * Brings the object to life when all properties are set: connects, opens, probes. When it throws, a QomError, it has undone
   * what it began; `finalize` is not called then.
   */
  complete(): Promise<void> | void {
    // most objects have nothing to open
  }

  /** Releases what `complete` took. Awaited before the object is gone; must not throw for anything the user could do about. */
  finalize(): Promise<void> | void {
    // most objects have nothing to release
  }

  /**
   * What the object is busy with, beside being held: it cannot be deleted meanwhile. Completes the sentence "it is held by …"; null
   * when it may go.
   */
  busyWith(): string | null {
    return null;
  }

  /** Whether a user may delete the object, as far as it itself can tell (QEMU: can_be_deleted of user-creatable objects). */
  canBeDeleted(): boolean {
    return this.busyWith() === null;
  }
}

/** A {@link QomObject}. */
export const aQomObject = instanceOf(QomObject, "a QomObject");

const A_HOLDER = having("a holder, { describe }", { describe: aFunction });

/** What the model keeps about `object`; for the qom room alone. */
export function stateOf(object: QomObject): ObjectState {
  return object[objectState];
}

/** Whether an object has been completed; one that is still being made, or could not be made, has not. */
export function isComplete(object: QomObject): boolean {
  return object[objectState].phase !== "new";
}

/** Keeps `object` from being deleted until the returned function is called, which may happen more than once. */
export function hold(object: QomObject, holder: Holder): () => void {
  check("hold", "object", object, aQomObject);
  check("hold", "holder", holder, A_HOLDER);
  const { holders, phase } = stateOf(object);
  assert(phase !== "finalized", "a finalized object cannot be held");
  holders.add(holder);
  return () => {
    holders.delete(holder);
  };
}

/** Whether anything holds `object`. */
export function isHeld(object: QomObject): boolean {
  check("isHeld", "object", object, aQomObject);
  return stateOf(object).holders.size > 0;
}

/** Children and properties named `NAME[*]` get the next index; QEMU's limit of the counter is 32,767. */
const AUTOMATIC_INDEX_MAX = 0x7fff;

/**
 * `name`, or when it ends in `[*]` the name with the next index, which is not used again.
 * @throws QomError `limit`
 */
export function numberedName(object: QomObject, name: string): string {
  if (!name.endsWith("[*]")) return name;
  const stem = name.slice(0, -"[*]".length);
  const { nextIndex, children, properties } = stateOf(object);
  let index = nextIndex.get(stem) ?? 0;
  while (children.has(`${stem}[${index}]`) || properties.has(`${stem}[${index}]`)) index += 1;
  if (index > AUTOMATIC_INDEX_MAX) {
    throw new QomError("limit", `${object.describe()} has no index left for '${printable(stem)}[*]' (at most ${AUTOMATIC_INDEX_MAX})`);
  }
  nextIndex.set(stem, index + 1);
  return `${stem}[${index}]`;
}
