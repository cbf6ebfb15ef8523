/** The state by itself: copies, snapshots, and costs that do not depend on history. */

import { expect } from "chai";
import fc from "fast-check";

import { AssertionError } from "#src/base/assert.js";
import { ChurnMap } from "#src/reservation/churn-map.js";
import { encodeImage } from "#src/reservation/image.js";
import { checkInvariants } from "#src/reservation/invariants.js";
import { snapshot } from "#src/reservation/snapshot.js";
import { ReservationState } from "#src/reservation/state.js";
import { initiator } from "./support/commands.js";
import { play } from "./support/player.js";

describe("snapshot", () => {
  it("is what the state is, in plain values", () => {
    const player = play(`
      A1 | REG 0 a | GOOD | 1; a; -
      B2 | REG 0 b | GOOD | 2; a b; -
      B2 | RSV T5  | GOOD | 2; a b; 5/b
    `);
    const [a, b] = ["A1", "B1"].map((who) => initiator(who).format());
    expect(snapshot(player.state)).to.deep.equal({
      generation: 2,
      registrants: [
        { initiator: a, targetPort: 1, key: 0x61n, holder: false },
        { initiator: b, targetPort: 2, key: 0x62n, holder: true },
      ],
      reservation: { type: 5, scope: 0, holder: { initiator: b, targetPort: 2 } },
    });
    player.play(`B2 | REL T5 | GOOD | 2; a b; - | A1:2A/04`);
    expect(snapshot(player.state).reservation).to.equal(null);
    player.play(`B2 | RSV T8 | GOOD | 2; a b; 8/0`);
    expect(snapshot(player.state).reservation).to.deep.equal({ type: 8, scope: 0, holder: null });
    expect(snapshot(player.state).registrants.map(({ holder }) => holder)).to.deep.equal([true, true]);
  });
});

describe("a reservation state", () => {
  it("has copies that go their own way", () => {
    const player = play(`
      A1 | REG 0 a | GOOD | 1; a; -
      B1 | REG 0 a | GOOD | 2; a a; -
      A1 | RSV T5  | GOOD | 2; a a; 5/a
    `);
    const copy = player.state.copy();
    const before = encodeImage(copy);
    expect(before).to.deep.equal(encodeImage(player.state));
    player.play(`B1 | PRE a T3 | GOOD | 3; a; 3/a | A1:2A/05`);
    expect(encodeImage(copy)).to.deep.equal(before);
    checkInvariants(copy);
    const moved = copy.register({ initiator: initiator("C1"), targetPort: 1 }, 3n, false);
    expect([...copy.registrations()].at(-1)).to.equal(moved);
  });

  it("refuses what no command may do", () => {
    const state = new ReservationState();
    const nexus = { initiator: initiator("A1"), targetPort: 1 };
    expect(() => state.register(nexus, 0n, false)).to.throw(AssertionError);
    expect(() => state.release()).to.throw(AssertionError);
    expect(() => state.restoreGeneration(2 ** 32)).to.throw(AssertionError);
    const registration = state.register(nexus, 1n, false);
    state.unregister(registration);
    expect(() => state.unregister(registration)).to.throw(AssertionError);
    expect(() => state.reserve(1, registration)).to.throw(AssertionError);
  });
});

describe("ChurnMap", () => {
  it("is a map", () => {
    const operation = fc.record({ key: fc.integer({ min: 0, max: 99 }), remove: fc.constantFrom(true, true, false) });
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 1000, size: "max" }), (operations) => {
        const map = new ChurnMap<number, { readonly step: number }>();
        const model = new Map<number, { readonly step: number }>();
        operations.forEach(({ key, remove }, step) => {
          if (!remove) {
            const value = { step };
            map.set(key, value);
            model.set(key, value);
          } else if (model.delete(key)) {
            map.delete(key);
          }
          expect(map.size).to.equal(model.size);
        });
        for (let key = 0; key < 100; key += 1) expect(map.get(key)).to.equal(model.get(key));
      }),
    );
  });

  it("does not let go of a key that is not there", () => {
    expect(() => new ChurnMap<number, object>().delete(1)).to.throw(AssertionError);
  });
});
