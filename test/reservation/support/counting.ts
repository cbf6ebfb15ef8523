/** What maps are given and hold, where nothing else tells: they have no iterator, or are not shown. */

/** How many entries the maps of the language are given while `action` runs, and the most that one of them has then. */
export function countingEntries(action: () => void): { readonly entries: number; readonly largest: number } {
  let [entries, largest] = [0, 0];
  const usual = Object.getOwnPropertyDescriptor(Map.prototype, "set") ?? {};
  function counting(this: Map<unknown, unknown>, key: unknown, value: unknown): unknown {
    Reflect.apply(usual.value as (...args: unknown[]) => unknown, this, [key, value]); // what Map.prototype.set is
    entries += 1;
    largest = Math.max(largest, this.size);
    return this;
  }
  // oxlint-disable-next-line no-extend-native -- for the time of the action: nothing else tells what a map holds that has no iterator
  Object.defineProperty(Map.prototype, "set", { ...usual, value: counting });
  try {
    action();
  } finally {
    // oxlint-disable-next-line no-extend-native -- as it was before
    Object.defineProperty(Map.prototype, "set", usual);
  }
  return { entries, largest };
}
