/**
 * Dotted keys to nested values: `file.driver=x` is a member `driver` of a map `file`, `rules.0=a,rules.1=b` a list of two.
 *
 * Numeric siblings form a list, in any order but without gaps; numbers and names side by side are an error, as is a key with both
 * a value and members. Interface followed: keyval_parse_put() and keyval_listify() of QEMU's util/keyval.c.
 */
import { QomError } from "../base/errors.js";
import { printable } from "../base/limits.js";
import { at, isIndex, splitLooseKey } from "./key-path.js";
import type { OptionMap, PlainValue } from "./value.js";

/**
 * A value, or what will be one when all keys have been seen. Maps are built as they will be given out, and nothing is kept for a member
 * but its entry: whatever there is millions of costs more in memory than in work.
 */
type Node = PlainValue | Members | Numbered | Sealed;
type Members = Map<string, Node>;

/**
 * Most nested lists and maps that the keys of one text make. Each takes some 200 bytes, a hundred times as much as the `.a` that makes it:
 * without a limit 16 MB of text could fill gigabytes. Half a million keys of eight levels each pass.
 */
const BRANCHES_MAX = 4 * 1024 * 1024;

/** A list or map that was given as a whole: nothing can be put into it. */
class Sealed {
  readonly value: PlainValue;

  constructor(value: PlainValue) {
    this.value = value;
  }
}

/** An index in its only spelling that has no leading zero, and short enough for a double to be exact. */
const SHORT_INDEX = /^(?:0|[1-9][0-9]{0,14})$/;

/** Members of which at least one is numbered: a list, if they all are and none is missing. */
class Numbered {
  /** The elements, as long as each index came after the one before it and was written the short way. */
  #ordered: Node[] = [];
  /** Otherwise the members by name. */
  #named: Members | null = null;

  /** @param named members that were there before the first numbered one */
  constructor(named: Members | null = null) {
    this.#named = named;
  }

  get(name: string): Node | undefined {
    return this.#named === null ? this.#ordered[indexOf(name)] : this.#named.get(name);
  }

  set(name: string, node: Node): void {
    const index = this.#named === null ? indexOf(name) : -1;
    if (index >= 0 && index <= this.#ordered.length) {
      this.#ordered[index] = node;
      return;
    }
    this.#named ??= new Map(this.#ordered.map((element, place) => [String(place), element]));
    this.#named.set(name, node);
  }

  /** The elements when they came in order, else null. */
  get ordered(): Node[] | null {
    return this.#named === null ? this.#ordered : null;
  }

  get members(): Members {
    return this.#named ?? new Map();
  }
}

/** The index that `name` is the short spelling of; -1 when it is not. */
function indexOf(name: string): number {
  return SHORT_INDEX.test(name) ? Number(name) : -1;
}

function isBranch(node: Node | undefined): node is Members | Numbered {
  return node instanceof Map || node instanceof Numbered;
}

/** Offset, in the text, of the first key that is `prefix` or begins with it and a dot; for errors only. */
export type PlaceOf = (prefix: string) => number | undefined;

/** Collects values by the paths of their keys. */
export class KeyTree {
  readonly #root: Members = new Map();
  /** Whether something has to be replaced at the end: lists in the making, and what is sealed. */
  #drafts = false;
  #branches = 0;
  readonly #branchesMax: number;

  constructor(branchesMax = BRANCHES_MAX) {
    this.#branchesMax = branchesMax;
  }

