/** The request queues of a virtio-scsi device: SCSI commands (virtio 1.2, 5.6.6.1; QEMU: hw/scsi/virtio-scsi.c). */
import { QomError } from "../../base/errors.js";
import { blockAccess } from "../../scsi/cdb.js";
import type { DataDirection } from "../../scsi/cdb.js";
import { bareStatus, NO_BYTES, ScsiStatus } from "../../scsi/command.js";
import type { ScsiCommand, ScsiResult } from "../../scsi/command.js";
import { HostStatus } from "../../scsi/host-status.js";
import { fixedFormat, Sense, senseResult } from "../../scsi/sense.js";
import {
  COMMAND_REQUEST_LENGTH,
  COMMAND_RESPONSE_LENGTH,
  parseCommandRequest,
  VirtioScsiResponse,
  writeCommandResponse,
} from "../../scsi/virtio-scsi.js";
import type { AdmittedCommand, FrontUnit } from "../bus/bus-front.js";
import { copyOf, lengthOf, viewIn, writeTo } from "./chain.js";
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

/** A command that is on its way to a device. */
export interface PendingCommand {
  readonly unit: FrontUnit;
  readonly tag: bigint;
}

interface Pending extends PendingCommand {
  readonly controller: AbortController;
  ending: Ending | null;
  ended: Promise<UsedLength>;
}

/** A command with its buffers, which lie behind the request and its response. */
interface BufferedCommand {
  readonly request: VirtioScsiCommand;
  readonly chain: VirtioChain;
  readonly direction: DataDirection;
  /** Where data-out begins in what is readable. */
  readonly outAt: number;
  /** Where data-in begins in what is writable, which is the length of the response with its sense field. */
  readonly inAt: number;
  readonly dataBytes: number;
}

/** See the module text. */
export class VirtioScsiCommands {
  readonly #context: VirtioScsiContext;
  readonly #pending = new Set<Pending>();
  #gatheredBytes = 0;

  constructor(context: VirtioScsiContext) {
    this.#context = context;
  }

  /** Takes a command. It has begun, and may have ended, when this returns. */
  submit(chain: VirtioChain): UsedLength | Promise<UsedLength> {
    const { front, sizes, fail } = this.#context;
    const [readableBytes, writableBytes] = [lengthOf(chain.readable), lengthOf(chain.writable)];
    const outAt = COMMAND_REQUEST_LENGTH + sizes.cdbSize;
    const inAt = COMMAND_RESPONSE_LENGTH + sizes.senseSize;
    if (readableBytes < outAt) return fail(`a command has ${readableBytes} bytes of request instead of ${outAt}`);
    if (writableBytes < inAt) return fail(`a command has ${writableBytes} bytes for its response instead of ${inAt}`);
    const [outBytes, inBytes] = [readableBytes - outAt, writableBytes - inAt];
    const direction = outBytes > 0 ? "out" : inBytes > 0 ? "in" : "none";
    const request = parseCommandRequest(copyOf(chain.readable, 0, outAt));
    const buffered: BufferedCommand = { request, chain, direction, outAt, inAt, dataBytes: outBytes + inBytes };
    const { address, cdb, tag } = request;
    if (commandRequestTrace.enabled) commandRequestTrace.publish({ ...atUnit(address), tag, opcode: cdb[0] ?? 0 });
    if (outBytes > 0 && inBytes > 0) return respond(buffered, VirtioScsiResponse.FAILURE);
    if (address === null) return respond(buffered, VirtioScsiResponse.BAD_TARGET);
    const admission = front.admit(address, { cdbField: cdb, direction, dataBytes: buffered.dataBytes });
    if (admission.kind === "no-target") return respond(buffered, VirtioScsiResponse.BAD_TARGET);
    if (admission.kind === "overrun") return respond(buffered, VirtioScsiResponse.OVERRUN);
    return admission.kind === "answer" ? respondWith(buffered, admission.result) : this.#execute(admission, buffered);
  }

