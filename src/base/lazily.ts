/** Constants that are made when they are first needed. */

/**
 * Calls `make` when the value is first needed, and again only if it failed. For values that depend only on the program itself and never
 * change: then it does not matter which caller comes first, and it is not state.
 */
export function lazily<T extends object>(make: () => T): () => T {
  let made: T | undefined;
  return () => (made ??= make());
}
