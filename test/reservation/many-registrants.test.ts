/** Commands that concern many registrations: prepared without a change, made at once, and then what they are with few. */
import { expect } from "chai";
import { SLICE_ITEMS } from "#src/base/slices.js";
import { applyReserveOut, beginReserveOut } from "#src/reservation/apply.js";
import { isMember, isPreparation, membersOf } from "#src/reservation/effects.js";
import type { Outcome, Preparation } from "#src/reservation/effects.js";
import { encodeImage } from "#src/reservation/image.js";
import { checkInvariants } from "#src/reservation/invariants.js";
import { defaultReservationSettings, targetPorts } from "#src/reservation/settings.js";
import { ReservationState } from "#src/reservation/state.js";
import { PersistentReserveOut } from "#src/scsi/persistent-reserve-out.js";
import type { ReserveOutRequest } from "#src/scsi/reserve-out-request.js";
import type { Nexus } from "#src/scsi/nexus.js";
import { nexusKey } from "#src/scsi/nexus.js";
import { Sense } from "#src/scsi/sense.js";
import { TransportId } from "#src/scsi/transport-id.js";

const COUNT = 2 * SLICE_ITEMS + 500;
const [VICTIMS_KEY, OTHERS_KEY] = [5n, 6n] as const;

const NAME = "iqn.2026-11.org.example:node";

function nexusOf(index: number): Nexus {
  return { initiator: TransportId.parse(`${NAME}${index},i,0x${index.toString(16).padStart(12, "0")}`), targetPort: 1 };
}

/** Nexus 0 has a key of its own; of the others every fourth is no victim. */
function manyRegistrants(type: 5 | 7 = 5): ReservationState {
  const state = new ReservationState();
  for (let index = 0; index < COUNT; index += 1) {
    const key = index === 0 ? 1n : index % 4 === 0 ? OTHERS_KEY : VICTIMS_KEY;
    state.register(nexusOf(index), key, false, index % 3 === 0 ? `uid-${index % 2}` : null);
  }
  const holder = state.find(nexusKey(nexusOf(1)));
  if (holder === undefined) throw new Error("nexus 1 is registered");
  state.reserve(type, holder);
  return state;
}

const SETTINGS = defaultReservationSettings;

function begin(state: ReservationState, index: number, request: ReserveOutRequest): Outcome | Preparation {
  const { cdb, dataOut } = PersistentReserveOut.encode(request);
  return beginReserveOut(state, nexusOf(index), cdb, dataOut, SETTINGS);
}

/** How many slices it takes, each of which changes nothing, and what makes the change. */
function prepared(state: ReservationState, begun: Outcome | Preparation): { readonly slices: number; readonly make: () => Outcome } {
  if (!isPreparation(begun)) throw new Error("it was done at once");
  const before = encodeImage(state);
  for (let slices = 1; ; slices += 1) {
    const step = begun.next();
    expect(encodeImage(state)).to.deep.equal(before);
    if (step.done === true) return { slices, make: step.value };
  }
}

/** The state that one registration after the other leaves. */
function oneByOne(state: ReservationState, leaves: (key: bigint, index: number) => boolean): ReservationState {
  const copy = state.copy();
  for (const [index, registration] of [...copy.registrations()].entries()) {
    if (leaves(registration.key, index)) copy.unregister(registration);
  }
  copy.takeChanges();
  return copy;
}

