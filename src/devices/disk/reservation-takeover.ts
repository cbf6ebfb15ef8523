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
import { readU32 } from "../../scsi/bytes.js";
import { ScsiStatus } from "../../scsi/command.js";
import type { ScsiCommand, ScsiResult } from "../../scsi/command.js";
import { NOTHING_RESERVED } from "../../scsi/migration-stream.js";
import type { ReservationState } from "../../scsi/migration-stream.js";
import { PersistentReserveIn } from "../../scsi/persistent-reserve-in.js";
import type { ReportedReservation } from "../../scsi/persistent-reserve-in.js";
import { PersistentReserveOut } from "../../scsi/persistent-reserve-out.js";
import type { ReserveOutRequest } from "../../scsi/persistent-reserve-out.js";
import { formatKey } from "../../scsi/persistent-reserve.js";
import { formatFailure } from "../../scsi/sense.js";
import { isAllRegistrantsReservation } from "./reservation-state.js";

/** What was moved: the reservation with its registration, the registration alone, or neither. */
export type ReservationsTaken = "reservation" | "registration" | "nothing";

/** What came of it. */
export interface ReservationTakeover {
  readonly taken: ReservationsTaken;
  /** What the guest had and has no more, and what else its user may want to know, one line each. */
  readonly warnings: readonly string[];
}

/** Sends a command to the disk, and once more after each unit attention. */
export type SendToDisk = (command: ScsiCommand) => Promise<ScsiResult>;

/** As many keys as QEMU reads at once. */
const READ_KEYS_LENGTH = 136;
/** What fits the data of a PR helper, so that the command can go any way: 1023 keys. */
const READ_KEYS_LENGTH_MAX = 8192;
const READ_RESERVATION_LENGTH = 24;
const CAPABILITIES_LENGTH = 8;
const HEADER_LENGTH = 8;

/** TYPE of a PREEMPT that creates no reservation, and so does not look at it; QEMU's. */
const ANY_TYPE = 1;

/** Asks a disk, and tells it. A command that does not end GOOD is an error, unless its result is asked for. */
export class ReservationClient {
  readonly #send: SendToDisk;
  readonly #describe: string;
  /** Kept as it is: every REGISTER says anew whether reservations are to survive power loss, for all registrants. */
  #aptpl: boolean | undefined;

  /** @param describe the device, for messages */
  constructor(send: SendToDisk, describe: string) {
    this.#send = send;
    this.#describe = describe;
  }

  /** READ RESERVATION. @throws QomError `io` */
  async reservation(): Promise<ReportedReservation | null> {
    const result = await this.#read("READ RESERVATION", PersistentReserveIn.readReservation(READ_RESERVATION_LENGTH));
    return PersistentReserveIn.parse("read-reservation", result).reservation;
  }

  /** What is reserved instead, if there is no reservation of that key; null if there is one, or if the disk does not tell. */
  async lost(key: bigint): Promise<{ readonly reservation: ReportedReservation | null } | null> {
    const result = await this.#send(PersistentReserveIn.readReservation(READ_RESERVATION_LENGTH));
    if (result.status !== ScsiStatus.GOOD || result.dataIn.length < HEADER_LENGTH) return null;
    const { reservation } = PersistentReserveIn.parse("read-reservation", result.dataIn);
    return isSingle(reservation, key) ? null : { reservation };
  }

