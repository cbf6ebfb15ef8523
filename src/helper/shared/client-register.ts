/**
 * Who is connected, and who has each connection in hand: memory that the main thread and all workers share.
 *
 *     one entry per descriptor number (64 bytes)
 *       0  i32  custody
 *       4  i32  process id of the client
 *       8  u32  its user id
 *      12  u32  its group id
 *      16  i32  notes: a bit for each thing that happened once
 *      20  i32  how many connections have had the descriptor
 *      24  f64  when it connected, in milliseconds since 1970
 *      32  f64  when its process was started, in clock ticks since the system was; 0 if not looked up
 *      40  f64  commands that were answered
 *      48  f64  those of them that were not answered GOOD
 *      56  i32  which of the listening sockets it came to
 *      60  4    unused
 *
 * The thread that has custody of a connection has it and its slot in the connection table to itself. While the connection waits in epoll, no
 * thread has it; a worker takes custody when it gets the event, and the main thread when it looks for stalled clients or executes a command
 * itself.
 */

import { assert, present } from "../../base/assert.js";
import type { PeerCredentials } from "../../native/server/peer-credentials.js";
import { CONNECTION_DESCRIPTOR_LIMIT } from "./connection-table.js";

const ENTRY_SIZE = 64;
const INTS = ENTRY_SIZE / 4;
const DOUBLES = ENTRY_SIZE / 8;
const CUSTODY = 0;
const PID = 1;
const UID = 2;
const GID = 3;
const NOTES = 4;
const USES = 5;
const LISTENER = 14;
const CONNECTED_AT = 3;
const STARTED_AT = 4;
const COMMANDS = 5;
const FAILURES = 6;

const NOBODY = 0;
const WAITING = 1;
const WORKER = 2;
const MAIN = 3;

/** Things that are noted of a connection, once each. */
export const Note = Object.freeze({
  /** It is to be closed by the worker that gets its next event: its request was incomplete for too long, or the main thread is done with it. */
  ENDS: 1,
  /** The log says that a multipath device was refused. */
  MULTIPATH: 2,
});

/** One client, as it was when it was looked at. */
export interface ClientEntry extends PeerCredentials {
  /** Descriptor of the connection: its number in the log. */
  readonly fd: number;
  readonly connectedAtMs: number;
  /** Clock ticks since the system was started, 0 if not looked up. */
  readonly processStartTicks: number;
  /** Which of the listening sockets it came to, from 0. */
  readonly listener: number;
  /** A number that no other connection has had. */
  readonly session: number;
  /** Commands that were answered. */
  readonly commands: number;
  /** Those not answered GOOD. */
  readonly failures: number;
  /** Nothing of it is being worked on. */
  readonly waiting: boolean;
}

/** Memory for a {@link ClientRegister}, to be handed to every worker. */
export function allocateClientRegister(): SharedArrayBuffer {
  return new SharedArrayBuffer(CONNECTION_DESCRIPTOR_LIMIT * ENTRY_SIZE);
}

/** One thread's view of the register. */
export class ClientRegister {
  readonly #ints: Int32Array;
  readonly #unsigned: Uint32Array;
  readonly #doubles: Float64Array;

  /** @param memory from {@link allocateClientRegister} */
  constructor(memory: SharedArrayBuffer) {
    this.#ints = new Int32Array(memory);
    this.#unsigned = new Uint32Array(memory);
    this.#doubles = new Float64Array(memory);
  }

