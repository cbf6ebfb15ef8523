/**
 * Finds what a partial path fits without looking at the tree: an index of its edges by the names on the way to them.
 *
 * A partial path is tried below every object (QEMU: object_resolve_partial_path), so it fits where the last steps of the way from the
 * root have its names. Edges of one last name are kept together; where they become many they are told apart by the name before that, and
 * so on. Whatever a path's names are, that leads to at most {@link TOGETHER_MAX} edges, or to edges that fit without exception.
 *
 * A step may also be a link. Then the part of the path up to the first link is looked up in an index of links, and the rest is followed
 * from what each of them points to.
 *
 * Costs: the length of the path, the number of types, and two cases that grow with the tree and have no cheap answer. One is a path that
 * goes on behind a link that many objects have under the same names, when it fits fewer than twice: where their links point to more than
 * {@link TARGETS_TRIED_MAX} different objects, or to one from which the rest of the path leads on, each link is followed. (To find out
 * whether one of many targets is among the many owners of the next name is to intersect two sets.) The other are names that agree over
 * more than {@link LEVELS_MAX} levels: they are compared one by one.
 */
import { present } from "../base/assert.js";
import { stateOf } from "./object.js";
import type { QomObject } from "./object.js";
import type { EdgeIndex } from "./tree-root.js";

/** Edges of the same names that are kept together, to be compared one by one: so few are looked through sooner than told apart. */
const TOGETHER_MAX = 8;

/** Names by which edges are told apart. Trees of machines have a dozen levels; each level costs something whenever an object comes or goes. */
const LEVELS_MAX = 32;

/** So many different objects are tried, before all links of a name are, whether the path leads on from any of them. */
const TARGETS_TRIED_MAX = 8;

/** A link property of an object. */
class LinkEdge {
  readonly owner: QomObject;
  readonly name: string;
  /** What it points to; null when that may change unseen. */
  readonly target: QomObject | null;

  constructor(owner: QomObject, name: string, target: QomObject | null) {
    this.owner = owner;
    this.name = name;
    this.target = target;
  }
}

/** A step of a path: to a child, which stands for it, or along a link. */
type Edge = QomObject | LinkEdge;

/** Edges that have their last names in common, as many as the level says. */
class Suffixes<E extends Edge> {
  readonly #level: number;
  #size = 0;
  /** Either all of them … */
  #edges: Set<E> | null;
  /** … or by the name before those that they have in common. */
  #before: Map<string, Suffixes<E>> | null;

  constructor(level = 0) {
    this.#level = level;
    this.#edges = level === 0 ? null : new Set();
    this.#before = level === 0 ? new Map() : null;
  }

  get size(): number {
    return this.#size;
  }

