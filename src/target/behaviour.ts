/** Switches for the points where targets differ, so that a simulated one can behave like the one that is to be imitated. */

/** What every unit of a fabric does; see {@link defaultBehaviour} for what happens unless told otherwise. */
export interface TargetBehaviour {
  /**
   * TAS at power on: commands that another nexus aborted tell so by their status alone. Without it they have TASK ABORTED status as
   * well, since every command here gets an answer, and their nexus has a unit attention, COMMANDS CLEARED BY ANOTHER INITIATOR.
   */
  readonly taskAbortedStatus: boolean;
  /** NUAR at power on: RELEASE establishes no unit attention. */
  readonly noUnitAttentionOnRelease: boolean;
  /** Every pending unit attention is reported before a reservation conflict, as Linux' target does, and not those of resets only. */
  readonly unitAttentionsBeforeConflicts: boolean;
  /** Power on and resets take along what a nexus has not been told of reservations and of cleared commands; some targets keep it. */
  readonly resetForgetsReservations: boolean;
  /** CRH: RESERVE and RELEASE are GOOD, without effect, for those whom a persistent reservation grants access. */
  readonly compatibleReservationHandling: boolean;
  /** SIP_C: REGISTER takes SPEC_I_PT. */
  readonly specifyInitiatorPorts: boolean;
  /** ATP_C: REGISTER takes ALL_TG_PT. */
  readonly allTargetPorts: boolean;
  /**
   * PTPL_C: APTPL may be switched on. Reservations then survive the power cycle of the fabric, and the process where there is a folder for
   * them. Units that stand for disks and files of the host do not have it without a folder, since for them the end of the process is that
   * power loss.
   */
  readonly persistThroughPowerLoss: boolean;
}

/** The standard's order and every feature. */
export const defaultBehaviour: TargetBehaviour = Object.freeze({
  taskAbortedStatus: false,
  noUnitAttentionOnRelease: false,
  unitAttentionsBeforeConflicts: false,
  resetForgetsReservations: true,
  compatibleReservationHandling: true,
  specifyInitiatorPorts: true,
  allTargetPorts: true,
  persistThroughPowerLoss: true,
});
