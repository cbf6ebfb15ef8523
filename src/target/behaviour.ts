/** Switches for the points where targets differ, so that a simulated one can behave like the one that is to be imitated. */

import { aBoolean, check } from "../base/check.js";
import type { Kind } from "../base/check.js";
import { QomError } from "../base/errors.js";
import { printable } from "../base/limits.js";
import { REGISTRATIONS_MAX } from "../reservation/settings.js";
import { isReservationType, RESERVATION_TYPES } from "../scsi/persistent-reserve.js";
import type { ReservationType } from "../scsi/persistent-reserve.js";

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
   * PERSISTENT RESERVE IN and OUT are commands of the disk; without them both are INVALID COMMAND OPERATION CODE (05/20/00), and what a
   * store has for its units is left alone. RESERVE and RELEASE of SPC-2 stay.
   */
  readonly persistentReservations: boolean;
  /** Types that can be reserved, at least one; every other TYPE is INVALID FIELD IN CDB (05/24/00). REPORT CAPABILITIES lists them. */
  readonly types: readonly ReservationType[];
  /** Most registrations of a unit, 1 to 1,000,000; what would be more is INSUFFICIENT REGISTRATION RESOURCES (05/55/04). */
  readonly registrationsMax: number;
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
  persistentReservations: true,
  types: RESERVATION_TYPES,
  registrationsMax: REGISTRATIONS_MAX,
  persistThroughPowerLoss: true,
});

/** Members that are not switches. */
const KINDS: Readonly<Record<string, Kind>> = Object.freeze({
  types: { expects: `a list of different types of ${RESERVATION_TYPES.join(", ")}`, holds: isListOfTypes },
  registrationsMax: {
    expects: `a number of registrations, 1 to ${REGISTRATIONS_MAX}`,
    holds: (value) => typeof value === "number" && Number.isInteger(value) && value >= 1 && value <= REGISTRATIONS_MAX,
  },
});

function isListOfTypes(value: unknown): boolean {
  if (!Array.isArray(value)) return false;
  const list: readonly unknown[] = value;
  return list.length > 0 && new Set(list).size === list.length && list.every((type) => typeof type === "number" && isReservationType(type));
}

/**
 * `given` with everything that it leaves out as in {@link defaultBehaviour}.
 * @throws QomError `unknown-name` for a member that there is not, `invalid-value` for a value that is none
 */
export function completeBehaviour(given: Partial<TargetBehaviour>): TargetBehaviour {
  const members: readonly (readonly [string, unknown])[] = Object.entries(given);
  const told = members.filter(([, value]) => value !== undefined);
  for (const [name, value] of told) {
    if (!Object.hasOwn(defaultBehaviour, name)) {
      throw new QomError("unknown-name", `no behaviour is named '${printable(name)}'`, {
        context: { option: `behaviour.${printable(name)}` },
        hint: `there is ${Object.keys(defaultBehaviour).join(", ")}`,
      });
    }
    check("Fabric", `behaviour.${name}`, value, KINDS[name] ?? aBoolean);
  }
  const { types = defaultBehaviour.types } = given;
  return { ...defaultBehaviour, ...Object.fromEntries(told), types: [...types] };
}
