/** Changes of a state that are taken back and done again: it is what a copy is that never had them, or had them once. */
import { expect } from "chai";
import fc from "fast-check";
import { encodeImage } from "#src/reservation/image.js";
import { checkInvariants } from "#src/reservation/invariants.js";
import { ReservationState } from "#src/reservation/state.js";
import { nexusKey } from "#src/scsi/nexus.js";
import type { Nexus } from "#src/scsi/nexus.js";
import { TransportId } from "#src/scsi/transport-id.js";

const HOSTS = 60;
const NEXUSES: readonly Nexus[] = Array.from({ length: HOSTS }, (_, index) => ({
  initiator: TransportId.parse(`naa.${(0x5000000000000000n + BigInt(index)).toString(16)}`),
  targetPort: 1,
}));
const KEY_COUNT = 5;

/** One change that a command may make, on a state that allows it; else nothing. */
interface Step {
  readonly what: "register" | "unregister" | "preempt" | "clear" | "reserve" | "release" | "count" | "aptpl" | "power";
  readonly host: number;
  readonly key: number;
}

function make(state: ReservationState, { what, host, key }: Step): void {
  const nexus = NEXUSES[host];
  if (nexus === undefined) return;
  const registration = state.find(nexusKey(nexus));
  if (what === "register") state.register(nexus, BigInt(key), key % 2 === 0, key === 1 ? "uid-1" : null);
  if (what === "unregister" && registration !== undefined) state.unregister(registration);
  if (what === "preempt") for (const victim of [...(state.withKey(BigInt(key)) ?? [])]) state.unregister(victim);
  if (what === "clear") state.clear();
  if (what === "reserve" && registration !== undefined) state.reserve(key === 1 ? 7 : 5, registration);
  if (what === "release" && state.reservation !== null) state.release();
  if (what === "count") state.advanceGeneration();
  if (what === "aptpl") state.setAptpl(key % 2 === 0);
  if (what === "power") state.losePower(key % 2 === 0);
}

const OFTEN = ["register", "register", "register", "register", "unregister", "unregister", "reserve", "release", "count", "aptpl"] as const;
const aStep: fc.Arbitrary<Step> = fc.record({
  what: fc.constantFrom(...OFTEN, ...OFTEN, "preempt", "preempt", "clear", "power"),
  host: fc.integer({ min: 0, max: HOSTS - 1 }),
  key: fc.integer({ min: 1, max: KEY_COUNT }),
});
const aRecording = fc.record({
  steps: fc.array(aStep, { maxLength: 40, size: "max" }),
  end: fc.constantFrom("settle", "undo", "redo", "not recorded"),
});

/** Everything that can be seen of a state, but for the order of those with one key, which means nothing. */
function seen(state: ReservationState): unknown {
  checkInvariants(state);
  const byKey = Array.from({ length: KEY_COUNT }, (_, index) =>
    [...(state.withKey(BigInt(index + 1)) ?? [])].map(({ nexusKey: key }) => key),
  );
  return {
    image: encodeImage(state),
    byKey: byKey.map((keys) => keys.toSorted()),
    places: Array.from(state.registrations(), ({ place }) => place),
  };
}

describe("changes that are recorded", () => {
  it("are taken back and done again exactly, whatever they are and whatever came before", () => {
    fc.assert(
      fc.property(fc.array(aRecording, { maxLength: 30, size: "max" }), (recordings) => {
        const state = new ReservationState();
        for (const { steps, end } of recordings) {
          const copy = state.copy();
          const before = seen(copy);
          const run = (on: ReservationState): void => steps.forEach((step) => make(on, step));
          if (end === "not recorded") run(state);
          else {
            const recorded = state.record(() => run(state));
            const after = seen(state);
            if (end === "settle") recorded.settle();
            else {
              for (let time = 0; time < 2; time += 1) {
                recorded.undo();
                expect(seen(state)).to.deep.equal(before);
                recorded.redo();
                expect(seen(state)).to.deep.equal(after);
              }
              if (end === "undo") recorded.undo();
            }
          }
          if (end !== "undo") run(copy);
          expect(seen(state)).to.deep.equal(seen(copy));
        }
      }),
      { numRuns: 50 },
    );
  });

  it("give what the action gave, and end with an error of it", () => {
    const state = new ReservationState();
    expect(state.record(() => "this").result).to.equal("this");
    expect(() =>
      state.record(() => {
        throw new Error("not this");
      }),
    ).to.throw("not this");
    expect(state.record(() => state.registrantCount).result, "the next one begins").to.equal(0);
  });

  it("have their old places when they are taken back, also where hardly any are left", () => {
    const state = new ReservationState();
    for (const [index, nexus] of NEXUSES.entries()) state.register(nexus, BigInt(index + 1), false);
    const before = [...state.registrations()];
    const recorded = state.record(() => {
      for (const registration of before.slice(0, -1)) state.unregister(registration);
    });
    recorded.undo();
    const after = [...state.registrations()];
    expect(after.every((registration, index) => registration === before[index])).to.equal(true);
    recorded.redo();
    expect([...state.registrations()]).to.deep.equal(before.slice(-1));
  });
});
