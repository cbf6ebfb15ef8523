/**
 * Reservations that follow a guest to another machine (QEMU 11.1: the property `migrate-pr` of scsi-block). An emulator that migrates saves
 * them at the source, when its guest has stopped, and restores them at the destination, before its guest runs.
 */
import { aBoolean, check, checkMembers, optional, someBytes } from "../../base/check.js";
import { QomError } from "../../base/errors.js";
import { Opcode, serviceActionOf } from "../../scsi/cdb.js";
import { bareStatus, ScsiStatus } from "../../scsi/command.js";
import type { ScsiAnswer, ScsiCommand, ScsiResult } from "../../scsi/command.js";
import { decodeMigration, encodeMigration, NOTHING_RESERVED, STREAM_ATTENTIONS_MAX } from "../../scsi/migration-stream.js";
import type { ReservationState } from "../../scsi/migration-stream.js";
import { PR_IN, ReserveIn } from "../../scsi/persistent-reserve.js";
import { sameSense, Sense, senseResult } from "../../scsi/sense.js";
import type { SenseCode } from "../../scsi/sense.js";
import { followedCommand, mayHaveRemovedSender, stateAfter, stateAfterPreempt } from "./reservation-state.js";
import type { FollowedCommand } from "./reservation-state.js";
import { ReservationClient } from "./reservation-client.js";
import { takeOver } from "./reservation-takeover.js";
import type { ReservationTakeover } from "./reservation-takeover.js";

/** What {@link ReservationMigration.save} may be told. */
export interface MigrationSaveOptions {
  /** Add the unit attentions that the guest has not seen. Only this library understands a stream that has some. Default: false. */
  readonly attentions?: boolean;
}

/** A device's part in a migration: `device.migration`. */
export interface ReservationMigration {
  /**
   * What the guest has registered and reserved, for the destination; null if there is nothing to restore there, or if `migrate-pr` is off.
   * The bytes are the content of the subsection `scsi-disk/pr` in QEMU's stream: version 1 (4 bytes), key (8 bytes), type (1 byte), all
   * big-endian. Nothing changes on the disk.
   * @throws QomError `in-use` while reservations are being taken over or a PERSISTENT RESERVE OUT of the guest is under way, `closed`
   */
  save(options?: MigrationSaveOptions): Uint8Array | null;
  /**
   * Takes over what the source has saved: the content of the subsection, or the whole of it. New commands of the guest wait meanwhile.
   * Where a guest has several paths to a disk, the one that holds the reservation comes first.
   *
   * Rejects with a QomError, and the disk stays as it was: `syntax` for a stream that is torn or too long, `limit` for too many unit
   * attentions or keys, `unsupported` for another version and for a device that takes none, `invalid-value`, `in-use` while another call is
   * under way, `io` for a command that the disk did not carry out, `closed`. If the disk refuses for long to finish or to undo what was
   * begun, the message says which key it may have too many, or too few. A device that is closed meanwhile waits for it.
   */
  restore(bytes: Uint8Array): Promise<ReservationTakeover>;
  /** At the source of a migration that failed, before its guest runs on: takes back what the destination may have. Rejects as restore(). */
  reclaim(): Promise<ReservationTakeover>;
  /** At the source of a migration that succeeded: what the guest had is the destination's. @throws QomError as save() */
  forget(): void;
}

/** What a device lends its migration. */
export interface MigratingDevice {
  describe(): string;
  /** Sends a command of the device's own. */
  send(command: ScsiCommand): Promise<ScsiResult>;
  /** Unit attentions that the disk has for the device and has not reported, as far as that can be known. */
  pendingAttentions(): readonly SenseCode[];
  /** The guest's other paths to the same disk. */
  otherPaths(): readonly FollowingMigration[];
  /** @throws QomError `closed` */
  requireOpen(): void;
  pause(pauseMs: number): Promise<void>;
}

/** Of a device whose reservations do not follow. */
export class NoMigration implements ReservationMigration {
  readonly #device: Pick<MigratingDevice, "describe" | "requireOpen">;

  constructor(device: Pick<MigratingDevice, "describe" | "requireOpen">) {
    this.#device = device;
  }

  save(options: MigrationSaveOptions = {}): null {
    checkMembers("migration.save", "options", options, SAVE_OPTIONS);
    this.#device.requireOpen();
    return null;
  }

  async restore(bytes: Uint8Array): Promise<ReservationTakeover> {
    void bytes;
    this.#device.requireOpen();
    const hint = "scsi-block with migrate-pr=on does";
    return Promise.reject(new QomError("unsupported", `${this.#device.describe()} takes no reservations over`, { hint }));
  }

  async reclaim(): Promise<ReservationTakeover> {
    this.#device.requireOpen();
    return Promise.resolve({ taken: "nothing", warnings: [] });
  }

  forget(): void {
    this.#device.requireOpen();
  }
}

const SAVE_OPTIONS = { attentions: optional(aBoolean) } as const;