describe("commands that concern many registrations", () => {
  const cases: readonly (readonly [
    what: string,
    type: 5 | 7,
    from: number,
    request: ReserveOutRequest,
    leaves: (key: bigint, index: number) => boolean,
    reserved: 3 | 5 | 7 | null,
  ])[] = [
    [
      "PREEMPT of the holder",
      5,
      0,
      { action: "preempt", key: 1n, serviceActionKey: VICTIMS_KEY, type: 3 },
      (key) => key === VICTIMS_KEY,
      3,
    ],
    [
      "PREEMPT of others, the sender among them",
      7,
      2,
      { action: "preempt-and-abort", key: VICTIMS_KEY, serviceActionKey: VICTIMS_KEY, type: 1 },
      (key) => key === VICTIMS_KEY,
      7,
    ],
    ["PREEMPT of all", 7, 0, { action: "preempt-and-abort", key: 1n, serviceActionKey: 0n, type: 5 }, (_, index) => index > 0, 5],
    [
      "PREEMPT of the sender's own key",
      5,
      2,
      { action: "preempt", key: VICTIMS_KEY, serviceActionKey: VICTIMS_KEY, type: 5 },
      (key, index) => key === VICTIMS_KEY && index !== 2,
      5,
    ],
  ];
  for (const [what, type, from, request, leaves, reserved] of cases) {
    it(`${what}: nothing has changed before all has, and it is taken back and done again`, () => {
      const state = manyRegistrants(type);
      state.takeChanges();
      const expected = oneByOne(state, leaves);
      const before = encodeImage(state);
      const held = new Map(state.holdings);
      const { slices, make } = prepared(state, begin(state, from, request));
      expect(slices).to.be.above(2);
      const made = state.record(make);
      expect([made.result.result.status, state.reservation?.type ?? null, state.generation]).to.deep.equal([0, reserved, 1]);
      expect(encodeImage(state).registrations).to.deep.equal(encodeImage(expected).registrations);
      expect([...state.holdings]).to.have.deep.members([...expected.holdings]);
      checkInvariants(state);
      for (const [owner, { registrations }] of state.takeChanges()) {
        expect(registrations, owner).to.equal((state.holdings.get(owner)?.registrations ?? 0) - (held.get(owner)?.registrations ?? 0));
      }
      const after = encodeImage(state);
      made.undo();
      expect(encodeImage(state)).to.deep.equal(before);
      expect([...state.holdings]).to.have.deep.members([...held]);
      checkInvariants(state);
      made.redo();
      expect(encodeImage(state)).to.deep.equal(after);
    });

    it(`${what}: who is concerned is found by its name, too`, () => {
      const state = manyRegistrants(type);
      const { make } = prepared(state, begin(state, from, request));
      const { result, former } = state.record(make);
      const { unitAttentions, aborts } = result.effects;
      expect(unitAttentions[0]?.code).to.equal(Sense.REGISTRATIONS_PREEMPTED);
      for (const audience of [...unitAttentions.map((each) => each.audience), ...aborts]) {
        const members = new Set(membersOf(audience, state));
        for (let index = 0; index <= COUNT; index += 1) {
          const key = nexusKey(nexusOf(index));
          expect(isMember(audience, key, state, former), key).to.equal(members.has(key));
        }
      }
    });
  }

  it("PREEMPT of few among many is done at once", () => {
    const state = manyRegistrants();
    state.register(nexusOf(COUNT), 9n, false);
    const begun = begin(state, 0, { action: "preempt", key: 1n, serviceActionKey: 9n, type: 5 });
    expect(isPreparation(begun)).to.equal(false);
    expect(state.registrantCount).to.equal(COUNT);
  });

  it("PREEMPT is refused at once, and CLEAR is done at once", () => {
    const state = manyRegistrants();
    expect(isPreparation(begin(state, 0, { action: "preempt", key: 1n, serviceActionKey: VICTIMS_KEY, type: 2 }))).to.equal(false);
    expect(state.registrantCount).to.equal(COUNT);
    const made = state.record(() => begin(state, 0, { action: "clear", key: 1n }));
    expect(isPreparation(made.result)).to.equal(false);
    expect([state.registrantCount, state.holdings.size]).to.deep.equal([0, 0]);
    made.undo();
    expect([state.registrantCount, state.holdings.size]).to.deep.equal([COUNT, 2]);
  });

  it("REGISTER and REGISTER AND MOVE look in slices for the ports of a name", () => {
    for (const action of ["register", "register-and-move"] as const) {
      const state = manyRegistrants();
      const sender = action === "register" ? COUNT + 1 : 1;
      const named = {
        serviceActionKey: 77n,
        transportIds: [TransportId.parse(action === "register" ? `${NAME}7` : `${NAME}${COUNT - 1}`)],
      };
      const ports = { ...targetPorts([1, 2]), reachedBy: () => [1] };
      const request: ReserveOutRequest =
        action === "register" ? { action, ...named } : { action, key: VICTIMS_KEY, relativeTargetPort: 2, ...named };
      const { cdb, dataOut } = PersistentReserveOut.encode(request);
      const settings = { ...SETTINGS, targetPorts: ports };
      const { slices, make } = prepared(state, beginReserveOut(state, nexusOf(sender), cdb, dataOut, settings));
      expect(slices).to.be.above(2);
      const copy = state.copy();
      expect(make().result.status).to.equal(action === "register" ? 2 : 0);
      expect(applyReserveOut(copy, nexusOf(sender), cdb, dataOut, settings).result.status).to.equal(action === "register" ? 2 : 0);
      expect(encodeImage(state)).to.deep.equal(encodeImage(copy));
    }
  });
});

describe("what a nexus had before a recording", () => {
  it("is told after any change of it, and of all at once", () => {
    const state = new ReservationState();
    const [a, b, c] = [nexusOf(1), nexusOf(2), nexusOf(3)];
    const first = state.register(a, 1n, false);
    const second = state.register(b, 2n, false);
    const { former } = state.record(() => {
      state.register(a, 9n, false);
      state.register(a, 10n, false);
      state.register(c, 3n, false);
      state.clear();
      state.register(b, 4n, false);
    });
    expect([a, b, c].map((nexus) => former.find(nexusKey(nexus)))).to.deep.equal([first, second, undefined]);
    expect(state.find(nexusKey(b))?.key).to.equal(4n);
    const later = state.record(() => state.register(c, 5n, false));
    expect([a, b, c].map((nexus) => later.former.find(nexusKey(nexus))?.key)).to.deep.equal([undefined, 4n, undefined]);
  });

  it("has the reservation, too", () => {
    const state = new ReservationState();
    const { former } = state.record(() => state.reserve(5, state.register(nexusOf(1), 1n, false)));
    expect([former.reservation, state.reservation?.type]).to.deep.equal([null, 5]);
  });
});
