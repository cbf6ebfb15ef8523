/**
 * What driver and device of a virtio SCSI host write into each other's buffers (virtio 1.2, 5.6). Every field is little-endian.
 *
 *     LUN field (8 bytes)              0  1      1  target      2..3  LUN: 00xx to 255, or 4000h | LUN to 16383      4..7  not looked at
 *
 *     request queues: command          0..7  LUN    8..15  tag   16  task attribute   17  priority   18  CRN   19..  CDB (cdb_size bytes)
 *                     then data-out
 *                     its response     0..3  sense length    4..7  residual   8..9  status qualifier   10  status   11  response
 *                                      12..  sense (sense_size bytes)
 *                     then data-in
 *
 *     control queue:  task management  0..3  type 0    4..7  function    8..15  LUN      16..23  tag
 *                     its response     0     response
 *                     notification     0..3  type 1 query, 2 subscribe   4..11  LUN      12..15  events requested
 *                     its response     0..3  events             4  response
 *
 *     event queue:    event            0..3  event (bit 31: some were missed)   4..11  LUN   12..15  reason
 *
 *     configuration   0 num_queues   4 seg_max   8 max_sectors   12 cmd_per_lun   16 event_info_size   20 sense_size   24 cdb_size
 *                     28 max_channel (2 bytes)   30 max_target (2 bytes)   32 max_lun
 */

import { CDB_LENGTH_MAX, cdbLengthOf } from "./cdb.js";
import { LUN_MAX, writeLun } from "./report-luns.js";

/** The `response` byte of commands and of control requests (virtio 1.2, 5.6.6.1 and 5.6.6.2). */
export const VirtioScsiResponse = Object.freeze({
  /** Of a command: its `status` is valid. Of task management: FUNCTION COMPLETE. */
  OK: 0,
  /** The CDB wants more data than the buffers hold, or in the other direction. */
  OVERRUN: 1,
  ABORTED: 2,
  BAD_TARGET: 3,
  RESET: 4,
  BUSY: 5,
  TRANSPORT_FAILURE: 6,
  TARGET_FAILURE: 7,
  NEXUS_FAILURE: 8,
  FAILURE: 9,
  FUNCTION_SUCCEEDED: 10,
  FUNCTION_REJECTED: 11,
  INCORRECT_LUN: 12,
});

/** Feature bits of the device type (virtio 1.2, 5.6.3). INOUT and T10_PI are not offered. */
export const VirtioScsiFeature = Object.freeze({
  /** VIRTIO_SCSI_F_HOTPLUG: events tell of units that come and go. */
  HOTPLUG: 1n << 1n,
  /** VIRTIO_SCSI_F_CHANGE: events tell of parameters that changed. */
  CHANGE: 1n << 2n,
});

/** Queues by their index (virtio 1.2, 5.6.2); the request queues follow. */
export const VirtioScsiQueue = Object.freeze({ CONTROL: 0, EVENT: 1, REQUEST: 2 });

/** Task management functions (virtio 1.2, 5.6.6.2). */
export const VirtioScsiTmf = Object.freeze({
  ABORT_TASK: 0,
  ABORT_TASK_SET: 1,
  CLEAR_ACA: 2,
  CLEAR_TASK_SET: 3,
  I_T_NEXUS_RESET: 4,
  LOGICAL_UNIT_RESET: 5,
  QUERY_TASK: 6,
  QUERY_TASK_SET: 7,
});

/** Events (virtio 1.2, 5.6.6.3). */
export const VirtioScsiEvent = Object.freeze({ NONE: 0, TRANSPORT_RESET: 1, PARAMETER_CHANGE: 3 });

/** Reasons of {@link VirtioScsiEvent}.TRANSPORT_RESET that are ever given: a unit is there, a unit has gone. */
export const TransportResetReason = Object.freeze({ RESCAN: 1, REMOVED: 2 });

/** Bytes of a command request before the CDB. */
export const COMMAND_REQUEST_LENGTH = 19;
/** Bytes of a command's response before the sense data. */
export const COMMAND_RESPONSE_LENGTH = 12;
/** Bytes of a control request's type. */
export const CONTROL_TYPE_LENGTH = 4;
/** Bytes of a task management request. */
export const TMF_REQUEST_LENGTH = 24;
/** Bytes of its response. */
export const TMF_RESPONSE_LENGTH = 1;
/** Bytes of a request about asynchronous notifications. */
export const NOTIFICATION_REQUEST_LENGTH = 16;
/** Bytes of its response. */
export const NOTIFICATION_RESPONSE_LENGTH = 5;
/** Bytes of an event. */
export const EVENT_LENGTH = 16;
/** Bytes of the configuration space. */
const CONFIG_LENGTH = 36;

