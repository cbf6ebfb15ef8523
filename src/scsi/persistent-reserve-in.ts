/**
 * PERSISTENT RESERVE IN (SPC-4): asking as an initiator, reading the answer, and encoding it as a device server.
 *
 *     CDB                                             READ KEYS                  READ RESERVATION, reserved
 *     0     5Eh                                       0..3  PRGENERATION         0..3    PRGENERATION
 *     1     reserved | SERVICE ACTION (4..0)          4..7  ADDITIONAL LENGTH    4..7    ADDITIONAL LENGTH (10h)
 *     2..6  reserved                                  8..   keys, 8 bytes each   8..15   RESERVATION KEY
 *     7..8  ALLOCATION LENGTH                                                    16..20  obsolete, reserved
 *     9     CONTROL                                                              21      SCOPE (7..4) | TYPE (3..0)
 *                                                                                22..23  obsolete
 *     REPORT CAPABILITIES
 *     0..1  LENGTH (8, all bytes)                     READ FULL STATUS: header as READ KEYS, then for each registration
 *     2     RLR_C | - - CRH SIP_C ATP_C - PTPL_C      0..7    RESERVATION KEY
 *     3     TMV | ALLOW COMMANDS (6..4) | PTPL_A (0)  12      ALL_TG_PT (1) | R_HOLDER (0)
 *     4     types: 7h 6h 5h - 3h - 1h -               13      SCOPE (7..4) | TYPE (3..0)
 *     5     types: 8h (bit 0)                         18..19  RELATIVE TARGET PORT IDENTIFIER
 *     6..7  reserved                                  20..23  ADDITIONAL DESCRIPTOR LENGTH
 *                                                     24..    TransportID
 *
 * Length fields describe the complete data even when the allocation length cuts it, at whatever byte (SPC-4, allocation length).
 */

import {
  aBigint,
  aBoolean,
  aCount,
  anIterable,
  arrayOf,
  someBytes,
  check,
  checkMembers,
  nullable,
  optional,
  wrongValue,
} from "../base/check.js";
import { QomError } from "../base/errors.js";
import { printable } from "../base/limits.js";
import { readU16, readU32, viewOf, writeU16, writeU32, writeU64 } from "./bytes.js";
import { PR_IN, RESERVATION_TYPES, ReserveIn, reserveInAction } from "./persistent-reserve.js";
import type { ReservationType, ReserveInAction } from "./persistent-reserve.js";
import type {
  FullStatusEntry,
  ReadFullStatusData,
  ReadKeysData,
  ReadReservationData,
  ReportedRegistrant,
  ReserveCapabilities,
} from "./reserve-in-data.js";
import { aTransportId, TRANSPORT_ID_LENGTH_MAX, TransportId } from "./transport-id.js";

export type * from "./reserve-in-data.js";

/** ALLOCATION LENGTH has 16 bits. */
const RESERVE_IN_LENGTH_MAX = 0xffff;

const CDB_LENGTH = 10;
/** Where a CDB has ALLOCATION LENGTH. */
export const ALLOCATION_LENGTH_OFFSET = 7;
const HEADER_LENGTH = 8;
const KEY_LENGTH = 8;
const RESERVATION_LENGTH = 24;
/** READ RESERVATION up to SCOPE and TYPE; what follows is obsolete. */
const RESERVATION_USED_LENGTH = 22;
const CAPABILITIES_LENGTH = 8;
const DESCRIPTOR_LENGTH = 24;

/** A PERSISTENT RESERVE IN to be sent: the members of a ScsiCommand. */
export interface ReserveInRequest {
  readonly cdb: Uint8Array;
  readonly allocationLength: number;
}

/** Any of the four answers. */
export type ReserveInData = ReadKeysData | ReadReservationData | ReserveCapabilities | ReadFullStatusData;

/** ALLOCATION LENGTH of a CDB. */
export function allocationLengthOf(cdb: Uint8Array): number {
  return readU16(cdb, ALLOCATION_LENGTH_OFFSET);
}

