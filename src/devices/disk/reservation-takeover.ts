/**
 * How the registration and the reservation of a guest move to the nexus of this device (QEMU 11.1: scsi_generic_pr_state_preempt in
 * hw/scsi/scsi-generic.c). The disk has the last word: what another node took from the guest meanwhile is not taken back.
 *
 *     stream, key k                     on the disk                        commands
 *     type t                            reservation of key k               REGISTER k; PREEMPT of k
 *     any                               k registered, no reservation of k  REGISTER k; PREEMPT of k; REGISTER k
 *     any                               k registered, All Registrants      REGISTER another key; PREEMPT of k; REGISTER k
 *     type 0                            reservation of key k               REGISTER k
 *     any                               k not registered                   none
 *
 * READ RESERVATION and READ KEYS come first. A PREEMPT of k removes every registration with k, the sender's own too unless it is a single
 * holder: hence the REGISTER after it. Under All Registrants the reservation would go with the last registration, hence the other key.
 */
import { QomError } from "../../base/errors.js";
import { ScsiStatus } from "../../scsi/command.js";
import type { ScsiResult } from "../../scsi/command.js";
import { NOTHING_RESERVED } from "../../scsi/migration-stream.js";
import type { ReservationState } from "../../scsi/migration-stream.js";
import type { ReportedReservation } from "../../scsi/persistent-reserve-in.js";
import { formatKey } from "../../scsi/persistent-reserve.js";
import { formatFailure } from "../../scsi/sense.js";
import { isSingle, mayBeDone } from "./reservation-client.js";
import type { ReservationClient } from "./reservation-client.js";
import { isAllRegistrantsReservation } from "./reservation-state.js";

/** What was moved: the reservation with its registration, the registration alone, or neither. */
export type ReservationsTaken = "reservation" | "registration" | "nothing";

/** What came of it. */
export interface ReservationTakeover {
  readonly taken: ReservationsTaken;
  /** What the guest had and has no more, and what else its user may want to know, one line each. */
  readonly warnings: readonly string[];
}

/** TYPE of a PREEMPT that creates no reservation, and so does not look at it; QEMU's. */
const ANY_TYPE = 1;

/** What {@link takeOver} gives: also what the device has from now on. */
interface Moved extends ReservationTakeover {
  readonly state: ReservationState;
}

/**
 * Takes over what a guest had.
 * @param pathHere whether another path of the same guest to the same disk, which has moved already, has the same key: then nobody else has
 *   it any more, and a PREEMPT would take it from there
 * @throws QomError `io` for a command that failed; the nexus is not registered then, unless it was before
 */
export async function takeOver(wanted: ReservationState, disk: ReservationClient, pathHere: boolean): Promise<Moved> {
  const { key, type } = wanted;
  if (key === 0n) return { taken: "nothing", warnings: [], state: NOTHING_RESERVED };
  const early = type === 0 ? undefined : await disk.reservation();
  if (early !== undefined && early !== null && isSingle(early, key)) return takeReservation(wanted, early, disk, pathHere);
  const keys = await disk.keys(key);
  if (!keys.includes(key)) {
    // A takeover that failed after its PREEMPT has left it.
    if (disk.passing !== 0n && keys.includes(disk.passing)) return finishShare(wanted, early ?? (await disk.reservation()), disk, []);
    return gone(wanted, early ?? null);
  }
  const reservation = early === undefined ? await disk.reservation() : early;
  const warnings = lossOf(wanted, reservation);
  if (pathHere || isSingle(reservation, key)) {
    await disk.register(key);
    if (!pathHere)
      warnings.push(`another port with the guest's key holds the reservation of type ${reservation?.type ?? 0}: it stays there`);
    return { taken: "registration", warnings, state: { key, type: 0 } };
  }
  if (reservation !== null && isAllRegistrantsReservation(reservation)) {
    disk.passing = unused(keys, key);
    return takeShare(wanted, reservation, disk);
  }
  return takeRegistration(wanted, disk, warnings);
}

