/**
 * The composition tree: who is whose child, and what paths lead there (QEMU: include/qom/object.h, object_resolve_path).
 */
import { present } from "../base/assert.js";
import { aString, check, anObject, instanceOf, oneOf } from "../base/check.js";
import { QomError } from "../base/errors.js";
import { printable } from "../base/limits.js";
import { runAll } from "../base/run-all.js";
import { requireWellFormedId } from "../options/id.js";
import { thoseThere } from "../options/nearest.js";
import type { OptionMap, PlainValue } from "../options/value.js";
import { addChild, removeChild } from "./children.js";
import { qomType } from "./decorators.js";
import { requireUnheld } from "./factory.js";
import type { ObjectFactory } from "./factory.js";
import { USER_CREATABLE } from "./interfaces.js";
import { isStandingLink } from "./instance-properties.js";
import { aQomObject, CONTAINER_TYPE, QomObject, stateOf } from "./object.js";
import { allProperties, findProperty, getProperty, listing, setProperty } from "./properties.js";
import type { PropertyListing } from "./properties.js";
import type { PropertyDefinition } from "./property-definition.js";
import type { LinkResolver, LinkTarget, ValueForm } from "./property-type.js";
import { PathIndex } from "./path-index.js";
import { TreeRoot } from "./tree-root.js";
import { typeHint } from "./type-registry.js";
import type { RegisteredType, TypeFilter } from "./type-registry.js";

/** An inner node of the tree: `/`, `/objects`, `/machine/peripheral`. */
@qomType({ name: CONTAINER_TYPE, description: "holds other objects in the composition tree" })
export class Container extends QomObject {}

const A_FORM = oneOf(["text", "json"]);

/** The containers that every tree has. */
const STANDARD_CONTAINERS = ["/objects", "/machine", "/machine/peripheral", "/machine/peripheral-anon", "/machine/unattached"];

/** `/`, a container like others. */
class Root extends TreeRoot {
  readonly index: PathIndex;

  constructor(index: PathIndex) {
    super();
    this.index = index;
  }
}

/** See the module text. Adding and deleting is asynchronous, all else is not. */
export class CompositionTree {
  readonly root: QomObject;
  readonly #factory: ObjectFactory;
  readonly #index: PathIndex;
  /** Ids in /objects of objects that are being made. */
  readonly #pending = new Set<string>();
  #closed = false;

