/** From options to the one command they ask for. */
import { QomError } from "../../base/errors.js";
import { PersistentReserveIn } from "../../scsi/persistent-reserve-in.js";
import { PersistentReserveOut } from "../../scsi/persistent-reserve-out.js";
import { ReserveIn } from "../../scsi/persistent-reserve.js";
import type { ReserveInAction, ReserveOutAction } from "../../scsi/persistent-reserve.js";
import type { PersistOptions } from "./options.js";
import { parseTransportIds } from "./transport-ids.js";

/** The command to be sent; the members beside `action` and `direction` are those of a ScsiCommand. */
export type PersistRequest =
  | { readonly direction: "in"; readonly action: ReserveInAction; readonly cdb: Uint8Array; readonly allocationLength: number }
  | { readonly direction: "out"; readonly action: ReserveOutAction; readonly cdb: Uint8Array; readonly dataOut: Uint8Array };

/** A request, and notes for the user on options that are unusual but not wrong. */
export interface PersistPlan {
  readonly request: PersistRequest;
  readonly notes: readonly string[];
}

const ENCODE_IN: Readonly<Record<ReserveInAction, (allocationLength: number) => { cdb: Uint8Array; allocationLength: number }>> = {
  "read-keys": PersistentReserveIn.readKeys,
  "read-reservation": PersistentReserveIn.readReservation,
  "report-capabilities": PersistentReserveIn.reportCapabilities,
  "read-full-status": PersistentReserveIn.readFullStatus,
};

/** Actions that mean a reservation of some type. */
const TYPED: readonly string[] = ["reserve", "release", "preempt", "preempt-and-abort"];

/**
 * The command that the options ask for.
 * @throws QomError `conflict` for options that do not go together; what parseTransportIds and the encoders refuse
 */
export function planRequest(options: PersistOptions): PersistPlan {
  if (options.in && options.out) throw conflict("'--in' and '--out' exclude each other");
  const chosenIn = options.actions.filter(isReserveIn);
  const chosenOut = options.actions.filter((action) => !isReserveIn(action));
  if (options.out) return planOut(options, chosenIn, chosenOut);
  if (chosenOut.length > 0) throw conflict(`'--out' must be given with an action that changes something, as a safeguard`);
  if (chosenIn.length > 1) throw conflict("more than one service action is given: choose one");
  if (options.unregister || options.relativeTargetPort !== undefined) throw onlyWithMove();
  const [action = "read-keys"] = chosenIn;
  const notes = chosenIn.length === 0 && !options.json ? ["no service action given: READ KEYS"] : [];
  return { request: { direction: "in", action, ...ENCODE_IN[action](options.allocationLength) }, notes };
}

function planOut(options: PersistOptions, chosenIn: readonly ReserveInAction[], chosenOut: readonly ReserveOutAction[]): PersistPlan {
  const [action] = chosenOut;
  if (action === undefined || chosenOut.length + chosenIn.length > 1) {
    throw conflict("'--out' takes exactly one service action that changes something, such as '--register'");
  }
  const transportIds = options.transportIds === undefined ? [] : parseTransportIds(options.transportIds);
  const move = action === "register-and-move";
  if (move && transportIds.length !== 1) throw conflict("'--register-move' needs '--transport-id' with exactly one TransportID");
  if (!move && (options.unregister || options.relativeTargetPort !== undefined)) throw onlyWithMove();
  const { cdb, dataOut } = PersistentReserveOut.encode({
    action,
    key: options.key,
    serviceActionKey: options.serviceActionKey,
    type: options.type,
    aptpl: options.aptpl,
    transportIds,
    // A move has no field for ALL_TG_PT: as in sg_persist the option means nothing to it.
    ...(move
      ? { unregister: options.unregister, relativeTargetPort: options.relativeTargetPort ?? 0 }
      : { allTargetPorts: options.allTargetPorts }),
  });
  const notes = options.type === 0 && TYPED.includes(action) ? ["'--prout-type' is probably needed"] : [];
  return { request: { direction: "out", action, cdb, dataOut }, notes };
}

function isReserveIn(action: ReserveInAction | ReserveOutAction): action is ReserveInAction {
  return Object.hasOwn(ReserveIn, action);
}

function conflict(message: string): QomError {
  return new QomError("conflict", message);
}

function onlyWithMove(): QomError {
  return conflict("'--unreg' and '--relative-target-port' go with '--register-move' only");
}
