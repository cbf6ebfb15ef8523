/**
 * The server's half of the wire protocol on one connection (layout: scsi/pr-helper.ts): handshake, then request and
 * answer in turn. The checks are those of qemu-pr-helper, in its order and with its consequences; anything that breaks the protocol ends the
 * connection.
 */

import { assert, unreachable } from "../../base/assert.js";
import {
  CDB_SIZE,
  CLEAN_UP,
  DATA_SIZE_MAX,
  encodeFeatures,
  followingBytes,
  NO_FEATURES,
  RESPONSE_HEADER_SIZE,
  transferLengthOf,
  writeResponseHeader,
} from "../../scsi/pr-helper.js";
import { Errno, errnoText } from "../../native/errno.js";
import type { Interest } from "../../native/server/epoll.js";
import type { ServerLibc } from "../../native/server/libc.js";
import { DescriptorReceiver, receiveBytes, sendBytes } from "../../native/server/unix.js";
import { readU32, toHex } from "../../scsi/bytes.js";
import { ScsiStatus } from "../../scsi/command.js";
import type { ScsiResult } from "../../scsi/command.js";
import { PR_IN, PR_OUT } from "../../scsi/persistent-reserve.js";
import type { ClientRegister } from "../shared/client-register.js";
import { NO_DESCRIPTOR } from "../shared/connection-table.js";
import type { Connection } from "../shared/connection-table.js";
import { LogLevel } from "../log.js";
import type { Log } from "../log.js";
import type { TotalName, Totals } from "../shared/totals.js";
import { requestTrace, responseTrace } from "../trace/trace-points.js";

/** What a connection waits for next, that its request is to be executed and answered, or that it is to be closed. */
export type Next = Interest | "execute" | "close";

const TOTAL_OF_OPERATION: Readonly<Record<number, TotalName>> = { [PR_IN]: "reserveIn", [PR_OUT]: "reserveOut", [CLEAN_UP]: "cleanUp" };

const TOTAL_OF_STATUS: Readonly<Record<number, TotalName>> = {
  [ScsiStatus.GOOD]: "good",
  [ScsiStatus.CHECK_CONDITION]: "checkCondition",
  [ScsiStatus.RESERVATION_CONFLICT]: "reservationConflict",
};

/** The client broke the protocol: its connection ends. */
class Breach extends Error {}

/** What an {@link Exchange} needs. */
export interface ExchangeParts {
  readonly server: ServerLibc;
  readonly log: Log;
  readonly totals: Totals;
  readonly register: ClientRegister;
  /** Takes a descriptor of a client that is to be closed, when nothing waits for that any more. */
  readonly discard: (descriptor: number, user: number) => void;
}

/** Serves connections, one step at a time, on one thread. */
export class Exchange {
  readonly #server: ServerLibc;
  readonly #log: Log;
  readonly #totals: Totals;
  readonly #register: ClientRegister;
  readonly #discard: ExchangeParts["discard"];
  readonly #receiver: DescriptorReceiver;

  constructor({ server, log, totals, register, discard }: ExchangeParts) {
    this.#discard = discard;
    this.#server = server;
    this.#log = log;
    this.#totals = totals;
    this.#register = register;
    this.#receiver = new DescriptorReceiver(server, CDB_SIZE);
  }

  /** First words on a new connection. False when they cannot be sent, so that it is to be closed. */
  greet(connection: Connection): boolean {
    const features = encodeFeatures(NO_FEATURES);
    return sendBytes(this.#server, connection.fd, features) === features.length;
  }

  /** Goes on where the connection stands, until it has to wait, has a whole request, or has been sent an answer. */
  advance(connection: Connection): Next {
    try {
      return this.#advance(connection);
    } catch (error) {
      if (!(error instanceof Breach)) throw error;
      this.#totals.add("protocolErrors");
      this.#log.write(LogLevel.WARNING, `client ${connection.fd} dropped: ${error.message}`);
      return "close";
    }
  }

  /**
   * Answers the request that {@link advance} said is to be executed, and goes on as far as {@link advance} does. Its descriptor is the
   * caller's from then on: to close it may take for ever, and the client has its answer before.
   * @param result what came of it; data only with GOOD, at most {@link DATA_SIZE_MAX} bytes
   */
  answer(connection: Connection, result: ScsiResult): Exclude<Next, "execute"> {
    if (responseTrace.enabled) responseTrace.publish({ client: connection.fd, status: result.status, size: result.dataIn.length });
    this.#count(connection, result.status);
    if (this.#log.shows(LogLevel.REQUEST)) {
      this.#log.write(LogLevel.REQUEST, `client ${connection.fd}: ${toHex(connection.cdb)}: status 0x${result.status.toString(16)}`);
    }
    writeResponseHeader(connection.answer, result.status, result.dataIn.length, result.sense);
    connection.data.set(result.dataIn);
    connection.begin("answer", RESPONSE_HEADER_SIZE + result.dataIn.length);
    const next = this.advance(connection);
    assert(next !== "execute", "a new request follows an answer");
    return next;
  }

  #count({ fd, cdb }: Connection, status: number): void {
    this.#register.count(fd, status === ScsiStatus.GOOD);
    this.#totals.add(TOTAL_OF_OPERATION[cdb[0] ?? 0] ?? "reserveIn");
    this.#totals.add(TOTAL_OF_STATUS[status] ?? "otherStatus");
  }