function request(action: ReserveInAction, allocationLength: number): ReserveInRequest {
  if (typeof allocationLength !== "number")
    throw wrongValue(`PersistentReserveIn (${action})`, "allocationLength", allocationLength, "a number");
  if (!(Number.isInteger(allocationLength) && allocationLength >= 0 && allocationLength <= RESERVE_IN_LENGTH_MAX)) {
    throw new QomError("invalid-value", `allocationLength ${allocationLength} is not a number from 0 to ${RESERVE_IN_LENGTH_MAX}`, {
      context: { option: "allocationLength", value: String(allocationLength) },
    });
  }
  const cdb = new Uint8Array(CDB_LENGTH);
  cdb[0] = PR_IN;
  cdb[1] = ReserveIn[action];
  writeU16(cdb, ALLOCATION_LENGTH_OFFSET, allocationLength);
  return { cdb, allocationLength };
}

function parse(serviceAction: 0 | "read-keys", bytes: Uint8Array): ReadKeysData;
function parse(serviceAction: 1 | "read-reservation", bytes: Uint8Array): ReadReservationData;
function parse(serviceAction: 2 | "report-capabilities", bytes: Uint8Array): ReserveCapabilities;
function parse(serviceAction: 3 | "read-full-status", bytes: Uint8Array): ReadFullStatusData;
function parse(serviceAction: number | ReserveInAction, bytes: Uint8Array): ReserveInData;
function parse(serviceAction: number | ReserveInAction, bytes: Uint8Array): ReserveInData {
  const action = actionOf(serviceAction);
  check("PersistentReserveIn.parse", "bytes", bytes, someBytes);
  // REPORT CAPABILITIES has no more than that, and the others have a header of it
  if (bytes.length < HEADER_LENGTH) throw tooShort(action, bytes.length, HEADER_LENGTH);
  switch (action) {
    case "read-keys":
      return parseKeys(bytes);
    case "read-reservation":
      return parseReservation(bytes);
    case "report-capabilities":
      return parseCapabilities(bytes);
    case "read-full-status":
      return parseFullStatus(bytes);
  }
}

