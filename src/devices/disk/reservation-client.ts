/** What a takeover of reservations asks a disk and tells it, and what became of a command whose answer does not say. */
import { QomError } from "../../base/errors.js";
import { readU32 } from "../../scsi/bytes.js";
import { ScsiStatus } from "../../scsi/command.js";
import type { ScsiCommand, ScsiResult } from "../../scsi/command.js";
import { PersistentReserveIn } from "../../scsi/persistent-reserve-in.js";
import type { ReportedReservation } from "../../scsi/persistent-reserve-in.js";
import { PersistentReserveOut } from "../../scsi/persistent-reserve-out.js";
import type { ReserveOutRequest } from "../../scsi/persistent-reserve-out.js";
import { formatKey } from "../../scsi/persistent-reserve.js";
import { STREAM_ATTENTIONS_MAX } from "../../scsi/migration-stream.js";
import { formatFailure, parseSense, sameSense, Sense, UNIT_ATTENTION } from "../../scsi/sense.js";
import type { SenseCode } from "../../scsi/sense.js";
import { isAllRegistrantsReservation } from "./reservation-state.js";

/** Sends a command to the disk. */
export type SendToDisk = (command: ScsiCommand) => Promise<ScsiResult>;

/** Waits that many milliseconds. */
export type Pause = (pauseMs: number) => Promise<void>;

/** As many keys as QEMU reads at once. */
const READ_KEYS_LENGTH = 136;
/** What fits the data of a PR helper, so that the command can go any way: 1023 keys. */
const READ_KEYS_LENGTH_MAX = 8192;
const READ_RESERVATION_LENGTH = 24;
const CAPABILITIES_LENGTH = 8;
const HEADER_LENGTH = 8;

const PREEMPTED = [Sense.RESERVATIONS_PREEMPTED, Sense.REGISTRATIONS_PREEMPTED] as const;

/** Sense key of a command that the disk does not know, or not in this form. */
const ILLEGAL_REQUEST = 0x5;

/** How long to wait before a command is sent again that must not be left undone: 3 s in all, since a disk is busy for a moment only. */
const PAUSES_MS = [0, 50, 100, 200, 400, 800, 1500] as const;

/** Asks a disk, and tells it. A command that does not end GOOD is an error, unless its result is asked for. */
export class ReservationClient {
  readonly #send: SendToDisk;
  readonly #describe: string;
  readonly #pause: Pause;
  /** Unit attentions that commands were answered with, in this order; each of those was sent again. */
  readonly attentions: SenseCode[] = [];
  /** A key that nobody else has, and that this nexus may have until it has the guest's; 0 without one. */
  passing = 0n;
  /** What this nexus was told to register last: it may have it, if nothing can be sent any more. */
  #registered = 0n;
  /** PRGENERATION, as the last answer said it. */
  #generation = 0;
  /** Kept as it is: every REGISTER says anew whether reservations are to survive power loss, for all registrants. */
  #aptpl: boolean | undefined;

  /** @param describe the device, for messages @param pause waits before a command is sent again */
  constructor(send: SendToDisk, describe: string, pause: Pause) {
    this.#send = send;
    this.#describe = describe;
    this.#pause = pause;
  }

  /** READ RESERVATION. @throws QomError `io` */
  async reservation(): Promise<ReportedReservation | null> {
    const result = await this.#read("READ RESERVATION", PersistentReserveIn.readReservation(READ_RESERVATION_LENGTH));
    const { generation, reservation } = PersistentReserveIn.parse("read-reservation", result);
    this.#generation = generation;
    return reservation;
  }

  /** What is reserved instead, if there is no reservation of that key; null if there is one, or if the disk does not tell. */
  async lost(key: bigint): Promise<{ readonly reservation: ReportedReservation | null } | null> {
    const result = await this.#ask(PersistentReserveIn.readReservation(READ_RESERVATION_LENGTH));
    if (result.status !== ScsiStatus.GOOD || result.dataIn.length < HEADER_LENGTH) return null;
    const { reservation } = PersistentReserveIn.parse("read-reservation", result.dataIn);
    return isSingle(reservation, key) ? null : { reservation };
  }

