/**
 * The life cycle of every object: constructed by the container, properties set, completed; and the way back. Objects, block nodes
 * and devices all come from here.
 */
import { QomError } from "../base/errors.js";
import { assert } from "../base/assert.js";
import type { QomType } from "./decorators.js";
import { stateOf, type QomObject } from "./object.js";
import { deprecations, setProperties, type PropertyValues } from "./properties.js";
import type { LinkResolver } from "./property-type.js";
import type { RegisteredType, TypeRegistry } from "./type-registry.js";

/** Constructs an instance with its dependencies injected; given by whoever owns the container. */
export type Construct = (type: QomType) => QomObject;

/** What {@link ObjectFactory.create} makes. */
export interface CreateRequest extends PropertyValues {
  readonly type: RegisteredType;
  /** Name of the object, known to it before it is complete. */
  readonly id: string | null;
}

/** See the module text. */
export class ObjectFactory {
  readonly #creations = new Set<Promise<QomObject>>();
  #closed = false;
  readonly #registry: TypeRegistry;
  readonly #construct: Construct;
  readonly #warn: (message: string) => void;

  /** @param warn told, in one line, of a property's value in a deprecated spelling */
  constructor(registry: TypeRegistry, construct: Construct, warn: (message: string) => void = () => undefined) {
    this.#registry = registry;
    this.#construct = construct;
    this.#warn = warn;
  }

  get registry(): TypeRegistry {
    return this.#registry;
  }

  /**
   * Makes an object and completes it. When any step fails nothing of it is left.
   *
   * @param prepare is called when the properties are set and before the object is completed
   * @throws QomError `abstract-type`, `closed`, or what a property or the object's own `complete` refuses
   */
  async create(request: CreateRequest, resolve: LinkResolver, prepare?: (object: QomObject) => void): Promise<QomObject> {
    this.#requireOpen(request);
    const creation = this.#create(request, resolve, prepare);
    this.#creations.add(creation);
    try {
      return await creation;
    } finally {
      this.#creations.delete(creation);
    }
  }

  /** Ends creation: nothing new is made, and what is being made is undone. Resolves when that is so. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.allSettled(this.#creations);
  }

  #requireOpen({ type }: CreateRequest): void {
    if (this.#closed) throw new QomError("closed", `no '${type.name}' can be created: the machine is closed`);
  }

  async #create(request: CreateRequest, resolve: LinkResolver, prepare?: (object: QomObject) => void): Promise<QomObject> {
    const { type, id } = request;
    if (type.abstract) {
      throw new QomError("abstract-type", `type '${type.name}' is abstract and cannot be created`, { context: { value: type.name } });
    }
    const object = this.#construct(type.constructor);
    const state = stateOf(object);
    assert(state.typeName === null, "the container makes a new object each time");
    state.typeName = type.name;
    state.id = id;
    try {
      setProperties(type, object, request, resolve);
      for (const message of deprecations(type, request)) this.#warn(message);
      prepare?.(object);
      await object.complete();
    } catch (error) {
      this.#dispose(object);
      throw error;
    }
    state.phase = "complete";
    if (this.#closed) await this.destroy(object);
    this.#requireOpen(request);
    return object;
  }

  /** Finalizes an object that nothing holds any more: its own hook first, then its links let go. */
  async destroy(object: QomObject): Promise<void> {
    const state = stateOf(object);
    if (state.phase === "finalized") return;
    assert(state.children.size === 0, "children go before their parent");
    try {
      await object.finalize();
    } finally {
      this.#dispose(object);
    }
  }

  #dispose(object: QomObject): void {
    const { links, watchers } = stateOf(object);
    for (const release of links.values()) release();
    links.clear();
    for (const clear of watchers) clear();
    watchers.clear();
    stateOf(object).phase = "finalized";
  }
}

/**
 * Refuses to delete an object that somebody needs.
 * @throws QomError `in-use`, which says by whom
 */
export function requireUnheld(object: QomObject): void {
  const { holders } = stateOf(object);
  const [first] = holders;
  if (first === undefined && object.canBeDeleted()) return;
  const by = first === undefined ? (object.busyWith() ?? "itself") : first.describe();
  const others = holders.size > 1 ? ` and ${holders.size - 1} more` : "";
  throw new QomError("in-use", `${object.describe()} is in use: it is held by ${by}${others}`, {
    context: { object: object.id ?? object.typeName },
  });
}