/** Both directions of the command. In all encoders `into` is the memory to fill, and the result is a view of it. */
export const PersistentReserveIn = Object.freeze({
  /** READ KEYS. @throws QomError `invalid-value` for an allocation length (bytes) that needs more than 16 bits */
  readKeys: (allocationLength: number): ReserveInRequest => request("read-keys", allocationLength),
  /** READ RESERVATION; throws as {@link readKeys}. 24 bytes are enough. */
  readReservation: (allocationLength: number): ReserveInRequest => request("read-reservation", allocationLength),
  /** REPORT CAPABILITIES; throws as {@link readKeys}. 8 bytes are enough. */
  reportCapabilities: (allocationLength: number): ReserveInRequest => request("report-capabilities", allocationLength),
  /** READ FULL STATUS; throws as {@link readKeys}. */
  readFullStatus: (allocationLength: number): ReserveInRequest => request("read-full-status", allocationLength),

  /**
   * Reads an answer, which may have been cut by the allocation length: keys and registrations that are not complete are left out.
   * {@link completeLength} tells whether there was more.
   * @throws QomError `unknown-name` for a service action that does not exist, `syntax` for data that ends within its header or
   *   within the only reservation: nothing true can be said then
   */
  parse,

  /**
   * Bytes that the complete answer has, according to its own length field: the allocation length to ask again with when it is
   * more than were received. 0 when the data is too short to say.
   */
  completeLength(serviceAction: number | ReserveInAction, bytes: Uint8Array): number {
    const action = actionOf(serviceAction);
    check("PersistentReserveIn.completeLength", "bytes", bytes, someBytes);
    if (bytes.length < HEADER_LENGTH) return 0;
    return action === "report-capabilities" ? readU16(bytes, 0) : HEADER_LENGTH + readU32(bytes, 4);
  },

  /** READ KEYS of a device server. `count` is the number of `keys`, of which only those that fit are taken. */
  encodeKeys(generation: number, keys: Iterable<bigint>, count: number, allocationLength: number, into?: Uint8Array): Uint8Array {
    checkEncoding("PersistentReserveIn.encodeKeys", generation, allocationLength, into);
    check("PersistentReserveIn.encodeKeys", "keys", keys, anIterable);
    check("PersistentReserveIn.encodeKeys", "count", count, aCount);
    const bytes = room(HEADER_LENGTH + KEY_LENGTH * count, allocationLength, into);
    writeHeader(bytes, generation, KEY_LENGTH * count);
    if (bytes.length <= HEADER_LENGTH) return bytes;
    const view = viewOf(bytes);
    let offset = HEADER_LENGTH;
    for (const key of keys) {
      if (typeof key !== "bigint") check("PersistentReserveIn.encodeKeys", "each of keys", key, aBigint);
      writeKey(bytes, view, offset, key);
      offset += KEY_LENGTH;
      if (offset >= bytes.length) break;
    }
    return bytes;
  },

  /** READ RESERVATION of a device server. `key` of the reservation is 0 for the All Registrants types. */
  encodeReservation(
    generation: number,
    reservation: { readonly key: bigint; readonly scope: number; readonly type: number } | null,
    allocationLength: number,
    into?: Uint8Array,
  ): Uint8Array {
    checkEncoding("PersistentReserveIn.encodeReservation", generation, allocationLength, into);
    if (reservation !== null && !isReservation(reservation)) {
      checkMembers("PersistentReserveIn.encodeReservation", "reservation", reservation, RESERVATION);
    }
    const length = reservation === null ? HEADER_LENGTH : RESERVATION_LENGTH;
    const bytes = room(length, allocationLength, into);
    writeHeader(bytes, generation, length - HEADER_LENGTH);
    if (reservation === null || bytes.length <= HEADER_LENGTH) return bytes;
    bytes.fill(0, HEADER_LENGTH);
    writeKey(bytes, viewOf(bytes), HEADER_LENGTH, reservation.key);
    bytes[21] = (reservation.scope << 4) | reservation.type;
    return bytes;
  },

  /** REPORT CAPABILITIES of a device server. */
  encodeCapabilities(capabilities: ReserveCapabilities, allocationLength: number, into?: Uint8Array): Uint8Array {
    checkEncoding("PersistentReserveIn.encodeCapabilities", 0, allocationLength, into);
    checkMembers("PersistentReserveIn.encodeCapabilities", "capabilities", capabilities, CAPABILITIES);
    const bytes = room(CAPABILITIES_LENGTH, allocationLength, into);
    let types = 0;
    for (const type of capabilities.types ?? []) types |= TYPE_MASK[type];
    writeU16(bytes, 0, CAPABILITIES_LENGTH);
    bytes[2] =
      (capabilities.replaceLostReservation ? 0x80 : 0) |
      (capabilities.compatibleReservationHandling ? 0x10 : 0) |
      (capabilities.specifyInitiatorPorts ? 0x08 : 0) |
      (capabilities.allTargetPorts ? 0x04 : 0) |
      (capabilities.persistThroughPowerLoss ? 0x01 : 0);
    bytes[3] =
      (capabilities.types === null ? 0 : 0x80) |
      ((capabilities.allowCommands & 0x07) << 4) |
      (capabilities.persistThroughPowerLossActive ? 0x01 : 0);
    writeU16(bytes, 4, types);
    writeU16(bytes, 6, 0);
    return bytes;
  },

  /**
   * READ FULL STATUS of a device server. There are at most `count` entries, which bounds the memory taken. All entries are visited,
   * since the length field counts also those that do not fit.
   */
  encodeFullStatus(
    generation: number,
    entries: Iterable<FullStatusEntry>,
    count: number,
    allocationLength: number,
    into?: Uint8Array,
  ): Uint8Array {
    checkEncoding("PersistentReserveIn.encodeFullStatus", generation, allocationLength, into);
    check("PersistentReserveIn.encodeFullStatus", "entries", entries, anIterable);
    check("PersistentReserveIn.encodeFullStatus", "count", count, aCount);
    const bytes = room(HEADER_LENGTH + count * (DESCRIPTOR_LENGTH + TRANSPORT_ID_LENGTH_MAX), allocationLength, into);
    const view = viewOf(bytes);
    let offset = HEADER_LENGTH;
    for (const entry of entries) {
      if (!isEntry(entry)) checkMembers("PersistentReserveIn.encodeFullStatus", "each of entries", entry, ENTRY);
      if (offset < bytes.length) writeDescriptor(bytes, view, offset, entry);
      offset += DESCRIPTOR_LENGTH + entry.initiator.encodedLength;
    }
    writeHeader(bytes, generation, offset - HEADER_LENGTH);
    return offset < bytes.length ? bytes.subarray(0, offset) : bytes;
  },
});

