/**
 * The checks that a command has to pass before it is executed, in their order (SAM-5 5.3.3, SPC-4 5.12). Unknown operation codes are
 * refused before.
 */

import { present } from "../../base/assert.js";
import { classify } from "../../reservation/conflict-matrix.js";
import { isResetAttention } from "../../reservation/unit-attentions.js";
import { expectedTransfer, Opcode, serviceActionOf } from "../../scsi/cdb.js";
import { PR_IN } from "../../scsi/persistent-reserve.js";
import { bareStatus, ScsiStatus } from "../../scsi/command.js";
import type { ScsiResult } from "../../scsi/command.js";
import { Sense, senseResult } from "../../scsi/sense.js";
import { mediumFailure } from "../medium/medium-failure.js";
import type { SupportedCommand, UnitContext } from "./device-command.js";
import { invalidCdbField } from "./reply.js";
import type { OldOperation } from "./reservation-desk.js";
import type { Task } from "./task.js";

/** NACA in the CONTROL byte, the CDB's last: NormACA = 0 in the INQUIRY data of every unit here. */
const NACA = 0x04;
const NACA_BIT = 2;

/** The result of a command that is not executed, or null for one that is. A reported unit attention is cleared. */
export function admit(unit: UnitContext, task: Task, command: SupportedCommand): ScsiResult | null {
  if (command.unconditional === true) return cdbProblem(unit, task, command);
  const pending = task.nexusState.attentions.head;
  const outranks = pending !== null && (isResetAttention(pending) || unit.behaviour.unitAttentionsBeforeConflicts);
  if (outranks) return reportAttention(task);
  if (!unit.reservations.isKnown && dependsOnReservations(task)) {
    unit.reservations.ask();
    return bareStatus(ScsiStatus.BUSY);
  }
  // an illegal CDB may be reported at any rank, and Linux' target does so before a conflict
  if (conflicts(unit, task, command)) return command.check?.(unit, task) ?? bareStatus(ScsiStatus.RESERVATION_CONFLICT);
  if (pending !== null) return reportAttention(task);
  if (command.needsMedium === true && unit.power.stopped) return senseResult(Sense.INITIALIZING_COMMAND_REQUIRED);
  return cdbProblem(unit, task, command);
}

/** Executes an admitted command. An error that a medium throws at once becomes its result, too. */
export function carryOut(unit: UnitContext, task: Task, command: SupportedCommand): ScsiResult | Promise<ScsiResult> {
  let outcome: ScsiResult | Promise<ScsiResult>;
  try {
    outcome = command.run(unit, task);
  } catch (error) {
    const failure = mediumFailure(error);
    if (failure === null) throw error;
    return failure;
  }
  task.busy = outcome instanceof Promise;
  return outcome;
}

/** Reports the most important unit attention, which is pending, and clears it (UA_INTLCK_CTRL = 00b). */
function reportAttention(task: Task): ScsiResult {
  return senseResult(present(task.nexusState.attentions.take(), "a unit attention is pending"));
}

/** True if the command conflicts with a reservation; see src/reservation/conflict-matrix.ts for the table. */
function conflicts(unit: UnitContext, task: Task, command: SupportedCommand): boolean {
  const { reservations } = unit;
  const nexus = task.nexusState.key;
  if (!reservations.exist) return false;
  const commandClass = classify(task.cdb);
  if (commandClass === "old-reservation") return reservations.refusesOld(nexus, oldOperation(task.cdb));
  if (!reservations.allowsBesideReserve(nexus, command.opcode)) return true;
  if (commandClass === "reserve-out") return !reservations.allowsReserveOut(nexus, serviceActionOf(task.cdb));
  return !reservations.allows(nexus, commandClass);
}

/** True for commands that depend on reservations, change them or report them. All others are executed even while these are not known. */
function dependsOnReservations({ cdb }: Task): boolean {
  return cdb[0] === PR_IN || classify(cdb) !== "free";
}

/** Which of the two an operation code of class "old-reservation" is. */
function oldOperation(cdb: Uint8Array): OldOperation {
  return cdb[0] === Opcode.RESERVE_6 || cdb[0] === Opcode.RESERVE_10 ? "reserve" : "release";
}

/** The result for a CDB that is illegal, or null. */
function cdbProblem(unit: UnitContext, task: Task, command: SupportedCommand): ScsiResult | null {
  const { cdb, command: request } = task;
  const controlAt = command.cdbLength - 1;
  if (((cdb[controlAt] ?? 0) & NACA) !== 0) return invalidCdbField(controlAt, NACA_BIT);
  const hasDataOut = request.dataOut !== undefined && request.dataOut.length > 0;
  if (hasDataOut && expectedTransfer(cdb, unit.definition.blockSizeBytes).direction === "in") return invalidCdbField();
  return command.check?.(unit, task) ?? null;
}