function lossOf({ type }: ReservationState, reservation: ReportedReservation | null): string[] {
  if (type === 0 || (reservation !== null && isAllRegistrantsReservation(reservation))) return [];
  if (reservation === null) return [`the guest's reservation of type ${type} is not on the disk any more`];
  return [
    `the guest's reservation of type ${type} is not on the disk any more: key ${formatKey(reservation.key)} has one of type ${reservation.type}`,
  ];
}

function gone(wanted: ReservationState, reservation: ReportedReservation | null): Moved {
  const warning = `key ${formatKey(wanted.key)} is not registered on the disk any more: nothing was taken over`;
  return { taken: "nothing", warnings: [...lossOf(wanted, reservation), warning], state: NOTHING_RESERVED };
}

async function takeReservation(
  wanted: ReservationState,
  { type }: ReportedReservation,
  disk: ReservationClient,
  pathHere: boolean,
): Promise<Moved> {
  const { key } = wanted;
  const isNew = await disk.register(key);
  const result = await disk.out({ action: "preempt", key, serviceActionKey: key, type });
  if (result.status !== ScsiStatus.GOOD && (await fateOf(result, disk, key, isNew)) === "gone") return gone(wanted, null);
  // Another node may have been quicker: it has removed both registrations with that key, or this PREEMPT has.
  const lost = await disk.lost(key);
  if (lost !== null) {
    // A disk may keep the registration of whoever preempts its own key, and the guest is fenced.
    await disk.rekey(key, 0n);
    if (await disk.hasKey(key)) throw changed(key);
    return gone(wanted, lost.reservation);
  }
  const warnings = otherType(wanted, type);
  if (pathHere) warnings.push("the guest's other paths to the disk have lost their registration: restore them again, after this one");
  return { taken: "reservation", warnings, state: { key, type } };
}

function otherType(wanted: ReservationState, type: number): string[] {
  return type === wanted.type || wanted.type === 0 ? [] : [`the guest's reservation has type ${type} on the disk, not ${wanted.type}`];
}

async function takeRegistration(wanted: ReservationState, disk: ReservationClient, warnings: readonly string[]): Promise<Moved> {
  const { key } = wanted;
  const before = disk.generation;
  const isNew = await disk.register(key);
  const mark = disk.preemptions;
  const told = [...warnings];
  const moved: Moved = { taken: "registration", warnings: told, state: { key, type: 0 } };
  const result = await disk.out({ action: "preempt", key, serviceActionKey: key, type: ANY_TYPE });
  if (result.status !== ScsiStatus.GOOD) {
    const fate = await fateOf(result, disk, key, isNew);
    if (fate === "done") return moved;
    // Whom another node preempts hears of it; whoever preempts itself does not.
    if (!mayBeDone(result) || disk.preemptions !== mark || othersActed(disk, before)) return gone(wanted, null);
    told.push(unanswered(key, result));
  }
  const again = await becomes(disk, 0n, key);
  // A conflict with the key there: this disk keeps the registration of whoever preempts its own key, or an earlier REGISTER was carried out.
  if (again.status !== ScsiStatus.GOOD && !(again.status === ScsiStatus.RESERVATION_CONFLICT && (await disk.hasKey(key)))) {
    throw disk.failure("REGISTER", again, `; key ${formatKey(key)} may not be registered any more`);
  }
  return moved;
}

/**
 * What became of a PREEMPT of one's own key that did not end GOOD. With one registration left it was carried out, or both ends are one
 * nexus; with more it was not, and with none it was, or another node has removed them.
 * @throws QomError `io` if it was not carried out; nothing is left then
 */
