/** The few numbers that the main thread and the workers share: who is idle, whether anything moves, whether to stop. */

const STOPPING = 0;
const IDLE = 1;
const FINISHED = 2;
const SATURATED = 3;
const INCOMPLETE = 4;
const WORDS = 5;

/** Memory for a {@link WorkerControl}, to be handed to every worker. */
export function allocateWorkerControl(): SharedArrayBuffer {
  return new SharedArrayBuffer(WORDS * Int32Array.BYTES_PER_ELEMENT);
}

/** One thread's view of the shared numbers. */
export class WorkerControl {
  readonly #words: Int32Array;

  /** @param memory from {@link allocateWorkerControl} */
  constructor(memory: SharedArrayBuffer) {
    this.#words = new Int32Array(memory);
  }

  /** Asks every worker to end after what it is doing; whoever asks wakes them too. */
  stop(): void {
    Atomics.store(this.#words, STOPPING, 1);
  }

  /** Whether the workers were asked to end. */
  get stopping(): boolean {
    return Atomics.load(this.#words, STOPPING) === 1;
  }

  /** A worker is about to wait for an event. */
  becomeIdle(): void {
    Atomics.add(this.#words, IDLE, 1);
    this.finish();
  }

  /** A worker has finished something. */
  finish(): void {
    Atomics.add(this.#words, FINISHED, 1);
  }

  /** A worker got an event. True when that left no worker idle and nobody was told so yet: then the caller tells the main thread. */
  becomeBusy(): boolean {
    const wasLast = Atomics.sub(this.#words, IDLE, 1) === 1;
    return wasLast && Atomics.exchange(this.#words, SATURATED, 1) === 0;
  }

  /** How many workers wait for an event. */
  get idle(): number {
    return Atomics.load(this.#words, IDLE);
  }

  /** Whether no worker waits for an event. */
  get saturated(): boolean {
    return Atomics.load(this.#words, IDLE) === 0;
  }

  /** A worker leaves an incomplete request waiting. True when nobody was told so yet: then the caller tells the main thread. */
  noteIncomplete(): boolean {
    return Atomics.exchange(this.#words, INCOMPLETE, 1) === 0;
  }

  /** Lets {@link noteIncomplete} tell again. To be called before looking for incomplete requests, so that none is missed. */
  rearmIncomplete(): void {
    Atomics.store(this.#words, INCOMPLETE, 0);
  }

  /** A number that changes whenever a worker has finished something. */
  get finished(): number {
    return Atomics.load(this.#words, FINISHED);
  }

  /**
   * Lets {@link becomeBusy} tell of the next saturation again.
   * @returns false when the workers are saturated already, and so nobody is going to tell
   */
  rearmSaturation(): boolean {
    Atomics.store(this.#words, SATURATED, 0);
    return !this.saturated || Atomics.exchange(this.#words, SATURATED, 1) === 1;
  }
}
