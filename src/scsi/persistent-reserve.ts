/**
 * Codes that PERSISTENT RESERVE IN and PERSISTENT RESERVE OUT share, and their names (SPC-4).
 */

/** Operation code of PERSISTENT RESERVE IN. */
export const PR_IN = 0x5e;
/** Operation code of PERSISTENT RESERVE OUT. */
export const PR_OUT = 0x5f;

/** Service actions of PERSISTENT RESERVE IN by name. */
export const ReserveIn = Object.freeze({
  "read-keys": 0x00,
  "read-reservation": 0x01,
  "report-capabilities": 0x02,
  "read-full-status": 0x03,
});

/** Name of a service action of PERSISTENT RESERVE IN. */
export type ReserveInAction = keyof typeof ReserveIn;

/** Service actions of PERSISTENT RESERVE OUT by name. */
export const ReserveOut = Object.freeze({
  register: 0x00,
  reserve: 0x01,
  release: 0x02,
  clear: 0x03,
  preempt: 0x04,
  "preempt-and-abort": 0x05,
  "register-and-ignore-existing-key": 0x06,
  "register-and-move": 0x07,
  "replace-lost-reservation": 0x08,
});

/** Name of a service action of PERSISTENT RESERVE OUT. */
export type ReserveOutAction = keyof typeof ReserveOut;

/** A persistent reservation type that is not obsolete or reserved. */
export type ReservationType = 1 | 3 | 5 | 6 | 7 | 8;

/** The types by name. */
export const ReservationTypes = Object.freeze({
  WRITE_EXCLUSIVE: 1,
  EXCLUSIVE_ACCESS: 3,
  WRITE_EXCLUSIVE_REGISTRANTS_ONLY: 5,
  EXCLUSIVE_ACCESS_REGISTRANTS_ONLY: 6,
  WRITE_EXCLUSIVE_ALL_REGISTRANTS: 7,
  EXCLUSIVE_ACCESS_ALL_REGISTRANTS: 8,
});

/** Names of the types as the standard prints them. */
export const ReservationTypeName: Readonly<Record<ReservationType, string>> = Object.freeze({
  1: "Write Exclusive",
  3: "Exclusive Access",
  5: "Write Exclusive - Registrants Only",
  6: "Exclusive Access - Registrants Only",
  7: "Write Exclusive - All Registrants",
  8: "Exclusive Access - All Registrants",
});

/** The only scope that is not obsolete or reserved: the whole logical unit. */
export const LU_SCOPE = 0;

/** Keys have 64 bits. */
export const RESERVATION_KEY_MAX = 0xffff_ffff_ffff_ffffn;

const RESERVE_OUT_NAMES: readonly ReserveOutAction[] = namesByNumber(ReserveOut);
const RESERVE_IN_NAMES: readonly ReserveInAction[] = namesByNumber(ReserveIn);

function namesByNumber<Name extends string>(table: Readonly<Record<Name, number>>): readonly Name[] {
  const names = Object.keys(table) as Name[]; // Object.keys forgets the type of a table's keys
  return names.toSorted((a, b) => table[a] - table[b]);
}

/** Name of a service action of PERSISTENT RESERVE OUT, or null for a number the standard reserves. */
export function reserveOutAction(serviceAction: number): ReserveOutAction | null {
  return RESERVE_OUT_NAMES[serviceAction] ?? null;
}

/** Name of a service action of PERSISTENT RESERVE IN, or null for a number the standard reserves. */
export function reserveInAction(serviceAction: number): ReserveInAction | null {
  return RESERVE_IN_NAMES[serviceAction] ?? null;
}

/** Every TYPE that may be reserved, lowest first. */
export const RESERVATION_TYPES: readonly ReservationType[] = Object.freeze([1, 3, 5, 6, 7, 8]);

/** True for a TYPE that may be reserved; false for the obsolete and the reserved ones. */
export function isReservationType(type: number): type is ReservationType {
  return Object.hasOwn(ReservationTypeName, type);
}

/** True for the two types under which all registrants are reservation holders. */
export function isAllRegistrants(type: ReservationType): boolean {
  return type >= 7;
}

/** True for the types under which every registrant has access: Registrants Only and All Registrants. */
export function isRegistrantsType(type: ReservationType): boolean {
  return type >= 5;
}

/** A key as people write it: `0x` and 16 hexadecimal digits. */
export function formatKey(key: bigint): string {
  return `0x${key.toString(16).padStart(16, "0")}`;
}