/** Size of the CDB field until the driver writes another one. */
export const CDB_SIZE_DEFAULT = 32;
/** Size of the sense field until the driver writes another one. */
export const SENSE_SIZE_DEFAULT = 96;
/** Longest CDB field that a driver may ask for (QEMU: virtio_scsi_set_config); no CDB is longer. */
export const CDB_SIZE_MAX = 255;
/** Longest sense field that a driver may ask for (QEMU: virtio_scsi_set_config). */
export const SENSE_SIZE_MAX = 65_535;

/** Types of control requests. */
const TYPE_TMF = 0;
const TYPE_QUERY = 1;
const TYPE_SUBSCRIBE = 2;

const EVENTS_MISSED = 0x8000_0000;
/** First byte of a LUN field; another one addresses no unit of a target. */
const SINGLE_LEVEL = 1;
const LUN_FIELD_LENGTH = 8;

/** A logical unit as a request addresses it. */
export interface UnitAddress {
  readonly target: number;
  readonly lun: number;
}

/** A request of a request queue, without its data. */
export interface VirtioScsiCommand {
  /** Null for a LUN field that addresses no unit of any target. */
  readonly address: UnitAddress | null;
  readonly tag: bigint;
  /** A copy, as long as the operation code says, or as the field when that is shorter: what follows the CDB in the field is filling. */
  readonly cdb: Uint8Array;
}

/** A task management request. */
export interface TaskManagementRequest {
  /** One of {@link VirtioScsiTmf}, or something else. */
  readonly function: number;
  readonly address: UnitAddress | null;
  /** The target alone, which is there in every LUN field. */
  readonly target: number;
  readonly tag: bigint;
}

/** What kind of request the type field of a control request announces; null for a type that is not defined. */
export type ControlRequestKind = "task-management" | "notification" | null;

/** The address in the LUN field at `offset`; null when it is of another form. */
function readUnitAddress(bytes: Uint8Array, offset: number): UnitAddress | null {
  const high = bytes[offset + 2] ?? 0;
  const addressed = bytes[offset] === SINGLE_LEVEL && (high === 0 || high >> 6 === 1);
  return addressed ? { target: bytes[offset + 1] ?? 0, lun: ((high << 8) | (bytes[offset + 3] ?? 0)) & LUN_MAX } : null;
}

/** Writes a LUN field as devices do, up to LUN 255 in the form that REPORT LUNS uses, which Linux compares with. */
function writeUnitAddress(bytes: Uint8Array, offset: number, { target, lun }: UnitAddress): void {
  writeLun(bytes, offset + 2, lun);
  bytes.fill(0, offset + 4, offset + LUN_FIELD_LENGTH);
  bytes[offset] = SINGLE_LEVEL;
  bytes[offset + 1] = target;
}

/** The 32-bit field at `offset`. Cheaper than a DataView for the few fields of a request. */
function readWord(bytes: Uint8Array, offset: number): number {
  const low = (bytes[offset] ?? 0) | ((bytes[offset + 1] ?? 0) << 8);
  return (low | ((bytes[offset + 2] ?? 0) << 16) | ((bytes[offset + 3] ?? 0) << 24)) >>> 0;
}

function writeWord(bytes: Uint8Array, offset: number, value: number): void {
  for (let at = 0; at < 4; at += 1) bytes[offset + at] = value >>> (8 * at);
}

/** A tag is compared and nothing else. */
function readTag(bytes: Uint8Array, offset: number): bigint {
  return joinTag(readWord(bytes, offset + 4), readWord(bytes, offset));
}

function joinTag(high: number, low: number): bigint {
  return (BigInt(high) << 32n) | BigInt(low);
}

/** A request as it was read; its tag is put together when somebody asks, which is seldom. */
class CommandRequest implements VirtioScsiCommand {
  constructor(
    readonly address: UnitAddress | null,
    readonly cdb: Uint8Array,
    private readonly tagLow: number,
    private readonly tagHigh: number,
  ) {}

  get tag(): bigint {
    return joinTag(this.tagHigh, this.tagLow);
  }
}

/**
 * Reads a command request that begins the bytes: {@link COMMAND_REQUEST_LENGTH} and the CDB field. Each byte is read once, so the guest may
 * change them meanwhile.
 * @param cdbSize size of the CDB field, by default what is there
 */