async function fateOf(result: ScsiResult, disk: ReservationClient, key: bigint, isNew: boolean): Promise<"done" | "gone"> {
  const copies = (await disk.keysAfter(key, "PREEMPT", result)).filter((other) => other === key).length;
  if (copies === 0) return "gone";
  if (copies === 1 && mayBeDone(result)) return "done";
  throw isNew ? await disk.undo(key, 0n, "PREEMPT", result) : disk.failure("PREEMPT", result);
}

/** Nobody can tell whether another node has removed the key in that moment: nothing says so. */
function unanswered(key: bigint, result: ScsiResult): string {
  return `PREEMPT ended with ${formatFailure(result)}, and key ${formatKey(key)} is gone: that is taken for its work, not for another node's`;
}

/** Whether the disk has carried out more than the REGISTER and the PREEMPT of this takeover since PRGENERATION was `before`. */
function othersActed(disk: ReservationClient, before: number): boolean {
  return (disk.generation - before) >>> 0 > 2;
}

/** REGISTER of a key in place of another one. After a conflict the disk says whether an earlier one, without an answer, was carried out. */
async function becomes(disk: ReservationClient, key: bigint, next: bigint): Promise<ScsiResult> {
  const result = await disk.rekey(key, next);
  if (result.status !== ScsiStatus.RESERVATION_CONFLICT || (await disk.keysAfter(next, "REGISTER", result)).includes(next)) return result;
  return disk.rekey(key, next);
}

/** A key that nobody has, near the one that the guest has: the first. */
function unused(keys: readonly bigint[], key: bigint): bigint {
  const taken = new Set(keys);
  for (let difference = 1n; ; difference += 1n) {
    const candidate = key ^ difference;
    if (candidate !== 0n && !taken.has(candidate)) return candidate;
  }
}

/** A share in a reservation that all registrants hold. */
async function takeShare(wanted: ReservationState, reservation: ReportedReservation, disk: ReservationClient): Promise<Moved> {
  const { key } = wanted;
  const other = disk.passing;
  const before = disk.generation;
  const isNew = await disk.register(other);
  const warnings: string[] = [];
  const result = await disk.out({ action: "preempt", key: other, serviceActionKey: key, type: reservation.type });
  if (result.status !== ScsiStatus.GOOD) {
    const keys = await disk.keysAfter(key, "PREEMPT", result);
    if (keys.includes(key)) throw await disk.undo(other, isNew ? 0n : key, "PREEMPT", result);
    // It was this nexus's own, or the PREEMPT was carried out; if it was turned away, another node has removed the key.
    if (isNew && (!mayBeDone(result) || othersActed(disk, before))) {
      const undone = await disk.undo(other, 0n, "PREEMPT", result);
      if (await disk.hasKey(other)) throw undone;
      return gone(wanted, null);
    }
    if (isNew) warnings.push(unanswered(key, result));
  }
  return finishShare(wanted, reservation, disk, warnings);
}

/** The last step: the guest's key takes the place of the passing one. */
async function finishShare(
  wanted: ReservationState,
  reservation: ReportedReservation | null,
  disk: ReservationClient,
  warnings: readonly string[],
): Promise<Moved> {
  const { key } = wanted;
  const { passing } = disk;
  const done = await becomes(disk, passing, key);
  if (done.status !== ScsiStatus.GOOD) {
    const keys = await disk.keysAfter(key, "REGISTER", done);
    if (keys.includes(passing)) throw disk.failure("REGISTER", done, `; it is left registered with key ${formatKey(passing)}: try again`);
    if (!keys.includes(key)) return gone(wanted, null);
  }
  if (wanted.type === 0 || reservation === null || !isAllRegistrantsReservation(reservation)) {
    return { taken: "registration", warnings: [...warnings, ...lossOf(wanted, reservation)], state: { key, type: 0 } };
  }
  const { type } = reservation;
  return { taken: "reservation", warnings: [...warnings, ...otherType(wanted, type)], state: { key, type } };
}

function changed(key: bigint): QomError {
  return new QomError("io", `key ${formatKey(key)} is registered, and its reservation was taken meanwhile: try again`);
}
