/** Values that are made when they are first needed. */

/** Calls `make` once, when the value is first asked for; a failure is not kept. The value is the same whoever asks, so it is no state. */
export function lazily<T extends object>(make: () => T): () => T {
  let made: T | undefined;
  return () => (made ??= make());
}
