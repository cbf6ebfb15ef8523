/**
 * The front of a SCSI bus, which its host adapter talks to: which commands the bus answers itself, which go to a device, and what is
 * remembered of each unit in between (QEMU: hw/scsi/scsi-bus.c, scsi_req_new). Devices know nothing of this.
 */
import { cdbLengthOf, expectedTransfer, Opcode } from "../../scsi/cdb.js";
import type { DataDirection, Transfer } from "../../scsi/cdb.js";
import { NO_BYTES, ScsiStatus } from "../../scsi/command.js";
import type { ScsiResult } from "../../scsi/command.js";
import { sameSense, Sense, senseResult } from "../../scsi/sense.js";
import type { SenseCode } from "../../scsi/sense.js";
import type { UnitAddress } from "../../scsi/virtio-scsi.js";
import type { BusDevice, ScsiBus } from "./scsi-bus.js";
import { answerAsTarget } from "./target-emulation.js";

/** Commands that neither meet nor clear a unit attention (SAM-5 5.14, MMC-6 4.1.6). */
const BEFORE_ATTENTION: ReadonlySet<number> = new Set([
  Opcode.INQUIRY,
  Opcode.REPORT_LUNS,
  Opcode.GET_CONFIGURATION,
  Opcode.GET_EVENT_STATUS_NOTIFICATION,
]);

/** A unit as its host adapter sees it. */
export class FrontUnit {
  /** What the unit's initiator has not been told; one condition, the most important one, as in QEMU. */
  attention: SenseCode | null = Sense.POWER_ON_OR_RESET;
  /** Sense data of the last command that the transport did not fail, until the next one. */
  sense: Uint8Array = NO_BYTES;
  /**
   * Controllers of commands that have ended without being aborted: a signal costs more than a short command. They are the unit's, whose
   * device may remember a signal that it was given once.
   */
  readonly spareControllers: AbortController[] = [];

  constructor(
    readonly device: BusDevice,
    readonly lun: number,
  ) {}

  /**
   * How much of the buffers the device gets of a command that it answers; null when that is more than they hold, or of the other direction.
   * The data are what the buffers hold, whatever the CDB says: the device judges. A command whose data the device counts in blocks must
   * fit its buffers, and leaves the rest of them alone.
   */
  bytesOf(command: FrontCommand): number | null {
    const { cdb, dataBytes } = command;
    if (!this.device.countsBlocks(cdb)) return dataBytes;
    const transfer = expectedTransfer(cdb, this.device.blockSizeBytes);
    return overruns(transfer, command) ? null : transfer.bytes;
  }

  /** Establishes a unit attention, unless a more important one is pending. */
  raise(code: SenseCode): void {
    if (this.attention === null || precedence(code) < precedence(this.attention)) this.attention = code;
  }
}

/** A command as it arrives: its CDB, and the buffers that come with it. */
export interface FrontCommand {
  /** What its field has of it. */
  readonly cdb: Uint8Array;
  readonly direction: DataDirection;
  /** Size of the buffers. */
  readonly dataBytes: number;
}

/** What is to be done with a command. */
export type Admission =
  /** No unit at all at that target. */
  | "no-target"
  /** More data than the buffers hold, or in the wrong direction. */
  | "overrun"
  /** The bus answers; this is it, and nothing else is to be done. */
  | ScsiResult
  /** The unit's device answers; {@link FrontUnit.sense} is to be kept then. */
  | FrontUnit;

/** See the module text. */
export class BusFront {
  readonly #bus: ScsiBus;
  readonly #units = new WeakMap<BusDevice, FrontUnit>();
  /** A unit attention that whichever unit is asked first reports, once for the whole bus, as in QEMU. */
  #attention: SenseCode | null = null;

  constructor(bus: ScsiBus) {
    this.#bus = bus;
  }

  /** The unit at that address; null when there is none. */
  unitAt({ target, lun }: UnitAddress): FrontUnit | null {
    const device = this.#bus.at(target, lun);
    return device === undefined ? null : this.#unit(device, lun);
  }

