/**
 * One epoll instance that several threads wait on (epoll(7)). A descriptor in it is one-shot: when a wait has returned it, it is silent
 * until it is armed again, so the thread that got it owns it in between.
 *
 *     struct epoll_event   x64 (packed, 12)   elsewhere (16)
 *      u32  events          0                  0
 *      u64  data            4                  8      here: the number of the descriptor
 */

import { Errno, SystemCallError } from "../errno.js";
import { succeeded } from "./libc.js";
import type { ServerLibc } from "./libc.js";
import { NativeMemory } from "../memory.js";

const EPOLL_CLOEXEC = 0o2000000;
const EFD_CLOEXEC = 0o2000000;
const EFD_NONBLOCK = 0o4000;
const EPOLL_CTL_ADD = 1;
const EPOLL_CTL_MOD = 3;
const EPOLLIN = 0x001;
const EPOLLOUT = 0x004;
const EPOLLONESHOT = 0x40000000;

const EVENT_SIZE_MAX = 16;
const WAIT_FOR_EVER = -1;

/** What a descriptor is waited for; errors and hang-ups wake a waiter as well. */
export type Interest = "readable" | "writable";

/** Creates an epoll instance; the caller owns the descriptor. */
export function createEpoll(server: ServerLibc): number {
  return succeeded(server.epoll_create1(EPOLL_CLOEXEC), "epoll_create1", "create an epoll instance");
}

/** Creates a descriptor that {@link wakeUp} makes readable, for {@link EpollSet.addForAll}; the caller owns it. */
export function createWakeup(server: ServerLibc): number {
  return succeeded(server.eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd", "create an eventfd");
}

/** Makes a descriptor of {@link createWakeup} readable, for good. */
export function wakeUp(server: ServerLibc, fd: number): void {
  succeeded(server.eventfd_write(fd, 1), "eventfd_write", "wake the workers up");
}

/** One thread's access to an epoll instance. */
export class EpollSet {
  readonly #server: ServerLibc;
  readonly #fd: number;
  /** There is only ever one event, so that none waits behind a thread that is busy with another. */
  readonly #event = new NativeMemory(EVENT_SIZE_MAX);
  readonly #dataAt = process.arch === "x64" ? 4 : 8;

  /** @param fd of {@link createEpoll} */
  constructor(server: ServerLibc, fd: number) {
    this.#server = server;
    this.#fd = fd;
  }

  /** Adds `fd`, armed. Closing it takes it out again. */
  add(fd: number, interest: Interest): void {
    this.#control(EPOLL_CTL_ADD, fd, eventsOf(interest) | EPOLLONESHOT);
  }

  /** Adds `fd` so that it wakes every thread that waits, for as long as it is readable. */
  addForAll(fd: number): void {
    this.#control(EPOLL_CTL_ADD, fd, EPOLLIN);
  }

  /** Arms `fd` again; if it is ready already, a wait returns it at once. */
  rearm(fd: number, interest: Interest): void {
    this.#control(EPOLL_CTL_MOD, fd, eventsOf(interest) | EPOLLONESHOT);
  }

  /** Blocks the calling thread until a descriptor is ready, and returns its number. */
  wait(): number {
    for (;;) {
      const count = this.#server.epoll_wait(this.#fd, this.#event.bytes, 1, WAIT_FOR_EVER);
      if (count === 1) return this.#event.view.getInt32(this.#dataAt, true);
      if (count !== -Errno.EINTR) throw new SystemCallError("epoll_wait", -count);
    }
  }

  #control(operation: number, fd: number, events: number): void {
    this.#event.view.setUint32(0, events, true);
    this.#event.view.setInt32(this.#dataAt, fd, true);
    const result = this.#server.epoll_ctl(this.#fd, operation, fd, this.#event.bytes);
    // The text is made only where it is needed: this is on the way of every request.
    if (result < 0) succeeded(result, "epoll_ctl", `watch descriptor ${fd}`);
  }
}

function eventsOf(interest: Interest): number {
  return interest === "readable" ? EPOLLIN : EPOLLOUT;
}
