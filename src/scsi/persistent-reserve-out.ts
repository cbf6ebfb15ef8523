/**
 * PERSISTENT RESERVE OUT (SPC-4): building it as an initiator, and taking it apart as a device server.
 *
 *     CDB                                            basic parameter list
 *     0     5Fh                                      0..7    RESERVATION KEY
 *     1     reserved | SERVICE ACTION (4..0)         8..15   SERVICE ACTION RESERVATION KEY
 *     2     SCOPE (7..4) | TYPE (3..0)               16..19  obsolete
 *     3..4  reserved                                 20      SPEC_I_PT (3) | ALL_TG_PT (2) | APTPL (0)
 *     5..8  PARAMETER LIST LENGTH                    21..23  reserved, obsolete
 *     9     CONTROL                                  24..27  TRANSPORTID PARAMETER DATA LENGTH, only with SPEC_I_PT
 *                                                    28..    TransportIDs
 *
 *     parameter list of REGISTER AND MOVE
 *     0..7    RESERVATION KEY                        17      UNREG (1) | APTPL (0)
 *     8..15   SERVICE ACTION RESERVATION KEY         18..19  RELATIVE TARGET PORT IDENTIFIER
 *     16      reserved                               20..23  TRANSPORTID LENGTH
 *                                                    24..    TransportID
 *
 * Reserved and obsolete bits are ignored, except in SERVICE ACTION, SCOPE and TYPE. For a TRANSPORTID (PARAMETER DATA) LENGTH that the
 * list does not hold the standard asks for ILLEGAL REQUEST and leaves the rest open: it is INVALID FIELD IN PARAMETER LIST, as Linux'
 * target has it.
 */

import { aBoolean, anObject, arrayOf, aString, someBytes, check, checkMembers, isBytes, optional, wrongValue } from "../base/check.js";
import { QomError } from "../base/errors.js";
import { printable } from "../base/limits.js";
import { readU16, readU32, viewOf, writeU16, writeU32 } from "./bytes.js";
import { PR_OUT, RESERVATION_KEY_MAX, ReserveOut, reserveOutAction } from "./persistent-reserve.js";
import type { ReserveOutAction } from "./persistent-reserve.js";
import type {
  ReserveOutBasic,
  ReserveOutCommand,
  ReserveOutParsed,
  ReserveOutProblem,
  ReserveOutRequest,
  ReserveOutSettings,
} from "./reserve-out-request.js";
import { Sense } from "./sense.js";
import type { FieldPointer } from "./sense.js";
import { aTransportId, TRANSPORT_ID_LENGTH_MIN, TransportId } from "./transport-id.js";

export type * from "./reserve-out-request.js";

/** Length in bytes of the parameter list without TransportIDs. */
const RESERVE_OUT_LENGTH = 24;

/**
 * Longest parameter list in bytes that is built, or taken unless the settings say otherwise: the data size of QEMU's PR helper
 * (scsi/pr-helper.h), so that a command fits whichever way it goes. Room for 32 of the longest TransportIDs.
 */
export const RESERVE_OUT_LENGTH_MAX = 8192;

const CDB_LENGTH = 10;
const TRANSPORT_IDS_OFFSET = 28;
const SPEC_I_PT = 0x08;
const ALL_TG_PT = 0x04;
const APTPL = 0x01;
/** UNREG of REGISTER AND MOVE, in the byte {@link MOVE_FLAGS_OFFSET}. */
export const UNREG = 0x02;
const FLAGS_OFFSET = 20;
/** Where the parameter list of REGISTER AND MOVE has its flags. */
export const MOVE_FLAGS_OFFSET = 17;
const TRANSPORT_ID_LENGTH_OFFSET = 20;
const LIST_LENGTH_OFFSET = 5;