  /** The units of a target, the youngest first. */
  unitsOf(target: number): readonly FrontUnit[] {
    return this.#bus.ofTarget(target).map(({ device, lun }) => this.#unit(device, lun));
  }

  /** Decides about a command; what the bus answers counts as reported from then on. */
  admit(address: UnitAddress, command: FrontCommand): Admission {
    const device = this.#bus.at(address.target, address.lun);
    const addressed = device === undefined ? null : this.#unit(device, address.lun);
    const unit = addressed ?? this.unitsOf(address.target)[0];
    if (unit === undefined) return "no-target";
    const { cdb } = command;
    const opcode = cdb[0] ?? 0;
    const cdbLength = cdbLengthOf(opcode);
    // It is shorter than its operation code says, because its field is.
    if (cdb.length < (cdbLength ?? 1)) return this.#answer(unit, senseResult(Sense.INVALID_COMMAND_OPERATION_CODE));
    const pending = unit.attention ?? this.#attention;
    const attention = pending === null || BEFORE_ATTENTION.has(opcode) ? null : pending;
    const asksTarget = addressed === null || opcode === Opcode.REPORT_LUNS || (opcode === Opcode.REQUEST_SENSE && unit.sense.length > 0);
    if (attention === null && !asksTarget) return unit;
    if (cdbLength === null) return this.#answer(unit, senseResult(Sense.INVALID_COMMAND_OPERATION_CODE));
    if (overruns(expectedTransfer(cdb, unit.device.blockSizeBytes), command)) return "overrun";
    if (attention !== null) return this.#report(unit, attention);
    return this.#answerAsTarget(unit, address, cdb, addressed !== null);
  }

  /** Units came or went: the unit asked next says so. */
  unitsChanged(): void {
    if (this.#attention === null) this.#attention = Sense.REPORTED_LUNS_DATA_CHANGED;
  }

  /** Everything is as after power on: every unit has its unit attention. */
  reset(): void {
    for (const device of this.#bus.devices) {
      const unit = this.#units.get(device);
      // Others have it from the beginning.
      if (unit !== undefined) unit.attention = Sense.POWER_ON_OR_RESET;
    }
  }

  #unit(device: BusDevice, lun: number): FrontUnit {
    const known = this.#units.get(device);
    if (known !== undefined) return known;
    const unit = new FrontUnit(device, lun);
    this.#units.set(device, unit);
    return unit;
  }

  #answer(unit: FrontUnit, result: ScsiResult): Admission {
    unit.sense = result.sense;
    return result;
  }

  /** The sense data of a unit attention are not remembered: the response has carried them (UA_INTLCK_CTRL = 00b). */
  #report(unit: FrontUnit, attention: SenseCode): Admission {
    if (unit.attention === null) this.#attention = null;
    else unit.attention = null;
    unit.sense = NO_BYTES;
    return senseResult(attention);
  }

  #answerAsTarget(unit: FrontUnit, { target, lun }: UnitAddress, cdb: Uint8Array, exists: boolean): Admission {
    const luns = cdb[0] === Opcode.REPORT_LUNS ? this.#bus.ofTarget(target).map((other) => other.lun) : [];
    const result = answerAsTarget({ cdb, lun, exists, luns, sense: unit.sense });
    if (cdb[0] === Opcode.REPORT_LUNS && result.status === ScsiStatus.GOOD) this.#lunsReported(unit);
    return this.#answer(unit, result);
  }

  /** Whoever has read the list need not be told that it has changed (SPC-4 6.33). */
  #lunsReported(unit: FrontUnit): void {
    if (unit.attention !== null && sameSense(unit.attention, Sense.REPORTED_LUNS_DATA_CHANGED)) unit.attention = null;
    else if (unit.attention === null) this.#attention = null;
  }
}

/** A reset outranks everything; of two others the one with the lower code does (QEMU: scsi_ua_precedence). */
function precedence({ asc, ascq }: SenseCode): number {
  return asc === Sense.POWER_ON_OR_RESET.asc ? ascq : (asc << 8) | ascq;
}

function overruns({ direction, bytes }: Transfer, command: FrontCommand): boolean {
  return direction !== "none" && (direction !== command.direction || bytes > command.dataBytes);
}