export function parseCommandRequest(bytes: Uint8Array, cdbSize = bytes.length - COMMAND_REQUEST_LENGTH): VirtioScsiCommand {
  return new CommandRequest(readUnitAddress(bytes, 0), readCdb(bytes, cdbSize), readWord(bytes, 8), readWord(bytes, 12));
}

/** A loop costs less than a view and the copy of it. */
function readCdb(bytes: Uint8Array, cdbSize: number): Uint8Array {
  const opcode = bytes[COMMAND_REQUEST_LENGTH] ?? 0;
  const cdb = new Uint8Array(Math.min(cdbLengthOf(opcode) ?? CDB_LENGTH_MAX, cdbSize));
  if (cdb.length > 0) cdb[0] = opcode;
  for (let at = 1; at < cdb.length; at += 1) cdb[at] = bytes[COMMAND_REQUEST_LENGTH + at] ?? 0;
  return cdb;
}

/** What a command's response says beside the sense data. */
export interface CommandResponse {
  /** One of {@link VirtioScsiResponse}. */
  readonly response: number;
  /** SAM status; 0 unless the response is OK. */
  readonly status: number;
  /** Bytes of the data buffers that were not used. */
  readonly residual: number;
  /** Cut off at the sense field's size. */
  readonly sense: Uint8Array;
}

/**
 * Writes a command's response to the beginning of `bytes`.
 * @param length that of the response with its sense field, filled up with zeros; by default all bytes
 */
export function writeCommandResponse(
  bytes: Uint8Array,
  { response, status, residual, sense }: CommandResponse,
  length = bytes.length,
): void {
  const senseLength = Math.min(sense.length, length - COMMAND_RESPONSE_LENGTH);
  bytes.fill(0, 0, length);
  if (residual > 0) writeWord(bytes, 4, residual);
  bytes[10] = status;
  bytes[11] = response;
  if (senseLength <= 0) return;
  writeWord(bytes, 0, senseLength);
  bytes.set(sense.subarray(0, senseLength), COMMAND_RESPONSE_LENGTH);
}

/** The kind that the first {@link CONTROL_TYPE_LENGTH} bytes of a control request announce. */
export function controlRequestKind(bytes: Uint8Array): ControlRequestKind {
  const type = readWord(bytes, 0);
  if (type === TYPE_TMF) return "task-management";
  return type === TYPE_QUERY || type === TYPE_SUBSCRIBE ? "notification" : null;
}

/** Reads a task management request of {@link TMF_REQUEST_LENGTH} bytes. */
export function parseTaskManagement(bytes: Uint8Array): TaskManagementRequest {
  return { function: readWord(bytes, 4), address: readUnitAddress(bytes, 8), target: bytes[9] ?? 0, tag: readTag(bytes, 16) };
}

/** What an event says. */
export interface EventRecord {
  /** One of {@link VirtioScsiEvent}. */
  readonly event: number;
  readonly reason: number;
  /** Null for an event that is about no unit. */
  readonly address: UnitAddress | null;
}

/** An event. @param missed some were lost since the last one */
export function encodeEvent({ event, reason, address }: EventRecord, missed: boolean): Uint8Array {
  const bytes = new Uint8Array(EVENT_LENGTH);
  writeWord(bytes, 0, event | (missed ? EVENTS_MISSED : 0));
  if (address !== null) writeUnitAddress(bytes, 4, address);
  writeWord(bytes, 12, reason);
  return bytes;
}

/** What the configuration space says. */
export interface VirtioScsiConfig {
  readonly numQueues: number;
  /** Most segments of a command's data. */
  readonly segMax: number;
  readonly maxSectors: number;
  readonly cmdPerLun: number;
  readonly senseSize: number;
  readonly cdbSize: number;
  readonly maxChannel: number;
  readonly maxTarget: number;
  readonly maxLun: number;
}

/** The configuration space. */
export function encodeConfig(config: VirtioScsiConfig): Uint8Array {
  const bytes = new Uint8Array(CONFIG_LENGTH);
  const words = [config.numQueues, config.segMax, config.maxSectors, config.cmdPerLun, EVENT_LENGTH, config.senseSize, config.cdbSize];
  words.push(config.maxChannel | (config.maxTarget << 16), config.maxLun);
  words.forEach((word, index) => {
    writeWord(bytes, 4 * index, word);
  });
  return bytes;
}

/** The two fields of the configuration space that a driver may write. */
export function parseConfig(bytes: Uint8Array): Pick<VirtioScsiConfig, "senseSize" | "cdbSize"> {
  return { senseSize: readWord(bytes, 20), cdbSize: readWord(bytes, 24) };
}