  constructor(factory: ObjectFactory) {
    this.#factory = factory;
    this.#index = new PathIndex((object) => this.#standingLinks(object));
    this.root = this.#container(new Root(this.#index));
    for (const path of STANDARD_CONTAINERS) {
      const above = path.split("/").slice(1);
      const name = present(above.pop(), "a standard container has a name");
      this.attach(this.resolve(`/${above.join("/")}`), name, this.#container());
    }
  }

  /** Resolves link properties against this tree. */
  readonly resolveLink: LinkResolver = (name, link) => this.#resolveLink(name, link);

  /**
   * The object at an absolute path, or the only one that a partial path fits.
   * @throws QomError `not-found` (DeviceNotFound) or `ambiguous`
   */
  resolve(path: string): QomObject {
    check("CompositionTree.resolve", "path", path, aString);
    const context = { value: path };
    const matches = path.startsWith("/")
      ? [this.#descend(this.root, components(path))].filter((found) => found !== undefined)
      : this.#partial(path);
    const [found, second] = matches;
    if (second !== undefined) throw new QomError("ambiguous", `path '${printable(path)}' fits more than one object`, { context });
    if (found === undefined) {
      this.requireOpen();
      throw new QomError("not-found", `no object at path '${printable(path)}'`, { context, qmpClass: "DeviceNotFound" });
    }
    return found;
  }

  /** The value of a property as JSON: `qom-get`. */
  get(path: string, property: string): PlainValue {
    check("CompositionTree.get", "property", property, aString);
    const object = this.resolve(path);
    const child = stateOf(object).child(property);
    if (child !== undefined) return child.canonicalPath ?? "";
    return getProperty(this.#typeOf(object), object, property);
  }

  /** Sets a property from a JSON value, strictly typed: `qom-set`. */
  set(path: string, property: string, value: PlainValue, form: ValueForm = "json"): void {
    check("CompositionTree.set", "property", property, aString);
    check("CompositionTree.set", "form", form, A_FORM);
    const object = this.resolve(path);
    setProperty(this.#typeOf(object), object, property, value, form, this.resolveLink);
  }

  /** Properties and children of the object at `path`: `qom-list`. */
  list(path: string): readonly PropertyListing[] {
    return this.#list(this.resolve(path));
  }

  #list(object: QomObject): readonly PropertyListing[] {
    const properties = allProperties(this.#typeOf(object), object).map(listing);
    const children = this.children(object).map((child) => ({ name: child.id ?? "", type: `child<${child.typeName}>` }));
    return [...properties, ...children];
  }

  /** The types that exist, sorted by name: `qom-list-types`. */
  listTypes(filter: TypeFilter = {}): readonly RegisteredType[] {
    check("CompositionTree.listTypes", "filter", filter, anObject);
    return this.#factory.registry.list(filter);
  }

  /**
   * The properties and children that objects of a type have: `qom-list-properties`. To know those that an object gives itself one is
   * constructed, as in QEMU, and not completed; of an abstract type those of the class alone are known.
   * @throws QomError `unknown-type` (DeviceNotFound)
   */
  listProperties(typeName: string): readonly PropertyListing[] {
    check("CompositionTree.listProperties", "typeName", typeName, aString);
    const type = this.#factory.registry.find(typeName);
    if (type?.abstract === true) return [...type.properties.values()].map(listing);
    if (type !== undefined) return this.#factory.inspect(type, (object) => this.#list(object));
    const context = { value: typeName };
    throw new QomError("unknown-type", `no type '${printable(typeName)}'`, { context, qmpClass: "DeviceNotFound" });
  }

  /**
   * The type of that name, of which a user may make objects.
   * @throws QomError `unknown-type`, `abstract-type`, `wrong-type` (not user-creatable)
   */
  creatableType(name: string): RegisteredType {
    check("CompositionTree.creatableType", "name", name, aString);
    const { registry } = this.#factory;
    const context = { value: name };
    const type = registry.find(name);
    if (type === undefined) {
      const hint = typeHint(name, registry.list({ implements: USER_CREATABLE.name }), "types of objects");
      throw new QomError("unknown-type", `unknown type '${printable(name)}'`, { context, hint });
    }
    if (type.abstract) throw new QomError("abstract-type", `type '${type.name}' is abstract and cannot be created`, { context });
    if (registry.isA(type.name, USER_CREATABLE.name)) return type;
    throw new QomError("wrong-type", `type '${type.name}' cannot be created as an object`, { context });
  }

  /** Refuses what {@link add} would refuse whatever other objects there are. @throws QomError as {@link add} */
  check(typeName: string, id: string, values: OptionMap, form: ValueForm): void {
    checkAddition("CompositionTree.check", { typeName, id, values, form });
    const type = this.creatableType(typeName);
    requireWellFormedId(id, { object: id });
    this.#factory.check(type, { values, form });
  }

  /**
   * Makes a user-creatable object below /objects: `object-add`, `-object`. A failure leaves nothing behind.
   * @throws QomError `bad-id`, `duplicate`, `unknown-type`, `abstract-type`, `wrong-type` (not user-creatable), or the object's own
   */
  async add(typeName: string, id: string, values: OptionMap = new Map(), form: ValueForm = "json"): Promise<QomObject> {
    checkAddition("CompositionTree.add", { typeName, id, values, form });
    const type = this.creatableType(typeName);
    requireWellFormedId(id, { object: id });
    const objects = this.resolve("/objects");
    if (this.isTaken(objects, id) || this.#pending.has(id)) {
      throw new QomError("duplicate", `an object with id '${id}' exists already`, { context: { option: "id", value: id } });
    }
    this.#pending.add(id);
    try {
      return await this.#factory.create({ type, id, values, form }, this.resolveLink, {
        attach: (object) => this.attach(objects, id, object),
      });
    } finally {
      this.#pending.delete(id);
    }
  }

  /**
   * Deletes a user-created object: `object-del`.
   * @throws QomError `not-found`, or `in-use` saying by whom
   */
  async delete(id: string): Promise<void> {
    const object = this.object(id);
    requireUnheld(object);
    this.detach(object);
    await this.#factory.destroy(object);
  }

  /** Deletes all user-created objects, the youngest first, whatever holds them; for a machine that ends. */
  async deleteAll(): Promise<void> {
    this.#closed = true;
    const youngestFirst = this.children(this.resolve("/objects")).toReversed();
    await runAll(
      youngestFirst.map((object) => () => {
        this.detach(object);
        return this.#factory.destroy(object);
      }),
    );
  }

  /** The user-created object with that id. @throws QomError `not-found` */
  object(id: string): QomObject {
    check("CompositionTree.object", "id", id, aString);
    const found = stateOf(this.resolve("/objects")).child(id);
    if (found !== undefined) return found;
    this.requireOpen();
    throw new QomError("not-found", `no object with id '${printable(id)}'`, {
      context: { value: id },
      hint: thoseThere(id, idsOf(this.children(this.resolve("/objects")))),
    });
  }

  /**
   * Refuses to go on when the machine is closed: what went with it is not told as if it had never been there.
   * @throws QomError `closed`
   */
  requireOpen(): void {
    if (this.#closed) throw new QomError("closed", "the machine is closed");
  }

  /** Whether `parent` has a child or a property of that name. */
  isTaken(parent: QomObject, name: string): boolean {
    check("CompositionTree.isTaken", "parent", parent, aQomObject);
    check("CompositionTree.isTaken", "name", name, aString);
    return stateOf(parent).child(name) !== undefined || this.#property(parent, name) !== undefined;
  }

  /** Children of an object in the order in which they were attached. */
  children(object: QomObject): readonly QomObject[] {
    check("CompositionTree.children", "object", object, aQomObject);
    return [...stateOf(object).childList];
  }

  /** Makes `child` a child of `parent`, see {@link addChild}. */
  attach(parent: QomObject, name: string, child: QomObject): void {
    addChild(parent, name, child);
  }

  /** Takes a child, with everything below it, out of the tree. */
  detach(child: QomObject): void {
    check("CompositionTree.detach", "child", child, aQomObject);
    if (stateOf(child).parent === null) throw new QomError("conflict", `${child.describe()} has no parent`);
    removeChild(child);
  }

  #container(container: QomObject = new Container()): QomObject {
    const state = stateOf(container);
    state.typeName = CONTAINER_TYPE;
    state.phase = "complete";
    return container;
  }

  #property(object: QomObject, name: string): PropertyDefinition | undefined {
    return findProperty(this.#typeOf(object), object, name);
  }

  #typeOf(object: QomObject): RegisteredType {
    return this.#factory.registry.typeOf(object);
  }

  #descend(from: QomObject, path: readonly string[]): QomObject | undefined {
    let current: QomObject | undefined = from;
    for (const component of path) {
      if (current === undefined) return undefined;
      current = stateOf(current).child(component) ?? this.#linked(current, component);
    }
    return current;
  }

