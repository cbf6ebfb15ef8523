/** What was recorded of a state is taken back and done again, whatever it was, and nothing is left of it. */

import { expect } from "chai";

import { AssertionError } from "#src/base/assert.js";
import { applyReserveOut } from "#src/reservation/apply.js";
import { encodeImage, viewOf } from "#src/reservation/image.js";
import { checkInvariants } from "#src/reservation/invariants.js";
import { RegistrationTable } from "#src/reservation/registration-table.js";
import { defaultReservationSettings, targetPorts } from "#src/reservation/settings.js";
import type { Recorded, Registration } from "#src/reservation/state.js";
import { ReservationState } from "#src/reservation/state.js";
import { ScsiStatus } from "#src/scsi/command.js";
import { nexusKey } from "#src/scsi/nexus.js";
import type { Nexus } from "#src/scsi/nexus.js";
import { initiator, reserveOut } from "./support/commands.js";
import { countingEntries } from "./support/counting.js";
import { play } from "./support/player.js";

const settings = { ...defaultReservationSettings, targetPorts: targetPorts([1, 2]) };

function at(who: string): Nexus {
  return { initiator: initiator(who), targetPort: who.endsWith("2") ? 2 : 1 };
}

/** Executes a command that ends GOOD, and records it. */
function recorded(state: ReservationState, who: string, command: string): Recorded<unknown> {
  const [verb = "", ...words] = command.split(" ");
  return state.record(() => {
    const { cdb, dataOut } = reserveOut(verb, words, state.find(nexusKey(at(who)))?.key ?? 0n);
    const { result } = applyReserveOut(state, at(who), cdb, dataOut, settings);
    expect(result.status, command).to.equal(ScsiStatus.GOOD);
  });
}

function registration(who: string, place: number, key = 1n): Registration {
  return { nexus: at(who), nexusKey: nexusKey(at(who)), key, allTargetPorts: false, place, owner: null };
}

const HELD = `
  A1 | REG 0 a PTPL | GOOD | 1; a; -
  B1 | REG 0 b PTPL | GOOD | 2; a b; -
  C1 | REG 0 a PTPL | GOOD | 3; a b a; -
  A1 | RSV T5       | GOOD | 3; a b a; 5/a
`;

describe("a recording of a state", () => {
  for (const [who, command] of [
    ["D1", "REG 0 d"],
    ["D1", "REG 0 d SPEC=E ATP"],
    ["A1", "REG a a2 PTPL"],
    ["B1", "REG b 0"],
    ["A1", "RAI 0"],
    ["A1", "REL T5"],
    ["A1", "CLR"],
    ["B1", "PRE a T1"],
    ["B1", "PRE b"],
    ["A1", "PRE a T7"],
    ["A1", "MOVE d D2 UNREG"],
    ["A1", "MOVE b2 B1"],
    ["B1", "REL T1"],
  ] as const) {
    it(`takes back and does again ${command} from ${who}`, () => {
      const { state } = play(HELD);
      const before = encodeImage(state);
      const { reservation } = state;
      const change = recorded(state, who, command);
      const after = encodeImage(state);
      const registrations = [...state.registrations()];
      for (let turn = 0; turn < 2; turn += 1) {
        change.undo();
        expect(encodeImage(state)).to.deep.equal(before);
        expect(state.reservation).to.equal(reservation);
        checkInvariants(state);
        change.redo();
        expect(encodeImage(state)).to.deep.equal(after);
        expect([...state.registrations()]).to.deep.equal(registrations);
        checkInvariants(state);
      }
      change.settle();
      expect(encodeImage(state)).to.deep.equal(after);
    });
  }

  it("takes several back in the order from the last to the first", () => {
    const { state } = play(HELD);
    const before = encodeImage(state);
    const steps = [recorded(state, "B1", "RAI b2"), recorded(state, "B1", "P&A a T3"), recorded(state, "D1", "REG 0 d")];
    const after = encodeImage(state);
    for (const step of steps.toReversed()) step.undo();
    expect(encodeImage(state)).to.deep.equal(before);
    for (const step of steps) step.redo();
    expect(encodeImage(state)).to.deep.equal(after);
    checkInvariants(state);
  });

  it("gives what the action gave, and back the places of those who were last", () => {
    const state = new ReservationState();
    const first = state.register(at("A1"), 1n, false);
    const change = state.record(() => state.register(at("B1"), 2n, false));
    expect(change.result.nexusKey).to.equal(nexusKey(at("B1")));
    expect(change.result.place).to.be.above(first.place);
    change.undo();
    expect(state.register(at("C1"), 3n, false).place).to.equal(change.result.place);
  });

  it("ends with an action that throws, of which nothing is taken back", () => {
    const state = new ReservationState();
    expect(() =>
      state.record(() => {
        state.register(at("A1"), 1n, false);
        throw new Error("on the way");
      }),
    ).to.throw("on the way");
    expect(state.registrantCount).to.equal(1);
    state.record(() => state.register(at("B1"), 1n, false)).undo();
    expect(Array.from(state.registrations(), (found) => found.nexusKey)).to.deep.equal([nexusKey(at("A1"))]);
  });

  it("has no other recording in it", () => {
    const state = new ReservationState();
    expect(() => state.record(() => state.record(() => 0))).to.throw(AssertionError);
    const table = new RegistrationTable();
    expect(() => table.endRecording()).to.throw(AssertionError);
    table.beginRecording();
    expect(() => table.beginRecording()).to.throw(AssertionError);
  });
});

