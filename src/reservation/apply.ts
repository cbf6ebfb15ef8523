/**
 * The persistent reservation state machine: (state, nexus, command) -> answer and effects. No I/O, no clock, no chance; the state given
 * is changed in place, and by commands that end GOOD only.
 *
 * A PERSISTENT RESERVE OUT is checked in this order:
 *
 * 1. the reservation another nexus holds (access.ts): RESERVATION CONFLICT;
 * 2. service action, parameter list length, bits, TransportIDs (src/scsi/persistent-reserve-out.ts): CHECK CONDITION;
 * 3. registration and RESERVATION KEY: RESERVATION CONFLICT;
 * 4. SCOPE, TYPE, and the rules of the service action, each in a file of its own: CHECK CONDITION or RESERVATION CONFLICT.
 *
 * Then the state changes, and effects say whom to tell. What comes before 1 is the device's: unit attentions of resets, reservations
 * by the old RESERVE command; and between 1 and 2 all other unit attentions.
 */

import { assert, unreachable } from "../base/assert.js";
import { allAtOnce } from "../base/slices.js";
import { nexusKey } from "../scsi/nexus.js";
import type { Nexus } from "../scsi/nexus.js";
import { PersistentReserveOut } from "../scsi/persistent-reserve-out.js";
import type { ReserveOutCommand } from "../scsi/reserve-out-request.js";
import { reserveOutAllowed } from "./access.js";
import { clear } from "./clear.js";
import { isPreparation } from "./effects.js";
import type { Outcome, Preparation } from "./effects.js";
import { registerAndMove } from "./move.js";
import { CONFLICT, refused } from "./outcomes.js";
import { preempt } from "./preempt.js";
import { register, registerAndIgnoreExistingKey } from "./register.js";
import { release } from "./release.js";
import { reserve } from "./reserve.js";
import type { ReservationSettings } from "./settings.js";
import type { Registration, ReservationState } from "./state.js";

export { applyReserveIn } from "./report.js";

/** Executes a PERSISTENT RESERVE OUT from `nexus`. `state` is changed if the answer is GOOD, and untouched otherwise. */
export function applyReserveOut(
  state: ReservationState,
  nexus: Nexus,
  cdb: Uint8Array,
  dataOut: Uint8Array,
  settings: ReservationSettings,
): Outcome {
  const begun = beginReserveOut(state, nexus, cdb, dataOut, settings);
  return isPreparation(begun) ? allAtOnce(begun)() : begun;
}

/** The same, except that what concerns many registrations is only prepared: see {@link Preparation}. */
export function beginReserveOut(
  state: ReservationState,
  nexus: Nexus,
  cdb: Uint8Array,
  dataOut: Uint8Array,
  settings: ReservationSettings,
): Outcome | Preparation {
  const sender = nexusKey(nexus);
  if (!reserveOutAllowed(state, sender, (cdb[1] ?? 0) & 0x1f)) return CONFLICT;
  const { command, problem } = PersistentReserveOut.parse(cdb, dataOut, settings);
  if (problem !== undefined) return refused(problem.sense, problem.fieldPointer);
  const before = { aptpl: state.aptpl, generation: state.generation, reservation: state.reservation };
  const begun = execute(state, nexus, state.find(sender), command, settings);
  return isPreparation(begun) ? prepared(begun, before, state) : complete(begun, before, state);
}

/** What a state was before a command. */
type Before = Pick<ReservationState, "aptpl" | "generation" | "reservation">;

function* prepared(preparation: Preparation, before: Before, state: ReservationState): Preparation {
  const make = yield* preparation;
  return () => complete(make(), before, state);
}

/** The outcome, with what is to survive power loss. */
function complete(outcome: Outcome, { aptpl, generation, reservation }: Before, state: ReservationState): Outcome {
  const changed = state.generation !== generation || state.reservation !== reservation;
  if (!changed || !(aptpl || state.aptpl)) return outcome;
  return { result: outcome.result, effects: { ...outcome.effects, persist: true } };
}

/** Chooses the service action; all but the two that register need a registered sender and its key. */
function execute(
  state: ReservationState,
  nexus: Nexus,
  sender: Registration | undefined,
  command: ReserveOutCommand,
  settings: ReservationSettings,
): Outcome | Preparation {
  if (command.action === "register") return register(state, nexus, sender, command, settings);
  if (command.action === "register-and-ignore-existing-key") return registerAndIgnoreExistingKey(state, nexus, sender, command, settings);
  assert(command.action !== "replace-lost-reservation", "what the settings do not support is refused when the command is decoded");
  if (sender?.key !== command.key) return CONFLICT;
  switch (command.action) {
    case "reserve":
      return reserve(state, sender, command, settings);
    case "release":
      return release(state, sender, command, settings);
    case "clear":
      return clear(state, sender);
    case "preempt":
    case "preempt-and-abort":
      return preempt(state, sender, command, settings);
    case "register-and-move":
      return registerAndMove(state, sender, command, settings);
    default:
      return unreachable(command.action);
  }
}
