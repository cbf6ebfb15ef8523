/**
 * What a guest's PERSISTENT RESERVE OUT makes of the registration and the reservation of its nexus, once it ended GOOD (SPC-4; QEMU 11.1:
 * scsi_handle_persistent_reserve_out_reply in hw/scsi/scsi-generic.c).
 *
 * A nexus hears of what others do to it by unit attentions at most, so what is followed may be out of date. A destination asks the disk.
 */
import { readU64 } from "../../scsi/bytes.js";
import { serviceActionOf } from "../../scsi/cdb.js";
import type { ScsiCommand } from "../../scsi/command.js";
import { NOTHING_RESERVED } from "../../scsi/migration-stream.js";
import type { ReservationState } from "../../scsi/migration-stream.js";
import { isAllRegistrants, isReservationType, reserveOutAction } from "../../scsi/persistent-reserve.js";
import type { ReserveOutAction } from "../../scsi/persistent-reserve.js";
import { MOVE_FLAGS_OFFSET, UNREG } from "../../scsi/persistent-reserve-out.js";
import type { ReportedReservation } from "../../scsi/persistent-reserve-in.js";

/** What counts of a command; taken from it before it is sent, since a guest may write into its memory meanwhile. */
export interface FollowedCommand {
  readonly action: ReserveOutAction | null;
  readonly key: bigint;
  readonly serviceActionKey: bigint;
  readonly type: number;
  /** UNREG of REGISTER AND MOVE. */
  readonly unregister: boolean;
}

/** Takes a PERSISTENT RESERVE OUT apart. Nothing of it is judged: the disk does that. */
export function followedCommand({ cdb, dataOut = new Uint8Array(0) }: ScsiCommand): FollowedCommand {
  return {
    action: reserveOutAction(serviceActionOf(cdb)),
    key: readU64(dataOut, 0),
    serviceActionKey: readU64(dataOut, 8),
    type: (cdb[2] ?? 0) & 0x0f,
    unregister: ((dataOut[MOVE_FLAGS_OFFSET] ?? 0) & UNREG) !== 0,
  };
}

/** The state after such a command; null for a PREEMPT, after which the disk has to be asked: see {@link stateAfterPreempt}. */
export function stateAfter(before: ReservationState, command: FollowedCommand): ReservationState | null {
  const { action, key, serviceActionKey, type } = command;
  switch (action) {
    case "register":
    case "register-and-ignore-existing-key":
      if (serviceActionKey === 0n) return NOTHING_RESERVED;
      // A REGISTER from key 0 is that of a nexus that was not registered, whatever it was before.
      return { key: serviceActionKey, type: before.key === 0n || (action === "register" && key === 0n) ? 0 : before.type };
    case "reserve":
      return { key, type };
    case "release":
      return { key, type: 0 };
    case "clear":
      return NOTHING_RESERVED;
    case "preempt":
    case "preempt-and-abort":
      return null;
    case "register-and-move":
      return command.unregister ? NOTHING_RESERVED : { key, type: 0 };
    case "replace-lost-reservation":
      return { key: serviceActionKey, type };
    case null:
      return before;
  }
}

/** What the disk says after a PREEMPT. */
export interface AfterPreempt {
  readonly reservation: ReportedReservation | null;
  /** Whether the key of the sender is still registered. */
  readonly registered: boolean;
}

/** The state after a PREEMPT or PREEMPT AND ABORT. */
export function stateAfterPreempt(
  before: ReservationState,
  command: FollowedCommand,
  { reservation, registered }: AfterPreempt,
): ReservationState {
  const { key, serviceActionKey } = command;
  if (!registered) return NOTHING_RESERVED;
  if (reservation === null) return { key, type: 0 };
  if (isAllRegistrantsReservation(reservation)) return { key, type: before.type !== 0 || serviceActionKey === 0n ? reservation.type : 0 };
  return { key, type: reservation.key === key ? reservation.type : 0 };
}

/**
 * Whether a PREEMPT may have removed the registration of its sender: it named the sender's own key, and the sender is no single holder, who
 * keeps it.
 */
export function mayHaveRemovedSender({ key, serviceActionKey }: FollowedCommand, reservation: ReportedReservation | null): boolean {
  return key === serviceActionKey && (reservation === null || isAllRegistrantsReservation(reservation) || reservation.key !== key);
}

/** Whether every registrant is a holder. */
export function isAllRegistrantsReservation({ type }: ReportedReservation): boolean {
  return isReservationType(type) && isAllRegistrants(type);
}
