/**
 * A worker thread: takes one event at a time from the epoll instance that all workers share, and does everything about it by itself, the
 * ioctl included. While it is stuck in a system call, the others serve the rest.
 */

import { CLEAN_UP } from "../../scsi/pr-helper.js";
import { systemClock } from "../../base/clock.js";
import { EpollSet } from "../../native/server/epoll.js";
import { errnoName, errnoText } from "../../native/errno.js";
import { FileTypeReader } from "../../native/file/type.js";
import type { FileType } from "../../native/file/type.js";
import { libc as loadLibc } from "../../native/libc.js";
import type { Libc } from "../../native/libc.js";
import { loadServerLibc } from "../../native/server/libc.js";
import type { ServerLibc } from "../../native/server/libc.js";
import { callingTask } from "../../native/process/task.js";
import { blockSignals } from "../../native/signals.js";
import { DescriptorReceiver, whyNoDescriptor } from "../../native/server/unix.js";
import type { ScsiResult } from "../../scsi/command.js";
import { Sense, senseResult } from "../../scsi/sense.js";
import type { AdmissionRules } from "../connections/admission.js";
import { ClientRegister, Note } from "../shared/client-register.js";
import { ConnectionDesk } from "../connections/connection-desk.js";
import { Connection, CONNECTION_DESCRIPTOR_LIMIT, hasSlot, NO_DESCRIPTOR } from "../shared/connection-table.js";
import { Exchange } from "../connections/exchange.js";
import { Log, LogLevel } from "../log.js";
import { MultipathDetector } from "./multipath.js";
import { Reception } from "../connections/reception.js";
import { RequestRunner } from "./request-runner.js";
import { closesTooMany, SpentDescriptors, STUCK_CLOSES_PER_USER } from "./spent-descriptors.js";
import { Totals } from "../shared/totals.js";
import { acceptFailureTrace } from "../trace/trace-points.js";
import { printTraces } from "../trace/trace-printer.js";
import type { TraceOutput } from "../trace/trace-printer.js";
import { WorkerControl } from "../shared/worker-control.js";

/** What a worker is started with: descriptors of the process, and memory that all its threads share. */
export interface WorkerSetup {
  /** The epoll instance, which holds the gate's socket and the wake-up descriptor. */
  readonly epollFd: number;
  /** Where connections come from. */
  readonly gateFd: number;
  /** Readable when workers are to go; one-shot, so that one at a time hears of it. */
  readonly leaveFd: number;
  readonly control: SharedArrayBuffer;
  readonly connections: SharedArrayBuffer;
  readonly register: SharedArrayBuffer;
  readonly totals: SharedArrayBuffer;
  /** One of {@link LogLevel}. */
  readonly logLevel: number;
  readonly trace: TraceOutput;
  readonly admission: AdmissionRules;
  /** Clients are told apart by their process, and not by their user alone. */
  readonly byProcess: boolean;
  /** Requests are executed by the main thread, and not by SG_IO on the worker that received them. */
  readonly handOver: boolean;
  /** SG_IO on dm-multipath devices is allowed. */
  readonly allowMultipath: boolean;
}

/** {@link WorkerSetup} with the worker's own part of what is shared. */
export interface NumberedWorkerSetup extends WorkerSetup {
  /** 1 for the first worker; the main thread is 0. */
  readonly thread: number;
}

/**
 * What a worker tells the main thread: that it starts waiting for events; that no worker is idle; that there is no descriptor for a
 * connection now and the gate's socket is left unarmed; that a request is incomplete; that the request of a connection is the main thread's
 * to execute; or that a session has ended some of whose commands it executed.
 */
export type WorkerMessage =
  "ready" | "saturated" | "accept-failed" | "incomplete" | { readonly execute: number } | { readonly ended: number };

/** Stands for the user of a connection that was not let in. */
const NOBODY = 0xffff_ffff;

/** A client's turn: after this time other clients come first. It is enough for some dozens of quick requests, or one to a slow disk. */
const TURN_MS = 1;

