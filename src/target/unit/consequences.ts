/**
 * What a change of the reservations means for the nexuses that are here: what they are told, and which commands end.
 *
 * The change is in force when this begins, and from then on nobody is without the news. The work may take slices; until it has ended the
 * state does not change.
 */

import { SLICE_ITEMS } from "../../base/slices.js";
import { changesElsewhere } from "../../reservation/changes-elsewhere.js";
import type { ElsewhereSettings } from "../../reservation/changes-elsewhere.js";
import { isMember } from "../../reservation/effects.js";
import type { Effects, UnitAttention } from "../../reservation/effects.js";
import type { FormerState, ReservationState } from "../../reservation/state.js";
import { raiseUnitAttentions } from "../../reservation/unit-attentions.js";
import { PR_OUT } from "../../scsi/persistent-reserve.js";
import { Sense } from "../../scsi/sense.js";
import type { NexusState, NexusTable } from "./nexus-table.js";
import type { Task, TaskSet } from "./task.js";
import type { UnitModes } from "./unit-modes.js";

/** What {@link Consequences} works with. */
export interface ConsequencesParts {
  readonly nexuses: NexusTable;
  readonly tasks: TaskSet;
  readonly modes: UnitModes;
}

/** See the module text. */
export class Consequences {
  readonly #parts: ConsequencesParts;

  constructor(parts: ConsequencesParts) {
    this.#parts = parts;
  }

  /**
   * Those of a command here, `self`, by which `former` has become `state`: promises that everyone concerned knows, and that no command that
   * it ends is under way any more; null when that is so already.
   */
  carryOut({ aborts, unitAttentions }: Effects, state: ReservationState, former: FormerState, self: Task): Promise<void> | null {
    const told = this.#raise(unitAttentions, state, former);
    if (aborts.length === 0) return told;
    return both(
      told,
      this.#abort((nexus) => aborts.some((audience) => isMember(audience, nexus, state, former)), self),
    );
  }

  /**
   * The same of a command that another fabric has executed. A PERSISTENT RESERVE OUT that is under way is decided anew after it, and need not
   * be waited for.
   */
  carryOutElsewhere(former: FormerState, state: ReservationState, settings: ElsewhereSettings): Promise<void> | null {
    const of = (nexus: string): Effects => changesElsewhere(former, state, [nexus], settings);
    const told = this.#parts.nexuses.announce((nexus) => of(nexus).unitAttentions.map(({ code }) => code));
    return both(
      told,
      this.#abort((nexus) => of(nexus).aborts.length > 0, null),
    );
  }

  #raise(unitAttentions: readonly UnitAttention[], state: ReservationState, former: FormerState): Promise<void> | null {
    if (unitAttentions.length === 0) return null;
    const { nexuses } = this.#parts;
    let count = 0;
    for (const { audience } of unitAttentions) {
      if (audience.group === "registrants-but") count += nexuses.size;
      else count += audience.group === "nexus" ? 1 : audience.registrations.length;
    }
    if (count > SLICE_ITEMS) {
      return nexuses.announce((nexus) =>
        unitAttentions.filter(({ audience }) => isMember(audience, nexus, state, former)).map(({ code }) => code),
      );
    }
    raiseUnitAttentions(unitAttentions, state, nexuses);
    return null;
  }

  /** Ends the commands of the nexuses that `isNamed` names, except `self`. Nexuses other than its own hear of what they lost. */
  #abort(isNamed: (nexus: string) => boolean, self: Task | null): Promise<void> | null {
    const losers = new Set<NexusState>();
    const pending = this.#parts.tasks.abort(
      (task) => task !== self && (self !== null || task.cdb[0] !== PR_OUT) && isNamed(task.nexusState.key),
      (task) => losers.add(task.nexusState),
    );
    if (self !== null) losers.delete(self.nexusState);
    if (!this.#parts.modes.control.taskAbortedStatus) {
      for (const loser of losers) loser.attentions.raise(Sense.COMMANDS_CLEARED_BY_ANOTHER_INITIATOR);
    }
    return pending;
  }
}

/** Settles when both have; null when they have already. */
function both(one: Promise<void> | null, other: Promise<void> | null): Promise<void> | null {
  return one === null || other === null ? (one ?? other) : Promise.all([one, other]).then(() => {});
}
