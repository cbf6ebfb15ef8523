/**
 * The few numbers that the main thread and the workers share: who is idle, whether to stop, and who is closing a descriptor.
 *
 *     8 words for all                        4 words for each thread
 *      0  whether to end                      0  closes that it has begun and ended: odd while one goes on
 *      1  idle workers                        1  the user whose descriptor is closed
 *      2  fewest idle since the last look     2  1 if that one takes long
 *      3  saturation reported                 3  its number in the kernel
 *      4  an incomplete request reported
 *      5  closes that take long
 *      6  connections
 *      7  workers that are to go
 */

const STOPPING = 0;
const IDLE = 1;
const LEAST_IDLE = 2;
const SATURATED = 3;
const INCOMPLETE = 4;
const STUCK_CLOSES = 5;
const CONNECTIONS = 6;
const LEAVING = 7;
const WORDS = 8;

/** A thread that waits for a connection to close checks this often whether it is to end. */
const LOOK_EVERY_MS = 1000;

const CLOSES = 0;
const USER = 1;
const STUCK = 2;
const TASK = 3;
const WORDS_PER_THREAD = 4;

/** Memory for a {@link WorkerControl} of so many threads, to be handed to every worker. */
export function allocateWorkerControl(threads: number): SharedArrayBuffer {
  return new SharedArrayBuffer((WORDS + threads * WORDS_PER_THREAD) * Int32Array.BYTES_PER_ELEMENT);
}

/** One thread's view of the shared numbers. */
export class WorkerControl {
  readonly #words: Int32Array;

  /** @param memory from {@link allocateWorkerControl} */
  constructor(memory: SharedArrayBuffer) {
    this.#words = new Int32Array(memory);
  }