  add(edge: E): void {
    this.#size += 1;
    if (this.#edges === null) return this.#addBefore(edge);
    this.#edges.add(edge);
    if (this.#size <= TOGETHER_MAX || this.#level === LEVELS_MAX) return;
    const edges = this.#edges;
    this.#edges = null;
    this.#before = new Map();
    for (const each of edges) this.#addBefore(each);
  }

  delete(edge: E): void {
    this.#size -= 1;
    if (this.#before === null) {
      this.#edges?.delete(edge);
      return;
    }
    const name = nameAt(edge, this.#level);
    const group = present(this.#before.get(name), "every edge is where its names say");
    group.delete(edge);
    if (group.size === 0) this.#before.delete(name);
    if (this.#size > TOGETHER_MAX / 2 || this.#level === 0) return;
    this.#edges = new Set(this.all());
    this.#before = null;
  }

  /** The edges whose last names are `names`, the last one first. */
  *fitting(names: readonly string[]): Generator<E> {
    const decided = this.#level >= names.length;
    if (this.#before !== null && !decided) {
      yield* this.#before.get(names[this.#level] ?? "")?.fitting(names) ?? [];
      return;
    }
    for (const edge of this.all()) if (decided || fits(edge, names)) yield edge;
  }

  *all(): Generator<E> {
    if (this.#edges !== null) yield* this.#edges;
    for (const group of this.#before?.values() ?? []) yield* group.all();
  }

  #addBefore(edge: E): void {
    const before = present(this.#before, "only groups are added to");
    const name = nameAt(edge, this.#level);
    const group = before.get(name) ?? new Suffixes<E>(this.#level + 1);
    if (group.size === 0) before.set(name, group);
    group.add(edge);
  }
}

function startOf(edge: Edge): QomObject | null {
  return edge instanceof LinkEdge ? edge.owner : stateOf(edge).parent;
}

function nameOf(edge: Edge): string {
  return edge instanceof LinkEdge ? edge.name : (edge.id ?? "");
}

/** The name of the step `level` steps before `edge`; "" from the root on, which no step is called. */
function nameAt(edge: Edge, level: number): string {
  if (level === 0) return nameOf(edge);
  let at = startOf(edge);
  for (let step = 1; step < level && at !== null; step += 1) at = stateOf(at).parent;
  return at?.id ?? "";
}

/** Whether the way to `edge` ends with `names`, the last one first. */
function fits(edge: Edge, names: readonly string[]): boolean {
  let at = startOf(edge);
  for (const [level, name] of names.entries()) {
    if (level === 0) {
      if (nameOf(edge) !== name) return false;
    } else {
      if (at === null || at.id !== name) return false;
      at = stateOf(at).parent;
    }
  }
  return true;
}

/** See the file text. Every link that leads somewhere is in it; one that leads nowhere may be. */
export class PathIndex implements EdgeIndex {
  readonly #standingLinks: (object: QomObject) => Iterable<string>;
  /** Objects by the name of their type. */
  readonly #objects = new Map<string, Suffixes<QomObject>>();
  readonly #links = new Suffixes<LinkEdge>();
  readonly #linksOf = new Map<QomObject, Map<string, LinkEdge>>();
  /** By name of links: what they point to, and how many of them do. */
  readonly #targets = new Map<string, Map<QomObject | null, number>>();

  /** @param standingLinks names of an object's links that may lead somewhere without having been set, such as aliases of children */
  constructor(standingLinks: (object: QomObject) => Iterable<string>) {
    this.#standingLinks = standingLinks;
  }

  add(object: QomObject): void {
    const known = this.#objects.get(object.typeName);
    const ofType = known ?? new Suffixes<QomObject>();
    if (known === undefined) this.#objects.set(object.typeName, ofType);
    ofType.add(object);
    for (const [name, { target }] of stateOf(object).linkList) this.addLink(object, name, target);
    for (const name of this.#standingLinks(object)) this.addLink(object, name, null);
  }

  delete(object: QomObject): void {
    const ofType = present(this.#objects.get(object.typeName), "every object of a tree is indexed");
    ofType.delete(object);
    if (ofType.size === 0) this.#objects.delete(object.typeName);
    for (const name of [...(this.#linksOf.get(object)?.keys() ?? [])]) this.deleteLink(object, name);
  }

  addLink(owner: QomObject, name: string, target: QomObject | null): void {
    this.deleteLink(owner, name);
    const links = this.#linksOf.get(owner) ?? new Map<string, LinkEdge>();
    const edge = new LinkEdge(owner, name, target);
    links.set(name, edge);
    this.#linksOf.set(owner, links);
    this.#links.add(edge);
    const targets = this.#targets.get(name) ?? new Map<QomObject | null, number>();
    targets.set(target, (targets.get(target) ?? 0) + 1);
    this.#targets.set(name, targets);
  }

  deleteLink(owner: QomObject, name: string): void {
    const links = this.#linksOf.get(owner);
    const edge = links?.get(name);
    if (links === undefined || edge === undefined) return;
    this.#links.delete(edge);
    links.delete(name);
    if (links.size === 0) this.#linksOf.delete(owner);
    const targets = present(this.#targets.get(name), "every link has a target");
    const left = present(targets.get(edge.target), "every target is counted") - 1;
    if (left > 0) targets.set(edge.target, left);
    else targets.delete(edge.target);
    if (targets.size === 0) this.#targets.delete(name);
  }

  /** Objects of types that `accepts` takes, that the steps `names` lead to as children of each other from anywhere. */
  *objects(names: readonly string[], accepts: (typeName: string) => boolean): Generator<QomObject> {
    const reversed = names.toReversed();
    for (const [typeName, ofType] of this.#objects) if (accepts(typeName)) yield* ofType.fitting(reversed);
  }

  /**
   * Links that the steps `names` lead to, the last one being the link; none where it is soon found that no link of that name points to
   * anything from which the path leads on.
   */
  *links(names: readonly string[], leadsOn: (target: QomObject) => boolean): Generator<LinkEdge> {
    const targets = this.#targets.get(names.at(-1) ?? "");
    if (targets === undefined) return;
    const mayLeadOn = (target: QomObject | null): boolean => target === null || leadsOn(target);
    if (targets.size <= TARGETS_TRIED_MAX && ![...targets.keys()].some(mayLeadOn)) return;
    yield* this.#links.fitting(names.toReversed());
  }

  /** Whether some link has that name. */
  isLink(name: string): boolean {
    return this.#targets.has(name);
  }

  /** Whether some object or link has that name. */
  isKnown(name: string): boolean {
    if (this.isLink(name)) return true;
    const [object] = this.objects([name], () => true);
    return object !== undefined;
  }
}