/** The two directions of the command. */
export const PersistentReserveOut = Object.freeze({
  /**
   * CDB and parameter list of a command.
   * @throws QomError `unknown-name` for an action that does not exist, `invalid-value` for a number out of its field's range or a member
   *   the action has no field for, `limit` for more TransportIDs than fit
   */
  encode(request: ReserveOutRequest): { cdb: Uint8Array; dataOut: Uint8Array } {
    checkMembers(ENCODE, "request", request, REQUEST);
    if (!Object.hasOwn(ReserveOut, request.action)) throw unknownAction(request.action);
    const type = checkedField(request, "type", 0x0f);
    const scope = checkedField(request, "scope", 0x0f);
    const dataOut = request.action === "register-and-move" ? encodeMoveList(request) : encodeBasicList(request);
    const view = viewOf(dataOut);
    view.setBigUint64(0, checkedKey(request, "key"));
    view.setBigUint64(8, checkedKey(request, "serviceActionKey"));
    const cdb = new Uint8Array(CDB_LENGTH);
    cdb[0] = PR_OUT;
    cdb[1] = ReserveOut[request.action];
    cdb[2] = (scope << 4) | type;
    writeU32(cdb, LIST_LENGTH_OFFSET, dataOut.length);
    return { cdb, dataOut };
  },

  /**
   * Decodes a command from outside, with the checks that need no knowledge of registrations, in this order: service action,
   * parameter list length, bits, TransportIDs. Bytes of `dataOut` beyond the CDB's PARAMETER LIST LENGTH are ignored. Whatever the
   * bytes say, it throws nothing.
   * @throws QomError `invalid-value` for arguments of another kind
   */
  parse(cdb: Uint8Array, dataOut: Uint8Array, settings: ReserveOutSettings = {}): ReserveOutParsed {
    if (!(isBytes(cdb) && isBytes(dataOut))) {
      check("PersistentReserveOut.parse", "cdb", cdb, someBytes);
      check("PersistentReserveOut.parse", "dataOut", dataOut, someBytes);
    }
    check("PersistentReserveOut.parse", "settings", settings, anObject);
    const serviceAction = (cdb[1] ?? 0) & 0x1f;
    const action = reserveOutAction(serviceAction);
    const known = action !== null && (action !== "replace-lost-reservation" || settings.replaceLostReservation === true);
    if (!known) return serviceActionProblem(serviceAction);
    const list = parameterList(cdb, dataOut, settings);
    if (list === null) {
      return lengthProblem(`PARAMETER LIST LENGTH is ${parameterListLengthOf(cdb)}, data-out has ${dataOut.length} bytes`);
    }
    const view = viewOf(list);
    const fields = {
      serviceAction,
      key: view.getBigUint64(0),
      serviceActionKey: view.getBigUint64(8),
      scope: (cdb[2] ?? 0) >> 4,
      type: (cdb[2] ?? 0) & 0x0f,
    };
    return action === "register-and-move" ? parseMove(fields, list, settings) : parseBasic(action, fields, list, settings);
  },
});

/** PARAMETER LIST LENGTH of a CDB. */
export function parameterListLengthOf(cdb: Uint8Array): number {
  return readU32(cdb, LIST_LENGTH_OFFSET);
}

/** False when a command with that parameter list cannot turn APTPL on, whatever its service action. */
export function mayActivatePersistence(dataOut: Uint8Array): boolean {
  return (((dataOut[FLAGS_OFFSET] ?? 0) | (dataOut[MOVE_FLAGS_OFFSET] ?? 0)) & APTPL) !== 0;
}

const ENCODE = "PersistentReserveOut.encode";

/** Kinds of the members of a request; ranges are checked where each is used. */
const REQUEST = {
  action: aString,
  aptpl: optional(aBoolean),
  allTargetPorts: optional(aBoolean),
  unregister: optional(aBoolean),
  transportIds: optional(arrayOf(aTransportId)),
} as const;

/** The members both layouts share, as decoded; APTPL is at different places. */
type CommonFields = Omit<ReserveOutBasic, "action" | "aptpl" | "allTargetPorts" | "transportIds">;