  /**
   * Puts `value` at `path`, over a value that was there.
   * @param position of the key in the text, for errors
   * @throws QomError `syntax` when the path runs through a value, or members were given where it ends; `limit` for too many maps
   */
  put(path: readonly string[], value: PlainValue, position?: number): void {
    let above: Members | Numbered = this.#root;
    let branch: Members | Numbered = this.#root;
    const last = path.length - 1;
    for (let depth = 0; depth <= last; depth += 1) {
      const fragment = path[depth] ?? "";
      if (depth > 0 && branch instanceof Map && isIndex(fragment)) {
        branch = new Numbered(branch.size === 0 ? null : branch);
        above.set(path[depth - 1] ?? "", branch);
        this.#drafts = true;
      }
      // Looking up a name among a million misses every cache, and a flat text has nothing to find.
      const found: Node | undefined = depth === last && this.#branches === 0 ? undefined : branch.get(fragment);
      if (depth === last) {
        if (isBranch(found)) throw inconsistent(path.slice(0, depth + 1), position);
        branch.set(fragment, this.#leaf(value));
      } else {
        if (found !== undefined && !isBranch(found)) throw inconsistent(path.slice(0, depth + 1), position);
        const inner: Members | Numbered = found ?? this.#newBranch(path, position);
        if (found === undefined) branch.set(fragment, inner);
        above = branch;
        branch = inner;
      }
    }
  }

  /**
   * The nested values. The outermost is always a map: an index has something before it. The tree is used up.
   * @param placeOf tells where a key is, for errors
   * @throws QomError `missing` for a gap in a list; `syntax` for numbers and names side by side
   */
  nested(placeOf: PlaceOf = () => undefined): OptionMap {
    if (this.#drafts) finishMembers(this.#root, [], placeOf);
    return this.#root as OptionMap; // what is no value has been replaced
  }

  #leaf(value: PlainValue): Node {
    if (typeof value !== "object" || value === null) return value;
    this.#drafts = true;
    return new Sealed(value);
  }

  #newBranch(path: readonly string[], position: number | undefined): Members {
    this.#branches += 1;
    if (this.#branches <= this.#branchesMax) return new Map();
    throw new QomError("limit", `there are more than ${this.#branchesMax} lists and maps`, {
      context: { option: printable(path.join(".")), ...at(position) },
    });
  }
}

function finishMembers(members: Members, path: string[], placeOf: PlaceOf): void {
  for (const [name, node] of members) {
    if (typeof node !== "object" || node === null) continue;
    path.push(name);
    const value = finished(node, path, placeOf);
    if (value !== node) members.set(name, value);
    path.pop();
  }
}

/** What `node` is in the end. */
function finished(node: Node, path: string[], placeOf: PlaceOf): Node {
  if (node instanceof Sealed) return node.value;
  if (node instanceof Map) finishMembers(node, path, placeOf);
  return node instanceof Numbered ? (finishedElements(node, path, placeOf) ?? listOf(node.members, path, placeOf)) : node;
}

/** The list of elements that came in order; null when they did not. */
function finishedElements(numbered: Numbered, path: string[], placeOf: PlaceOf): PlainValue | null {
  const elements = numbered.ordered;
  if (elements === null) return null;
  for (const [index, node] of elements.entries()) {
    if (typeof node !== "object" || node === null) continue;
    path.push(String(index));
    elements[index] = finished(node, path, placeOf);
    path.pop();
  }
  return elements as PlainValue; // every element is finished
}

/** The members as a list. Two spellings of one index (`0`, `00`) are one element, and the later counts. */
function listOf(members: Members, path: string[], placeOf: PlaceOf): PlainValue {
  finishMembers(members, path, placeOf);
  const place = (): number | undefined => placeOf(path.join("."));
  if (![...members.keys()].every(isIndex)) throw inconsistent(path, place());
  const elements: (Node | undefined)[] = Array.from({ length: members.size });
  let length = 0;
  for (const [name, value] of members) {
    const index = Number(name);
    length = Math.max(length, index + 1);
    // A larger index leaves a gap among the first ones, which is found below.
    if (index < elements.length) elements[index] = value;
  }
  const list = elements.slice(0, length);
  const gap = list.indexOf(undefined);
  if (gap === -1) return list as PlainValue; // none is missing and all are finished
  const key = printable([...path, gap].join("."));
  throw new QomError("missing", `parameter '${key}' is missing: list indices start at 0 and have no gaps`, {
    context: { option: key, ...at(place()) },
  });
}

function inconsistent(path: readonly string[], position: number | undefined): QomError {
  const key = printable(path.join("."));
  return new QomError("syntax", `parameters '${key}' and '${key}.*' are used inconsistently`, {
    context: { option: key, ...at(position) },
    hint: "a parameter has a value, or named members, or members numbered from 0, and only one of these",
  });
}

/**
 * The nested values of flat dotted keys, as -drive has them after QemuOpts. Names are not checked here; an unknown one is refused by
 * whoever knows them. Keys at the top are members even if they are numbers.
 *
 * A legacy key that shares its name with a group (`file=F,file.driver=file` of -drive, where F is a file name) must be taken out before.
 * @throws QomError `syntax` for an empty part of a key or contradictory keys; `missing` for a gap in a list; `limit` for deep nesting
 */
export function unflatten(flat: OptionMap): OptionMap {
  const tree = new KeyTree();
  for (const [key, value] of flat) tree.put(splitLooseKey(key), value);
  return tree.nested();
}
