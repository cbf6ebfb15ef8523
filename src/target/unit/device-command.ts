/** One row of a device server's command table, and what its handler works on. */

import type { ScsiResult } from "../../scsi/command.js";
import type { TargetBehaviour } from "../behaviour.js";
import type { Medium } from "../medium/medium.js";
import type { NexusTable } from "./nexus-table.js";
import type { ReservationDesk } from "./reservation-desk.js";
import type { SerialQueue } from "../../base/serial-queue.js";
import type { Task } from "./task.js";
import type { UnitModes } from "./unit-modes.js";
import type { UnitPower } from "./unit-power.js";
import type { UnitDefinition } from "./unit-spec.js";

/** A logical unit as its commands see it. */
export interface UnitContext {
  readonly definition: UnitDefinition;
  readonly behaviour: TargetBehaviour;
  readonly medium: Medium;
  /** Capacity in logical blocks. */
  readonly blockCount: number;
  readonly modes: UnitModes;
  readonly power: UnitPower;
  readonly nexuses: NexusTable;
  readonly reservations: ReservationDesk;
  readonly commands: SupportedCommands;
  /** Commands that change the medium go through it, so that each of them is atomic for the others. */
  readonly writes: SerialQueue;
}

/** A command that a logical unit supports. Its name, and the data its CDB announces, are in src/scsi/cdb-table.ts. */
export interface DeviceCommand {
  readonly opcode: number;
  /** Only for operation codes that several commands share: bits 4 to 0 of byte 1. */
  readonly serviceAction?: number;
  /** Only for a command that sees to its service actions itself: those it executes. */
  readonly serviceActions?: readonly number[];
  /**
   * The CDB usage map of REPORT SUPPORTED OPERATION CODES (SPC-4 6.35.3) as hexadecimal digits: the operation code, and for each
   * further byte the bits that are evaluated; SERVICE ACTION, bits 4 to 0 of byte 1, is put in by the report. Its length is the CDB's.
   */
  readonly usage: string;
  /** INQUIRY, REPORT LUNS and REQUEST SENSE: executed whatever unit attention is pending and whoever has reserved the unit. */
  readonly unconditional?: true;
  /** Accesses the medium, or asks whether that can be done: not while the unit is stopped. */
  readonly needsMedium?: true;
  /** Waits for reservation commands before it, and they for it. */
  readonly reservation?: true;
  /** What is illegal in the CDB itself, or null. It is reported even if a reservation conflicts. */
  check?(unit: UnitContext, task: Task): ScsiResult | null;
  /** Executes the command; everything that could keep it from running has been looked at. */
  run(unit: UnitContext, task: Task): ScsiResult | Promise<ScsiResult>;
}

/** A {@link DeviceCommand} of a unit, with its usage map as bytes; `cdbLength` of them. */
export interface SupportedCommand extends DeviceCommand {
  readonly usageMap: Uint8Array;
  readonly cdbLength: number;
}

/** What a unit can do, as its own commands ask for it. */
export interface SupportedCommands {
  /** Every command, by operation code and service action. */
  readonly commands: readonly SupportedCommand[];
  /** The command of that operation code and, where it has rows of their own for them, service action; null when there is none. */
  find(opcode: number, serviceAction: number): SupportedCommand | null;
  /** True when the operation code has service actions, whether or not they are rows of their own. */
  hasServiceActions(opcode: number): boolean;
}
