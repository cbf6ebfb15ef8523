/** The queue of unit attentions: order, duplicates, what a reset does to it. */

import { expect } from "chai";

import { membersOf } from "#src/reservation/effects.js";
import type { Audience } from "#src/reservation/effects.js";
import { ReservationState } from "#src/reservation/state.js";
import { isResetAttention, raiseUnitAttentions, UnitAttentionQueue } from "#src/reservation/unit-attentions.js";
import { Sense } from "#src/scsi/sense.js";
import type { SenseCode } from "#src/scsi/sense.js";
import { initiator } from "./support/commands.js";

function queueOf(codes: readonly SenseCode[], settings = {}): UnitAttentionQueue {
  const queue = new UnitAttentionQueue(settings);
  for (const code of codes) queue.raise(code);
  return queue;
}

function attention(asc: number, ascq: number): SenseCode {
  return { key: 6, asc, ascq };
}

describe("a queue of unit attentions", () => {
  it("is empty at first", () => {
    const queue = new UnitAttentionQueue();
    expect(queue.head).to.equal(null);
    expect(queue.take()).to.equal(null);
  });

  it("reports one by one, in order of arrival", () => {
    const codes = [Sense.RESERVATIONS_RELEASED, Sense.REGISTRATIONS_PREEMPTED, Sense.RESERVATIONS_PREEMPTED];
    const queue = queueOf(codes);
    for (const code of codes) {
      expect(queue.head).to.deep.equal(code);
      expect(queue.take()).to.deep.equal(code);
    }
    expect(queue.take()).to.equal(null);
  });

  it("has each code once, where it came first", () => {
    const queue = queueOf([Sense.RESERVATIONS_RELEASED, Sense.REGISTRATIONS_PREEMPTED, Sense.RESERVATIONS_RELEASED]);
    expect(queue.pending).to.deep.equal([Sense.RESERVATIONS_RELEASED, Sense.REGISTRATIONS_PREEMPTED]);
  });

  it("reports power-on and resets first, by rank", () => {
    const inOrder = [
      attention(0x29, 0x00),
      attention(0x29, 0x01),
      attention(0x29, 0x04),
      attention(0x29, 0x02),
      attention(0x3f, 0x01),
      attention(0x29, 0x05),
      attention(0x29, 0x06),
      attention(0x29, 0x03),
      attention(0x2f, 0x01),
      attention(0x3f, 0x0e),
      attention(0x2a, 0x09),
    ];
    expect(queueOf(inOrder).pending).to.deep.equal(inOrder);
    const latestFirst = [inOrder[9], inOrder[8], inOrder[7], inOrder[3], inOrder[1], inOrder[0]].filter((code) => code !== undefined);
    expect(queueOf(latestFirst).pending).to.deep.equal(latestFirst.toReversed());
  });

  it("puts what is more urgent before the rest, and keeps all of that", () => {
    const pending = [attention(0x29, 0x00), attention(0x2a, 0x09), attention(0x3f, 0x0e)];
    expect(queueOf([...pending, attention(0x29, 0x03)]).pending).to.deep.equal([pending[0], attention(0x29, 0x03), pending[1], pending[2]]);
  });

  it("takes 2Ah/03h to 2Ah/05h for news of reservations, and nothing else of parameters that changed", () => {
    const codes = [1, 2, 3, 4, 5, 6, 9].map((ascq) => attention(0x2a, ascq));
    const kept = [1, 2, 6, 9].map((ascq) => attention(0x2a, ascq));
    expect(queueOf([...codes, Sense.SCSI_BUS_RESET]).pending).to.deep.equal([Sense.SCSI_BUS_RESET, ...kept]);
    expect(queueOf([attention(0x2f, 0x02), Sense.SCSI_BUS_RESET]).pending).to.have.lengthOf(2);
  });

  it("forgets news of reservations on a reset, unless told not to", () => {
    const news = [Sense.RESERVATIONS_RELEASED, Sense.COMMANDS_CLEARED_BY_ANOTHER_INITIATOR, Sense.MODE_PARAMETERS_CHANGED];
    for (const reset of [Sense.POWER_ON_OR_RESET, Sense.BUS_DEVICE_RESET, Sense.SCSI_BUS_RESET]) {
      expect(queueOf([...news, reset]).pending).to.deep.equal([reset, Sense.MODE_PARAMETERS_CHANGED]);
      expect(queueOf([...news, reset], { resetForgetsReservations: false }).pending).to.deep.equal([reset, ...news]);
    }
  });

  it("begins anew with an I_T nexus loss", () => {
    const queue = queueOf([Sense.POWER_ON, Sense.MODE_PARAMETERS_CHANGED, Sense.I_T_NEXUS_LOSS]);
    expect(queue.pending).to.deep.equal([Sense.I_T_NEXUS_LOSS]);
  });

  it("drops a code without telling", () => {
    const queue = queueOf([Sense.RESERVATIONS_RELEASED, Sense.REPORTED_LUNS_DATA_CHANGED]);
    queue.drop(Sense.REPORTED_LUNS_DATA_CHANGED);
    expect(queue.pending).to.deep.equal([Sense.RESERVATIONS_RELEASED]);
  });

  it("tells resets from the rest", () => {
    expect(isResetAttention(Sense.I_T_NEXUS_LOSS)).to.equal(true);
    expect(isResetAttention(Sense.REGISTRATIONS_PREEMPTED)).to.equal(false);
  });
});

interface Example {
  readonly state: ReservationState;
  readonly cases: readonly (readonly [Audience, readonly string[]])[];
  readonly registered: readonly string[];
}

describe("audiences", () => {
  const outsider = (): string => initiator("D1").keyAt(1);

  /** A state with two of those who are registered, and audiences with their members. */
  function example(): Example {
    const state = new ReservationState();
    const [a, b, c] = ["A1", "B1", "C1"].map((who) => state.register({ initiator: initiator(who), targetPort: 1 }, 1n, false));
    const key = (registration: typeof a): string => registration?.nexusKey ?? "";
    const cases: readonly (readonly [Audience, readonly string[]])[] = [
      [{ group: "nexus", nexus: outsider() }, [outsider()]],
      [{ group: "registrants-but", except: key(b) }, [key(a), key(c)]],
      [{ group: "removed", registrations: [a, b].filter((r) => r !== undefined), except: key(a) }, [key(b)]],
    ];
    return { state, cases, registered: [key(a), key(b)] };
  }

  it("name their members", () => {
    const { state, cases } = example();
    for (const [audience, members] of cases) expect([...membersOf(audience, state)]).to.deep.equal(members);
  });

  it("are told as far as they are there", () => {
    const { state, cases, registered } = example();
    raiseUnitAttentions([{ audience: { group: "nexus", nexus: outsider() }, code: Sense.RESERVATIONS_RELEASED }], state, new Map());
    for (const [audience, members] of cases) {
      const queues = new Map([...registered, outsider()].map((nexus) => [nexus, new UnitAttentionQueue()] as const));
      raiseUnitAttentions([{ audience, code: Sense.RESERVATIONS_RELEASED }], state, queues);
      const told = [...queues].filter(([, queue]) => queue.head !== null).map(([nexus]) => nexus);
      expect(told).to.deep.equal(members.filter((nexus) => queues.has(nexus)));
    }
  });
});
