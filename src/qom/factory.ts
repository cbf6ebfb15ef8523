/**
 * The life cycle of every object: constructed by the container, properties set, completed; and the way back. Objects, block nodes
 * and devices all come from here.
 */
import { QomError } from "../base/errors.js";
import { assert } from "../base/assert.js";
import { runAll } from "../base/run-all.js";
import { isWithin, removeChild, withDescendants } from "./children.js";
import type { QomType } from "./decorators.js";
import { instanceProperties } from "./instance-properties.js";
import { LinkHolder } from "./links.js";
import { stateOf } from "./object.js";
import type { QomObject } from "./object.js";
import { checkProperties, deprecations, needsObjectToCheck, refuseDeprecated, setProperties } from "./properties.js";
import type { PropertyValues } from "./properties.js";
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

/** What whoever asks for an object does with it on its way. */
export interface CreationSteps {
  /** Called when the properties are set and before the object is completed. */
  readonly prepare?: (object: QomObject) => void;
  /** Called when the object is complete, to put it where it belongs. */
  readonly attach?: (object: QomObject) => void;
}

/** What becomes of a property's value in a deprecated spelling: it is refused, or taken and this is told, in one line. */
export type DeprecatedSpellings = "refuse" | ((message: string) => void);

/** See the module text. */
export class ObjectFactory {
  readonly #creations = new Set<Promise<QomObject>>();
  #closed = false;
  readonly #registry: TypeRegistry;
  readonly #construct: Construct;
  readonly #onDeprecated: DeprecatedSpellings;

  constructor(registry: TypeRegistry, construct: Construct, onDeprecated: DeprecatedSpellings = "refuse") {
    this.#registry = registry;
    this.#construct = construct;
    this.#onDeprecated = onDeprecated;
  }

  get registry(): TypeRegistry {
    return this.#registry;
  }

  /**
   * Makes an object and completes it, with its parts (see {@link addChild}). When any step fails nothing of it is left.
   *
   * @throws QomError `abstract-type`, `closed`, or what a property or the object's own `complete` refuses
   */
  async create(request: CreateRequest, resolve: LinkResolver, steps: CreationSteps = {}): Promise<QomObject> {
    this.#requireOpen(request);
    const creation = this.#create(request, resolve, steps);
    this.#creations.add(creation);
    try {
      return await creation;
    } finally {
      this.#creations.delete(creation);
    }
  }

  /**
   * Refuses values that {@link create} would refuse whatever other objects there are: names, kinds, formats, what is missing.
   * @throws QomError
   */
  check(type: RegisteredType, given: PropertyValues): void {
    requireConcrete(type);
    if (this.#onDeprecated === "refuse") refuseDeprecated(type, given);
    if (needsObjectToCheck(type, given)) this.inspect(type, (object) => checkProperties(type, given, object));
    else checkProperties(type, given, undefined);
  }

  /** What `look` finds on an object of `type` that is constructed for it and never completed. */
  inspect<T>(type: RegisteredType, look: (object: QomObject) => T): T {
    const object = this.#construct(type.constructor);
    stateOf(object).typeName = type.name;
    try {
      return look(object);
    } finally {
      this.#disposeAll(object);
    }
  }

  /** Ends creation: nothing new is made, and what is being made is undone. Resolves when that is so. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true;
    if (this.#creations.size > 0) await Promise.allSettled(this.#creations);
  }

  #requireOpen({ type }: CreateRequest): void {
    if (this.#closed) throw new QomError("closed", `no '${type.name}' can be created: the machine is closed`);
  }

  async #create(request: CreateRequest, resolve: LinkResolver, { prepare, attach }: CreationSteps): Promise<QomObject> {
    const { type, id } = request;
    requireConcrete(type);
    const object = this.#construct(type.constructor);
    const state = stateOf(object);
    assert(state.typeName === null, "the container makes a new object each time");
    state.typeName = type.name;
    state.id = id;
    const completed: QomObject[] = [];
    try {
      const own = instanceProperties(object);
      if (own.length > 0) this.#registry.requireReachable(type, own);
      setProperties(type, object, request, resolve);
      if (this.#onDeprecated === "refuse") refuseDeprecated(type, request);
      else for (const message of deprecations(type, request)) this.#onDeprecated(message);
      prepare?.(object);
      await this.#complete(object, resolve, completed);
      this.#requireOpen(request);
      attach?.(object);
    } catch (error) {
      await runAll([
        (): Promise<void> => Promise.reject(error),
        ...completed.toReversed().map((each) => () => each.finalize()),
        () => this.#disposeAll(object),
      ]);
    }
    return object;
  }

  /** Completes the parts of `object`, itself, and the parts that it added meanwhile; `completed` gets those that are, in order. */
  async #complete(object: QomObject, resolve: LinkResolver, completed: QomObject[]): Promise<void> {
    const completeParts = async (): Promise<void> => {
      for (const part of [...stateOf(object).childList]) {
        if (stateOf(part).phase !== "new") continue;
        setProperties(this.#typeOfPart(part), part, { values: new Map(), form: "json" }, resolve); // says what is missing
        await this.#complete(part, resolve, completed);
      }
    };
    await completeParts();
    await object.complete();
    stateOf(object).phase = "complete";
    completed.push(object);
    await completeParts();
  }

  #typeOfPart(part: QomObject): RegisteredType {
    const found = this.#registry.find(part.typeName);
    if (found !== undefined) return found;
    throw new QomError("unknown-type", `type '${part.typeName}' of a part of an object is not registered`, {
      context: { value: part.typeName, object: part.id ?? "" },
    });
  }

  /** Finalizes an object that nothing holds any more: its own hook first, then its parts, the youngest first; then its links let go. */
  async destroy(object: QomObject): Promise<void> {
    const state = stateOf(object);
    if (state.phase === "finalized") return;
    await runAll([
      () => (state.phase === "complete" ? object.finalize() : undefined),
      ...[...state.childList].toReversed().map((part) => () => {
        removeChild(part);
        return this.destroy(part);
      }),
      () => this.#dispose(object),
    ]);
  }

  #disposeAll(object: QomObject): void {
    for (const each of withDescendants(object)) this.#dispose(each);
  }

  #dispose(object: QomObject): void {
    const { links, watchers } = stateOf(object);
    for (const { release } of links.values()) release();
    links.clear();
    for (const clear of watchers) clear();
    watchers.clear();
    stateOf(object).phase = "finalized";
  }
}

/**
 * Refuses to delete an object that somebody needs, or a part of which somebody needs. What it holds within itself does not count.
 * @throws QomError `in-use`, which says by whom
 */
export function requireUnheld(object: QomObject): void {
  for (const each of withDescendants(object)) {
    const holders = [...stateOf(each).holders].filter((holder) => !(holder instanceof LinkHolder && isWithin(holder.owner, object)));
    const [first] = holders;
    if (first === undefined && each.canBeDeleted()) continue;
    const by = first === undefined ? (each.busyWith() ?? "itself") : first.describe();
    const others = holders.length > 1 ? ` and ${holders.length - 1} more` : "";
    throw new QomError("in-use", `${each.describe()} is in use: it is held by ${by}${others}`, {
      context: { object: each.id ?? each.typeName },
    });
  }
}

function requireConcrete(type: RegisteredType): void {
  if (!type.abstract) return;
  throw new QomError("abstract-type", `type '${type.name}' is abstract and cannot be created`, { context: { value: type.name } });
}