/** Bit of each type in the PERSISTENT RESERVATION TYPE MASK, bytes 4 and 5 as one number. */
const TYPE_MASK: Readonly<Record<ReservationType, number>> = { 1: 0x0200, 3: 0x0800, 5: 0x2000, 6: 0x4000, 7: 0x8000, 8: 0x0001 };

const RESERVATION = { key: aBigint, scope: aCount, type: aCount } as const;

const CAPABILITIES = {
  replaceLostReservation: aBoolean,
  compatibleReservationHandling: aBoolean,
  specifyInitiatorPorts: aBoolean,
  allTargetPorts: aBoolean,
  persistThroughPowerLoss: aBoolean,
  persistThroughPowerLossActive: aBoolean,
  allowCommands: aCount,
  types: nullable(
    arrayOf({ expects: "a reservation type", holds: (value) => typeof value === "number" && Object.hasOwn(TYPE_MASK, value) }),
  ),
} as const;

const ENTRY = { key: aBigint, initiator: aTransportId, targetPort: aCount, scope: aCount, type: aCount } as const;

function isEntry(entry: Partial<FullStatusEntry> | null | undefined): boolean {
  return typeof entry === "object" && entry !== null && typeof entry.key === "bigint" && entry.initiator instanceof TransportId;
}

/** The same as {@link RESERVATION} at a fraction of the cost. */
function isReservation(reservation: unknown): boolean {
  try {
    const { key, scope, type } = reservation as Readonly<Record<string, unknown>>; // anything that has none of these throws, or gives undefined
    return typeof key === "bigint" && aCount.holds(scope) && aCount.holds(type);
  } catch {
    return false;
  }
}

/** What all encoders are given. */
function checkEncoding(where: string, generation: number, allocationLength: number, into: Uint8Array | undefined): void {
  // A device server comes here with every answer.
  if (aCount.holds(generation) && aCount.holds(allocationLength) && (into === undefined || someBytes.holds(into))) return;
  check(where, "generation", generation, aCount);
  check(where, "allocationLength", allocationLength, aCount);
  check(where, "into", into, optional(someBytes));
}

/** Memory for an answer of `length` bytes: no more of it than was asked for, and than the caller has. Its contents are undefined. */
function room(length: number, allocationLength: number, into: Uint8Array | undefined): Uint8Array {
  const size = Math.min(length, allocationLength);
  if (into === undefined) return new Uint8Array(size);
  return into.length > size ? into.subarray(0, size) : into;
}

function writeHeader(bytes: Uint8Array, generation: number, additionalLength: number): void {
  writeU32(bytes, 0, generation);
  writeU32(bytes, 4, additionalLength);
}

/** Writes a key, or the bytes of it that are left when the end of `bytes` cuts it; `view` is one of `bytes`. */
function writeKey(bytes: Uint8Array, view: DataView, offset: number, key: bigint): void {
  if (offset + KEY_LENGTH <= bytes.length) view.setBigUint64(offset, key);
  else writeU64(bytes, offset, key);
}

function writeDescriptor(bytes: Uint8Array, view: DataView, offset: number, entry: FullStatusEntry): void {
  const end = offset + DESCRIPTOR_LENGTH;
  bytes.fill(0, offset, end);
  writeKey(bytes, view, offset, entry.key);
  bytes[offset + 12] = (entry.allTargetPorts === true ? 0x02 : 0) | (entry.holder ? 0x01 : 0);
  bytes[offset + 13] = (entry.scope << 4) | entry.type;
  writeU16(bytes, offset + 18, entry.targetPort);
  writeU32(bytes, offset + 20, entry.initiator.encodedLength);
  entry.initiator.encodeInto(bytes, end);
}

