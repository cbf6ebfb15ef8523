/** What PERSISTENT RESERVE IN reports, apart from its bytes: see persistent-reserve-in.ts for those. */

import type { ReservationType } from "./persistent-reserve.js";
import type { TransportId } from "./transport-id.js";

/** READ KEYS: one key for each registered nexus, so that a value may repeat. */
export interface ReadKeysData {
  /** PRGENERATION. */
  readonly generation: number;
  readonly keys: readonly bigint[];
}

/** The reservation in READ RESERVATION. */
export interface ReportedReservation {
  /** TYPE; a number, since older devices report types that are obsolete by now. */
  readonly type: number;
  readonly scope: number;
  /** The holder's key; 0 for the All Registrants types. */
  readonly key: bigint;
}

/** READ RESERVATION. */
export interface ReadReservationData {
  readonly generation: number;
  readonly reservation: ReportedReservation | null;
}

/** REPORT CAPABILITIES. */
export interface ReserveCapabilities {
  /** RLR_C: REPLACE LOST RESERVATION is supported. */
  readonly replaceLostReservation: boolean;
  /** CRH: RESERVE and RELEASE of SPC-2 are tolerated beside a persistent reservation. */
  readonly compatibleReservationHandling: boolean;
  /** SIP_C: REGISTER takes further initiator ports. */
  readonly specifyInitiatorPorts: boolean;
  /** ATP_C: REGISTER takes effect on all target ports. */
  readonly allTargetPorts: boolean;
  /** PTPL_C: registrations and reservation can persist through power loss. */
  readonly persistThroughPowerLoss: boolean;
  /** PTPL_A: they do at the moment. */
  readonly persistThroughPowerLossActive: boolean;
  /** ALLOW COMMANDS, 0 to 7: which commands other than the standard's minimum pass a reservation. */
  readonly allowCommands: number;
  /** The supported types in ascending order; null when TMV = 0, that is, the device does not say. */
  readonly types: readonly ReservationType[] | null;
}

/** One registration, as a device server reports it in READ FULL STATUS. */
export interface FullStatusEntry {
  readonly key: bigint;
  readonly initiator: TransportId;
  /** Relative target port identifier. */
  readonly targetPort: number;
  /** R_HOLDER. */
  readonly holder: boolean;
  /** TYPE of the reservation held; 0 for one that is no holder. */
  readonly type: number;
  /** SCOPE of the reservation held; 0 for one that is no holder. */
  readonly scope: number;
  /** ALL_TG_PT: the entry stands for every target port, and `targetPort` means nothing. Default false. */
  readonly allTargetPorts?: boolean;
}

/** One registration, as an initiator reads it from READ FULL STATUS. */
export interface ReportedRegistrant {
  readonly key: bigint;
  /** The initiator port; null when the device sent bytes that are no TransportID. */
  readonly initiator: TransportId | null;
  readonly targetPort: number;
  readonly holder: boolean;
  readonly type: number;
  readonly scope: number;
  readonly allTargetPorts: boolean;
  /** Only where `initiator` is null: what was sent instead, and what is wrong with it. */
  readonly malformedInitiator?: { readonly bytes: Uint8Array; readonly message: string };
}

/** READ FULL STATUS. */
export interface ReadFullStatusData {
  readonly generation: number;
  readonly registrants: readonly ReportedRegistrant[];
}