/** ASC of resets, and the codes of what others did to registrations and the reservation. */
const ASC_RESET = 0x29;
const ABOUT_RESERVATIONS = [Sense.RESERVATIONS_PREEMPTED, Sense.RESERVATIONS_RELEASED, Sense.REGISTRATIONS_PREEMPTED] as const;

/** Where REPORT CAPABILITIES has SIP_C and ATP_C: a registration of other ports could not follow. */
const CAPABILITIES_AT = 2;
const SIP_C_AND_ATP_C = 0x0c;

/** Of scsi-block: see the module text. */
export class FollowingMigration implements ReservationMigration {
  readonly #device: MigratingDevice;
  #state: ReservationState = NOTHING_RESERVED;
  /** Unit attentions that the guest is to be told, in this order: what commands of the device's own were answered with, and restored ones. */
  #attentions: readonly SenseCode[] = [];
  #underWay: Promise<void> | null = null;
  /** What a takeover that failed may have left on the disk: see {@link ReservationClient.passing}. */
  #passing = 0n;
  /** PERSISTENT RESERVE OUT of the guest that have not been answered. */
  #changing = 0;
  #isHere = false;

  /** Whether a command of the guest must go through {@link admit}. */
  intercepts = false;

  constructor(device: MigratingDevice) {
    this.#device = device;
  }

  /** Resolves when what is being taken over is; null when nothing is. */
  get underWay(): Promise<void> | null {
    return this.#underWay;
  }

  /** Whether that key came here by a migration, and has not been saved for another one. */
  hasBrought(key: bigint): boolean {
    return this.#isHere && this.#state.key === key;
  }

  save(options: MigrationSaveOptions = {}): Uint8Array | null {
    checkMembers("migration.save", "options", options, SAVE_OPTIONS);
    this.#requireIdle();
    this.#isHere = false;
    const attentions = options.attentions === true ? distinct([...this.#attentions, ...this.#device.pendingAttentions()]) : [];
    return this.#state.key === 0n && attentions.length === 0 ? null : encodeMigration(this.#state, attentions);
  }

  async restore(bytes: Uint8Array): Promise<ReservationTakeover> {
    check("migration.restore", "bytes", bytes, someBytes);
    this.#requireIdle();
    const { attentions, ...wanted } = this.#decode(bytes);
    // What the disk has to say to this nexus about resets and reservations was meant for whoever had it before.
    return this.#takeOver(wanted, (taken) => [...attentions, ...taken.filter((code) => !isReset(code) && !isAboutReservations(code))]);
  }

  async reclaim(): Promise<ReservationTakeover> {
    this.#requireIdle();
    return this.#takeOver(this.#state, (taken, moved) => {
      // That the registration was preempted is the destination's doing, and undone.
      const untrue = moved.taken === "nothing" ? (): boolean => false : isAboutReservations;
      return [...this.#attentions, ...taken].filter((code) => !untrue(code));
    });
  }

  forget(): void {
    this.#requireIdle();
    this.#isHere = false;
    this.#state = NOTHING_RESERVED;
    this.#tell([]);
  }

  /** Carries out a command of the guest for which {@link intercepts} is set. */
  admit(command: ScsiCommand, goOn: (command: ScsiCommand) => ScsiAnswer): ScsiAnswer {
    if (this.#underWay !== null) return this.#afterwards(this.#underWay, command, goOn);
    const [attention] = this.#attentions;
    if (attention === undefined || reportsNoAttention(command.cdb)) return goOn(command);
    this.#tell(this.#attentions.slice(1));
    return senseResult(attention);
  }

  /** Sends a PERSISTENT RESERVE IN or OUT of the guest, and takes note of it. */
  follow(command: ScsiCommand, send: (command: ScsiCommand) => ScsiAnswer): ScsiAnswer {
    if (command.cdb[0] === PR_IN) {
      if (serviceActionOf(command.cdb) !== ReserveIn["report-capabilities"]) return send(command);
      const capabilities = send(command);
      return capabilities instanceof Promise ? capabilities.then((result) => masked(command, result)) : masked(command, capabilities);
    }
    const followed = followedCommand(command);
    const answer = send(command);
    return answer instanceof Promise ? this.#noteLater(followed, answer) : this.#note(followed, answer);
  }

  async #noteLater(command: FollowedCommand, answer: Promise<ScsiResult>): Promise<ScsiResult> {
    this.#changing += 1;
    try {
      return await this.#note(command, await answer);
    } finally {
      this.#changing -= 1;
    }
  }

  #note(command: FollowedCommand, result: ScsiResult): ScsiAnswer {
    if (result.status !== ScsiStatus.GOOD) return result;
    const state = stateAfter(this.#state, command);
    if (state === null) return this.#askAfterPreempt(command, result);
    this.#state = state;
    return result;
  }

  /** The guest's answer waits for it: what is saved after it must be right. */
  async #askAfterPreempt(command: FollowedCommand, result: ScsiResult): Promise<ScsiResult> {
    const disk = this.#client();
    try {
      const reservation = await disk.reservation();
      const registered = !mayHaveRemovedSender(command, reservation) || (await disk.hasKey(command.key));
      this.#state = stateAfterPreempt(this.#state, command, { reservation, registered });
    } catch (error) {
      // The PREEMPT itself has succeeded. A destination asks the disk again.
      if (!(error instanceof QomError)) throw error;
      this.#state = { ...this.#state, key: command.key };
    }
    this.#tell([...this.#attentions, ...disk.attentions]);
    return result;
  }

