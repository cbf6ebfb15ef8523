/**
 * What happened since the helper was started, in numbers. Each thread counts for itself, in a part of shared memory that no other writes;
 * the main thread adds the parts up.
 */

/** What is counted, in the order of the memory. */
const NAMES = [
  /** connections that were let in */
  "connectionsAccepted",
  /** connections that were closed at once: not allowed, or one too many */
  "connectionsRefused",
  /** connections that were closed because the client broke the protocol */
  "protocolErrors",
  /** connections that were closed because a request was incomplete, or an answer not taken, for too long */
  "stalled",
  /** PERSISTENT RESERVE IN that were answered */
  "reserveIn",
  /** PERSISTENT RESERVE OUT that were answered */
  "reserveOut",
  /** requests to clean up that were answered */
  "cleanUp",
  /** answers by status */
  "good",
  "checkCondition",
  "reservationConflict",
  "otherStatus",
  /** commands for a dm-multipath device, which are refused */
  "multipathRefused",
] as const;

/** Something that is counted. */
export type TotalName = (typeof NAMES)[number];

const PART_LENGTH = NAMES.length;

/** Memory for the {@link Totals} of so many threads. */
export function allocateTotals(threads: number): SharedArrayBuffer {
  return new SharedArrayBuffer(threads * PART_LENGTH * Float64Array.BYTES_PER_ELEMENT);
}

/** One thread's counters. */
export class Totals {
  readonly #part: Float64Array;

  /**
   * @param memory from {@link allocateTotals}
   * @param thread which part is this thread's
   */
  constructor(memory: SharedArrayBuffer, thread: number) {
    this.#part = new Float64Array(memory, thread * PART_LENGTH * Float64Array.BYTES_PER_ELEMENT, PART_LENGTH);
  }

  /** Counts one more. */
  add(name: TotalName): void {
    const at = NAMES.indexOf(name);
    this.#part[at] = (this.#part[at] ?? 0) + 1;
  }
}

/** The sums over all threads. */
export function sumTotals(memory: SharedArrayBuffer): Record<TotalName, number> {
  const all = new Float64Array(memory);
  const sumOf = (index: number): number => all.reduce((sum, value, at) => (at % PART_LENGTH === index ? sum + value : sum), 0);
  // fromEntries cannot tell that there is one entry for each name
  return Object.fromEntries(NAMES.map((name, index) => [name, sumOf(index)])) as Record<TotalName, number>;
}
