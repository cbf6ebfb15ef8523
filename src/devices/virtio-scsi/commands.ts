/** The request queues of a virtio-scsi device: SCSI commands (virtio 1.2, 5.6.6.1; QEMU: hw/scsi/virtio-scsi.c). */
import { QomError } from "../../base/errors.js";
import { blockAccess } from "../../scsi/cdb.js";
import type { DataDirection } from "../../scsi/cdb.js";
import { bareStatus, NO_BYTES, ScsiStatus } from "../../scsi/command.js";
import type { ScsiAnswer, ScsiCommand, ScsiResult } from "../../scsi/command.js";
import { HostStatus } from "../../scsi/host-status.js";
import { fixedFormat, Sense, senseResult } from "../../scsi/sense.js";
import {
  COMMAND_REQUEST_LENGTH,
  COMMAND_RESPONSE_LENGTH,
  parseCommandRequest,
  VirtioScsiResponse,
  writeCommandResponse,
} from "../../scsi/virtio-scsi.js";
import { FrontUnit } from "../bus/bus-front.js";
import type { FrontCommand } from "../bus/bus-front.js";
import { copyOf, headOf, lengthOf, viewIn, writeTo } from "./chain.js";
import type { VirtioChain } from "./chain.js";
import type { VirtioScsiCommand } from "../../scsi/virtio-scsi.js";
import type { UsedLength, VirtioScsiContext } from "./context.js";
import { atUnit, commandRequestTrace, commandResponseTrace } from "./trace.js";

/**
 * Most bytes of data that all commands in flight may have outside the guest's memory. A guest can describe the same page again and
 * again; 256 commands of 1 MiB, a full queue of what Linux sends, fit. A command for which there is no room ends with TASK SET FULL,
 * upon which drivers send it again later.
 */
const GATHERED_BYTES_MAX = 256 * 1024 * 1024;

/** Response by Linux host byte (QEMU: virtio_scsi_command_failed); FAILURE for all others. */
const HOST_RESPONSES: ReadonlyMap<number, number> = new Map([
  [HostStatus.NO_CONNECT, VirtioScsiResponse.INCORRECT_LUN],
  [HostStatus.BUS_BUSY, VirtioScsiResponse.BUSY],
  [HostStatus.TIME_OUT, VirtioScsiResponse.ABORTED],
  [HostStatus.BAD_TARGET, VirtioScsiResponse.BAD_TARGET],
  [HostStatus.ABORT, VirtioScsiResponse.ABORTED],
  [HostStatus.RESET, VirtioScsiResponse.RESET],
  [HostStatus.TRANSPORT_DISRUPTED, VirtioScsiResponse.TRANSPORT_FAILURE],
  [HostStatus.TARGET_FAILURE, VirtioScsiResponse.TARGET_FAILURE],
  [HostStatus.NEXUS_FAILURE, VirtioScsiResponse.NEXUS_FAILURE],
]);

/** Why a command is ended before its time: by a task management function, or because the driver has reset the whole device. */
export type Ending = "aborted" | "reset" | "device-reset";

const ENDING_RESPONSES: Readonly<Record<Exclude<Ending, "device-reset">, number>> = Object.freeze({
  aborted: VirtioScsiResponse.ABORTED,
  reset: VirtioScsiResponse.RESET,
});

/** A command that a device has not answered yet. */
export interface PendingCommand {
  readonly unit: FrontUnit;
  readonly request: VirtioScsiCommand;
}

interface Pending extends PendingCommand {
  /** Counts the commands that were given to devices. */
  readonly number: number;
  /** Bytes of its data outside the guest's memory. */
  readonly gathers: number;
  readonly controller: AbortController;
  ending: Ending | null;
  ended: Promise<UsedLength>;
}

/** A command with its buffers, which lie behind the request and its response. */
interface BufferedCommand extends FrontCommand {
  readonly request: VirtioScsiCommand;
  readonly chain: VirtioChain;
  /** Where data-out begins in what is readable. */
  readonly outAt: number;
  /** Where data-in begins in what is writable, which is the length of the response with its sense field. */
  readonly inAt: number;
}

/** See the module text. */
export class VirtioScsiCommands {
  readonly #context: VirtioScsiContext;
  readonly #pending = new Set<Pending>();
  #gatheredBytes = 0;
  /** Number of the last command that was given to a device. */
  #number = 0;
  /** Commands that are being given to devices just now: a device, or its manager, may call for their end meanwhile. */
  #sending = 0;

  constructor(context: VirtioScsiContext) {
    this.#context = context;
  }

