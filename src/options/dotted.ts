/**
 * Dotted keys to nested values: `file.driver=x` is a member `driver` of a map `file`, `rules.0=a,rules.1=b` a list of two.
 *
 * Numeric siblings form a list, in any order but without gaps; numbers and names side by side are an error, and so is a key with both
 * a value and members. Interface followed: keyval_parse_put() and keyval_listify() of QEMU's util/keyval.c.
 */
import { QomError } from "../base/errors.js";
import { printable } from "../base/limits.js";
import { at, isIndex, splitLooseKey } from "./key-path.js";
import type { OptionMap, PlainValue } from "./value.js";

/** What is known of one nested value until all keys have been seen. */
class Branch {
  readonly members = new Map<string, PlainValue | Branch>();
  readonly #name: string;
  readonly #parent: Branch | null;
  /** Offset of the key that first came here, where there is a text. */
  readonly position: number | undefined;

  constructor(name = "", parent: Branch | null = null, position?: number) {
    this.#name = name;
    this.#parent = parent;
    this.position = position;
  }

  /** The dotted key of `member`, or of the branch itself. Made for errors only: kept for every branch, it would cost depth times text. */
  key(member?: string): string {
    const fragments = this.#path();
    return printable((member === undefined ? fragments : [...fragments, member]).join("."));
  }

  #path(): readonly string[] {
    return this.#parent === null ? [] : [...this.#parent.#path(), this.#name];
  }
}

/** Collects values by the paths of their keys. */
export class KeyTree {
  readonly #root = new Branch();

  /**
   * Puts `value` at `path`, over a value that was there.
   * @param position of the key in the text, for errors
   * @throws QomError `syntax` when the path runs through a value, or members were given where it ends
   */
  put(path: readonly string[], value: PlainValue, position?: number): void {
    let branch = this.#root;
    for (const [depth, fragment] of path.entries()) {
      const found = branch.members.get(fragment);
      if (depth === path.length - 1) {
        if (found instanceof Branch) throw inconsistent(branch.key(fragment), position);
        branch.members.set(fragment, value);
      } else if (found === undefined) {
        const inner = new Branch(fragment, branch, position);
        branch.members.set(fragment, inner);
        branch = inner;
      } else {
        if (!(found instanceof Branch)) throw inconsistent(branch.key(fragment), position);
        branch = found;
      }
    }
  }

  /**
   * The nested values. The outermost is always a map: an index has something before it.
   * @throws QomError `missing` for a gap in a list; `syntax` for numbers and names side by side
   */
  nested(): OptionMap {
    return new Map(nestedMembers(this.#root));
  }
}

function nestedMembers(branch: Branch): (readonly [string, PlainValue])[] {
  return [...branch.members].map(([name, member]) => [name, member instanceof Branch ? nestedValue(member) : member]);
}

function nestedValue(branch: Branch): PlainValue {
  const members = nestedMembers(branch);
  const indices = members.filter(([name]) => isIndex(name)).length;
  if (indices === 0) return new Map(members);
  if (indices < members.length) throw inconsistent(branch.key(), branch.position);
  return nestedList(branch, members);
}

/** The members as a list. Two spellings of one index (`0`, `00`) are one element, and the later counts. */
function nestedList(branch: Branch, members: readonly (readonly [string, PlainValue])[]): PlainValue {
  const elements: (PlainValue | undefined)[] = members.map(() => undefined);
  let length = 0;
  for (const [name, value] of members) {
    const index = Number(name);
    length = Math.max(length, index + 1);
    // A larger index leaves a gap among the first ones, which is found below.
    if (index < elements.length) elements[index] = value;
  }
  return elements.slice(0, length).map((element, index) => {
    if (element !== undefined) return element;
    const key = branch.key(String(index));
    throw new QomError("missing", `parameter '${key}' is missing: list indices start at 0 and have no gaps`, {
      context: { option: key, ...at(branch.position) },
    });
  });
}

function inconsistent(key: string, position: number | undefined): QomError {
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