describe("a table of registrations", () => {
  it("keeps the order of places, with places that were given up or not", () => {
    const table = new RegistrationTable();
    const all = ["A1", "B1", "C1", "D1"].map((who, place) => registration(who, place));
    for (const next of all) table.put(next, undefined);
    const [, b, c] = all;
    if (b === undefined || c === undefined) throw new Error("there are four");
    table.remove(b);
    expect(Array.from(table.values(), ({ place }) => place)).to.deep.equal([0, 2, 3]);
    table.put({ ...c, key: 9n }, c);
    expect(Array.from(table.values(), ({ place, key }) => [place, key])).to.deep.equal([
      [0, 1n],
      [2, 9n],
      [3, 1n],
    ]);
    expect([table.size, table.withKey(1n)?.size, table.withKey(9n)?.size]).to.deep.equal([3, 2, 1]);
    table.clear();
    expect([table.size, [...table.values()], table.withKey(1n), table.find(c.nexusKey)]).to.deep.equal([0, [], undefined, undefined]);
  });

  it("does not take out what is not there", () => {
    const table = new RegistrationTable();
    expect(() => table.remove(registration("A1", 0))).to.throw(AssertionError);
    table.put(registration("A1", 0), undefined);
    expect(() => table.remove(registration("A1", 0))).to.throw(AssertionError);
  });

  it("has places in proportion to its registrations, and is built anew seldom, however many come and go", () => {
    for (const kept of [0, 1, 500]) {
      for (const recording of [false, true]) {
        const table = new RegistrationTable();
        for (let place = 0; place < kept; place += 1) table.put({ ...registration("A1", place), nexusKey: `kept ${place}` }, undefined);
        const { entries, largest } = countingEntries(() => {
          for (let turn = 0; turn < 3000; turn += 1) {
            if (recording) table.beginRecording();
            const comer = { ...registration("B1", kept + turn, 2n) };
            table.put(comer, undefined);
            table.remove(comer);
            if (recording) table.endRecording().settle();
          }
        });
        expect(largest, `${kept} kept`).to.be.at.most(2 * kept + 20);
        // four entries for each that comes and goes, and what is built anew
        expect(entries, `${kept} kept`).to.be.below(9 * 3000);
        expect([...table.values()]).to.have.lengthOf(kept);
      }
    }
  });

  it("is in proportion too after what was taken back and done again", () => {
    const table = new RegistrationTable();
    const { largest } = countingEntries(() => {
      for (let turn = 0; turn < 300; turn += 1) {
        table.beginRecording();
        const comer = registration("A1", turn);
        table.put(comer, undefined);
        table.remove(comer);
        const changes = table.endRecording();
        changes.undo();
        changes.redo();
      }
    });
    expect(largest).to.be.at.most(20);
  });
});

describe("a state of which everything is recorded", () => {
  it("is in proportion to its registrations once the recordings are settled", () => {
    const state = new ReservationState();
    const { largest } = countingEntries(() => {
      for (let turn = 0; turn < 300; turn += 1) state.record(() => state.unregister(state.register(at("A1"), 1n, false))).settle();
    });
    expect(largest).to.be.at.most(20);
  });

  it("loses all of it with the power where nothing is kept, and everything but PRgeneration stays with APTPL", () => {
    const { state } = play(HELD);
    const before = encodeImage(state);
    state.losePower();
    expect(encodeImage(state)).to.deep.equal({ ...before, generation: 0 });
    state.losePower(false);
    expect(encodeImage(state)).to.deep.equal(encodeImage(new ReservationState()));
  });
});

describe("a view of a state", () => {
  it("stays what it was", () => {
    const { state } = play(HELD);
    const view = viewOf(state);
    const before = encodeImage(state);
    state.clear();
    state.setAptpl(false);
    state.advanceGeneration();
    expect(encodeImage(view)).to.deep.equal(before);
    expect([...view.registrations()]).to.have.lengthOf(3);
  });
});
