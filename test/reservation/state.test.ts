/** The state by itself: copies, snapshots, and costs that do not depend on history. */

import { expect } from "chai";
import fc from "fast-check";

import { AssertionError } from "#src/base/assert.js";
import { ChurnMap } from "#src/reservation/churn-map.js";
import { encodeImage } from "#src/reservation/image.js";
import { checkInvariants } from "#src/reservation/invariants.js";
import { snapshot, summary } from "#src/reservation/snapshot.js";
import { ReservationState } from "#src/reservation/state.js";
import { initiator } from "./support/commands.js";
import { countingEntries } from "./support/counting.js";
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

  it("is shorter as a summary", () => {
    const player = play(`
      A1 | REG 0 a | GOOD | 1; a; -
      B2 | REG 0 b | GOOD | 2; a b; -
    `);
    expect(summary(player.state)).to.deep.equal({ generation: 2, registrantCount: 2, reservation: null });
    player.play(`B2 | RSV T5 | GOOD | 2; a b; 5/b`);
    const { reservation } = snapshot(player.state);
    expect(summary(player.state)).to.deep.equal({ generation: 2, registrantCount: 2, reservation });
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
    for (const generation of [2 ** 32, -1, 0.5, Number.NaN]) expect(() => state.restoreGeneration(generation)).to.throw(AssertionError);
    const former = state.register(nexus, 2n, false);
    const registration = state.register(nexus, 1n, false);
    expect(() => state.unregister(former)).to.throw(AssertionError);
    expect([...state.registrations()]).to.deep.equal([registration]);
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
    const map = new ChurnMap<number, object>();
    map.set(1, {});
    map.delete(1);
    expect(() => map.delete(1)).to.throw(AssertionError);
  });

  it("has entries in proportion to its keys, and copies seldom, however many come and go", () => {
    for (const kept of [0, 1, 1000]) {
      const map = new ChurnMap<number, object>();
      for (let key = 0; key < kept; key += 1) map.set(-1 - key, {});
      const { entries, largest } = countingEntries(() => {
        for (let key = 0; key < 5000; key += 1) {
          map.set(key, {});
          map.delete(key);
        }
      });
      expect(largest, `${kept} kept`).to.be.at.most(2 * kept + 18);
      expect(entries, `${kept} kept`).to.be.below(3 * 5000);
      const { largest: unchanged } = countingEntries(() => {
        for (let turn = 0; turn < 5000; turn += 1) {
          map.set(0, {});
          map.delete(0);
        }
      });
      expect(unchanged).to.be.at.most(2 * kept + 18);
    }
  });
});
