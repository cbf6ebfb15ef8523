/** How many workers there are: real threads, the clock of the test, and connections that the test has in hand so that a worker waits. */

import { expect } from "chai";
import { closeSync } from "node:fs";
import { Log, LogLevel } from "#src/helper/log.js";
import { allocateClientRegister, ClientRegister } from "#src/helper/shared/client-register.js";
import { allocateConnectionTable, Connection } from "#src/helper/shared/connection-table.js";
import { allocateTotals } from "#src/helper/shared/totals.js";
import { allocateWorkerControl, WorkerControl } from "#src/helper/shared/worker-control.js";
import { threadsMaxOf, WORKER_IDLE_MS, WorkerPool } from "#src/helper/workers/worker-pool.js";
import { libc } from "#src/native/libc.js";
import { createEpoll, createWakeup, EpollSet, wakeUp } from "#src/native/server/epoll.js";
import { loadServerLibc } from "#src/native/server/libc.js";
import { connectedPair } from "#src/native/server/unix.js";
import { ManualClock } from "../support/manual-clock.js";
import { until } from "./support/helper-process.js";

const WORKERS_MAX = 4;
/** A pool looks that often at busy workers, and less often at idle ones. */
const LOOK_MS = 10;

/** A pool, and what a service would have beside it. */
class Bench {
  readonly clock = new ManualClock();
  readonly pool: WorkerPool;
  readonly control: WorkerControl;
  /** Whether workers count as running. */
  runs = false;
  readonly #server = loadServerLibc();
  readonly #epollFd = createEpoll(this.#server);
  readonly #epoll = new EpollSet(this.#server, this.#epollFd);
  readonly #register: ClientRegister;
  readonly #connections = allocateConnectionTable();
  readonly #descriptors: number[] = [this.#epollFd];
  readonly #held: number[] = [];