  /** Asks every worker to end after what it is doing; the caller also wakes them. */
  stop(): void {
    Atomics.store(this.#words, STOPPING, 1);
    Atomics.notify(this.#words, STOPPING);
    Atomics.notify(this.#words, CONNECTIONS);
  }

  /** Blocks the calling thread for `durationMs`, or until the workers are asked to end. */
  pause(durationMs: number): void {
    Atomics.wait(this.#words, STOPPING, 0, durationMs);
  }

  /** A connection was accepted. */
  addConnection(): void {
    Atomics.add(this.#words, CONNECTIONS, 1);
  }

  /** A connection is closed. */
  removeConnection(): void {
    Atomics.sub(this.#words, CONNECTIONS, 1);
    Atomics.notify(this.#words, CONNECTIONS);
  }

  /** Blocks the calling thread while there are `most` connections or more, for a while. True when there are fewer. */
  hasRoom(most: number): boolean {
    const count = Atomics.load(this.#words, CONNECTIONS);
    if (count < most) return true;
    if (!this.stopping) Atomics.wait(this.#words, CONNECTIONS, count, LOOK_EVERY_MS);
    return Atomics.load(this.#words, CONNECTIONS) < most;
  }

  /** Whether the workers were asked to end. */
  get stopping(): boolean {
    return Atomics.load(this.#words, STOPPING) === 1;
  }

  /** A worker is about to wait for an event. */
  becomeIdle(): void {
    Atomics.add(this.#words, IDLE, 1);
  }

  /** A worker got an event. True if no worker is idle now and that has not been reported: then the caller reports it to the main thread. */
  becomeBusy(): boolean {
    const idle = Atomics.sub(this.#words, IDLE, 1) - 1;
    let least = Atomics.load(this.#words, LEAST_IDLE);
    while (idle < least) {
      const found = Atomics.compareExchange(this.#words, LEAST_IDLE, least, idle);
      if (found === least) break;
      least = found;
    }
    return idle === 0 && Atomics.exchange(this.#words, SATURATED, 1) === 0;
  }

  /** How many workers were idle all the time since the last call. To be called by the main thread. */
  takeLeastIdle(): number {
    return Math.min(Atomics.exchange(this.#words, LEAST_IDLE, this.idle), this.idle);
  }

  /** Sets how many workers are to go, in place of what is left of the last number; the caller wakes one of them. */
  letLeave(count: number): void {
    Atomics.store(this.#words, LEAVING, count);
  }

  /** Asked by a worker that was woken to go: how many were to go; 0 when it is to stay. */
  takeLeave(): number {
    const count = Atomics.load(this.#words, LEAVING);
    if (count === 0) return 0;
    if (Atomics.compareExchange(this.#words, LEAVING, count, count - 1) !== count) return this.takeLeave();
    return count;
  }

  /** A worker says what its number is in the kernel. */
  noteTask(thread: number, task: number): void {
    Atomics.store(this.#words, wordOf(thread, TASK), task);
  }

  /** The number in the kernel that a worker said last. */
  taskOf(thread: number): number {
    return Atomics.load(this.#words, wordOf(thread, TASK));
  }

  /** How many workers wait for an event. */
  get idle(): number {
    return Atomics.load(this.#words, IDLE);
  }

  /** Whether no worker waits for an event. */
  get saturated(): boolean {
    return Atomics.load(this.#words, IDLE) === 0;
  }

  /** A worker leaves an incomplete request waiting. True if that has not been reported: then the caller reports it to the main thread. */
  noteIncomplete(): boolean {
    return Atomics.exchange(this.#words, INCOMPLETE, 1) === 0;
  }

  /** Lets {@link noteIncomplete} tell again. To be called before looking for incomplete requests, so that none is missed. */
  rearmIncomplete(): void {
    Atomics.store(this.#words, INCOMPLETE, 0);
  }

  /** A thread is about to close a descriptor that came from `user`. */
  beginClose(thread: number, user: number): void {
    Atomics.store(this.#words, wordOf(thread, USER), user);
    Atomics.add(this.#words, wordOf(thread, CLOSES), 1);
  }

  /** It is closed. */
  endClose(thread: number): void {
    // In this order: if the main thread notes it meanwhile, either it sees the end, or the note is seen here.
    Atomics.add(this.#words, wordOf(thread, CLOSES), 1);
    this.#forgetStuck(thread);
  }

  /** A number that changes when the close ends that the thread is in; null when it is in none. */
  closeOf(thread: number): number | null {
    const closes = Atomics.load(this.#words, wordOf(thread, CLOSES));
    return closes % 2 === 0 ? null : closes;
  }

  /** The main thread notes that the close which it knows as `close` takes long, unless it has ended. */
  noteStuck(thread: number, close: number): void {
    if (Atomics.exchange(this.#words, wordOf(thread, STUCK), 1) === 1) return;
    Atomics.add(this.#words, STUCK_CLOSES, 1);
    // It may have ended before the note.
    if (this.closeOf(thread) !== close) this.#forgetStuck(thread);
  }

  /** Whose descriptor the close closes that the main thread knows as `close`; null when it has ended. */
  userOfClose(thread: number, close: number): number | null {
    const user = Atomics.load(this.#words, wordOf(thread, USER)) >>> 0;
    return this.closeOf(thread) === close ? user : null;
  }

  #forgetStuck(thread: number): void {
    if (Atomics.exchange(this.#words, wordOf(thread, STUCK), 0) === 1) Atomics.sub(this.#words, STUCK_CLOSES, 1);
  }

  /** How many threads are in a close that takes long. */
  get stuck(): number {
    return Atomics.load(this.#words, STUCK_CLOSES);
  }

  /** How many of them close a descriptor of `user`. */
  stuckOf(user: number): number {
    const threads = (this.#words.length - WORDS) / WORDS_PER_THREAD;
    let count = 0;
    for (let thread = 0; thread < threads; thread += 1) {
      const own = Atomics.load(this.#words, wordOf(thread, USER)) >>> 0 === user;
      if (own && Atomics.load(this.#words, wordOf(thread, STUCK)) === 1) count += 1;
    }
    return count;
  }

  /**
   * Lets {@link becomeBusy} report the next saturation.
   * @returns false if the workers are saturated already, so that none of them is going to report it
   */
  rearmSaturation(): boolean {
    Atomics.store(this.#words, SATURATED, 0);
    return !this.saturated || Atomics.exchange(this.#words, SATURATED, 1) === 1;
  }
}

function wordOf(thread: number, word: number): number {
  return WORDS + thread * WORDS_PER_THREAD + word;
}
