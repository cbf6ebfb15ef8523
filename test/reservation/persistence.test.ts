/** What survives power loss: APTPL, when a store must be told, and the image it keeps. */

import { expect } from "chai";

import { QomError } from "#src/base/errors.js";
import { SLICE_ITEMS } from "#src/base/slices.js";
import { applyReserveOut } from "#src/reservation/apply.js";
import { decodeImage, decodeSteps, encodeImage, encodeSteps, sameImage } from "#src/reservation/image.js";
import type { ReservationImage } from "#src/reservation/image.js";
import { checkInvariants, invariantSteps } from "#src/reservation/invariants.js";
import { defaultReservationSettings, targetPorts } from "#src/reservation/settings.js";
import { UncertainCommitError } from "#src/reservation/store.js";
import { ReservationState } from "#src/reservation/state.js";
import { nexusKey } from "#src/scsi/nexus.js";
import { refusal } from "../support/refusal.js";
import { initiator, reserveOut } from "./support/commands.js";
import { play } from "./support/player.js";

const settings = { ...defaultReservationSettings, targetPorts: targetPorts([1, 2]) };

/** Sends `command` from the nexus named so; gives back whether a store must be told. */
function persists(state: ReservationState, who: string, command: string): boolean {
  const [verb = "", ...words] = command.split(" ");
  const nexus = { initiator: initiator(who), targetPort: who.endsWith("2") ? 2 : 1 };
  const { cdb, dataOut } = reserveOut(verb, words, state.find(nexusKey(nexus))?.key ?? 0n);
  return applyReserveOut(state, nexus, cdb, dataOut, settings).effects.persist;
}

describe("APTPL", () => {
  it("is set by each registration, whoever sends it, and by REGISTER AND MOVE", () => {
    const player = play(`A1 | REG 0 a PTPL | GOOD | 1; a; -`);
    expect(player.state.aptpl).to.equal(true);
    player.play(`B1 | REG 0 b | GOOD | 2; a b; -`);
    expect(player.state.aptpl).to.equal(false);
    player.play(`B1 | RAI 0 PTPL | GOOD | 3; a; -`);
    expect(player.state.aptpl).to.equal(true);
    player.play(`
      A1 | RSV T5    | GOOD | 3; a; 5/a
      A1 | MOVE c C1 | GOOD | 4; a c; 5/c
    `);
    expect(player.state.aptpl).to.equal(false);
    player.play(`C1 | MOVE d D1 PTPL | GOOD | 5; a c d; 5/d`);
    expect(player.state.aptpl).to.equal(true);
  });

  it("stays as it is for commands that fail, do nothing, or do not register", () => {
    const player = play(`
      A1 | REG 0 a PTPL | GOOD | 1; a; -
      B1 | REG 0 0      | GOOD
      B1 | RAI 0        | GOOD
      B1 | REG z b      | RC
      A1 | RSV T5       | GOOD | 1; a; 5/a
      A1 | REL T5       | GOOD | 1; a; -
      A1 | PRE a        | GOOD | 2; -; -
      A1 | REG 0 a PTPL | GOOD | 3; a; -
      A1 | CLR          | GOOD | 4; -; -
    `);
    expect(player.state.aptpl).to.equal(true);
  });

  it("keeps everything but PRgeneration", () => {
    play(`
      A1 | REG 0 a ATP PTPL   | GOOD  | 1; a a; -
      B1 | REG 0 b PTPL       | GOOD  | 2; a a b; -
      B1 | RSV T7             | GOOD  | 2; a a b; 7/0
      A1 | POWER-CYCLE        | GOOD  | 0; a a b; 7/0 | A1:29/00 B1:29/00
      B1 | REL T7             | 29/00
      A1 | PRE 0 T3           | 29/00
      A1 | PRE 0 T3           | GOOD  | 1; a; 3/a     | B1:2A/05
    `);
  });
});

describe("a store", () => {
  it("is told of every change while APTPL is on, and of its end", () => {
    const state = new ReservationState();
    const steps: readonly (readonly [who: string, command: string, persists: boolean])[] = [
      ["A1", "REG 0 a", false],
      ["A1", "RSV T5", false],
      ["A1", "REL T5", false],
      ["A1", "REG a b PTPL", true],
      ["A1", "REG b b PTPL", true],
      ["B1", "REG 0 0", false],
      ["B1", "RSV T5", false],
      ["A1", "RSV T5", true],
      ["A1", "RSV T5", false],
      ["A1", "REL T6", false],
      ["A1", "REL T5", true],
      ["B1", "REG 0 c PTPL", true],
      ["A1", "PRE c", true],
      ["A1", "CLR", true],
      ["B1", "REG 0 c", true],
      ["B1", "REG c d", false],
    ];
    for (const [who, command, expected] of steps) expect(persists(state, who, command), `${who} ${command}`).to.equal(expected);
  });
});

