/**
 * The state of each client's connection between two events on it. Any worker may get the next event, so all share this memory; the worker
 * with the event has the connection to itself (one-shot epoll), so nothing in it is locked. The numbers are written and
 * read atomically, and with them the bytes written before are seen.
 *
 *     one slot per descriptor number (8336)
 *       0  i32  phase
 *       4  i32  position: bytes of this phase already received or sent
 *       8  i32  length: bytes of this phase in all
 *      12  i32  the descriptor that came with the request, -1 if none
 *      16  i32  the descriptor of the request before, which is answered; -1 if none, or if it is closed
 *      20  4    unused
 *      24  16   the CDB (in the phase before, the feature word)
 *      40  104  header of the answer
 *     144  8192 parameter list of PERSISTENT RESERVE OUT, or data of PERSISTENT RESERVE IN
 *
 * The system gives a connection the lowest free number as its descriptor, so that number is its slot. Unused slots cost
 * address space only.
 */

import { present } from "../../base/assert.js";
import { CDB_SIZE, DATA_SIZE_MAX, FEATURE_WORD_SIZE, RESPONSE_HEADER_SIZE } from "../../scsi/pr-helper.js";

/**
 * Connections are refused from this descriptor number on: well beyond one connection, and one descriptor in use, for each of the
 * virtual machines of a large host; at 34 MB for all slots.
 */
export const CONNECTION_DESCRIPTOR_LIMIT = 4096;

/** The phases, in the order of their numbers in a slot. */
const PHASES = [
  /** from the client: the features it wants */
  "features",
  /** from the client: a CDB and its descriptor */
  "cdb",
  /** from the client: the parameter list of PERSISTENT RESERVE OUT */
  "parameter-list",
  /** to the client: the answer */
  "answer",
] as const;

/** What the next bytes on a connection are. */
export type Phase = (typeof PHASES)[number];

const PHASE = 0;
const POSITION = 1;
const LENGTH = 2;
const DESCRIPTOR = 3;
const SPENT = 4;
const WORDS = 5;

const CDB_AT = 24;
const ANSWER_AT = CDB_AT + CDB_SIZE;
const DATA_AT = ANSWER_AT + RESPONSE_HEADER_SIZE;
const SLOT_SIZE = DATA_AT + DATA_SIZE_MAX;

/** {@link Connection.descriptor} when there is none. */
export const NO_DESCRIPTOR = -1;

/** Memory for {@link Connection}s, to be handed to every worker. */
export function allocateConnectionTable(): SharedArrayBuffer {
  return new SharedArrayBuffer(CONNECTION_DESCRIPTOR_LIMIT * SLOT_SIZE);
}

/** Whether there is a slot for a connection with this descriptor. */
export function hasSlot(fd: number): boolean {
  return fd < CONNECTION_DESCRIPTOR_LIMIT;
}

/** The slot of one connection, as the worker sees it that has the event. */
export class Connection {
  /** Descriptor of the connection itself. */
  readonly fd: number;
  /** The CDB of the request. */
  readonly cdb: Uint8Array;
  /** Header of the answer, followed by the data. */
  readonly answer: Uint8Array;
  /** The data of the request or of the answer. */
  readonly data: Uint8Array;
  readonly #words: Int32Array;

  /** @param table from {@link allocateConnectionTable} */
  constructor(table: SharedArrayBuffer, fd: number) {
    const at = fd * SLOT_SIZE;
    this.fd = fd;
    this.#words = new Int32Array(table, at, WORDS);
    this.cdb = new Uint8Array(table, at + CDB_AT, CDB_SIZE);
    this.answer = new Uint8Array(table, at + ANSWER_AT, RESPONSE_HEADER_SIZE + DATA_SIZE_MAX);
    this.data = new Uint8Array(table, at + DATA_AT, DATA_SIZE_MAX);
  }

  /** Makes the slot that of a new connection. */
  open(): void {
    this.descriptor = NO_DESCRIPTOR;
    Atomics.store(this.#words, SPENT, NO_DESCRIPTOR);
    this.begin("features", FEATURE_WORD_SIZE);
  }

  /** What is being received or sent. */
  get phase(): Phase {
    return present(PHASES[Atomics.load(this.#words, PHASE)], "a slot has one of the phases");
  }

  /** Bytes of this phase that are done. */
  get position(): number {
    return Atomics.load(this.#words, POSITION);
  }

  /** Bytes of this phase in all. */
  get length(): number {
    return Atomics.load(this.#words, LENGTH);
  }

  /** The descriptor of the request, owned by the connection; {@link NO_DESCRIPTOR} if there is none. */
  get descriptor(): number {
    return Atomics.load(this.#words, DESCRIPTOR);
  }

  set descriptor(fd: number) {
    Atomics.store(this.#words, DESCRIPTOR, fd);
  }

  /** Takes the descriptor out of the connection, which does not own it any more; {@link NO_DESCRIPTOR} if there is none. */
  takeDescriptor(): number {
    return Atomics.exchange(this.#words, DESCRIPTOR, NO_DESCRIPTOR);
  }

  /** Leaves the descriptor of a request that is answered to the next worker, to be closed. */
  spendDescriptor(): void {
    Atomics.store(this.#words, SPENT, this.takeDescriptor());
  }

  /** What {@link spendDescriptor} left; {@link NO_DESCRIPTOR} if nothing. */
  takeSpent(): number {
    return Atomics.exchange(this.#words, SPENT, NO_DESCRIPTOR);
  }

  /** Whether the connection is between two requests: nothing of one has arrived, and the last answer is gone. */
  get isIdle(): boolean {
    return this.phase === "cdb" && this.position === 0;
  }

  /** Enters a phase of `length` bytes. */
  begin(phase: Phase, length: number): void {
    Atomics.store(this.#words, POSITION, 0);
    Atomics.store(this.#words, LENGTH, length);
    Atomics.store(this.#words, PHASE, PHASES.indexOf(phase));
  }

  /** Counts `bytes` more of this phase as done. */
  advance(bytes: number): void {
    Atomics.add(this.#words, POSITION, bytes);
  }

  /** The bytes of this phase that are still to come, or to go. */
  get rest(): Uint8Array {
    const { phase, position, length } = this;
    if (phase === "parameter-list") return this.data.subarray(position, length);
    return (phase === "answer" ? this.answer : this.cdb).subarray(position, length);
  }
}