/** One worker, in the thread it was created on. */
export class HelperWorker {
  readonly #setup: NumberedWorkerSetup;
  readonly #tell: (message: WorkerMessage) => void;
  readonly #libc: Libc;
  readonly #spent: SpentDescriptors;
  readonly #server: ServerLibc;
  readonly #epoll: EpollSet;
  readonly #control: WorkerControl;
  readonly #register: ClientRegister;
  readonly #totals: Totals;
  readonly #receiver: DescriptorReceiver;
  readonly #runner: RequestRunner;
  readonly #fileTypes = new FileTypeReader();
  readonly #multipath: MultipathDetector | null;
  readonly #exchange: Exchange;
  readonly #desk: ConnectionDesk;
  readonly #reception: Reception;
  readonly #log: Log;
  /** The byte that comes with a connection: which of the listening sockets it came to. */
  readonly #mark = new Uint8Array(1);
  /** By descriptor; as many as there are slots at most. */
  readonly #connections = new Map<number, Connection>();

  constructor(setup: NumberedWorkerSetup, tell: (message: WorkerMessage) => void) {
    this.#setup = setup;
    this.#tell = tell;
    this.#libc = loadLibc();
    this.#server = loadServerLibc();
    this.#epoll = new EpollSet(this.#server, setup.epollFd);
    this.#control = new WorkerControl(setup.control);
    this.#register = new ClientRegister(setup.register);
    this.#totals = new Totals(setup.totals, setup.thread);
    this.#log = new Log(setup.logLevel);
    this.#receiver = new DescriptorReceiver(this.#server, this.#mark.length);
    this.#runner = new RequestRunner(this.#libc);
    this.#spent = new SpentDescriptors(this.#libc, this.#control, setup.thread);
    this.#multipath = setup.allowMultipath ? null : new MultipathDetector();
    const shared = {
      discard: (descriptor: number, user: number) => this.#spent.add(descriptor, user),
      gone: () => this.#control.removeConnection(),
      server: this.#server,
      epoll: this.#epoll,
      register: this.#register,
      totals: this.#totals,
      log: this.#log,
    };
    this.#exchange = new Exchange(shared);
    this.#desk = new ConnectionDesk(setup.handOver ? { ...shared, ended: (session) => tell({ ended: session }) } : shared);
    this.#reception = new Reception({
      ...shared,
      desk: this.#desk,
      exchange: this.#exchange,
      rules: setup.admission,
      byProcess: setup.byProcess,
    });
  }

  /** Serves, until it is asked to stop or to go. Blocks the thread. */
  run(): void {
    blockSignals();
    printTraces(this.#setup.trace);
    this.#control.noteTask(this.#setup.thread, callingTask());
    // In this order, so that the worker is idle when the message arrives.
    this.#control.becomeIdle();
    this.#tell("ready");
    for (;;) {
      const fd = this.#epoll.wait();
      if (this.#control.becomeBusy()) this.#tell("saturated");
      if (this.#control.stopping) return;
      if (fd === this.#setup.leaveFd) {
        const leaving = this.#control.takeLeave();
        if (leaving > 1) this.#epoll.rearm(fd, "readable");
        if (leaving > 0) return;
      } else if (fd === this.#setup.gateFd) this.#accept();
      else this.#serve(this.#connection(fd));
      this.#spent.closeAll();
      this.#control.becomeIdle();
    }
  }

  /** The view of a slot is made once: it has four others in it. */
  #connection(fd: number): Connection {
    let connection = this.#connections.get(fd);
    if (connection === undefined) {
      connection = new Connection(this.#setup.connections, fd);
      this.#connections.set(fd, connection);
    }
    return connection;
  }

  #accept(): void {
    const lacking = whyNoDescriptor(this.#libc, this.#setup.gateFd);
    if (lacking !== 0) {
      if (this.#control.stopping) return;
      // What is received without room for it is lost; until then it waits.
      acceptFailureTrace.publish({ errno: errnoName(lacking) });
      this.#log.write(LogLevel.WARNING, `cannot accept a connection: ${errnoText(lacking)}`);
      this.#tell("accept-failed");
      return;
    }
    const descriptors: number[] = [];
    const count = this.#receiver.receive(this.#setup.gateFd, this.#mark, descriptors);
    if (this.#control.stopping) {
      for (const fd of descriptors) this.#spent.add(fd, NOBODY);
      return;
    }
    this.#epoll.rearm(this.#setup.gateFd, "readable");
    for (const fd of descriptors) this.#welcome(fd, this.#mark[0] ?? 0);
    if (count > 0 && descriptors.length === 0) {
      this.#control.removeConnection();
      this.#log.write(LogLevel.WARNING, "connection dropped: no descriptor is left for it");
    }
  }

  #welcome(fd: number, listener: number): void {
    if (!hasSlot(fd)) {
      this.#spent.add(fd, NOBODY);
      this.#control.removeConnection();
      this.#totals.add("connectionsRefused");
      this.#log.write(LogLevel.WARNING, `connection refused: all descriptors below ${CONNECTION_DESCRIPTOR_LIMIT} are in use`);
      return;
    }
    this.#reception.welcome(new Connection(this.#setup.connections, fd), listener);
    // A client that never says anything is an incomplete request too.
    this.#watchIncomplete();
  }

  #serve(connection: Connection): void {
    const { fd } = connection;
    this.#register.take(fd);
    if (this.#isOver(fd)) {
      this.#desk.close(connection);
      return;
    }
    const spent = connection.takeSpent();
    if (spent !== NO_DESCRIPTOR) this.#spent.add(spent, this.#register.userOf(fd));
    const endMs = systemClock.nowMs() + TURN_MS;
    let next = this.#exchange.advance(connection);
    while (next === "execute") {
      if (this.#setup.handOver && connection.cdb[0] !== CLEAN_UP) {
        this.#register.handOver(fd);
        this.#tell({ execute: fd });
        return;
      }
      const file = this.#fileTypes.read(connection.descriptor);
      next = this.#exchange.answer(connection, this.#execute(connection, file));
      this.#spent.add(connection.takeDescriptor(), this.#register.userOf(fd));
      // A quick client has sent its next request by now: to arm the connection would wake another worker for it. But no client waits for a
      // file to be closed. A device has nothing to do then, as long as the client has it open too.
      const goesOn = isDevice(file) && next === "readable" && systemClock.nowMs() < endMs && !this.#control.stopping;
      if (goesOn) this.#spent.closeAll();
      if (goesOn) next = this.#exchange.advance(connection);
    }
    const incomplete = next !== "close" && !connection.isIdle;
    this.#desk.dispatch(connection, next);
    if (incomplete) this.#watchIncomplete();
  }

  /** Whether the client is to be dropped, whatever it sent; it is still there to be received, and so is its descriptor. */
  #isOver(fd: number): boolean {
    if (this.#register.isNoted(fd, Note.ENDS)) return true;
    if (!closesTooMany(this.#control, this.#register.userOf(fd))) return false;
    this.#totals.add("stalled");
    this.#log.write(
      LogLevel.WARNING,
      `client ${fd} dropped: ${STUCK_CLOSES_PER_USER} descriptors of its user are waiting to be closed, the most allowed`,
    );
    return true;
  }

  #execute({ fd, descriptor, cdb, data, length }: Connection, file: FileType): ScsiResult {
    if (cdb[0] === CLEAN_UP) return this.#runner.cleanUp(descriptor);
    const multipath = this.#multipath?.find(file) ?? null;
    if (multipath === null) {
      return this.#runner.run(descriptor, isDevice(file), cdb, data.subarray(0, length));
    }
    this.#totals.add("multipathRefused");
    if (this.#register.note(fd, Note.MULTIPATH)) {
      const reason = "SG_IO on dm-multipath would register on one path only (--allow-dm allows it)";
      this.#log.write(LogLevel.WARNING, `client ${fd}: device ${multipath} refused: ${reason}`);
    }
    // As a disk answers that has no reservations at all.
    return senseResult(Sense.INVALID_COMMAND_OPERATION_CODE);
  }

  #watchIncomplete(): void {
    if (this.#control.noteIncomplete()) this.#tell("incomplete");
  }
}

function isDevice({ kind }: FileType): boolean {
  return kind === "block" || kind === "character";
}
