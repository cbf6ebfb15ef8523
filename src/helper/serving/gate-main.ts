/** Entry point of the gate's thread; see gate.ts. */

import { parentPort, workerData } from "node:worker_threads";
import { present } from "../../base/assert.js";
import { leaveCommonTable } from "../../native/server/descriptor-table.js";
import { createEpoll, EpollSet } from "../../native/server/epoll.js";
import { Errno, errnoName, errnoText } from "../../native/errno.js";
import { libc as loadLibc } from "../../native/libc.js";
import { loadServerLibc } from "../../native/server/libc.js";
import { blockSignals } from "../../native/signals.js";
import { DescriptorMessage, MSG_NOSIGNAL } from "../../native/socket/layout.js";
import { acceptConnection, stopListening } from "../../native/server/unix.js";
import type { GateMessage, GateSetup } from "./gate.js";
import { Log, LogLevel } from "../log.js";
import { acceptFailureTrace } from "../trace/trace-points.js";
import { printTraces } from "../trace/trace-printer.js";
import { WorkerControl } from "../shared/worker-control.js";

/** Accepting is tried again after this time when the system refused it. */
const RETRY_MS = 1000;

/** A connection comes with one byte: which of the listening sockets it came to. */
const MARK_LENGTH = 1;

const port = present(parentPort, "gate-main is started as a worker thread");
serve(workerData as GateSetup); // typed any; Gate passes exactly this

function serve(setup: GateSetup): void {
  const { listeners, lockFd, senderFd, wakeupFd, trace } = setup;
  const [libc, server] = [loadLibc(), loadServerLibc()];
  blockSignals();
  printTraces(trace);
  const kept = [...listeners.map(({ fd }) => fd), senderFd, wakeupFd, trace.fd, ...(lockFd === null ? [] : [lockFd])];
  const result: GateMessage = leaveCommonTable(libc, kept);
  port.postMessage(result);
  // A descriptor that the common table still has would outlive this one.
  Atomics.wait(new Int32Array(setup.left), 0, 0);
  const control = new WorkerControl(setup.control);
  const epoll = new EpollSet(server, createEpoll(server));
  epoll.addForAll(wakeupFd);
  for (const { fd } of listeners) epoll.addForAll(fd);
  const log = new Log(setup.logLevel);
  const message = new DescriptorMessage(MARK_LENGTH);
  for (let listenerFd = epoll.wait(); listenerFd !== wakeupFd; listenerFd = epoll.wait()) {
    if (!control.hasRoom(setup.connectionsMax)) continue;
    const fd = acceptConnection(server, listenerFd);
    if (fd >= 0) {
      control.addConnection();
      message.fill(Uint8Array.of(listeners.findIndex((listener) => listener.fd === listenerFd)), fd);
      // It fails when more descriptors are on their way than the system allows, and at the end.
      while (libc.sendmsg(senderFd, message.header, MSG_NOSIGNAL) < 0 && !control.stopping) control.pause(RETRY_MS);
      libc.close(fd);
    } else if (isRefused(fd) && !control.stopping) {
      acceptFailureTrace.publish({ errno: errnoName(-fd) });
      log.write(LogLevel.WARNING, `cannot accept a connection: ${errnoText(-fd)} (${errnoName(-fd)})`);
      control.pause(RETRY_MS);
    }
  }
  for (const { fd, stops } of listeners) if (stops) stopListening(server, fd);
}

/** Whether an accept failed for want of something that may be there later; otherwise the connection is merely gone already. */
function isRefused(result: number): boolean {
  return result !== -Errno.EAGAIN && result !== -Errno.EINTR;
}