function actionOf(serviceAction: number | ReserveInAction): ReserveInAction {
  if (typeof serviceAction !== "string" && typeof serviceAction !== "number") {
    throw wrongValue("PERSISTENT RESERVE IN", "service action", serviceAction, "a name or a number");
  }
  const action = typeof serviceAction === "string" ? serviceAction : reserveInAction(serviceAction);
  if (action !== null && Object.hasOwn(ReserveIn, action)) return action;
  const value = printable(String(serviceAction));
  throw new QomError("unknown-name", `PERSISTENT RESERVE IN has no service action ${value}`, { context: { value } });
}

function tooShort(action: ReserveInAction, length: number, needed: number): QomError {
  return new QomError("syntax", `the data of ${action} ends after ${length} bytes, and at least ${needed} are needed`);
}

/** End of the data: where the length field says, or where the allocation length cut it. */
function dataEnd(bytes: Uint8Array): number {
  return Math.min(bytes.length, HEADER_LENGTH + readU32(bytes, 4));
}

function parseKeys(bytes: Uint8Array): ReadKeysData {
  const view = viewOf(bytes);
  const end = dataEnd(bytes);
  const keys: bigint[] = [];
  for (let offset = HEADER_LENGTH; offset + KEY_LENGTH <= end; offset += KEY_LENGTH) keys.push(view.getBigUint64(offset));
  return { generation: view.getUint32(0), keys };
}

function parseReservation(bytes: Uint8Array): ReadReservationData {
  const generation = readU32(bytes, 0);
  if (readU32(bytes, 4) === 0) return { generation, reservation: null };
  const end = dataEnd(bytes);
  if (end < RESERVATION_USED_LENGTH) throw tooShort("read-reservation", end, RESERVATION_USED_LENGTH);
  const scopeAndType = bytes[21] ?? 0;
  const key = viewOf(bytes).getBigUint64(HEADER_LENGTH);
  return { generation, reservation: { type: scopeAndType & 0x0f, scope: scopeAndType >> 4, key } };
}

function parseCapabilities(bytes: Uint8Array): ReserveCapabilities {
  const flags = bytes[2] ?? 0;
  const more = bytes[3] ?? 0;
  return {
    replaceLostReservation: (flags & 0x80) !== 0,
    compatibleReservationHandling: (flags & 0x10) !== 0,
    specifyInitiatorPorts: (flags & 0x08) !== 0,
    allTargetPorts: (flags & 0x04) !== 0,
    persistThroughPowerLoss: (flags & 0x01) !== 0,
    persistThroughPowerLossActive: (more & 0x01) !== 0,
    allowCommands: (more >> 4) & 0x07,
    types: (more & 0x80) === 0 ? null : typesOf(readU16(bytes, 4)),
  };
}

function typesOf(mask: number): readonly ReservationType[] {
  return RESERVATION_TYPES.filter((type) => (mask & TYPE_MASK[type]) !== 0);
}

function parseFullStatus(bytes: Uint8Array): ReadFullStatusData {
  const view = viewOf(bytes);
  const end = dataEnd(bytes);
  const registrants: ReportedRegistrant[] = [];
  let offset = HEADER_LENGTH;
  while (offset + DESCRIPTOR_LENGTH <= end) {
    const next = offset + DESCRIPTOR_LENGTH + view.getUint32(offset + 20);
    if (next > end) break;
    registrants.push(parseDescriptor(bytes, view, offset, next));
    offset = next;
  }
  return { generation: view.getUint32(0), registrants };
}

function parseDescriptor(bytes: Uint8Array, view: DataView, offset: number, end: number): ReportedRegistrant {
  const flags = view.getUint8(offset + 12);
  const scopeAndType = view.getUint8(offset + 13);
  const decoded = TransportId.decode(bytes, offset + DESCRIPTOR_LENGTH, end);
  const fields = {
    key: view.getBigUint64(offset),
    initiator: decoded.id ?? null,
    targetPort: view.getUint16(offset + 18),
    holder: (flags & 0x01) !== 0,
    type: scopeAndType & 0x0f,
    scope: scopeAndType >> 4,
    allTargetPorts: (flags & 0x02) !== 0,
  };
  if (decoded.problem === undefined) return fields;
  return { ...fields, malformedInitiator: { bytes: bytes.slice(offset + DESCRIPTOR_LENGTH, end), message: decoded.problem.message } };
}
