/** PREEMPT, PREEMPT AND ABORT, REGISTER AND MOVE: the tables of SPC-5 5.14, one line for each row. */

import { expect } from "chai";

import { applyReserveOut } from "#src/reservation/apply.js";
import type { Outcome } from "#src/reservation/effects.js";
import { defaultReservationSettings, targetPorts } from "#src/reservation/settings.js";
import { ScsiStatus } from "#src/scsi/command.js";
import { PersistentReserveOut } from "#src/scsi/persistent-reserve-out.js";
import { parseSense, Sense } from "#src/scsi/sense.js";
import { TransportId } from "#src/scsi/transport-id.js";
import { initiator } from "./support/commands.js";
import { play } from "./support/player.js";

/** Three registrants A, B, C with keys a, b, c, and a reservation of A's. */
function reserved(type: number): string {
  return `
    A1 | REG 0 a      | GOOD | 1; a; -
    B1 | REG 0 b      | GOOD | 2; a b; -
    C1 | REG 0 c      | GOOD | 3; a b c; -
    A1 | RSV T${type} | GOOD | 3; a b c; ${type}/${type < 7 ? "a" : "0"}
  `;
}

for (const preempt of ["PRE", "P&A"]) {
  describe(preempt === "PRE" ? "PREEMPT" : "PREEMPT AND ABORT", () => {
    it("needs a registration and its key", () => {
      play(`
        A1 | ${preempt} a T1      | RC
        A1 | REG 0 a              | GOOD | 1; a; -
        A1 | ${preempt} a T1 rk=z | RC
        A1 | ${preempt} 0 T1 rk=z | RC
        B1 | ${preempt} a T1      | RC
        B1 | ${preempt} 0 T1      | RC
      `);
    });

    it("refuses key 0 unless all registrants hold the reservation", () => {
      play(`A1 | REG 0 a | GOOD | 1; a; -`).play(`A1 | ${preempt} 0 T1 | 26/00`);
      for (const type of [1, 3, 5, 6]) play(reserved(type)).play(`B1 | ${preempt} 0 T${type} | 26/00`);
    });

    it("conflicts when nobody has the key", () => {
      play(`A1 | REG 0 a | GOOD | 1; a; -`).play(`A1 | ${preempt} z T1 | RC`);
      for (const type of [1, 5, 7]) play(reserved(type)).play(`B1 | ${preempt} z T${type} | RC`);
    });

    it("replaces the reservation whose holder's key it names, and looks at scope and type then", () => {
      for (const type of [1, 3, 5, 6]) {
        play(reserved(type)).play(`
          B1 | ${preempt} a T2           | 24/00
          B1 | ${preempt} a T${type} S1  | 24/00
          B1 | ${preempt} a T${type}     | GOOD | 4; b c; ${type}/b | A1:2A/05
        `);
        const other = type === 6 ? 1 : 6;
        play(reserved(type)).play(`B1 | ${preempt} a T${other} | GOOD | 4; b c; ${other}/b | A1:2A/05 C1:2A/04`);
        play(reserved(type)).play(`B1 | ${preempt} a T7 | GOOD | 4; b c; 7/0 | A1:2A/05 C1:2A/04`);
      }
    });

    it("removes all that share the holder's key but the sender", () => {
      play(`
        A1 | REG 0 k         | GOOD | 1; k; -
        A2 | REG 0 k         | GOOD | 2; k k; -
        B1 | REG 0 k         | GOOD | 3; k k k; -
        C1 | REG 0 c         | GOOD | 4; k k k c; -
        A1 | RSV T5          | GOOD | 4; k k k c; 5/k
        B1 | ${preempt} k T5 | GOOD | 5; k c; 5/k | A1:2A/05 A2:2A/05
        A1 | REG 0 a         | 2A/05
        A1 | REG 0 k         | GOOD | 6; k c k; 5/k
        B1 | ${preempt} k T3 | GOOD | 7; k c; 3/k | A1:2A/05 C1:2A/04
      `);
    });

    it("removes only, where it names no holder's key, and does not look at scope and type", () => {
      for (const type of [1, 3, 5, 6]) {
        play(reserved(type)).play(`
          C1 | ${preempt} b T2 S3 | GOOD | 4; a c; ${type}/a | B1:2A/05
          C1 | ${preempt} c T2 S3 | GOOD | 5; a; ${type}/a
        `);
      }
      play(`
        A1 | REG 0 a            | GOOD | 1; a; -
        B1 | REG 0 b            | GOOD | 2; a b; -
        C1 | REG 0 b            | GOOD | 3; a b b; -
        B1 | ${preempt} b T9 S3 | GOOD | 4; a; - | C1:2A/05
        A1 | ${preempt} a       | GOOD | 5; -; -
      `);
    });

    it("with All Registrants and key 0 leaves the sender alone with a new reservation", () => {
      for (const type of [7, 8]) {
        for (const next of [1, 3, 5, 6, 7, 8]) {
          const held = `${next}/${next < 7 ? "b" : "0"}`;
          play(reserved(type)).play(`
            B1 | ${preempt} 0 T2         | 24/00
            B1 | ${preempt} 0 T${next} S2 | 24/00
            B1 | ${preempt} 0 T${next}   | GOOD | 4; b; ${held} | A1:2A/05 C1:2A/05
          `);
        }
      }
    });

    it("with All Registrants and a key removes only, until nobody is left", () => {
      for (const type of [7, 8]) {
        play(reserved(type)).play(`
          B1 | ${preempt} a T2 S2 | GOOD | 4; b c; ${type}/0 | A1:2A/05
          B1 | ${preempt} b       | GOOD | 5; c; ${type}/0
          C1 | ${preempt} c       | GOOD | 6; -; -
        `);
      }
    });
  });
}