  /** Takes a command. It has begun, and may have ended, when this returns. */
  submit(chain: VirtioChain): UsedLength | Promise<UsedLength> {
    const { front, sizes, fail } = this.#context;
    const readableBytes = lengthOf(chain.readable);
    const writableBytes = lengthOf(chain.writable);
    const outAt = COMMAND_REQUEST_LENGTH + sizes.cdbSize;
    const inAt = COMMAND_RESPONSE_LENGTH + sizes.senseSize;
    if (readableBytes < outAt) return fail(`a command has ${readableBytes} bytes of request instead of ${outAt}`);
    if (writableBytes < inAt) return fail(`a command has ${writableBytes} bytes for its response instead of ${inAt}`);
    const outBytes = readableBytes - outAt;
    const inBytes = writableBytes - inAt;
    const direction = outBytes > 0 ? "out" : inBytes > 0 ? "in" : "none";
    const request = parseCommandRequest(headOf(chain.readable, outAt), sizes.cdbSize);
    const { address, cdb } = request;
    const buffered: BufferedCommand = { cdb, direction, dataBytes: outBytes + inBytes, request, chain, outAt, inAt };
    if (commandRequestTrace.enabled) commandRequestTrace.publish({ ...atUnit(address), tag: request.tag, opcode: cdb[0] ?? 0 });
    if (outBytes > 0 && inBytes > 0) return respond(buffered, VirtioScsiResponse.FAILURE);
    if (address === null) return respond(buffered, VirtioScsiResponse.BAD_TARGET);
    const admission = front.admit(address, buffered);
    if (admission instanceof FrontUnit) return this.#execute(admission, buffered);
    if (admission === "no-target") return respond(buffered, VirtioScsiResponse.BAD_TARGET);
    if (admission === "overrun") return respond(buffered, VirtioScsiResponse.OVERRUN);
    return respondWith(buffered, admission);
  }

