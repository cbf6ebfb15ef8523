/**
 * Unit attention conditions: events of a logical unit that have not been reported to an I_T nexus yet (SAM-5 5.14).
 *
 * Each nexus has a queue that contains a condition at most once. Power-on and resets come first, by rank; all others follow in order of
 * arrival. Only few codes are ever raised, so queues are short.
 */

import { sameSense } from "../scsi/sense.js";
import type { SenseCode } from "../scsi/sense.js";
import type { UnitAttention } from "./effects.js";
import type { ReservationState } from "./state.js";

const ASC_RESET = 0x29;
const ASC_PARAMETERS_CHANGED = 0x2a;
const ASC_COMMANDS_CLEARED = 0x2f;
const ASCQ_I_T_NEXUS_LOSS = 0x07;

/** Reporting order by ASC and ASCQ as one number (SAM-5 table 49): lowest first. */
const RANKS: Readonly<Record<number, number>> = Object.freeze({
  0x2900: 0, // POWER ON, RESET, OR BUS DEVICE RESET OCCURRED
  0x2901: 1, // POWER ON OCCURRED
  0x2904: 1, // DEVICE INTERNAL RESET
  0x2902: 2, // SCSI BUS RESET OCCURRED
  0x2905: 2, // TRANSCEIVER MODE CHANGED TO SINGLE-ENDED
  0x2906: 2, // TRANSCEIVER MODE CHANGED TO LVD
  0x3f01: 2, // MICROCODE HAS BEEN CHANGED
  0x2903: 3, // BUS DEVICE RESET FUNCTION OCCURRED
  0x2907: 4, // I_T NEXUS LOSS OCCURRED
  0x2f01: 5, // COMMANDS CLEARED BY POWER LOSS NOTIFICATION
});
const RANK_OTHER = 6;

function rankOf(code: SenseCode): number {
  return RANKS[(code.asc << 8) | code.ascq] ?? RANK_OTHER;
}

/** True for power-on, resets and I_T nexus loss, which are reported even before RESERVATION CONFLICT (SAM-5 5.3.3). */
export function isResetAttention(code: SenseCode): boolean {
  return code.asc === ASC_RESET;
}

/** True for changes of reservations (2A/03 to 2A/05) and commands cleared by another initiator (2F/00). */
function isReservationNews(code: SenseCode): boolean {
  if (code.asc === ASC_PARAMETERS_CHANGED) return code.ascq >= 0x03 && code.ascq <= 0x05;
  return code.asc === ASC_COMMANDS_CLEARED && code.ascq === 0x00;
}

/** Choices that the standard leaves to the device. */
export interface UnitAttentionSettings {
  /** Power-on and resets clear pending unit attentions about reservations and cleared commands. Default: true. */
  readonly resetForgetsReservations?: boolean;
}

/** The pending unit attention conditions of one nexus. */
export class UnitAttentionQueue {
  readonly #resetForgets: boolean;
  #pending: readonly SenseCode[] = [];

  constructor(settings: UnitAttentionSettings = {}) {
    this.#resetForgets = settings.resetForgetsReservations ?? true;
  }

  /** The condition to be reported next; null if none is pending. */
  get head(): SenseCode | null {
    return this.#pending[0] ?? null;
  }

  /** All pending conditions, in the order of reporting. */
  get pending(): readonly SenseCode[] {
    return this.#pending;
  }

  /** Establishes a condition; one that is pending already keeps its place. */
  raise(code: SenseCode): void {
    const others = isResetAttention(code) ? this.#afterReset(code) : this.#pending;
    if (others.some((other) => sameSense(other, code))) {
      this.#pending = others;
      return;
    }
    const rank = rankOf(code);
    const at = others.findIndex((other) => rankOf(other) > rank);
    this.#pending = at < 0 ? [...others, code] : [...others.slice(0, at), code, ...others.slice(at)];
  }

  /** Removes and returns the head, which is reported (UA_INTLCK_CTRL = 00b). */
  take(): SenseCode | null {
    const head = this.head;
    if (head !== null) this.#pending = this.#pending.slice(1);
    return head;
  }

  /** Clears a condition without reporting it, as REPORT LUNS does with REPORTED LUNS DATA HAS CHANGED. */
  drop(code: SenseCode): void {
    this.#pending = this.#pending.filter((other) => !sameSense(other, code));
  }

  /** What a reset leaves of the queue; an I_T nexus loss leaves nothing, since the nexus starts anew. */
  #afterReset(reset: SenseCode): readonly SenseCode[] {
    if (reset.ascq === ASCQ_I_T_NEXUS_LOSS) return [];
    return this.#resetForgets ? this.#pending.filter((other) => !isReservationNews(other)) : this.#pending;
  }
}

/** The queues of all known nexuses, by nexusKey; a Map will do. */
export interface UnitAttentionQueues {
  get(nexus: string): UnitAttentionQueue | undefined;
  keys(): Iterable<string>;
}

/**
 * Establishes the conditions that a command has caused, given the state after it. A nexus without a queue gets none. Takes time
 * proportional to the number of queues or removed registrations, never to that of registrants.
 */
export function raiseUnitAttentions(causes: readonly UnitAttention[], state: ReservationState, queues: UnitAttentionQueues): void {
  for (const { audience, code } of causes) {
    if (audience.group === "nexus") {
      queues.get(audience.nexus)?.raise(code);
    } else if (audience.group === "removed") {
      for (const { nexusKey } of audience.registrations) if (nexusKey !== audience.except) queues.get(nexusKey)?.raise(code);
    } else {
      for (const nexus of queues.keys()) {
        if (nexus !== audience.except && state.find(nexus) !== undefined) queues.get(nexus)?.raise(code);
      }
    }
  }
}
