/** Assertions: states that cannot be, unless this library is wrong. Never compiled out; a user's mistake is a QomError instead. */

/** A broken assumption of the library itself. */
export class AssertionError extends Error {
  override readonly name = "AssertionError";
}

/**
 * States that `condition` holds.
 * @throws AssertionError with `message`, which says what should have been true.
 */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new AssertionError(message);
}

/** States that `value` is there and returns it; the replacement of a non-null mark. */
export function present<T>(value: T | null | undefined, message: string): T {
  if (value === null || value === undefined) throw new AssertionError(message);
  return value;
}

/** For the `default` of an exhaustive switch: a compile error where a member is missing, an AssertionError if one slips in. */
export function unreachable(value: never): never {
  throw new AssertionError(`impossible value ${String(value)}`);
}
