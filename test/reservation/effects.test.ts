/** What a command leaves to be done: whom to tell, whose commands to end. Groups are named, and an empty one is not. */

import { expect } from "chai";

import { applyReserveOut } from "#src/reservation/apply.js";
import { NO_EFFECTS } from "#src/reservation/effects.js";
import type { Effects } from "#src/reservation/effects.js";
import { defaultReservationSettings } from "#src/reservation/settings.js";
import type { ReservationState } from "#src/reservation/state.js";
import { ScsiStatus } from "#src/scsi/command.js";
import { nexusKey } from "#src/scsi/nexus.js";
import { Sense } from "#src/scsi/sense.js";
import { initiator, reserveOut } from "./support/commands.js";
import { play } from "./support/player.js";

/** The effects of a command from `who` that ends GOOD. */
function effectsOf(state: ReservationState, who: string, command: string): Effects {
  const [verb = "", ...words] = command.split(" ");
  const nexus = { initiator: initiator(who), targetPort: 1 };
  const { cdb, dataOut } = reserveOut(verb, words, state.find(nexusKey(nexus))?.key ?? 0n);
  const { result, effects } = applyReserveOut(state, nexus, cdb, dataOut, defaultReservationSettings);
  expect(result.status, command).to.equal(ScsiStatus.GOOD);
  return effects;
}

const a = (): string => initiator("A1").keyAt(1);

describe("effects", () => {
  it("are none where nobody else is registered", () => {
    for (const type of [1, 5, 7]) {
      const alone = `
        A1 | REG 0 a      | GOOD | 1; a; -
        A1 | RSV T${type} | GOOD | 1; a; ${type}/${type < 7 ? "a" : "0"}
      `;
      for (const command of [`REL T${type}`, "REG a 0", "RAI 0", "CLR", "PRE a T1", "PRE a T6"]) {
        expect(effectsOf(play(alone).state, "A1", command), `${command} of type ${type}`).to.deep.equal(NO_EFFECTS);
      }
    }
    expect(effectsOf(play("A1 | REG 0 a | GOOD | 1; a; -").state, "A1", "P&A a")).to.deep.equal({
      ...NO_EFFECTS,
      aborts: [{ group: "nexus", nexus: a() }],
    });
  });

  it("are for all others who are registered when a reservation ends", () => {
    const two = `
      A1 | REG 0 a | GOOD | 1; a; -
      B1 | REG 0 b | GOOD | 2; a b; -
      A1 | RSV T5  | GOOD | 2; a b; 5/a
    `;
    const told = { audience: { group: "registrants-but", except: a() }, code: Sense.RESERVATIONS_RELEASED };
    for (const command of ["REL T5", "REG a 0", "PRE a T1"]) {
      expect(effectsOf(play(two).state, "A1", command), command).to.deep.equal({ ...NO_EFFECTS, unitAttentions: [told] });
    }
  });

  it("are for those who were removed, but the sender", () => {
    const { state } = play(`
      A1 | REG 0 a | GOOD | 1; a; -
      B1 | REG 0 b | GOOD | 2; a b; -
    `);
    const removed = { group: "removed", registrations: [...(state.withKey(0x62n) ?? [])], except: a() };
    expect(effectsOf(state.copy(), "A1", "PRE b")).to.deep.equal({
      ...NO_EFFECTS,
      unitAttentions: [{ audience: removed, code: Sense.REGISTRATIONS_PREEMPTED }],
    });
    expect(effectsOf(state.copy(), "A1", "P&A b")).to.deep.equal({
      unitAttentions: [{ audience: removed, code: Sense.REGISTRATIONS_PREEMPTED }],
      aborts: [removed],
      persist: false,
    });
    expect(effectsOf(state.copy(), "A1", "CLR")).to.deep.equal({
      ...NO_EFFECTS,
      unitAttentions: [{ audience: { ...removed, registrations: [...state.registrations()] }, code: Sense.RESERVATIONS_PREEMPTED }],
    });
  });
});