  /** READ KEYS. @throws QomError `io`; `limit` if it is not among the keys that can be read, and there are more */
  async hasKey(key: bigint): Promise<boolean> {
    const first = await this.#read("READ KEYS", PersistentReserveIn.readKeys(READ_KEYS_LENGTH));
    const length = HEADER_LENGTH + readU32(first, 4);
    const all = length <= READ_KEYS_LENGTH ? first : await this.#read("READ KEYS", PersistentReserveIn.readKeys(READ_KEYS_LENGTH_MAX));
    const { keys } = PersistentReserveIn.parse("read-keys", all);
    if (keys.includes(key)) return true;
    if (length <= READ_KEYS_LENGTH_MAX) return false;
    const message = `${this.#describe} cannot take reservations over: the disk has more than the ${keys.length} keys that can be read`;
    throw new QomError("limit", message, { context: { object: this.#describe } });
  }

  /**
   * REGISTER of a nexus that should have no key yet; where it has one, both ends of the migration are one initiator, or the nexus was left
   * with it, and its key is replaced.
   * @returns whether the nexus was new @throws QomError `io`
   */
  async register(serviceActionKey: bigint): Promise<boolean> {
    const aptpl = await this.#isPersistent();
    const first = await this.out({ action: "register", serviceActionKey, aptpl });
    if (first.status === ScsiStatus.GOOD) return true;
    if (first.status !== ScsiStatus.RESERVATION_CONFLICT) throw this.failure("REGISTER", first);
    const second = await this.out({ action: "register-and-ignore-existing-key", serviceActionKey, aptpl });
    if (second.status !== ScsiStatus.GOOD) throw this.failure("REGISTER AND IGNORE EXISTING KEY", second);
    return false;
  }

  /** REGISTER of a nexus that has `key`. */
  async rekey(key: bigint, serviceActionKey: bigint): Promise<ScsiResult> {
    return this.out({ action: "register", key, serviceActionKey, aptpl: await this.#isPersistent() });
  }

  out(request: ReserveOutRequest): Promise<ScsiResult> {
    return this.#send(PersistentReserveOut.encode(request));
  }

  failure(command: string, result: ScsiResult): QomError {
    const message = `${this.#describe} cannot take reservations over: ${command} ended with ${formatFailure(result)}`;
    return new QomError("io", message, { context: { object: this.#describe } });
  }

  async #isPersistent(): Promise<boolean> {
    if (this.#aptpl !== undefined) return this.#aptpl;
    const result = await this.#send(PersistentReserveIn.reportCapabilities(CAPABILITIES_LENGTH));
    const told = result.status === ScsiStatus.GOOD && result.dataIn.length >= CAPABILITIES_LENGTH;
    this.#aptpl = told && PersistentReserveIn.parse("report-capabilities", result.dataIn).persistThroughPowerLossActive;
    return this.#aptpl;
  }

  async #read(name: string, command: ScsiCommand): Promise<Uint8Array> {
    const result = await this.#send(command);
    if (result.status !== ScsiStatus.GOOD || result.dataIn.length < HEADER_LENGTH) throw this.failure(name, result);
    return result.dataIn;
  }
}

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
  if (!(await disk.hasKey(key))) return gone(wanted, early ?? null);
  const reservation = early === undefined ? await disk.reservation() : early;
  const warnings = lossOf(wanted, reservation);
  if (pathHere || isSingle(reservation, key)) {
    await disk.register(key);
    if (!pathHere)
      warnings.push(`another port with the guest's key holds the reservation of type ${reservation?.type ?? 0}: it stays there`);
    return { taken: "registration", warnings, state: { key, type: 0 } };
  }
  if (reservation !== null && isAllRegistrantsReservation(reservation)) return takeShare(wanted, reservation, disk);
  return takeRegistration(wanted, disk, warnings);
}

/** Whether it is a reservation of one holder, who has that key. */
function isSingle(reservation: ReportedReservation | null, key: bigint): boolean {
  return reservation !== null && reservation.key === key && !isAllRegistrantsReservation(reservation);
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
  const preempted = await preempt(disk, isNew, { key, serviceActionKey: key, type });
  const warnings = otherType(wanted, type);
  // Another node may have been quicker: it has removed both registrations with that key, or this PREEMPT has.
  const lost = preempted ? await disk.lost(key) : { reservation: null };
  if (lost !== null) return gone(wanted, lost.reservation);
  if (pathHere) warnings.push("the guest's other paths to the disk have lost their registration: restore them again, after this one");
  return { taken: "reservation", warnings, state: { key, type } };
}

function otherType(wanted: ReservationState, type: number): string[] {
  return type === wanted.type || wanted.type === 0 ? [] : [`the guest's reservation has type ${type} on the disk, not ${wanted.type}`];
}

async function takeRegistration(wanted: ReservationState, disk: ReservationClient, warnings: readonly string[]): Promise<Moved> {
  const { key } = wanted;
  const isNew = await disk.register(key);
  if (!(await preempt(disk, isNew, { key, serviceActionKey: key, type: ANY_TYPE }))) return gone(wanted, null);
  const again = await disk.rekey(0n, key);
  // A conflict: this disk keeps the registration of whoever preempts its own key.
  if (again.status !== ScsiStatus.GOOD && again.status !== ScsiStatus.RESERVATION_CONFLICT) throw disk.failure("REGISTER", again);
  return { taken: "registration", warnings, state: { key, type: 0 } };
}

/** A share in a reservation that all registrants hold. */
async function takeShare(wanted: ReservationState, { type }: ReportedReservation, disk: ReservationClient): Promise<Moved> {
  const { key } = wanted;
  const other = key ^ 1n || 2n;
  const isNew = await disk.register(other);
  const preempted = await disk.out({ action: "preempt", key: other, serviceActionKey: key, type });
  // A conflict: nobody else has the key any more, since it was this nexus's own, or since another node has removed it.
  if (preempted.status !== ScsiStatus.GOOD && (isNew || preempted.status !== ScsiStatus.RESERVATION_CONFLICT)) {
    await disk.rekey(other, isNew ? 0n : key);
    if (preempted.status === ScsiStatus.RESERVATION_CONFLICT) return gone(wanted, null);
    throw disk.failure("PREEMPT", preempted);
  }
  const done = await disk.rekey(other, key);
  if (done.status !== ScsiStatus.GOOD) throw disk.failure("REGISTER", done);
  return wanted.type === 0
    ? { taken: "registration", warnings: [], state: wanted }
    : { taken: "reservation", warnings: otherType(wanted, type), state: { key, type } };
}

/** False if that registration is gone: another node has removed it since, and this one with it. @throws QomError `io` */
async function preempt(
  disk: ReservationClient,
  isNew: boolean,
  request: Omit<ReserveOutRequest, "action"> & { readonly key: bigint },
): Promise<boolean> {
  const result = await disk.out({ ...request, action: "preempt" });
  if (result.status === ScsiStatus.GOOD) return true;
  if (isNew) await disk.rekey(request.key, 0n);
  // A conflict, or it was aborted, as a PREEMPT AND ABORT does.
  if (!(await disk.hasKey(request.key))) return false;
  throw disk.failure("PREEMPT", result);
}