  /** What the link property `name` of `object` points to. */
  #linked(object: QomObject, name: string): QomObject | undefined {
    const property = this.#property(object, name);
    if (property?.type.link === undefined) return undefined;
    const target = property.get(object);
    return target instanceof QomObject ? target : undefined;
  }

  /**
   * What a partial path fits, by where it starts, as in QEMU: two ways to one object are ambiguous. Two at most, since more make no
   * difference. What is below an object outside the tree is not found.
   */
  #partial(path: string, accepts: (typeName: string) => boolean = () => true): QomObject[] {
    const names = components(path);
    const found: QomObject[] = [];
    for (const object of this.#fitting(names, accepts)) {
      found.push(object);
      if (found.length > 1) break;
    }
    return found;
  }

  *#fitting(names: readonly string[], accepts: (typeName: string) => boolean): Generator<QomObject> {
    yield* this.#index.objects(names, accepts);
    for (let steps = 1; steps <= names.length; steps += 1) {
      if (!this.#index.isLink(names[steps - 1] ?? "")) continue;
      const rest = names.slice(steps);
      if (!rest.every((name) => this.#index.isKnown(name))) continue;
      const endFrom = (target: QomObject | undefined): QomObject | undefined => {
        const end = target === undefined ? undefined : this.#descend(target, rest);
        return end !== undefined && accepts(end.typeName) ? end : undefined;
      };
      for (const { owner, name } of this.#index.links(names.slice(0, steps), (target) => endFrom(target) !== undefined)) {
        const end = endFrom(this.#linked(owner, name));
        if (end !== undefined) yield end;
      }
    }
  }

  /** Names of the links of `object` that may lead somewhere without having been set. */
  *#standingLinks(object: QomObject): Generator<string> {
    for (const property of allProperties(this.#typeOf(object), object)) if (isStandingLink(property)) yield property.name;
  }

  /** As {@link resolve}, of a partial path looking at objects of that type first (QEMU: object_resolve_path_type). */
  #resolveTyped(path: string, typeName: string): QomObject {
    const { registry } = this.#factory;
    const [found, second] = path.startsWith("/") ? [] : this.#partial(path, (name) => registry.isA(name, typeName));
    return found !== undefined && second === undefined ? found : this.resolve(path);
  }

  #resolveLink(name: string, link: LinkTarget): QomObject {
    const context = { value: name };
    const target = link.lookup === "path" ? this.#resolveTyped(name, link.typeName) : stateOf(this.resolve("/objects")).child(name);
    if (target === undefined) {
      const fitting = this.children(this.resolve("/objects")).filter(({ typeName }) => this.#factory.registry.isA(typeName, link.typeName));
      throw new QomError("not-found", `no ${link.noun} with id '${printable(name)}'`, { context, hint: thoseThere(name, idsOf(fitting)) });
    }
    if (!this.#factory.registry.isA(target.typeName, link.typeName)) {
      throw new QomError("wrong-type", `object '${printable(name)}' is of type '${target.typeName}' and is not a ${link.noun}`, {
        context,
      });
    }
    return target;
  }
}

function idsOf(objects: readonly QomObject[]): readonly string[] {
  return objects.map(({ id }) => id ?? "");
}

/** Path components; empty ones are ignored, as in QEMU. */
function components(path: string): string[] {
  return path.split("/").filter((component) => component !== "");
}

/** Whether what an object is made of is of its kind. */
function checkAddition(where: string, given: Readonly<Record<"typeName" | "id" | "values" | "form", unknown>>): void {
  check(where, "typeName", given.typeName, aString);
  check(where, "id", given.id, aString);
  check(where, "values", given.values, instanceOf(Map, "a Map of options"));
  check(where, "form", given.form, A_FORM);
}