  #decode(bytes: Uint8Array): ReturnType<typeof decodeMigration> {
    try {
      return decodeMigration(bytes);
    } catch (error) {
      if (!(error instanceof QomError)) throw error;
      throw new QomError(error.kind, `${this.#device.describe()}: ${error.message}`, { context: { object: this.#device.describe() } });
    }
  }

  async #takeOver(
    wanted: ReservationState,
    attentionsOf: (taken: readonly SenseCode[], moved: ReservationTakeover) => readonly SenseCode[],
  ): Promise<ReservationTakeover> {
    const disk = this.#client();
    disk.passing = this.#passing;
    const taken: readonly SenseCode[] = disk.attentions;
    const paths = this.#device.otherPaths();
    // In turn: two paths with one key that move at once would preempt each other.
    const moving = Promise.all(paths.flatMap((path) => path.underWay ?? [])).then(() => {
      return takeOver(
        wanted,
        disk,
        paths.some((path) => path.hasBrought(wanted.key)),
      );
    });
    const ended = (attentions: readonly SenseCode[]): void => {
      this.#underWay = null;
      this.#tell(attentions);
    };
    this.#underWay = moving.then(
      (moved) => {
        this.#state = moved.state;
        this.#passing = 0n;
        this.#isHere = moved.taken !== "nothing";
        ended(attentionsOf(taken, moved));
      },
      () => {
        this.#passing = disk.passing;
        ended([...this.#attentions, ...taken]);
      },
    );
    this.intercepts = true;
    const { taken: what, warnings } = await moving;
    await this.#underWay;
    return { taken: what, warnings };
  }

  #client(): ReservationClient {
    const device = this.#device;
    return new ReservationClient(
      (command) => device.send(command),
      device.describe(),
      (pauseMs) => device.pause(pauseMs),
    );
  }

  #tell(attentions: readonly SenseCode[]): void {
    this.#attentions = distinct(attentions);
    this.intercepts = this.#underWay !== null || this.#attentions.length > 0;
  }

  async #afterwards(underWay: Promise<void>, command: ScsiCommand, goOn: (command: ScsiCommand) => ScsiAnswer): Promise<ScsiResult> {
    await unlessAborted(underWay, command.signal);
    if (command.signal?.aborted === true) return bareStatus(ScsiStatus.TASK_ABORTED);
    return this.admit(command, goOn);
  }

  #requireIdle(): void {
    this.#device.requireOpen();
    if (this.#underWay === null && this.#changing === 0) return;
    const what = this.#underWay === null ? "has a PERSISTENT RESERVE OUT under way" : "is taking reservations over";
    throw new QomError("in-use", `${this.#device.describe()} ${what}`, { context: { object: this.#device.describe() } });
  }
}

function isReset({ asc }: SenseCode): boolean {
  return asc === ASC_RESET;
}

function isAboutReservations(code: SenseCode): boolean {
  return ABOUT_RESERVATIONS.some((known) => sameSense(known, code));
}

/** Commands that no unit attention keeps from being carried out (SAM-5 5.14). */
function reportsNoAttention([opcode]: Uint8Array): boolean {
  return opcode === Opcode.INQUIRY || opcode === Opcode.REPORT_LUNS || opcode === Opcode.REQUEST_SENSE;
}

/** Each condition once, as a disk keeps them. */
function distinct(codes: readonly SenseCode[]): readonly SenseCode[] {
  const first = codes.filter((code, at) => codes.findIndex((other) => sameSense(other, code)) === at);
  return first.slice(0, STREAM_ATTENTIONS_MAX);
}

function masked({ into }: ScsiCommand, result: ScsiResult): ScsiResult {
  const flags = result.dataIn[CAPABILITIES_AT];
  if (result.status !== ScsiStatus.GOOD || flags === undefined) return result;
  // A manager may have given out memory that it gives out again.
  const dataIn = result.dataIn.buffer === into?.buffer ? result.dataIn : Uint8Array.from(result.dataIn);
  dataIn[CAPABILITIES_AT] = flags & ~SIP_C_AND_ATP_C;
  return { ...result, dataIn };
}

/** Settles with `done`, or when the signal fires. */
function unlessAborted(done: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  if (signal === undefined || signal.aborted) return signal === undefined ? done : Promise.resolve();
  return new Promise((resolve) => {
    const end = (): void => {
      signal.removeEventListener("abort", end);
      resolve();
    };
    signal.addEventListener("abort", end);
    void done.then(end);
  });
}
