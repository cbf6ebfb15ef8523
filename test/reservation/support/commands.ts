/** Words of test scripts to initiators, keys and commands. */

import { PersistentReserveOut } from "#src/scsi/persistent-reserve-out.js";
import type { ReserveOutAction } from "#src/scsi/persistent-reserve.js";
import { TransportId } from "#src/scsi/transport-id.js";

const ids = new Map<string, TransportId>();

/** The initiator port of `A1`: host A, and for `A9` the same host with another ISID. */
export function initiator(who: string): TransportId {
  const isid = who.endsWith("9") ? "000000000009" : "000000000001";
  const text = `iqn.2026-11.org.example:${who.slice(0, 1).toLowerCase()},i,0x${isid}`;
  const id = ids.get(text) ?? TransportId.parse(text);
  ids.set(text, id);
  return id;
}

/** A word as a reservation key, 0 being zero: its ASCII codes. */
function keyOf(word: string): bigint {
  return word === "0" ? 0n : BigInt(`0x${Buffer.from(word, "ascii").toString("hex")}`);
}

/** The word of {@link keyOf}. */
export function wordOf(key: bigint): string {
  return key === 0n ? "0" : Buffer.from(key.toString(16), "hex").toString("ascii");
}

const ACTIONS: Readonly<Record<string, ReserveOutAction>> = {
  REG: "register",
  RSV: "reserve",
  REL: "release",
  CLR: "clear",
  PRE: "preempt",
  "P&A": "preempt-and-abort",
  RAI: "register-and-ignore-existing-key",
  MOVE: "register-and-move",
};

/** Verbs whose first operand is the SERVICE ACTION RESERVATION KEY. */
const TAKES_KEY: readonly string[] = ["RAI", "PRE", "P&A", "MOVE"];

/**
 * A PERSISTENT RESERVE OUT from its verb and operands. Options: `Tn` TYPE, `Sn` SCOPE, `rk=word`, `PTPL` APTPL = 1, `ATP` ALL_TG_PT = 1,
 * `SPEC=BC` SPEC_I_PT with those hosts (`SPEC=` an empty list), `UNREG`, `port=n` RTPI, `LEN=n` another length of the parameter list,
 * `SA=n` another service action.
 */
export function reserveOut(verb: string, words: readonly string[], currentKey: bigint): { cdb: Uint8Array; dataOut: Uint8Array } {
  const operands = words.filter((word) => /^(?:0|[a-z]\w*)$/.test(word));
  const option = (pattern: RegExp): string | undefined => words.map((word) => pattern.exec(word)?.[1]).find((found) => found !== undefined);
  const destination = option(/^([A-D]\d)$/);
  const keyed = verb === "REG" ? { key: keyOf(operands[0] ?? "0"), serviceActionKey: keyOf(operands[1] ?? "0") } : { key: currentKey };
  const key = option(/^rk=(\w+)$/);
  const hosts = option(/^SPEC=([A-Z]+)$/);
  const transportIds = destination === undefined ? (hosts ?? "").split("").map((host) => initiator(`${host}1`)) : [initiator(destination)];
  const action = ACTIONS[verb];
  if (action === undefined) throw new Error(`unknown verb ${verb}`);
  const { cdb, dataOut } = PersistentReserveOut.encode({
    action,
    ...keyed,
    ...(TAKES_KEY.includes(verb) ? { serviceActionKey: keyOf(operands[0] ?? "0") } : {}),
    ...(key === undefined ? {} : { key: keyOf(key) }),
    type: Number(option(/^T(\d+)$/) ?? 0),
    scope: Number(option(/^S(\d+)$/) ?? 0),
    aptpl: words.includes("PTPL"),
    ...(verb === "MOVE"
      ? { unregister: words.includes("UNREG"), relativeTargetPort: Number(option(/^port=(\d+)$/) ?? destination?.slice(1) ?? 1) }
      : { allTargetPorts: words.includes("ATP") }),
    ...(transportIds.length === 0 ? {} : { transportIds }),
  });
  return withOddities(cdb, dataOut, option(/^LEN=(\d+)$/), words.includes("SPEC="), option(/^SA=(\d+)$/));
}

function withOddities(
  cdb: Uint8Array,
  dataOut: Uint8Array,
  length: string | undefined,
  emptyPortList: boolean,
  serviceAction: string | undefined,
): { cdb: Uint8Array; dataOut: Uint8Array } {
  const list = new Uint8Array(emptyPortList ? 28 : Number(length ?? dataOut.length));
  list.set(dataOut.subarray(0, list.length));
  if (emptyPortList) list[20] = (list[20] ?? 0) | 0x08;
  new DataView(cdb.buffer, cdb.byteOffset).setUint32(5, list.length);
  if (serviceAction !== undefined) cdb[1] = Number(serviceAction);
  return { cdb, dataOut: list };
}