function unknownAction(action: string): QomError {
  return new QomError("unknown-name", `PERSISTENT RESERVE OUT has no service action '${printable(action)}'`, {
    context: { option: "action", value: printable(action) },
    hint: `known are ${Object.keys(ReserveOut).join(", ")}`,
  });
}

function encodeBasicList(request: ReserveOutRequest): Uint8Array {
  refuse(request, ["unregister", "relativeTargetPort"]);
  const ids = request.transportIds ?? [];
  const idsLength = encodedLength(ids);
  const dataOut = new Uint8Array(ids.length === 0 ? RESERVE_OUT_LENGTH : TRANSPORT_IDS_OFFSET + checkedIdsLength(idsLength));
  dataOut[FLAGS_OFFSET] =
    (ids.length === 0 ? 0 : SPEC_I_PT) | (request.allTargetPorts === true ? ALL_TG_PT : 0) | (request.aptpl === true ? APTPL : 0);
  if (ids.length === 0) return dataOut;
  writeU32(dataOut, RESERVE_OUT_LENGTH, idsLength);
  let offset = TRANSPORT_IDS_OFFSET;
  for (const id of ids) {
    id.encodeInto(dataOut, offset);
    offset += id.encodedLength;
  }
  return dataOut;
}

function encodeMoveList(request: ReserveOutRequest): Uint8Array {
  refuse(request, ["allTargetPorts"]);
  const ids = request.transportIds ?? [];
  const [destination] = ids;
  if (destination === undefined || ids.length !== 1) {
    throw new QomError("invalid-value", `transportIds of register-and-move has ${ids.length} TransportIDs instead of 1`, {
      context: { option: "transportIds" },
    });
  }
  const dataOut = new Uint8Array(RESERVE_OUT_LENGTH + destination.encodedLength);
  dataOut[MOVE_FLAGS_OFFSET] = (request.unregister === true ? UNREG : 0) | (request.aptpl === true ? APTPL : 0);
  writeU16(dataOut, 18, checkedField(request, "relativeTargetPort", 0xffff));
  writeU32(dataOut, TRANSPORT_ID_LENGTH_OFFSET, destination.encodedLength);
  destination.encodeInto(dataOut, RESERVE_OUT_LENGTH);
  return dataOut;
}

function encodedLength(ids: readonly TransportId[]): number {
  let length = 0;
  for (const id of ids) length += id.encodedLength;
  return length;
}

function checkedIdsLength(length: number): number {
  const max = RESERVE_OUT_LENGTH_MAX - TRANSPORT_IDS_OFFSET;
  if (length <= max) return length;
  throw new QomError("limit", `transportIds take ${length} bytes, and at most ${max} fit into a parameter list`, {
    context: { option: "transportIds" },
  });
}

function checkedKey(request: ReserveOutRequest, option: "key" | "serviceActionKey"): bigint {
  const given: unknown = request[option]; // a program without types may have given a number
  const key = given === undefined ? 0n : given;
  if (typeof key !== "bigint" && typeof key !== "number") throw wrongValue(ENCODE, option, key, "an unsigned bigint of 64 bits");
  if (typeof key === "bigint" && key >= 0n && key <= RESERVATION_KEY_MAX) return key;
  throw new QomError("invalid-value", `${option} ${printable(String(key))} is not an unsigned bigint of 64 bits`, {
    context: { option, value: printable(String(key)) },
  });
}

function checkedField(request: ReserveOutRequest, option: "type" | "scope" | "relativeTargetPort", max: number): number {
  const { [option]: value = 0 } = request;
  if (typeof value !== "number") throw wrongValue(ENCODE, option, value, `a number from 0 to ${max}`);
  if (Number.isInteger(value) && value >= 0 && value <= max) return value;
  throw new QomError("invalid-value", `${option} ${value} is not a number from 0 to ${max}`, {
    context: { option, value: String(value) },
  });
}