  #advance(connection: Connection): Next {
    while (connection.position < connection.length) {
      const count = this.#transfer(connection);
      if (count === -Errno.EAGAIN) return connection.phase === "answer" ? "writable" : "readable";
      if (count === 0) return this.#endOfStream(connection);
      if (count < 0) {
        const attempted = connection.phase === "answer" ? "its answer cannot be sent" : "nothing can be received";
        throw new Breach(`${attempted}: ${errnoText(-count)}`);
      }
      connection.advance(count);
    }
    return this.#complete(connection);
  }

  /** Receives or sends some of what is left of this phase: the number of bytes, 0 at the end of the stream, or minus the errno. */
  #transfer(connection: Connection): number {
    const { fd, rest } = connection;
    switch (connection.phase) {
      case "answer":
        return sendBytes(this.#server, fd, rest);
      case "cdb":
        return this.#receiveCdb(connection, rest);
      default:
        return receiveBytes(this.#server, fd, rest);
    }
  }

  #receiveCdb(connection: Connection, rest: Uint8Array): number {
    const descriptors: number[] = [];
    const count = this.#receiver.receive(connection.fd, rest, descriptors);
    // Of several that were sent, one at least would have been received if there was room for any.
    if (this.#receiver.truncated && descriptors.length === 0) throw new Breach("no descriptor is left for the one in its request");
    for (const descriptor of descriptors) {
      if (connection.descriptor === NO_DESCRIPTOR) connection.descriptor = descriptor;
      else this.#discard(descriptor, this.#register.userOf(connection.fd));
    }
    if (descriptors.length > 1 || (descriptors.length === 1 && connection.descriptor !== descriptors[0])) {
      throw new Breach("more than one file descriptor in one request");
    }
    return count;
  }

  #endOfStream(connection: Connection): Next {
    const between = connection.position === 0 && connection.phase !== "parameter-list";
    if (between) return "close";
    throw new Breach("closed the connection in the middle of a request");
  }

  #complete(connection: Connection): Next {
    switch (connection.phase) {
      case "features":
        return this.#agreeOnFeatures(connection);
      case "cdb":
        return this.#acceptRequest(connection);
      case "parameter-list":
        if (requestTrace.enabled) requestTrace.publish({ client: connection.fd, cdb: connection.cdb, size: connection.length });
        return "execute";
      case "answer":
        connection.begin("cdb", CDB_SIZE);
        return "readable";
      default:
        return unreachable(connection.phase);
    }
  }

  #agreeOnFeatures(connection: Connection): Next {
    const wanted = readU32(connection.cdb, 0);
    if (wanted !== NO_FEATURES) throw new Breach(`unknown features 0x${wanted.toString(16)} wanted`);
    connection.begin("cdb", CDB_SIZE);
    return "readable";
  }

  #acceptRequest(connection: Connection): Next {
    const [operationCode = 0] = connection.cdb;
    const length = transferLengthOf(connection.cdb);
    if (connection.descriptor === NO_DESCRIPTOR) throw new Breach("no file descriptor in the request");
    if (!Object.hasOwn(TOTAL_OF_OPERATION, operationCode)) {
      throw new Breach(`operation code 0x${operationCode.toString(16)} is not PERSISTENT RESERVE IN or OUT`);
    }
    if (length > DATA_SIZE_MAX) throw new Breach(`${length} bytes of data, and ${DATA_SIZE_MAX} are allowed`);
    connection.begin("parameter-list", followingBytes(connection.cdb));
    return this.#advance(connection);
  }
}