  /** Whether a command that `concerns` names is in flight. */
  some(concerns: (command: PendingCommand) => boolean): boolean {
    return [...this.#pending].some(concerns);
  }

  /** Marks the commands that `concerns` names as ended for this reason; resolves when they have been answered. */
  async end(ending: Ending, concerns: (command: PendingCommand) => boolean, by: (() => Promise<void>) | null = null): Promise<void> {
    const ended = [...this.#pending].filter(concerns);
    for (const command of ended) command.ending ??= ending;
    if (by === null) for (const command of ended) command.controller.abort();
    else await by();
    await Promise.all(ended.map((command) => command.ended));
  }

  #execute({ unit, cdb, dataBytes }: AdmittedCommand, buffered: BufferedCommand): UsedLength | Promise<UsedLength> {
    const direct = directBuffer(cdb, dataBytes, buffered);
    const gathers = direct === null ? dataBytes : 0;
    if (gathers > GATHERED_BYTES_MAX) return respondWith(buffered, senseResult(Sense.INVALID_FIELD_IN_CDB));
    if (this.#gatheredBytes + gathers > GATHERED_BYTES_MAX) return respondWith(buffered, bareStatus(ScsiStatus.TASK_SET_FULL));
    const controller = unit.spareControllers.pop() ?? new AbortController();
    const pending: Pending = { unit, tag: buffered.request.tag, controller, ending: null, ended: NEVER };
    const sent = withBuffer(cdb, controller.signal, buffered.direction, direct ?? gather(buffered, dataBytes));
    this.#gatheredBytes += gathers;
    this.#pending.add(pending);
    pending.ended = this.#answer(pending, sent, buffered, direct).finally(() => {
      this.#gatheredBytes -= gathers;
      this.#pending.delete(pending);
      if (!controller.signal.aborted) unit.spareControllers.push(controller);
    });
    return pending.ended;
  }

  async #answer(pending: Pending, command: ScsiCommand, buffered: BufferedCommand, direct: Uint8Array | null): Promise<UsedLength> {
    let result: ScsiResult;
    try {
      result = await pending.unit.device.execute(command);
    } catch (error) {
      return pending.ending === "device-reset" ? null : respond(buffered, responseToError(error));
    }
    if (pending.ending === "device-reset") return null;
    if (pending.ending !== null) return respond(buffered, ENDING_RESPONSES[pending.ending]);
    this.#context.front.completed(pending.unit, result);
    return respondWith(buffered, result, { sentBytes: command.dataOut?.length ?? 0, direct });
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

/** What a device was given of the buffers. */
interface Given {
  /** Bytes of data-out. */
  readonly sentBytes: number;
  /** The guest's own memory, if the data went there or came from there. */
  readonly direct: Uint8Array | null;
}

/** Nothing: the bus has answered. */
const NOTHING: Given = Object.freeze({ sentBytes: 0, direct: null });

/** Answers with what the bus or a device says. The residual is what of the buffers was left alone. */
function respondWith(buffered: BufferedCommand, result: ScsiResult, { direct, sentBytes }: Given = NOTHING): number {
  const { chain, dataBytes, direction, inAt } = buffered;
  if (result.hostStatus !== undefined) {
    return respond(buffered, HOST_RESPONSES.get(result.hostStatus) ?? VirtioScsiResponse.FAILURE);
  }
  const dataIn = direction === "in" ? result.dataIn.subarray(0, dataBytes) : NO_BYTES;
  const inPlace = direct !== null && dataIn.buffer === direct.buffer && dataIn.byteOffset === direct.byteOffset;
  if (!inPlace && dataIn.length > 0) writeTo(chain.writable, inAt, dataIn);
  const good = result.status === ScsiStatus.GOOD;
  const residual = good ? dataBytes - dataIn.length - sentBytes : 0;
  return finish(buffered, VirtioScsiResponse.OK, result.status, residual, good ? NO_BYTES : fixedFormat(result.sense)) + dataIn.length;
}

function finish({ chain, inAt, request }: BufferedCommand, response: number, status: number, residual: number, sense: Uint8Array): number {
  const { address, tag } = request;
  if (commandResponseTrace.enabled) commandResponseTrace.publish({ ...atUnit(address), tag, response, status });
  const inPlace = viewIn(chain.writable, 0, inAt);
  const bytes = inPlace ?? new Uint8Array(inAt);
  writeCommandResponse(bytes, { response, status, residual, sense });
  if (inPlace === null) writeTo(chain.writable, 0, bytes);
  return inAt;
}
