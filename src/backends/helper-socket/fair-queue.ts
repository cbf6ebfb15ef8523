/** Commands that wait for a connection: the disks take turns, and the commands of one disk keep their order. */

/** See the file text. `Owner` is who takes turns, compared by identity. */
export class FairQueue<Owner extends object, Item extends { readonly owner: Owner }> {
  readonly #perOwnerMax: number;
  /** By owner what it waits for; a Map keeps its order, and whose turn was goes to the end. */
  readonly #byOwner = new Map<Owner, Item[]>();
  /** Items that had their turn and got nothing out of it. */
  readonly #again: Item[] = [];
  #size = 0;

  /** @param perOwnerMax most items of one owner that wait */
  constructor(perOwnerMax: number) {
    this.#perOwnerMax = perOwnerMax;
  }

  /** How many items wait. */
  get size(): number {
    return this.#size;
  }

  /** Puts an item behind the others of its owner; false when too many of that owner wait already. */
  push(item: Item): boolean {
    const items = this.#byOwner.get(item.owner);
    if (items === undefined) this.#byOwner.set(item.owner, [item]);
    else if (items.length < this.#perOwnerMax) items.push(item);
    else return false;
    this.#size += 1;
    return true;
  }

  /** Puts an item back that had its turn for nothing: it is the next one again. */
  putBack(item: Item): void {
    this.#again.push(item);
    this.#size += 1;
  }

  /** Takes the next item out. */
  shift(): Item | undefined {
    const returned = this.#again.shift();
    if (returned !== undefined) {
      this.#size -= 1;
      return returned;
    }
    for (const [owner, items] of this.#byOwner) {
      const item = items.shift();
      this.#byOwner.delete(owner);
      if (items.length > 0) this.#byOwner.set(owner, items);
      if (item !== undefined) this.#size -= 1;
      return item;
    }
    return undefined;
  }

  /** Takes an item out of the middle; harmless when it is not there. */
  remove(item: Item): void {
    const items = this.#byOwner.get(item.owner);
    if (take(this.#again, item) || (items !== undefined && take(items, item))) this.#size -= 1;
    if (items?.length === 0) this.#byOwner.delete(item.owner);
  }

  /** All items that wait, in no particular order. */
  items(): readonly Item[] {
    return [...this.#again, ...[...this.#byOwner.values()].flat()];
  }
}

function take<T>(items: T[], item: T): boolean {
  const at = items.indexOf(item);
  if (at < 0) return false;
  items.splice(at, 1);
  return true;
}