  /** Enters a new connection, in the custody of the calling worker. */
  enter(fd: number, credentials: PeerCredentials, connectedAtMs: number, listener = 0): void {
    this.#unsigned[fd * INTS + UID] = credentials.uid;
    this.#unsigned[fd * INTS + GID] = credentials.gid;
    this.#ints[fd * INTS + PID] = credentials.pid;
    this.#ints[fd * INTS + NOTES] = 0;
    this.#ints[fd * INTS + LISTENER] = listener;
    Atomics.add(this.#ints, fd * INTS + USES, 1);
    this.#doubles.set([connectedAtMs, 0, 0, 0], fd * DOUBLES + CONNECTED_AT);
    Atomics.store(this.#ints, fd * INTS + CUSTODY, WORKER);
  }

  /** Notes when the client's process was started. */
  setProcessStart(fd: number, ticks: number): void {
    this.#doubles[fd * DOUBLES + STARTED_AT] = ticks;
  }

  /** Strikes a connection out; the caller has custody and closes it next. */
  leave(fd: number): void {
    Atomics.store(this.#ints, fd * INTS + CUSTODY, NOBODY);
  }

  /** Lets go of a connection that is about to wait in epoll. */
  release(fd: number): void {
    Atomics.store(this.#ints, fd * INTS + CUSTODY, WAITING);
    Atomics.notify(this.#ints, fd * INTS + CUSTODY);
  }

  /** A worker takes a connection whose event it got; waits if the main thread is looking after it just now. */
  take(fd: number): void {
    const at = fd * INTS + CUSTODY;
    while (Atomics.compareExchange(this.#ints, at, WAITING, WORKER) !== WAITING) Atomics.wait(this.#ints, at, MAIN);
  }

  /** The main thread takes a connection that waits. False if it does not. */
  takeWaiting(fd: number): boolean {
    return Atomics.compareExchange(this.#ints, fd * INTS + CUSTODY, WAITING, MAIN) === WAITING;
  }

  /** A worker leaves a connection to the main thread, which {@link release}s it. */
  handOver(fd: number): void {
    assert(Atomics.exchange(this.#ints, fd * INTS + CUSTODY, MAIN) === WORKER, "a worker hands over what it has");
  }

  /** Counts an answered command; the caller has custody. */
  count(fd: number, good: boolean): void {
    this.#add(fd * DOUBLES + COMMANDS);
    if (!good) this.#add(fd * DOUBLES + FAILURES);
  }

  #add(at: number): void {
    this.#doubles[at] = (this.#doubles[at] ?? 0) + 1;
  }

  /** Takes note of something. False if that was noted before. */
  note(fd: number, note: number): boolean {
    return (Atomics.or(this.#ints, fd * INTS + NOTES, note) & note) === 0;
  }

  /** Whether that was noted. */
  isNoted(fd: number, note: number): boolean {
    return (Atomics.load(this.#ints, fd * INTS + NOTES) & note) !== 0;
  }

  /** User id of the client of a connection that is in the register, or was in it last. */
  userOf(fd: number): number {
    return present(this.#unsigned[fd * INTS + UID], "a connection has an entry");
  }

  /** How many connections are there for which `member` has this value. */
  countWith(member: "uid" | "pid", value: number): number {
    const values = member === "uid" ? this.#unsigned : this.#ints;
    const offset = member === "uid" ? UID : PID;
    let count = 0;
    for (let at = 0; at < this.#ints.length; at += INTS) {
      if (values[at + offset] === value && Atomics.load(this.#ints, at + CUSTODY) !== NOBODY) count += 1;
    }
    return count;
  }

  /** The client of a connection; null when there is none. */
  get(fd: number): ClientEntry | null {
    const custody = Atomics.load(this.#ints, fd * INTS + CUSTODY);
    if (custody === NOBODY) return null;
    const [connectedAtMs = 0, processStartTicks = 0, commands = 0, failures = 0] = this.#doubles.subarray(fd * DOUBLES + CONNECTED_AT);
    return {
      fd,
      pid: present(this.#ints[fd * INTS + PID], "the entry is in the register"),
      uid: present(this.#unsigned[fd * INTS + UID], "the entry is in the register"),
      gid: present(this.#unsigned[fd * INTS + GID], "the entry is in the register"),
      connectedAtMs,
      processStartTicks,
      listener: present(this.#ints[fd * INTS + LISTENER], "the entry is in the register"),
      session: present(this.#unsigned[fd * INTS + USES], "the entry is in the register") * CONNECTION_DESCRIPTOR_LIMIT + fd,
      commands,
      failures,
      waiting: custody === WAITING,
    };
  }

  /** All clients, by descriptor. */
  *clients(): Iterable<ClientEntry> {
    for (let fd = 0; fd < CONNECTION_DESCRIPTOR_LIMIT; fd += 1) {
      const client = this.get(fd);
      if (client !== null) yield client;
    }
  }
}
