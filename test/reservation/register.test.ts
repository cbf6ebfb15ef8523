/** REGISTER, REGISTER AND IGNORE EXISTING KEY: the tables of SPC-5 5.14, one line for each row. */

import { expect } from "chai";

import { applyReserveOut } from "#src/reservation/apply.js";
import { defaultReservationSettings, targetPorts } from "#src/reservation/settings.js";
import { ReservationState } from "#src/reservation/state.js";
import { ScsiStatus } from "#src/scsi/command.js";
import { PersistentReserveOut } from "#src/scsi/persistent-reserve-out.js";
import { parseSense, Sense } from "#src/scsi/sense.js";
import { TransportId } from "#src/scsi/transport-id.js";
import { initiator } from "./support/commands.js";
import { play, Player } from "./support/player.js";

describe("REGISTER", () => {
  it("checks the sender's key before anything else of the registration", () => {
    play(`
      A1 | REG z a      | RC
      A1 | REG z 0      | RC
      A1 | REG 0 0      | GOOD
      A1 | REG 0 0 SPEC=B | GOOD
      A1 | REG 0 a      | GOOD | 1; a; -
      A1 | REG 0 b      | RC
      A1 | REG 0 0      | RC
      A1 | REG z 0      | RC
      A1 | REG a b      | GOOD | 2; b; -
      A1 | REG b b      | GOOD | 3; b; -
      A1 | REG b 0      | GOOD | 4; -; -
    `);
  });

  it("does not look at SCOPE and TYPE", () => {
    play(`
      A1 | REG 0 a T15 S9 | GOOD | 1; a; -
      A1 | RAI b T2 S1    | GOOD | 2; b; -
    `);
  });

  it("is let through by every reservation of others", () => {
    for (const type of [1, 3, 5, 6, 7, 8]) {
      const player = play(`
        A1 | REG 0 a     | GOOD | 1; a; -
        A1 | RSV T${type} | GOOD | 1; a; ${type}/${type < 7 ? "a" : "0"}
      `);
      const held = `${type}/${type < 7 ? "a" : "0"}`;
      player.play(`
        B1 | REG 0 b | GOOD | 2; a b; ${held}
        B1 | RAI b2  | GOOD | 3; a b2; ${held}
        B1 | REG b2 0 | GOOD | 4; a; ${held}
        B1 | RAI b   | GOOD | 5; a b; ${held}
      `);
    }
  });

  it("keeps a key's place in the order, and puts a new registration last", () => {
    play(`
      A1 | REG 0 a  | GOOD | 1; a; -
      B1 | REG 0 b  | GOOD | 2; a b; -
      A1 | REG a a2 | GOOD | 3; a2 b; -
      A1 | RAI 0    | GOOD | 4; b; -
      A1 | RAI a    | GOOD | 5; b a; -
    `);
  });

  it("wraps PRgeneration", () => {
    const player = new Player();
    player.state.restoreGeneration(0xffff_ffff);
    player.play(`
      A1 | REG 0 a | GOOD | 0; a; -
      A1 | REG a b | GOOD | 1; b; -
    `);
  });

  it("tells the others when a holder of a Registrants Only type unregisters, and nobody for the other types", () => {
    for (const [type, told] of [
      [1, ""],
      [3, ""],
      [5, "B1:2A/04"],
      [6, "B1:2A/04"],
    ] as const) {
      for (const unregister of ["REG a 0", "RAI 0"]) {
        play(`
          A1 | REG 0 a       | GOOD | 1; a; -
          B1 | REG 0 b       | GOOD | 2; a b; -
          A1 | RSV T${type}  | GOOD | 2; a b; ${type}/a
          A1 | ${unregister} | GOOD | 3; b; - | ${told}
        `);
      }
    }
    for (const type of [7, 8]) {
      play(`
        A1 | REG 0 a       | GOOD | 1; a; -
        B1 | REG 0 b       | GOOD | 2; a b; -
        A1 | RSV T${type}  | GOOD | 2; a b; ${type}/0
        A1 | REG a 0       | GOOD | 3; b; ${type}/0
        B1 | RAI 0         | GOOD | 4; -; -
      `);
    }
  });

  it("refuses the registration that is one too many, and lets keys change then", () => {
    play(
      `
      A1 | REG 0 a          | GOOD  | 1; a; -
      B1 | REG 0 b SPEC=CD  | 55/04
      B1 | REG 0 b ATP      | 55/04
      B1 | REG 0 b          | GOOD  | 2; a b; -
      C1 | REG 0 c          | 55/04
      C1 | RAI c            | 55/04
      A1 | REG a a2         | GOOD  | 3; a2 b; -
      B1 | RAI 0            | GOOD  | 4; a2; -
      C1 | RAI c            | GOOD  | 5; a2 c; -
    `,
      { registrationsMax: 2 },
    );
    const full = play(`A1 | REG 0 a SPEC=BC | GOOD | 1; a a a; -`).state;
    const smaller = new Player({ registrationsMax: 1 });
    smaller.state = full;
    smaller.play(`A1 | REG a b | GOOD | 2; b a a; -`);
  });
});

