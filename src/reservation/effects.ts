/** The effects of a command in addition to its result, as data; the device carries them out. */

import type { ScsiResult } from "../scsi/command.js";
import type { SenseCode } from "../scsi/sense.js";
import type { Steps } from "../base/slices.js";
import type { FormerState, Registration, ReservationState } from "./state.js";

/** A group of I_T nexuses. `nexus` and `except` are nexusKeys (src/scsi/nexus.ts). */
export type Audience =
  | { readonly group: "nexus"; readonly nexus: string }
  /** Everyone registered after the command, but one. */
  | { readonly group: "registrants-but"; readonly except: string }
  /** Nexuses whose registrations the command removed, but one. */
  | { readonly group: "removed"; readonly registrations: readonly Registration[]; readonly except: string };

/** A unit attention condition to establish for each nexus of `audience`. */
export interface UnitAttention {
  readonly audience: Audience;
  readonly code: SenseCode;
}

/** What has to be done before the command ends: first raise unit attentions, then abort commands, which may raise more. */
export interface Effects {
  readonly unitAttentions: readonly UnitAttention[];
  /**
   * The nexuses whose commands in flight are aborted, except for the command itself. The sender may be among them; it gets no unit
   * attention for its own commands. Others get COMMANDS CLEARED BY ANOTHER INITIATOR, or TASK ABORTED status with TAS = 1.
   */
  readonly aborts: readonly Audience[];
  /** True if the command has changed what must survive a power loss. */
  readonly persist: boolean;
}

/** A command's result and its effects. */
export interface Outcome {
  readonly result: ScsiResult;
  readonly effects: Effects;
}

/**
 * A command that concerns many registrations, prepared in slices, which changes nothing. The function that it returns makes the change at
 * once and returns the outcome. Until then nothing else may change the state.
 */
export type Preparation = Steps<() => Outcome>;

/** True for a preparation, false for an outcome. */
export function isPreparation(begun: Outcome | Preparation): begun is Preparation {
  return "next" in begun;
}

/** No effects. */
export const NO_EFFECTS: Effects = Object.freeze({ unitAttentions: Object.freeze([]), aborts: Object.freeze([]), persist: false });

/** The nexusKeys of `audience`, given the state after the command. Takes time proportional to the size of the group. */
export function* membersOf(audience: Audience, state: ReservationState): Generator<string> {
  if (audience.group === "nexus") {
    yield audience.nexus;
    return;
  }
  const registrations = audience.group === "removed" ? audience.registrations : state.registrations();
  for (const registration of registrations) {
    if (registration.nexusKey !== audience.except) yield registration.nexusKey;
  }
}

/** True when `nexus` is one of {@link membersOf}, at a cost that does not depend on the group; `former` is the state before the command. */
export function isMember(audience: Audience, nexus: string, state: ReservationState, former: FormerState): boolean {
  if (audience.group === "nexus") return nexus === audience.nexus;
  if (nexus === audience.except) return false;
  const isRegistered = state.find(nexus) !== undefined;
  return audience.group === "removed" ? !isRegistered && former.find(nexus) !== undefined : isRegistered;
}
