/** Who is told what when another fabric changed the reservations: one row of the table for each case. */

import { expect } from "chai";

import { changesElsewhere } from "#src/reservation/changes-elsewhere.js";
import { Sense } from "#src/scsi/sense.js";
import { initiator } from "./support/commands.js";
import { play } from "./support/player.js";

const NAMES: Readonly<Record<string, unknown>> = {
  "2A/03": Sense.RESERVATIONS_PREEMPTED,
  "2A/04": Sense.RESERVATIONS_RELEASED,
  "2A/05": Sense.REGISTRATIONS_PREEMPTED,
};

const key = (who: string): string => initiator(who).keyAt(1);

/** Registrants A, B and C, D being there too; `type` is reserved by A. */
function three(type: number): string {
  return `
    A1 | REG 0 a      | GOOD | 1; a; -
    B1 | REG 0 b      | GOOD | 2; a b; -
    C1 | REG 0 c      | GOOD | 3; a b c; -
    A1 | RSV T${type} | GOOD | 3; a b c; ${type}/${type < 7 ? "a" : "0"}
  `;
}

/** What A, B, C and D are told after `commands`, in words such as `B:2A/04`, and who loses commands. */
function told(type: number, commands: readonly (readonly [who: string, command: string])[], noUnitAttentionOnRelease = false): string {
  const player = play(three(type));
  const former = player.state.copy();
  for (const [who, command] of commands) player.step(who, command);
  const here = ["A1", "B1", "C1", "D1"];
  const { unitAttentions, aborts, persist } = changesElsewhere(former, player.state, here.map(key), { noUnitAttentionOnRelease });
  expect(persist).to.equal(false);
  const nameOf = (nexus: string): string => here.find((who) => key(who) === nexus)?.slice(0, 1) ?? "?";
  const words = unitAttentions.map(({ audience, code }) => {
    const [name] = Object.entries(NAMES).find(([, named]) => named === code) ?? ["?"];
    return `${audience.group === "nexus" ? nameOf(audience.nexus) : "?"}:${name}`;
  });
  return [...words, ...aborts.map((audience) => `${audience.group === "nexus" ? nameOf(audience.nexus) : "?"}!`)].join(" ");
}

describe("changes by another fabric", () => {
  it("tell nobody when nothing was taken from anybody", () => {
    expect(told(5, [])).to.equal("");
    expect(told(5, [["B1", "REG b b2"]])).to.equal("");
    expect(told(5, [["D1", "REG 0 d"]])).to.equal("");
    expect(told(5, [["A1", "MOVE d D1"]])).to.equal("");
  });

  it("tell all who were registered of a CLEAR", () => {
    expect(told(5, [["B1", "CLR"]])).to.equal("A:2A/03 B:2A/03 C:2A/03");
  });

  it("tell those who were removed, and end their commands", () => {
    expect(told(5, [["A1", "PRE b"]])).to.equal("B:2A/05 B!");
    expect(told(5, [["B1", "PRE a T5"]])).to.equal("A:2A/05 A!");
    expect(told(7, [["B1", "PRE 0 T7"]])).to.equal("A:2A/05 C:2A/05 A! C!");
  });

  it("tell the others registered of another type, and not whoever holds it", () => {
    expect(told(5, [["B1", "PRE a T3"]])).to.equal("A:2A/05 C:2A/04 A!");
    expect(told(1, [["A1", "PRE a T3"]])).to.equal("B:2A/04 C:2A/04");
    expect(told(1, [["A1", "PRE a T7"]])).to.equal("A:2A/04 B:2A/04 C:2A/04");
  });

  it("tell all registered of the end of a reservation of types 5 to 8, RELEASE only without NUAR", () => {
    for (const type of [5, 6, 7, 8]) {
      expect(told(type, [["A1", `REL T${type}`]])).to.equal("A:2A/04 B:2A/04 C:2A/04");
      expect(told(type, [["A1", `REL T${type}`]], true)).to.equal("");
    }
    for (const type of [1, 3]) expect(told(type, [["A1", `REL T${type}`]])).to.equal("");
    for (const silent of [false, true]) expect(told(5, [["A1", "REG a 0"]], silent)).to.equal("A:2A/05 B:2A/04 C:2A/04 A!");
    expect(told(1, [["A1", "REG a 0"]])).to.equal("A:2A/05 A!");
  });

  it("tell of a first reservation nobody", () => {
    const player = play("A1 | REG 0 a | GOOD | 1; a; -");
    const former = player.state.copy();
    player.play("A1 | RSV T5 | GOOD | 1; a; 5/a");
    const { unitAttentions } = changesElsewhere(former, player.state, [key("A1")], { noUnitAttentionOnRelease: false });
    expect(unitAttentions).to.deep.equal([]);
  });
});