function refuse(request: ReserveOutRequest, options: readonly ("unregister" | "relativeTargetPort" | "allTargetPorts")[]): void {
  for (const option of options) {
    if (request[option] === undefined || request[option] === false) continue;
    throw new QomError("invalid-value", `${request.action} has no field for ${option}`, { context: { option } });
  }
}

/** The parameter list the CDB announces, or null when its length is an error whatever the list says. */
function parameterList(cdb: Uint8Array, dataOut: Uint8Array, settings: ReserveOutSettings): Uint8Array | null {
  const length = parameterListLengthOf(cdb);
  if (length < RESERVE_OUT_LENGTH || length > (settings.lengthMax ?? RESERVE_OUT_LENGTH_MAX) || dataOut.length < length) return null;
  return dataOut.subarray(0, length);
}

function parseBasic(
  action: Exclude<ReserveOutAction, "register-and-move">,
  fields: CommonFields,
  list: Uint8Array,
  settings: ReserveOutSettings,
): ReserveOutParsed {
  const flags = list[FLAGS_OFFSET] ?? 0;
  const listsPorts = (flags & SPEC_I_PT) !== 0;
  if (!listsPorts && list.length !== RESERVE_OUT_LENGTH) {
    return lengthProblem(`the parameter list has ${list.length} bytes instead of ${RESERVE_OUT_LENGTH}, and SPEC_I_PT is 0`);
  }
  const rules = BIT_RULES[action];
  if (listsPorts && (action !== "register" || settings.specifyInitiatorPorts === false)) return bitProblem("SPEC_I_PT", FLAGS_OFFSET, 3);
  if (
    (flags & ALL_TG_PT) !== 0 &&
    (rules.allTargetPorts === "invalid" || (rules.allTargetPorts === "used" && settings.allTargetPorts === false))
  ) {
    return bitProblem("ALL_TG_PT", FLAGS_OFFSET, 2);
  }
  const aptpl = rules.aptpl && (flags & APTPL) !== 0;
  if (aptpl && settings.persistThroughPowerLoss === false) return bitProblem("APTPL", FLAGS_OFFSET, 0);
  const allTargetPorts = rules.allTargetPorts === "used" && (flags & ALL_TG_PT) !== 0;
  if (!listsPorts) return { command: { action, ...fields, aptpl, allTargetPorts, transportIds: null } };
  const ids = parsePortList(list, fields.serviceActionKey);
  if ("problem" in ids) return ids;
  return { command: { action, ...fields, aptpl, allTargetPorts, transportIds: ids.transportIds } };
}

/** Which bits of byte 20 a service action looks at (SPC-4, PERSISTENT RESERVE OUT parameter list); `invalid` for one it must not see. */
interface BitRules {
  readonly aptpl: boolean;
  readonly allTargetPorts: "used" | "ignored" | "invalid";
}

const REGISTERS: BitRules = { aptpl: true, allTargetPorts: "used" };
const ACTS: BitRules = { aptpl: false, allTargetPorts: "ignored" };

const BIT_RULES: Readonly<Record<Exclude<ReserveOutAction, "register-and-move">, BitRules>> = {
  register: REGISTERS,
  reserve: ACTS,
  release: ACTS,
  clear: ACTS,
  preempt: ACTS,
  "preempt-and-abort": ACTS,
  "register-and-ignore-existing-key": REGISTERS,
  "replace-lost-reservation": { aptpl: true, allTargetPorts: "invalid" },
};