describe("PREEMPT AND ABORT, commands in flight", () => {
  const inFlight = `
    A1 | BEGIN | GOOD
    B1 | BEGIN | GOOD
    C1 | BEGIN | GOOD
  `;

  it("are left alone by PREEMPT, CLEAR and a PREEMPT AND ABORT that fails", () => {
    for (const command of [
      "PRE a T5 | GOOD | 4; b c; 5/b | A1:2A/05",
      "CLR | GOOD | 4; -; - | A1:2A/03 C1:2A/03",
      "P&A z T5 | RC",
      "P&A a T2 | 24/00",
    ]) {
      play(reserved(5)).play(inFlight).play(`B1 | ${command}`).play(`
        A1 | END | GOOD
        B1 | END | GOOD
        C1 | END | GOOD
      `);
    }
  });

  it("end for those whose key is named, holder or not", () => {
    play(reserved(5)).play(inFlight).play(`
      B1 | P&A c | GOOD | 4; a b; 5/a | C1:2A/05 C1:2F/00
      A1 | END   | GOOD
      B1 | END   | GOOD
      C1 | END   | ABORTED
    `);
  });

  it("end for the sender too when its own key is named, and nobody tells it", () => {
    play(reserved(5)).play(inFlight).play(`
      A1 | P&A a T5 | GOOD | 4; a b c; 5/a
      A1 | END      | ABORTED
      B1 | END      | GOOD
    `);
    play(reserved(5)).play(inFlight).play(`
      B1 | P&A b | GOOD | 4; a c; 5/a
      B1 | END   | ABORTED
      A1 | END   | GOOD
    `);
  });

  it("end for all with All Registrants and key 0", () => {
    play(reserved(7)).play(inFlight).play(`
      D1 | BEGIN    | GOOD
      B1 | P&A 0 T5 | GOOD | 4; b; 5/b | A1:2A/05 C1:2A/05 A1:2F/00 C1:2F/00
      A1 | END      | ABORTED
      B1 | END      | ABORTED
      C1 | END      | ABORTED
      D1 | END      | GOOD
    `);
  });
});

