/**
 * What a device implements, and how it decides where the standard leaves a choice. These values are passed in with every command; the state
 * machine itself does not know any device.
 */

import { RESERVATION_TYPES } from "../scsi/persistent-reserve.js";
import type { ReservationType } from "../scsi/persistent-reserve.js";
import { RESERVE_OUT_LENGTH_MAX } from "../scsi/persistent-reserve-out.js";
import type { ReserveOutSettings } from "../scsi/reserve-out-request.js";
import type { TransportId } from "../scsi/transport-id.js";
import type { Nexus } from "../scsi/nexus.js";
import { registrationHoldings } from "./holdings.js";
import type { Account } from "../scsi/account.js";

/** The target ports of a SCSI target device, by relative target port identifier (RTPI). */
export interface TargetPorts {
  /** True when the device has a port of that identifier; REGISTER AND MOVE names one. */
  has(targetPort: number): boolean;
  /**
   * The ports that ALL_TG_PT = 1 stands for when `initiator` registers. The standard says all of the device; a device whose ports lie
   * in separate domains may leave out those that the initiator cannot reach. The receiving port counts in any case.
   */
  reachedBy(initiator: TransportId): readonly number[];
  /** The initiator ports that are logged in, through whichever port; one may come several times. */
  initiators(): Iterable<TransportId>;
}

/** The ports `identifiers`, every one of them within reach of every initiator port, with nobody logged in. */
export function targetPorts(identifiers: readonly number[]): TargetPorts {
  return {
    has: (targetPort) => identifiers.includes(targetPort),
    reachedBy: () => identifiers,
    initiators: () => [],
  };
}

/**
 * Features and choices of one logical unit's reservations; those that decide which bits of a parameter list are errors come from
 * {@link ReserveOutSettings}. REPLACE LOST RESERVATION is not supported.
 */
export interface ReservationSettings extends Required<Omit<ReserveOutSettings, "replaceLostReservation">> {
  readonly targetPorts: TargetPorts;
  /** Types that can be reserved; a RESERVE or PREEMPT that asks for another one is INVALID FIELD IN CDB. */
  readonly types: readonly ReservationType[];
  /** Registrations beyond this number are refused with INSUFFICIENT REGISTRATION RESOURCES. */
  readonly registrationsMax: number;
  /** The account charged for registrations of a command; null without accounts. */
  readonly account: Account | null;
  /** CRH: RESERVE and RELEASE of SPC-2 end GOOD, without effect, for nexuses to which a persistent reservation grants access. */
  readonly compatibleReservationHandling: boolean;
  /** NUAR of the Control mode page: RELEASE causes no unit attention. */
  readonly noUnitAttentionOnRelease: boolean;
}

/**
 * Registrations of one unit when nothing else is set. READ FULL STATUS needs at most 272 bytes for each, so that its 32-bit ADDITIONAL
 * LENGTH is far from overflowing; and a million of them cost some hundred megabytes, which no cluster comes near.
 */
export const REGISTRATIONS_MAX = 1_000_000;

/** Every feature on, one target port with the identifier 1. */
export const defaultReservationSettings: ReservationSettings = Object.freeze({
  targetPorts: targetPorts([1]),
  types: RESERVATION_TYPES,
  registrationsMax: REGISTRATIONS_MAX,
  account: null,
  lengthMax: RESERVE_OUT_LENGTH_MAX,
  persistThroughPowerLoss: true,
  specifyInitiatorPorts: true,
  allTargetPorts: true,
  compatibleReservationHandling: true,
  noUnitAttentionOnRelease: false,
});

/** True if the unit and the account have room for `newcomers` in addition to `count` registrations. */
export function hasRoomFor(newcomers: readonly Nexus[], count: number, { registrationsMax, account }: ReservationSettings): boolean {
  if (newcomers.length === 0) return true;
  if (count + newcomers.length > registrationsMax) return false;
  return account === null || account.ledger.hasRoom(account.owner, registrationHoldings(newcomers.map(({ initiator }) => initiator)));
}