/** The TransportIDs behind a basic list with SPEC_I_PT=1. */
function parsePortList(
  list: Uint8Array,
  serviceActionKey: bigint,
): { readonly transportIds: readonly TransportId[] } | { readonly problem: ReserveOutProblem } {
  if (list.length < TRANSPORT_IDS_OFFSET) {
    return lengthProblem(`the parameter list has ${list.length} bytes, too few for TRANSPORTID PARAMETER DATA LENGTH`);
  }
  const idsLength = readU32(list, RESERVE_OUT_LENGTH);
  const end = TRANSPORT_IDS_OFFSET + idsLength;
  if (end > list.length) {
    return listProblem(
      `TRANSPORTID PARAMETER DATA LENGTH ${idsLength} reaches beyond the list of ${list.length} bytes`,
      RESERVE_OUT_LENGTH,
    );
  }
  if (serviceActionKey === 0n) return { transportIds: [] };
  const transportIds: TransportId[] = [];
  const seen = new Set<string>();
  for (let offset = TRANSPORT_IDS_OFFSET; offset < end;) {
    const decoded = TransportId.decode(list, offset, end);
    if (decoded.problem !== undefined) return listProblem(decoded.problem.message, decoded.problem.offset);
    if (seen.has(decoded.id.key)) return listProblem(`the TransportID ${decoded.id.format()} is in the list twice`, offset);
    seen.add(decoded.id.key);
    transportIds.push(decoded.id);
    offset += decoded.length;
  }
  return { transportIds };
}

function parseMove(fields: CommonFields, list: Uint8Array, settings: ReserveOutSettings): ReserveOutParsed {
  const idLength = readU32(list, TRANSPORT_ID_LENGTH_OFFSET);
  const end = RESERVE_OUT_LENGTH + idLength;
  if (end > list.length) {
    return listProblem(`TRANSPORTID LENGTH ${idLength} reaches beyond the list of ${list.length} bytes`, TRANSPORT_ID_LENGTH_OFFSET);
  }
  const flags = list[MOVE_FLAGS_OFFSET] ?? 0;
  const aptpl = (flags & APTPL) !== 0;
  if (aptpl && settings.persistThroughPowerLoss === false) return bitProblem("APTPL", MOVE_FLAGS_OFFSET, 0);
  if (idLength < TRANSPORT_ID_LENGTH_MIN || idLength % 4 !== 0) {
    return listProblem(`TRANSPORTID LENGTH ${idLength} is not a multiple of 4 from ${TRANSPORT_ID_LENGTH_MIN}`, TRANSPORT_ID_LENGTH_OFFSET);
  }
  const decoded = TransportId.decode(list, RESERVE_OUT_LENGTH, end);
  if (decoded.problem !== undefined) return listProblem(decoded.problem.message, decoded.problem.offset);
  if (decoded.length !== idLength) {
    return listProblem(`TRANSPORTID LENGTH is ${idLength}, and the TransportID has ${decoded.length} bytes`, TRANSPORT_ID_LENGTH_OFFSET);
  }
  const command: ReserveOutCommand = {
    action: "register-and-move",
    ...fields,
    aptpl,
    unregister: (flags & UNREG) !== 0,
    relativeTargetPort: readU16(list, 18),
    transportId: decoded.id,
  };
  return { command };
}

function serviceActionProblem(serviceAction: number): ReserveOutParsed {
  const fieldPointer: FieldPointer = { in: "cdb", byte: 1, bit: 4 };
  return { problem: { sense: Sense.INVALID_FIELD_IN_CDB, fieldPointer, message: `service action ${serviceAction} is not supported` } };
}

function lengthProblem(message: string): { readonly problem: ReserveOutProblem } {
  const fieldPointer: FieldPointer = { in: "cdb", byte: LIST_LENGTH_OFFSET };
  return { problem: { sense: Sense.PARAMETER_LIST_LENGTH_ERROR, fieldPointer, message } };
}

function bitProblem(name: string, byte: number, bit: number): { readonly problem: ReserveOutProblem } {
  const fieldPointer: FieldPointer = { in: "parameter-list", byte, bit };
  return { problem: { sense: Sense.INVALID_FIELD_IN_PARAMETER_LIST, fieldPointer, message: `${name} is not supported here` } };
}

function listProblem(message: string, byte: number): { readonly problem: ReserveOutProblem } {
  return { problem: { sense: Sense.INVALID_FIELD_IN_PARAMETER_LIST, fieldPointer: { in: "parameter-list", byte }, message } };
}
