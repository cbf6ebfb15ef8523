/** Values that are the same whoever asks for them, made when somebody does. */

/**
 * Calls `make` once, when the value is first asked for; a failure is not kept. For what depends on nothing but the program itself, and that
 * nobody changes: then it does not matter who asked first, and it is no state.
 */
export function lazily<T extends object>(make: () => T): () => T {
  let made: T | undefined;
  return () => (made ??= make());
}