describe("a commit of which nobody knows", () => {
  it("says so by the name of its error", () => {
    expect(String(new UncertainCommitError("the network is gone"))).to.equal("UncertainCommitError: the network is gone");
  });
});

describe("image of a state", () => {
  const full = (): ReservationState =>
    play(`
      A1 | REG 0 a ATP PTPL | GOOD | 1; a a; -
      B1 | REG 0 b PTPL     | GOOD | 2; a a b; -
      A2 | RSV T5           | GOOD | 2; a a b; 5/a
    `).state;

  it("is plain data with TransportIDs and keys as text", () => {
    const id = (host: string): string => `iqn.2026-11.org.example:${host},i,0x000000000001`;
    expect(encodeImage(full())).to.deep.equal({
      version: 1,
      generation: 2,
      aptpl: true,
      registrations: [
        { initiator: id("a"), targetPort: 1, key: "0x0000000000000061", allTargetPorts: true },
        { initiator: id("a"), targetPort: 2, key: "0x0000000000000061", allTargetPorts: true },
        { initiator: id("b"), targetPort: 1, key: "0x0000000000000062", allTargetPorts: false },
      ],
      reservation: { type: 5, holder: 1 },
    });
  });

  it("gives the same state again through JSON", () => {
    for (const type of [1, 3, 5, 6, 7, 8]) {
      const state = full().copy();
      const [first] = state.registrations();
      state.release();
      if (first !== undefined) state.reserve(type as 1 | 3 | 5 | 6 | 7 | 8, first); // the numbers in the list above
      const decoded = decodeImage(JSON.parse(JSON.stringify(encodeImage(state))));
      checkInvariants(decoded);
      expect(encodeImage(decoded)).to.deep.equal(encodeImage(state));
    }
    expect(encodeImage(decodeImage(encodeImage(new ReservationState())))).to.deep.equal(encodeImage(new ReservationState()));
  });

  it("is made and read in slices of the same size", () => {
    const state = new ReservationState();
    const slices = (steps: Generator<void, unknown, void>): number => {
      let count = 0;
      for (let step = steps.next(); step.done !== true; step = steps.next()) count += 1;
      return count;
    };
    for (let port = 1; port <= 2 * SLICE_ITEMS; port += 1) state.register({ initiator: initiator("A1"), targetPort: port }, 1n, false);
    expect(slices(encodeSteps(state))).to.equal(2);
    expect(slices(invariantSteps(state))).to.equal(2);
    expect(slices(decodeSteps(encodeImage(state)))).to.equal(4);
  });

  it("is the same as another one when every member is", () => {
    const image = encodeImage(full());
    const [first, ...others] = image.registrations;
    const withFirst = (change: object): unknown => ({ ...image, registrations: [{ ...first, ...change }, ...others] });
    const different: readonly unknown[] = [
      { ...image, generation: 3 },
      { ...image, aptpl: false },
      { ...image, registrations: others },
      { ...image, registrations: [...image.registrations, first] },
      { ...image, reservation: null },
      { ...image, reservation: { type: 6, holder: 1 } },
      { ...image, reservation: { type: 5, holder: 0 } },
      withFirst({ key: "0x0000000000000062" }),
      withFirst({ initiator: others[1]?.initiator }),
      withFirst({ targetPort: 3 }),
      withFirst({ allTargetPorts: false }),
      withFirst({ owner: "uid-7" }),
    ];
    for (const other of different) {
      const changed = other as ReservationImage; // one by its members
      expect([sameImage(image, changed), sameImage(changed, image)], JSON.stringify(other)).to.deep.equal([false, false]);
    }
    const copy = JSON.parse(JSON.stringify(image)) as ReservationImage; // what was written
    expect([sameImage(image, image), sameImage(image, copy)]).to.deep.equal([true, true]);
    expect(sameImage({ ...image, reservation: null }, { ...copy, reservation: null })).to.equal(true);
  });

  it("leaves nobody anything to count when it is read", () => {
    const state = new ReservationState();
    state.register({ initiator: initiator("A1"), targetPort: 1 }, 1n, false, "uid-7");
    expect([...decodeImage(encodeImage(state)).takeChanges()]).to.deep.equal([]);
  });

  it("names who answers for a registration, where somebody does", () => {
    const state = full().copy();
    const nexus = { initiator: initiator("C1"), targetPort: 1 };
    state.register(nexus, 3n, false, "uid-7");
    state.register(nexus, 4n, false, "uid-8");
    const decoded = decodeImage(JSON.parse(JSON.stringify(encodeImage(state))));
    expect([...decoded.registrations()].map(({ owner }) => owner)).to.deep.equal([null, null, null, "uid-7"]);
    expect(encodeImage(decoded)).to.deep.equal(encodeImage(state));
  });

  it("is refused with one line that names what is wrong", async () => {
    const image = encodeImage(full());
    const [first] = image.registrations;
    const registrationsWith = (change: object): unknown => ({ ...image, reservation: null, registrations: [{ ...first, ...change }] });
    const cases: readonly (readonly [unknown, RegExp])[] = [
      [null, /the image is null and not an object/],
      [[], /the image is an array/],
      [{}, /version missing is not 1/],
      [{ ...image, version: 2 }, /version 2 is not 1/],
      [{ ...image, colour: "red" }, /the image has an unknown member 'colour'/],
      [{ ...image, generation: -1 }, /generation is -1/],
      [{ ...image, generation: 2 ** 32 }, /generation is 4294967296/],
      [{ ...image, generation: 1.5 }, /generation is 1.5 and not a number from 0 to 4294967295/],
      [{ ...image, generation: true }, /generation is true and not a number/],
      [{ ...image, generation: "7" }, /generation is '7' and not a number/],
      [{ ...image, aptpl: 1 }, /aptpl is 1 and not true or false/],
      [{ ...image, registrations: {} }, /registrations is an object and not an array/],
      [{ ...image, registrations: [7] }, /registrations\[0\] is 7 and not an object/],
      [{ ...image, registrations: [...image.registrations, first] }, /registrations\[3\] is .* and not registered once/],
      [registrationsWith({ initiator: 3 }), /registrations\[0\].initiator is 3 and not a TransportID as text/],
      [registrationsWith({ initiator: "naa.12" }), /registrations\[0\].initiator is not a TransportID/],
      [registrationsWith({ targetPort: 0 }), /registrations\[0\].targetPort is 0/],
      [registrationsWith({ targetPort: 65536 }), /registrations\[0\].targetPort is 65536/],
      [registrationsWith({ key: 5 }), /registrations\[0\].key is 5/],
      [registrationsWith({ key: "0x61" }), /registrations\[0\].key is '0x61' and not 0x and 16 hexadecimal digits/],
      [registrationsWith({ key: "0x00000000000000061" }), /registrations\[0\].key is '0x00000000000000061'/],
      [registrationsWith({ key: "-0x0000000000000061" }), /registrations\[0\].key is '-0x0000000000000061'/],
      [registrationsWith({ key: ["0x0000000000000061"] }), /registrations\[0\].key is an array/],
      [registrationsWith({ key: "0x0000000000000000" }), /registrations\[0\].key is .* and not other than 0/],
      [registrationsWith({ allTargetPorts: "no" }), /registrations\[0\].allTargetPorts is 'no'/],
      [registrationsWith({ owner: null }), /registrations\[0\].owner is null/],
      [registrationsWith({ owner: "" }), /registrations\[0\].owner is '' and not 1 to 64 characters/],
      [registrationsWith({ owner: "u".repeat(65) }), /registrations\[0\].owner is 'u{65}' and not 1 to 64 characters/],
      [{ ...image, reservation: 5 }, /reservation is 5 and not an object/],
      [{ ...image, reservation: { type: 5, holder: 0, scope: 0 } }, /image: reservation has an unknown member 'scope'/],
      [{ ...image, reservation: { type: 5 } }, /reservation.holder is missing/],
      [{ ...image, reservation: { type: 5, holder: null } }, /reservation.holder is null/],
      [{ ...image, reservation: { type: 5, holder: 3 } }, /holder is 3 and not the index of a registration, or null for types 7 and 8/],
      [{ ...image, reservation: { type: 5, holder: "0" } }, /reservation.holder is '0'/],
      [{ ...image, reservation: { type: 7, holder: 0 } }, /reservation.holder is 0/],
      [{ ...image, reservation: { type: 2, holder: 0 } }, /reservation.type is 2 and not 1, 3, 5, 6, 7 or 8/],
      [{ ...image, reservation: { type: "5", holder: 0 } }, /reservation.type is '5'/],
      [{ ...image, registrations: [], reservation: { type: 8, holder: null } }, /reservation.holder is null/],
    ];
    for (const [broken, message] of cases) expect(() => decodeImage(broken), JSON.stringify(broken)).to.throw(QomError, message);
    expect((await refusal(() => decodeImage(null))).kind).to.equal("invalid-value");
    expect((await refusal(() => decodeImage({ ...image, version: 2 }))).kind).to.equal("unsupported");
    expect((await refusal(() => decodeImage(image, 2))).kind).to.equal("limit");
    expect(() => decodeImage(image, 2)).to.throw(/3 registrations are more than 2/);
    expect(() => decodeImage(registrationsWith({ initiator: "naa.12" })))
      .to.throw(QomError)
      .with.property("cause")
      .that.is.instanceOf(QomError);
    expect(decodeImage(image, 3).registrantCount).to.equal(3);
    const [last] = decodeImage(registrationsWith({ targetPort: 65535 })).registrations();
    expect(last?.nexus.targetPort).to.equal(65535);
    expect(decodeImage({ ...image, generation: 2 ** 32 - 1 }).generation).to.equal(2 ** 32 - 1);
    expect(decodeImage(registrationsWith({ owner: "u".repeat(64) })).registrantCount).to.equal(1);
  });
});
