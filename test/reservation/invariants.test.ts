/** The invariants of a state find what is unsound, whatever made it so. */

import { expect } from "chai";

import { AssertionError } from "#src/base/assert.js";
import { checkInvariants } from "#src/reservation/invariants.js";
import { ReservationState } from "#src/reservation/state.js";
import type { Registration } from "#src/reservation/state.js";
import { initiator } from "./support/commands.js";

/** `state`, except that it says of itself what `lies` has. */
function lying(state: ReservationState, lies: Partial<ReservationState>): ReservationState {
  return new Proxy(state, {
    get: (target, name) => {
      if (Object.hasOwn(lies, name)) return Reflect.get(lies, name) as unknown; // whatever the test gave
      const member: unknown = Reflect.get(target, name, target);
      return typeof member === "function" ? (member.bind(target) as unknown) : member; // methods reach private members
    },
  });
}

function nexus(who: string): { readonly initiator: ReturnType<typeof initiator>; readonly targetPort: number } {
  return { initiator: initiator(who), targetPort: 1 };
}

describe("invariants of a state", () => {
  let state: ReservationState;
  let a: Registration;
  let b: Registration;
  beforeEach(() => {
    state = new ReservationState();
    a = state.register(nexus("A1"), 1n, false);
    b = state.register(nexus("B1"), 2n, false);
  });

  /** Expects one of the invariants not to hold for the state with these lies. */
  function expectBroken(lies: Partial<ReservationState>): void {
    expect(() => checkInvariants(lying(state, lies)), Object.keys(lies).join(" ")).to.throw(AssertionError);
  }

  it("hold for a state that tells the truth", () => {
    checkInvariants(lying(state, {}));
    for (const type of [1, 7] as const) {
      state.reserve(type, a);
      checkInvariants(lying(state, {}));
    }
    checkInvariants(new ReservationState());
    for (const generation of [0, 2 ** 32 - 1]) checkInvariants(lying(state, { generation }));
  });

  it("need registrations that are found, by nexus and by key, and nothing else that is", () => {
    expectBroken({ registrations: () => [a] });
    expectBroken({ registrations: () => [a, b, b] });
    expectBroken({ registrantCount: 3 });
    expectBroken({ find: () => undefined });
    expectBroken({ find: () => a });
    expectBroken({ withKey: () => undefined });
    expectBroken({ withKey: () => new Set([b]) });
    expectBroken({ withKey: (key) => new Set(key === 1n ? [a, b] : [b]) });
  });

  it("need a key, and a nexus that is known by its name", () => {
    for (const other of [
      { ...a, key: 0n },
      { ...a, nexusKey: "another name" },
    ]) {
      expectBroken({
        registrations: () => [other, b],
        find: (name) => (name === b.nexusKey ? b : other),
        withKey: (key) => new Set([key === b.key ? b : other]),
      });
    }
  });

  it("need a PRgeneration of 32 bits", () => {
    for (const generation of [-1, 0.5, 2 ** 32, Number.NaN]) expectBroken({ generation });
  });

  it("need a holder of a reservation, of all registrants or of one, as the type says", () => {
    const outsider: Registration = { ...a, nexusKey: "somebody else" };
    const successor: Registration = { ...a };
    expectBroken({ reservation: { type: 1, holder: null } });
    expectBroken({ reservation: { type: 7, holder: a } });
    expectBroken({ reservation: { type: 5, holder: outsider } });
    expectBroken({ reservation: { type: 5, holder: successor } });
    const empty = new ReservationState();
    expect(() => checkInvariants(lying(empty, { reservation: { type: 7, holder: null } }))).to.throw(AssertionError);
  });
});