describe("parameter list of PERSISTENT RESERVE OUT", () => {
  it("has 24 bytes unless SPEC_I_PT says more", () => {
    for (const command of ["REG 0 a", "RAI a", "RSV T1", "REL T1", "CLR", "PRE a T1", "P&A a T1"]) {
      for (const length of [0, 8, 23, 25, 28, 9000]) play(`A1 | ${command} LEN=${length} | 1A/00`);
    }
    play(`
      A1 | REG 0 a SPEC=         | GOOD | 1; a; -
      A1 | REG a 0               | GOOD | 2; -; -
      A1 | REG 0 a SPEC=B LEN=27 | 1A/00
    `);
  });

  it("is looked at before registration and key, and after the reservation of another nexus", () => {
    play(`
      A1 | RSV T1 LEN=8   | 1A/00
      A1 | REG z a LEN=8  | 1A/00
      A1 | REG 0 a        | GOOD  | 1; a; -
      A1 | RSV T1         | GOOD  | 1; a; 1/a
      B1 | CLR LEN=8      | RC
      B1 | REG 0 b LEN=8  | 1A/00
      B1 | REG 0 b        | GOOD  | 2; a b; 1/a
      B1 | CLR LEN=8      | 1A/00
      B1 | RSV T1 LEN=8   | RC
    `);
  });

  it("may have SPEC_I_PT in REGISTER only", () => {
    for (const command of ["RAI a", "RSV T1", "REL T1", "CLR", "PRE a T1", "P&A a T1"]) play(`A1 | ${command} SPEC=B | 26/00`);
  });

  it("has bits that mean nothing to the service actions that do not use them", () => {
    const player = play(`
      A1 | REG 0 a        | GOOD | 1; a; -
      A1 | RSV T5 PTPL ATP | GOOD | 1; a; 5/a
      A1 | REL T5 PTPL ATP | GOOD | 1; a; -
      A1 | PRE a PTPL ATP  | GOOD | 2; -; -
    `);
    expect(player.state.aptpl).to.equal(false);
  });

  it("must not ask for what the device cannot do", () => {
    const bare = { persistThroughPowerLoss: false, specifyInitiatorPorts: false, allTargetPorts: false };
    play(
      `
      A1 | REG 0 a PTPL     | 26/00
      A1 | RAI a PTPL       | 26/00
      A1 | REG 0 a ATP      | 26/00
      A1 | RAI a ATP        | 26/00
      A1 | REG 0 a SPEC=B   | 26/00
      A1 | REG 0 a          | GOOD  | 1; a; -
      A1 | RSV T1 PTPL ATP  | GOOD  | 1; a; 1/a
      A1 | MOVE c C2 PTPL   | 26/00
    `,
      bare,
    );
  });
});

describe("service actions of PERSISTENT RESERVE OUT", () => {
  it("that are not supported are INVALID FIELD IN CDB, or a conflict when another nexus holds a reservation", () => {
    for (const action of [8, 9, 15, 31]) {
      play(`
        A1 | CLR SA=${action} | 24/00
        A1 | REG 0 a          | GOOD  | 1; a; -
        A1 | RSV T5           | GOOD  | 1; a; 5/a
        A1 | CLR SA=${action} | 24/00
        B1 | CLR SA=${action} | RC
        B1 | REG 0 b          | GOOD  | 2; a b; 5/a
        B1 | CLR SA=${action} | RC
        A1 | REL T5           | GOOD  | 2; a b; - | B1:2A/04
        A1 | RSV T7           | GOOD  | 2; a b; 7/0
        A1 | CLR SA=${action} | RC
        B1 | TUR              | 2A/04
        B1 | REG b 0          | GOOD  | 3; a; 7/0
        A1 | CLR SA=${action} | 24/00
        B1 | CLR SA=${action} | RC
      `);
    }
  });
});

