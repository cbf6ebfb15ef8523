/** One row of a device server's command table, and what its handler gets. */

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
  /** Queue of commands that change the medium, so that each of them is atomic. */
  readonly writes: SerialQueue;
}

/** A command that a logical unit supports. Its name, and the data its CDB announces, are in src/scsi/cdb-table.ts. */
export interface DeviceCommand {
  readonly opcode: number;
  /** For operation codes that several commands share: bits 4 to 0 of byte 1. */
  readonly serviceAction?: number;
  /** For a command that handles its service actions itself: those that it supports. */
  readonly serviceActions?: readonly number[];
  /**
   * The CDB usage map of REPORT SUPPORTED OPERATION CODES (SPC-4 6.35.3) as hexadecimal digits: the operation code, and for each
   * further byte the bits that are evaluated; SERVICE ACTION, bits 4 to 0 of byte 1, is put in by the report. Its length is the CDB's.
   */
  readonly usage: string;
  /** INQUIRY, REPORT LUNS and REQUEST SENSE: executed whatever unit attention is pending and whoever has reserved the unit. */
  readonly unconditional?: true;
  /** Accesses the medium, or tests whether that is possible: refused while the unit is stopped. */
  readonly needsMedium?: true;
  /** Reservation commands are executed one after the other. */
  readonly reservation?: true;
  /** The result for an illegal CDB, or null. Reported even if there is a reservation conflict. */
  check?(unit: UnitContext, task: Task): ScsiResult | null;
  /** Executes the command, which has been admitted. */
  run(unit: UnitContext, task: Task): ScsiResult | Promise<ScsiResult>;
}

/** A {@link DeviceCommand} of a unit, with its usage map as bytes; `cdbLength` of them. */
export interface SupportedCommand extends DeviceCommand {
  readonly usageMap: Uint8Array;
  readonly cdbLength: number;
}

/** The commands of a unit, as its own commands see them. */
export interface SupportedCommands {
  /** Every command, by operation code and service action. */
  readonly commands: readonly SupportedCommand[];
  /** The command of that operation code and, if it has a row for each, service action; null if there is none. */
  find(opcode: number, serviceAction: number): SupportedCommand | null;
  /** True if the operation code has service actions, whether or not each has a row. */
  hasServiceActions(opcode: number): boolean;
}
