/** Telling listeners. */

/**
 * Calls those who listen now, in order. One that throws is its owner's business and keeps nobody else from hearing: the error goes the way
 * of uncaught ones.
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