describe("SPEC_I_PT", () => {
  it("registers the sender first, then those listed in their order, for one increment", () => {
    const player = play(`B1 | REG 0 k SPEC=CAD | GOOD | 1; k k k k; -`);
    const order = Array.from(player.state.registrations(), ({ nexus }) => nexus.initiator.format().slice(24, 25));
    expect(order).to.deep.equal(["b", "c", "a", "d"]);
  });

  it("is all or nothing, and not for nexuses that are registered", () => {
    play(`
      A1 | REG 0 a         | GOOD  | 1; a; -
      B1 | REG 0 b SPEC=CA | 26/00
      B1 | REG 0 b SPEC=BC | 26/00
      B1 | REG 0 b SPEC=CC | 26/00
      A1 | REG a b SPEC=C  | 26/00
      A1 | REG a 0 SPEC=C  | 26/00
      A1 | REG z b SPEC=C  | RC
      B1 | REG z b SPEC=C  | RC
      B1 | REG 0 b SPEC=CD | GOOD  | 2; a b b b; -
    `);
  });

  it("takes a name without ISID for every port of it that is known, and for an error where there is none", () => {
    const [name = ""] = initiator("B1").format().split(",");
    const transportIds = [TransportId.parse(name)];
    const { cdb, dataOut } = PersistentReserveOut.encode({ action: "register", serviceActionKey: 1n, transportIds });
    const sender = { initiator: initiator("A1"), targetPort: 1 };
    const state = new ReservationState();
    const nobody = applyReserveOut(state, sender, cdb, dataOut, defaultReservationSettings);
    expect(parseSense(nobody.result.sense)).to.deep.equal(Sense.INVALID_FIELD_IN_PARAMETER_LIST);
    expect(state.registrantCount).to.equal(0);
    const ports = { ...targetPorts([1]), initiators: () => [initiator("B9"), initiator("B1")] };
    const both = applyReserveOut(state, sender, cdb, dataOut, { ...defaultReservationSettings, targetPorts: ports });
    expect(both.result.status).to.equal(ScsiStatus.GOOD);
    const registered = Array.from(state.registrations(), ({ nexus }) => nexus.initiator);
    expect(registered).to.deep.equal([initiator("A1"), initiator("B9"), initiator("B1")]);
  });

  it("takes no TransportIDs of another transport", () => {
    const sas = TransportId.parse("naa.5000c50012345678");
    const { cdb, dataOut } = PersistentReserveOut.encode({ action: "register", serviceActionKey: 1n, transportIds: [sas] });
    const iscsi = { initiator: initiator("A1"), targetPort: 1 };
    const fromIscsi = applyReserveOut(new ReservationState(), iscsi, cdb, dataOut, defaultReservationSettings);
    expect(parseSense(fromIscsi.result.sense)).to.deep.equal(Sense.INVALID_FIELD_IN_PARAMETER_LIST);
    const otherSas = { initiator: TransportId.parse("naa.5000c50012345679"), targetPort: 1 };
    const fromSas = applyReserveOut(new ReservationState(), otherSas, cdb, dataOut, defaultReservationSettings);
    expect(fromSas.result.status).to.equal(ScsiStatus.GOOD);
  });
});

describe("ALL_TG_PT", () => {
  it("registers the sender at all ports, and those listed too", () => {
    const player = play(`A1 | REG 0 k SPEC=B ATP | GOOD | 1; k k k k; -`);
    const nexuses = Array.from(player.state.registrations(), ({ nexus }) => nexus.initiator.format().slice(24, 25) + nexus.targetPort);
    expect(nexuses).to.deep.equal(["a1", "a2", "b1", "b2"]);
  });

  it("fails as a whole if the sender has another key at another port", () => {
    play(`
      A2 | REG 0 x     | GOOD | 1; x; -
      A1 | REG 0 a ATP | RC
      A1 | REG 0 a     | GOOD | 2; x a; -
      A1 | REG a b ATP | RC
      A1 | RAI c ATP   | GOOD | 3; c c; -
      A1 | REG c d ATP | GOOD | 4; d d; -
    `);
  });

  it("unregisters what has the key, REGISTER AND IGNORE EXISTING KEY whatever there is", () => {
    play(`
      A1 | REG 0 a ATP | GOOD | 1; a a; -
      A2 | REG a b     | GOOD | 2; a b; -
      A1 | REG a 0 ATP | GOOD | 3; b; -
      A1 | REG 0 a     | GOOD | 4; b a; -
      A1 | RAI 0 ATP   | GOOD | 5; -; -
      A2 | REG 0 b     | GOOD | 6; b; -
      A1 | RAI 0 ATP   | GOOD
      A1 | REG 0 0 ATP | GOOD
    `);
  });

  it("tells the others when a port that held a reservation goes with the rest", () => {
    play(`
      A1 | REG 0 a ATP | GOOD | 1; a a; -
      B1 | REG 0 b     | GOOD | 2; a a b; -
      A2 | RSV T5      | GOOD | 2; a a b; 5/a
      A1 | REG a 0 ATP | GOOD | 3; b; - | B1:2A/04
    `);
  });

  it("stands for the ports within the initiator's reach, and the receiving one in any case", () => {
    const ports = { has: () => true, reachedBy: () => [1], initiators: () => [] };
    play(
      `
      A1 | REG 0 a ATP | GOOD | 1; a; -
      A2 | REG 0 b ATP | RC
      A2 | RAI b ATP   | GOOD | 2; b b; -
    `,
      { targetPorts: ports },
    );
  });
});
