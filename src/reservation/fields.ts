/** Where fields of PERSISTENT RESERVE IN and OUT are, for the sense data of commands that are refused because of them. */

import { isReservationType, LU_SCOPE } from "../scsi/persistent-reserve.js";
import type { ReservationType } from "../scsi/persistent-reserve.js";
import { Sense } from "../scsi/sense.js";
import type { FieldPointer } from "../scsi/sense.js";
import type { Outcome } from "./effects.js";
import { refused } from "./outcomes.js";
import type { ReservationSettings } from "./settings.js";

/** CDB of either: SERVICE ACTION. */
export const SERVICE_ACTION_FIELD: FieldPointer = Object.freeze({ in: "cdb", byte: 1, bit: 4 });
/** CDB of PERSISTENT RESERVE IN: ALLOCATION LENGTH. */
export const ALLOCATION_LENGTH_FIELD: FieldPointer = Object.freeze({ in: "cdb", byte: 7 });
/** CDB: SCOPE. */
export const SCOPE_FIELD: FieldPointer = Object.freeze({ in: "cdb", byte: 2, bit: 7 });
/** CDB: TYPE. */
export const TYPE_FIELD: FieldPointer = Object.freeze({ in: "cdb", byte: 2, bit: 3 });
/** Either parameter list: SERVICE ACTION RESERVATION KEY. */
export const SERVICE_ACTION_KEY_FIELD: FieldPointer = Object.freeze({ in: "parameter-list", byte: 8 });
/** Basic parameter list: SPEC_I_PT. */
export const SPEC_I_PT_FIELD: FieldPointer = Object.freeze({ in: "parameter-list", byte: 20, bit: 3 });
/** Basic parameter list: the TransportIDs. */
export const TRANSPORT_IDS_FIELD: FieldPointer = Object.freeze({ in: "parameter-list", byte: 28 });
/** REGISTER AND MOVE: RELATIVE TARGET PORT IDENTIFIER. */
export const TARGET_PORT_FIELD: FieldPointer = Object.freeze({ in: "parameter-list", byte: 18 });
/** REGISTER AND MOVE: the TransportID. */
export const DESTINATION_FIELD: FieldPointer = Object.freeze({ in: "parameter-list", byte: 24 });

/** TYPE of a reservation to be made, or the refusal of a SCOPE or TYPE that no reservation of that device can have. */
export function typeToReserve(
  command: { readonly scope: number; readonly type: number },
  { types }: ReservationSettings,
): ReservationType | Outcome {
  if (command.scope !== LU_SCOPE) return refused(Sense.INVALID_FIELD_IN_CDB, SCOPE_FIELD);
  const { type } = command;
  return isReservationType(type) && types.includes(type) ? type : refused(Sense.INVALID_FIELD_IN_CDB, TYPE_FIELD);
}