describe("REGISTER AND MOVE", () => {
  it("needs a registration and its key, before anything else", () => {
    play(`
      A1 | MOVE c C2      | RC
      A1 | REG 0 a        | GOOD  | 1; a; -
      A1 | MOVE 0 C2 rk=z | RC
      A1 | MOVE c C2      | 24/00
    `);
  });

  it("must be right in itself, whoever sends it", () => {
    for (const type of [5, 6, 7, 8]) {
      for (const who of ["A1", "B1"]) {
        const mover = who.slice(0, 1);
        play(reserved(type)).play(`
          ${who} | MOVE 0 D2           | 26/00
          ${who} | MOVE d D2 port=3    | 26/00
          ${who} | MOVE d D2 port=0    | 26/00
          ${who} | MOVE d ${mover}1    | 26/00
          ${who} | MOVE d ${mover}2    | 26/00
          ${who} | MOVE d D2 LEN=20    | 1A/00
        `);
      }
    }
  });

  it("is for the one holder", () => {
    for (const type of [1, 3, 5, 6]) play(reserved(type)).play(`B1 | MOVE d D2 | RC`).play(`D1 | MOVE d D2 | RC`);
    for (const type of [7, 8]) play(reserved(type)).play(`A1 | MOVE d D2 | RC`).play(`D1 | MOVE d D2 | RC`);
  });

  it("gives another nexus the reservation as it is, scope and type of the CDB being ignored", () => {
    for (const type of [1, 3, 5, 6]) {
      play(reserved(type)).play(`A1 | MOVE d D2 T15 S15    | GOOD | 4; a b c d; ${type}/d`);
      play(reserved(type)).play(`A1 | MOVE d D2 UNREG      | GOOD | 4; b c d; ${type}/d`);
      play(reserved(type)).play(`A1 | MOVE d B1            | GOOD | 4; a d c; ${type}/d`);
      play(reserved(type)).play(`A1 | MOVE a B1 UNREG      | GOOD | 4; a c; ${type}/a`);
    }
  });

  it("takes a name without ISID as a destination when one port of it is known", () => {
    const { state } = play(reserved(5));
    const sender = { initiator: initiator("A1"), targetPort: 1 };
    const [name = ""] = initiator("D1").format().split(",");
    const { cdb, dataOut } = PersistentReserveOut.encode({
      action: "register-and-move",
      key: 0x61n,
      serviceActionKey: 0x64n,
      relativeTargetPort: 1,
      transportIds: [TransportId.parse(name)],
    });
    const move = (...loggedIn: readonly TransportId[]): Outcome => {
      const ports = { ...targetPorts([1]), initiators: () => loggedIn };
      return applyReserveOut(state, sender, cdb, dataOut, { ...defaultReservationSettings, targetPorts: ports });
    };
    for (const unclear of [move(), move(initiator("D1"), initiator("D9"))]) {
      expect(parseSense(unclear.result.sense)).to.deep.equal(Sense.INVALID_FIELD_IN_PARAMETER_LIST);
      expect(state.generation).to.equal(3);
    }
    expect(move(initiator("D9"), initiator("D9")).result.status).to.equal(ScsiStatus.GOOD);
    expect(state.reservation?.holder?.nexusKey).to.equal(initiator("D9").keyAt(1));
    expect(state.reservation?.holder?.allTargetPorts).to.equal(false);
  });

  it("takes no destination of another transport", () => {
    const { state, settings } = play(reserved(5));
    const transportIds = [TransportId.parse("naa.5000c50012345678")];
    const { cdb, dataOut } = PersistentReserveOut.encode({
      action: "register-and-move",
      key: 0x61n,
      serviceActionKey: 0x64n,
      relativeTargetPort: 1,
      transportIds,
    });
    const { result } = applyReserveOut(state, { initiator: initiator("A1"), targetPort: 1 }, cdb, dataOut, settings);
    expect(parseSense(result.sense)).to.deep.equal(Sense.INVALID_FIELD_IN_PARAMETER_LIST);
  });

  it("needs room for the destination, which UNREG makes", () => {
    const full = { registrationsMax: 3 };
    play(reserved(5), full).play(`
      A1 | MOVE d D2       | 55/04
      A1 | MOVE b2 B1      | GOOD | 4; a b2 c; 5/b2
      B1 | MOVE d D2 UNREG | GOOD | 5; a c d; 5/d
    `);
  });
});