  constructor() {
    const [wakeupFd, leaveFd, gate] = [createWakeup(this.#server), createWakeup(this.#server), this.#pair()];
    this.#descriptors.push(wakeupFd, leaveFd);
    this.#epoll.addForAll(wakeupFd);
    this.#epoll.add(leaveFd, "readable");
    const [control, register] = [allocateWorkerControl(1 + threadsMaxOf(WORKERS_MAX)), allocateClientRegister()];
    this.control = new WorkerControl(control);
    this.#register = new ClientRegister(register);
    const unused = (): void => expect.fail("not asked for here");
    this.pool = new WorkerPool({
      setup: {
        ...{ epollFd: this.#epollFd, gateFd: gate.receiver, leaveFd, control, register, connections: this.#connections },
        totals: allocateTotals(1 + threadsMaxOf(WORKERS_MAX)),
        logLevel: LogLevel.FATAL,
        trace: { points: [], fd: 2 },
        admission: { allowedUids: [], allowedGids: [], connectionsPerUser: 1, connectionsPerProcess: 1 },
        ...{ byProcess: false, handOver: false, allowMultipath: true },
      },
      workersMax: WORKERS_MAX,
      log: new Log(LogLevel.FATAL),
      clock: this.clock,
      runs: () => this.runs,
      ...{ rearmGate: unused, execute: unused, ended: unused, noteIncomplete: unused },
      wake: () => wakeUp(this.#server, wakeupFd),
      wakeToLeave: () => {
        wakeUp(this.#server, leaveFd);
        this.#epoll.rearm(leaveFd, "readable");
      },
      failed: () => this.pool.stop(),
    });
  }

  #pair(): { readonly sender: number; readonly receiver: number } {
    const pair = connectedPair(libc(), this.#server);
    this.#descriptors.push(pair.sender, pair.receiver);
    return pair;
  }

  /** Has a worker wait: it gets the event of a connection that the main thread has in hand. */
  hold(): void {
    const { sender, receiver } = connectedPair(libc(), this.#server);
    this.#register.enter(receiver, { pid: process.pid, uid: 0, gid: 0 }, 0);
    new Connection(this.#connections, receiver).open();
    this.#register.handOver(receiver);
    this.#held.push(receiver);
    this.#epoll.add(receiver, "readable");
    closeSync(sender);
  }

  /** Lets those workers go on: they find the end of the stream, and close. */
  letGo(): void {
    for (const fd of this.#held.splice(0)) this.#register.release(fd);
  }

  /** Waits until there are so many workers, and so many of them wait for an event. */
  async has(size: number, idle = size): Promise<void> {
    await until(() => this.pool.size === size && this.control.idle === idle);
  }

  async end(): Promise<void> {
    this.letGo();
    this.pool.stop();
    await this.pool.ended;
    for (const fd of this.#descriptors) closeSync(fd);
  }
}

describe("the workers of qom-pr-helper", () => {
  let bench: Bench;
  beforeEach(() => (bench = new Bench()));
  afterEach(() => bench.end());

  /** All workers are busy, and the main thread has heard of it. */
  async function saturated(size: number): Promise<void> {
    for (let worker = 0; worker < size; worker += 1) bench.hold();
    await bench.has(size, 0);
    await until(() => bench.clock.nextInMs === LOOK_MS);
  }

  it("are two soon after the start, and one when nothing happens; nothing wakes up by time then", async () => {
    await bench.has(2);
    await until(() => bench.clock.timers === 1);
    bench.clock.advance(WORKER_IDLE_MS); // since the last look they began
    expect(bench.clock.timers).to.equal(1);
    bench.clock.advance(WORKER_IDLE_MS);
    await bench.has(1);
    bench.clock.advance(WORKER_IDLE_MS);
    expect([bench.clock.timers, bench.pool.size]).to.deep.equal([0, 1]);
  });

  it("are one more, up to the limit, whenever all wait for a disk, and go again", async () => {
    await bench.has(2);
    await saturated(2);
    bench.clock.advance(LOOK_MS);
    await bench.has(3, 1);
    bench.hold();
    await bench.has(3, 0);
    await until(() => {
      bench.clock.advance(LOOK_MS);
      return bench.pool.size === WORKERS_MAX;
    });
    await bench.has(WORKERS_MAX, 1);
    bench.hold();
    await bench.has(WORKERS_MAX, 0);
    for (let look = 0; look < 5; look += 1) bench.clock.advance(LOOK_MS);
    expect(bench.pool.size).to.equal(WORKERS_MAX);
    bench.letGo();
    await bench.has(WORKERS_MAX);
    await until(() => {
      bench.clock.advance(WORKER_IDLE_MS);
      return bench.pool.size === 1;
    });
    await bench.has(1);
  });

  it("are no more when one of them runs, or would if it had a processor", async () => {
    await bench.has(2);
    bench.runs = true;
    await saturated(2);
    for (let look = 0; look < 50; look += 1) bench.clock.advance(LOOK_MS);
    expect(bench.pool.size).to.equal(2);
    bench.runs = false;
    bench.clock.advance(LOOK_MS);
    await bench.has(3, 1);
  });

  it("stay as many as were busy at the same time, and one", async () => {
    await bench.has(2);
    await saturated(2);
    bench.clock.advance(LOOK_MS);
    await bench.has(3, 1);
    bench.clock.advance(WORKER_IDLE_MS);
    bench.clock.advance(WORKER_IDLE_MS);
    expect([bench.pool.size, bench.control.idle]).to.deep.equal([3, 1]);
  });

  it("end by one request less than there are, so that the last one stays", () => {
    const control = new WorkerControl(allocateWorkerControl(1));
    for (let worker = 0; worker < 3; worker += 1) control.becomeIdle();
    expect([control.takeLeastIdle(), control.takeLeastIdle()]).to.deep.equal([0, 3]);
    control.becomeBusy();
    control.becomeIdle();
    expect([control.takeLeastIdle(), control.takeLeastIdle()]).to.deep.equal([2, 3]);
    control.letLeave(2);
    expect([control.takeLeave(), control.takeLeave(), control.takeLeave()]).to.deep.equal([2, 1, 0]);
    control.letLeave(2);
    control.letLeave(0);
    expect(control.takeLeave()).to.equal(0);
  });
});
