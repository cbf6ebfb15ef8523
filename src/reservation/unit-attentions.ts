/**
 * Unit attention conditions: what an I_T nexus has not been told yet about a logical unit (SAM-5 5.14).
 *
 * A queue for each nexus, in which a condition stands once. Power-on and resets go first, by rank; all others follow in order of
 * arrival. The codes that are ever raised are few, so queues are short.
 */

import { sameSense } from "../scsi/sense.js";
import type { SenseCode } from "../scsi/sense.js";
import type { UnitAttention } from "./effects.js";
import type { ReservationState } from "./state.js";

const ASC_RESET = 0x29;
const ASC_PARAMETERS_CHANGED = 0x2a;
const ASC_COMMANDS_CLEARED = 0x2f;
const ASCQ_I_T_NEXUS_LOSS = 0x07;

/** Reporting order by ASC and ASCQ as one number (SAM-5 table 49): lower goes first. */
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

/** True for power-on, the resets and I_T nexus loss: what a nexus is told even before RESERVATION CONFLICT (SAM-5 5.3.3). */
export function isResetAttention(code: SenseCode): boolean {
  return code.asc === ASC_RESET;
}

/** News of reservations (2A/03 to 2A/05) and of commands cleared by another initiator (2F/00). */
function isReservationNews(code: SenseCode): boolean {
  if (code.asc === ASC_PARAMETERS_CHANGED) return code.ascq >= 0x03 && code.ascq <= 0x05;
  return code.asc === ASC_COMMANDS_CLEARED && code.ascq === 0x00;
}

/** Choices the standard leaves to the device. */
export interface UnitAttentionSettings {
  /** Power-on and resets take pending news of reservations and of cleared commands along. Default true. */
  readonly resetForgetsReservations?: boolean;
}

/** The pending unit attention conditions of one nexus. */
export class UnitAttentionQueue {
  readonly #resetForgets: boolean;
  #pending: readonly SenseCode[] = [];

  constructor(settings: UnitAttentionSettings = {}) {
    this.#resetForgets = settings.resetForgetsReservations ?? true;
  }

  /** What the nexus is told next; null when nothing is pending. */
  get head(): SenseCode | null {
    return this.#pending[0] ?? null;
  }

  /** All that is pending, in the order of telling. */
  get pending(): readonly SenseCode[] {
    return this.#pending;
  }

  /** Establishes a condition; one that is pending already stays where it is. */
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

  /** Tells the nexus: removes and returns the head (UA_INTLCK_CTRL = 00b). */
  take(): SenseCode | null {
    const head = this.head;
    if (head !== null) this.#pending = this.#pending.slice(1);
    return head;
  }

  /** Clears a condition without telling, as REPORT LUNS does with REPORTED LUNS DATA HAS CHANGED. */
  drop(code: SenseCode): void {
    this.#pending = this.#pending.filter((other) => !sameSense(other, code));
  }

  /** What remains of the queue after `reset`: of an I_T nexus loss nothing, since the nexus begins anew. */
  #afterReset(reset: SenseCode): readonly SenseCode[] {
    if (reset.ascq === ASCQ_I_T_NEXUS_LOSS) return [];
    return this.#resetForgets ? this.#pending.filter((other) => !isReservationNews(other)) : this.#pending;
  }
}

/** The queues of the nexuses that are there, by nexusKey; a Map is one. */
export interface UnitAttentionQueues {
  get(nexus: string): UnitAttentionQueue | undefined;
  keys(): Iterable<string>;
}

/**
 * Establishes what a command caused, `state` being the one after it. A nexus without a queue is told nothing. Takes as long as there
 * are queues, or removed registrations: never as long as there are registrants.
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