  /** READ KEYS. @throws QomError `io`; `limit` if it is not among the keys that can be read, and there are more */
  async hasKey(key: bigint): Promise<boolean> {
    return (await this.keys(key)).includes(key);
  }

  /** READ KEYS: one for each nexus. @param sought the key that it is about @throws QomError as {@link hasKey} */
  async keys(sought: bigint): Promise<readonly bigint[]> {
    const first = await this.#read("READ KEYS", PersistentReserveIn.readKeys(READ_KEYS_LENGTH));
    const length = HEADER_LENGTH + readU32(first, 4);
    const all = length <= READ_KEYS_LENGTH ? first : await this.#read("READ KEYS", PersistentReserveIn.readKeys(READ_KEYS_LENGTH_MAX));
    const { generation, keys } = PersistentReserveIn.parse("read-keys", all);
    this.#generation = generation;
    if (keys.includes(sought) || length <= READ_KEYS_LENGTH_MAX) return keys;
    const message = `${this.#describe} cannot take reservations over: the disk has more than the ${keys.length} keys that can be read`;
    throw new QomError("limit", message, { context: { object: this.#describe } });
  }

  /** The same after a command whose answer left it open what it did: asked again if the disk does not answer. */
  async keysAfter(key: bigint, command: string, result: ScsiResult): Promise<readonly bigint[]> {
    for (const pauseMs of PAUSES_MS) {
      if (pauseMs > 0) await this.#pause(pauseMs);
      try {
        return await this.keys(key);
      } catch (error) {
        if (!(error instanceof QomError) || error.kind === "closed") break;
      }
    }
    throw this.failure(command, result, UNKNOWN);
  }

  /**
   * REGISTER of a nexus that should have no key yet; where it has one, both ends of the migration are one initiator, or the nexus was left
   * with it, and its key is replaced. What is registered was read just before.
   * @returns whether the nexus was new @throws QomError `io`
   */
  async register(serviceActionKey: bigint): Promise<boolean> {
    const aptpl = await this.#isPersistent();
    const before = this.#generation;
    const first = await this.out({ action: "register", serviceActionKey, aptpl });
    if (first.status === ScsiStatus.GOOD) return true;
    if (first.status !== ScsiStatus.RESERVATION_CONFLICT) {
      if (mayBeDone(first) && (await this.#hasRegistered(serviceActionKey, before, first))) return true;
      throw this.failure("REGISTER", first);
    }
    const second = await this.insist({ action: "register-and-ignore-existing-key", serviceActionKey, aptpl });
    if (second.status !== ScsiStatus.GOOD) {
      throw this.failure("REGISTER AND IGNORE EXISTING KEY", second, mayBeDone(second) ? left(serviceActionKey) : "");
    }
    return false;
  }

  /** Whether a REGISTER without an answer was carried out: the disk counts those, and replacing the key by itself asks whose it is. */
  async #hasRegistered(key: bigint, generation: number, result: ScsiResult): Promise<boolean> {
    await this.keysAfter(key, "REGISTER", result);
    if (this.#generation === generation) return false;
    const same = await this.insist({ action: "register", key, serviceActionKey: key, aptpl: await this.#isPersistent() });
    if (same.status === ScsiStatus.GOOD || same.status === ScsiStatus.RESERVATION_CONFLICT) return same.status === ScsiStatus.GOOD;
    throw this.failure("REGISTER", same, left(key));
  }

  /** Sends a command that must not be left undone, again until it ends GOOD or conflicts, or the disk has refused it too often. */
  async insist(request: ReserveOutRequest): Promise<ScsiResult> {
    let result = await this.out(request);
    for (const pauseMs of PAUSES_MS) {
      if (result.status === ScsiStatus.GOOD || result.status === ScsiStatus.RESERVATION_CONFLICT) break;
      if (pauseMs > 0) await this.#pause(pauseMs);
      result = await this.out(request);
    }
    return result;
  }

  /**
   * Takes back a registration of this nexus, and says that `command` failed.
   * @param key what the nexus has @param before what it had; a conflict means that it has that already
   */
  async undo(key: bigint, before: bigint, command: string, result: ScsiResult): Promise<QomError> {
    let undone = false;
    try {
      const { status } = await this.rekey(key, before);
      undone = status === ScsiStatus.GOOD || status === ScsiStatus.RESERVATION_CONFLICT;
    } catch (error) {
      if (!(error instanceof QomError)) throw error;
    }
    return this.failure(command, result, undone ? "" : left(key));
  }

  /** REGISTER of a nexus that has `key`, insisted on. */
  async rekey(key: bigint, serviceActionKey: bigint): Promise<ScsiResult> {
    return this.insist({ action: "register", key, serviceActionKey, aptpl: await this.#isPersistent() });
  }

  out(request: ReserveOutRequest): Promise<ScsiResult> {
    const { action, serviceActionKey = 0n } = request;
    if (action !== "preempt" && serviceActionKey !== 0n) this.#registered = serviceActionKey;
    return this.#ask(PersistentReserveOut.encode(request));
  }

  /** @param more what that leaves behind */
  failure(command: string, result: ScsiResult, more = ""): QomError {
    const message = `${this.#describe} cannot take reservations over: ${command} ended with ${formatFailure(result)}${more}`;
    return new QomError("io", message, { context: { object: this.#describe } });
  }

  /** PRGENERATION as the disk said it last. */
  get generation(): number {
    return this.#generation;
  }

  /** How often the disk has reported that somebody preempted this nexus. */
  get preemptions(): number {
    return this.attentions.filter((code) => PREEMPTED.some((known) => sameSense(known, code))).length;
  }

  async #ask(command: ScsiCommand): Promise<ScsiResult> {
    for (;;) {
      const result = await this.#send(command).catch((error: unknown) => {
        throw error instanceof QomError && this.#registered !== 0n
          ? new QomError(error.kind, `${error.message}${left(this.#registered)}`, { context: error.context })
          : error;
      });
      const sense = parseSense(result.sense);
      if (sense?.key !== UNIT_ATTENTION || this.attentions.length >= STREAM_ATTENTIONS_MAX) return result;
      this.attentions.push(sense);
    }
  }

  async #isPersistent(): Promise<boolean> {
    if (this.#aptpl !== undefined) return this.#aptpl;
    const result = await this.#ask(PersistentReserveIn.reportCapabilities(CAPABILITIES_LENGTH));
    // A disk that does not know the command is not one that did not carry it out: the latter may have APTPL on.
    if (result.status !== ScsiStatus.GOOD && parseSense(result.sense)?.key !== ILLEGAL_REQUEST) {
      throw this.failure("REPORT CAPABILITIES", result);
    }
    const told = result.status === ScsiStatus.GOOD && result.dataIn.length >= CAPABILITIES_LENGTH;
    this.#aptpl = told && PersistentReserveIn.parse("report-capabilities", result.dataIn).persistThroughPowerLossActive;
    return this.#aptpl;
  }

  async #read(name: string, command: ScsiCommand): Promise<Uint8Array> {
    const result = await this.#ask(command);
    if (result.status !== ScsiStatus.GOOD || result.dataIn.length < HEADER_LENGTH) throw this.failure(name, result);
    return result.dataIn;
  }
}

/** What a failure says of a key that it leaves behind, or may. */
function left(key: bigint): string {
  return `; the device may be left registered with key ${formatKey(key)}: try again`;
}

const UNKNOWN = "; what it did could not be found out: try again";

/** Whether a command may have been carried out that did not end GOOD; one that the disk has turned away was not. */
export function mayBeDone(result: ScsiResult): boolean {
  const { status, sense } = result;
  const turnedAway: readonly number[] = [ScsiStatus.BUSY, ScsiStatus.TASK_SET_FULL, ScsiStatus.RESERVATION_CONFLICT];
  return !turnedAway.includes(status) && parseSense(sense)?.key !== ILLEGAL_REQUEST;
}

/** Whether it is a reservation of one holder, who has that key. */
export function isSingle(reservation: ReportedReservation | null, key: bigint): boolean {
  return reservation !== null && reservation.key === key && !isAllRegistrantsReservation(reservation);
}