  /** Whether a command that `concerns` names is in flight. */
  some(concerns: (command: PendingCommand) => boolean): boolean {
    return [...this.#pending].some(concerns);
  }

  /** Marks the commands that `concerns` names as ended for this reason; resolves when they have been answered. */
  async end(ending: Ending, concerns: (command: PendingCommand) => boolean, by: (() => Promise<void>) | null = null): Promise<void> {
    const last = this.#number;
    // Those that are being sent are pending, or answered, once the program has returned to where it waits.
    if (this.#sending > 0) await Promise.resolve();
    const ended = [...this.#pending].filter((command) => command.number <= last && concerns(command));
    for (const command of ended) command.ending ??= ending;
    if (by === null) for (const command of ended) command.controller.abort();
    else await by();
    await Promise.all(ended.map((command) => command.ended));
  }

  #execute(unit: FrontUnit, buffered: BufferedCommand): UsedLength | Promise<UsedLength> {
    const { cdb } = buffered;
    const dataBytes = unit.bytesOf(buffered);
    if (dataBytes === null) return respond(buffered, VirtioScsiResponse.OVERRUN);
    const direct = directBuffer(cdb, dataBytes, buffered);
    const sentBytes = buffered.direction === "out" ? dataBytes : 0;
    const gathers = direct === null ? dataBytes : 0;
    if (gathers > GATHERED_BYTES_MAX) return respondWith(buffered, senseResult(Sense.INVALID_FIELD_IN_CDB));
    if (this.#gatheredBytes + gathers > GATHERED_BYTES_MAX) return respondWith(buffered, bareStatus(ScsiStatus.TASK_SET_FULL));
    const controller = unit.spareControllers.pop() ?? new AbortController();
    const sent = withBuffer(cdb, controller.signal, buffered.direction, direct ?? gather(buffered, dataBytes));
    this.#number += 1;
    const number = this.#number;
    this.#sending += 1;
    let answer: ScsiAnswer;
    try {
      answer = unit.device.answer(sent, controller);
    } catch (error) {
      return respond(buffered, responseToError(error));
    } finally {
      this.#sending -= 1;
    }
    if (answer instanceof Promise) {
      const pending: Pending = { number, unit, request: buffered.request, gathers, controller, ending: null, ended: NEVER };
      this.#gatheredBytes += gathers;
      this.#pending.add(pending);
      pending.ended = this.#await(pending, answer, buffered, sentBytes, direct);
      return pending.ended;
    }
    unit.spareControllers.push(controller);
    return respondOf(unit, buffered, answer, sentBytes, direct);
  }

  async #await(
    pending: Pending,
    answer: Promise<ScsiResult>,
    buffered: BufferedCommand,
    sentBytes: number,
    direct: Uint8Array | null,
  ): Promise<UsedLength> {
    const { controller, unit } = pending;
    let result: ScsiResult;
    try {
      result = await answer;
    } catch (error) {
      return pending.ending === "device-reset" ? null : respond(buffered, responseToError(error));
    } finally {
      this.#gatheredBytes -= pending.gathers;
      this.#pending.delete(pending);
      if (!controller.signal.aborted) unit.spareControllers.push(controller);
    }
    if (pending.ending === "device-reset") return null;
    if (pending.ending !== null) return respond(buffered, ENDING_RESPONSES[pending.ending]);
    return respondOf(unit, buffered, result, sentBytes, direct);
  }
}

/** Stands for the end of a command until there is one. */
const NEVER: Promise<UsedLength> = Promise.resolve(null);

/** A device that is being deleted is no target any more; anything else is a mistake of a device or manager that the guest cannot help. */
function responseToError(error: unknown): number {
  if (error instanceof QomError && error.kind === "closed") return VirtioScsiResponse.BAD_TARGET;
  process.emitWarning(error instanceof Error ? error : new Error(String(error)));
  return VirtioScsiResponse.FAILURE;
}

/**
 * The guest's own memory, for data that nobody looks into: blocks, when they lie in one piece. All else is copied, so that a parameter
 * list does not change while it is read, and nothing writes into the guest's memory once a command has been answered.
 */
function directBuffer(cdb: Uint8Array, dataBytes: number, { chain, direction, inAt, outAt }: BufferedCommand): Uint8Array | null {
  if (direction === "none") return NO_BYTES;
  if (blockAccess(cdb) === null) return null;
  return direction === "out" ? viewIn(chain.readable, outAt, dataBytes) : viewIn(chain.writable, inAt, dataBytes);
}

function gather({ chain, direction, outAt }: BufferedCommand, dataBytes: number): Uint8Array {
  return direction === "out" ? copyOf(chain.readable, outAt, dataBytes) : new Uint8Array(dataBytes);
}

function withBuffer(cdb: Uint8Array, signal: AbortSignal, direction: DataDirection, buffer: Uint8Array): ScsiCommand {
  if (direction === "none") return { cdb, signal, allocationLength: 0 };
  return direction === "out" ? { cdb, signal, dataOut: buffer } : { cdb, signal, into: buffer };
}

/** Answers without a SCSI status. */
function respond(buffered: BufferedCommand, response: number): number {
  return finish(buffered, response, 0, 0, NO_BYTES);
}

/** Answers with what a device says, and remembers what that tells about its unit. */
function respondOf(unit: FrontUnit, buffered: BufferedCommand, result: ScsiResult, sentBytes: number, direct: Uint8Array | null): number {
  if (result.hostStatus !== undefined) {
    return respond(buffered, HOST_RESPONSES.get(result.hostStatus) ?? VirtioScsiResponse.FAILURE);
  }
  unit.sense = result.status === ScsiStatus.GOOD ? NO_BYTES : result.sense;
  return respondWith(buffered, result, sentBytes, direct);
}

/** Answers with what the bus or a device says, which is no failure of the transport. The residual is what of the buffers was left alone. */
function respondWith(buffered: BufferedCommand, result: ScsiResult, sentBytes = 0, direct: Uint8Array | null = null): number {
  const { chain, dataBytes, direction, inAt } = buffered;
  const dataIn = direction === "in" ? atMost(result.dataIn, dataBytes) : NO_BYTES;
  if (dataIn.length > 0 && !isAt(dataIn, direct)) writeTo(chain.writable, inAt, dataIn);
  const good = result.status === ScsiStatus.GOOD;
  const residual = good ? dataBytes - dataIn.length - sentBytes : 0;
  return finish(buffered, VirtioScsiResponse.OK, result.status, residual, good ? NO_BYTES : fixedFormat(result.sense)) + dataIn.length;
}

/** Whether the data are where the device was to put them. */
function isAt(dataIn: Uint8Array, direct: Uint8Array | null): boolean {
  return dataIn === direct || (dataIn.buffer === direct?.buffer && dataIn.byteOffset === direct.byteOffset);
}

/** A view costs more than to see that none is needed. */
function atMost(bytes: Uint8Array, length: number): Uint8Array {
  return bytes.length <= length ? bytes : bytes.subarray(0, length);
}

function finish({ chain, inAt, request }: BufferedCommand, response: number, status: number, residual: number, sense: Uint8Array): number {
  if (commandResponseTrace.enabled) commandResponseTrace.publish({ ...atUnit(request.address), tag: request.tag, response, status });
  const [first] = chain.writable;
  if (first !== undefined && first.length >= inAt) {
    writeCommandResponse(first, { response, status, residual, sense }, inAt);
    return inAt;
  }
  const bytes = new Uint8Array(inAt);
  writeCommandResponse(bytes, { response, status, residual, sense });
  writeTo(chain.writable, 0, bytes);
  return inAt;
}
