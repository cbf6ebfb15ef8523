/** Calling listeners. */

/**
 * Calls all present listeners in order. If one throws, the others are still called, and its error becomes an uncaught exception.
 */
export function tellAll<Arguments extends readonly unknown[]>(listeners: Iterable<(...told: Arguments) => void>, ...told: Arguments): void {
  for (const listener of [...listeners]) {
    try {
      listener(...told);
    } catch (error) {
      queueMicrotask(() => {
        throw error;
      });
    }
  }
}
