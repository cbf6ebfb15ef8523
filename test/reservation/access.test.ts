/** The conflict matrix: every command under every type from every nexus. */

import { expect } from "chai";

import { isAllowed, reserveOutAllowed } from "#src/reservation/access.js";
import type { AccessClass } from "#src/reservation/access.js";
import { classify, conflictMatrix } from "#src/reservation/conflict-matrix.js";
import type { CommandClass } from "#src/reservation/conflict-matrix.js";
import { ReservationState } from "#src/reservation/state.js";
import type { Registration } from "#src/reservation/state.js";
import { toHex } from "#src/scsi/bytes.js";
import { COMMANDS } from "#src/scsi/cdb-table.js";
import { nexusKey } from "#src/scsi/nexus.js";
import type { ReservationType } from "#src/scsi/persistent-reserve.js";
import { initiator } from "./support/commands.js";
import { play } from "./support/player.js";

const TYPES: readonly ReservationType[] = [1, 3, 5, 6, 7, 8];
const STANDINGS = ["holder", "registrant", "neither"] as const;

/** SPC-5 5.14 by type and standing: the classes that get through. With All Registrants types a registrant is a holder. */
const ALLOWED: Readonly<Record<ReservationType, Readonly<Record<(typeof STANDINGS)[number], string>>>> = {
  1: { holder: "free read write", registrant: "free read", neither: "free read" },
  3: { holder: "free read write", registrant: "free", neither: "free" },
  5: { holder: "free read write", registrant: "free read write", neither: "free read" },
  6: { holder: "free read write", registrant: "free read write", neither: "free" },
  7: { holder: "free read write", registrant: "free read write", neither: "free read" },
  8: { holder: "free read write", registrant: "free read write", neither: "free" },
};

/** Service actions of PERSISTENT RESERVE OUT that get through (SPC-5 5.14), others' RESERVE and MOVE being stopped by the action itself. */
const OUT_ALLOWED: Readonly<Record<ReservationType, Readonly<Record<(typeof STANDINGS)[number], readonly number[]>>>> = {
  1: { holder: [0, 1, 2, 3, 4, 5, 6, 7, 8, 31], registrant: [0, 2, 3, 4, 5, 6], neither: [0, 6] },
  3: { holder: [0, 1, 2, 3, 4, 5, 6, 7, 8, 31], registrant: [0, 2, 3, 4, 5, 6], neither: [0, 6] },
  5: { holder: [0, 1, 2, 3, 4, 5, 6, 7, 8, 31], registrant: [0, 1, 2, 3, 4, 5, 6, 7], neither: [0, 6] },
  6: { holder: [0, 1, 2, 3, 4, 5, 6, 7, 8, 31], registrant: [0, 1, 2, 3, 4, 5, 6, 7], neither: [0, 6] },
  7: { holder: [0, 1, 2, 3, 4, 5, 6, 7], registrant: [0, 1, 2, 3, 4, 5, 6, 7], neither: [0, 6] },
  8: { holder: [0, 1, 2, 3, 4, 5, 6, 7], registrant: [0, 1, 2, 3, 4, 5, 6, 7], neither: [0, 6] },
};

function reserved(type: ReservationType): { state: ReservationState; nexuses: Readonly<Record<(typeof STANDINGS)[number], string>> } {
  const state = new ReservationState();
  const register = (who: string): Registration => state.register({ initiator: initiator(who), targetPort: 1 }, 1n, false);
  const holder = register("A1");
  const registrant = register("B1");
  state.reserve(type, holder);
  const neither = nexusKey({ initiator: initiator("C1"), targetPort: 1 });
  return { state, nexuses: { holder: holder.nexusKey, registrant: registrant.nexusKey, neither } };
}

/** The table of the standard the other way round: operation codes, and service actions behind a stroke, by class. */
const BY_CLASS = {
  free: `00 03 12 a0 4d 5e 25 9e/10 9e/13 a3/1d a3/0a a3/0b a3/05 a3/0e a3/0f 86 87 ab/01 84/00 84/01 84/03 84/04 84/05 84/06 84/07 84/08`,
  read: `08 28 a8 88 7f/0009 2f af 8f 7f/000a 34 90 37 b7 9e/12 9e/16 9e/17 83/10 1a 5a 8c 3c 9b 1c a3/0c a3/0d a3/10 a2 52 95
    84/1f a3/1f ab/1f`,
  write: `0a 2a aa 8a 7f/000b 2e ae 8e 7f/000c 41 93 7f/000d 9c 9a 9f/12 3f 9f/11 3e 9e/11 83/11 42 89 8b 35 91 04 38 48 07 9e/14 9e/15
    9e/18 9e/19 15 55 4c 1d 3b 8d 83/00 83/01 83/1c a4/0b a4/0a a4/06 a4/0e a4/0f a4/0c a4/10 b5 7f/1800 2b a1 85 7f/1ff0 50 51 53 94
    7f/001f 83/1f 9e/1f 9f/1f a4/1f`,
};

/** A CDB of every command, with its class. */
function everyCommand(): readonly (readonly [cdb: Uint8Array, access: AccessClass])[] {
  return (["free", "read", "write"] as const).flatMap((access) =>
    BY_CLASS[access].split(/\s+/).map((text) => {
      const [opcode = "", action = "0"] = text.split("/");
      return [withServiceAction(Number.parseInt(opcode, 16), Number.parseInt(action, 16)), access] as const;
    }),
  );
}

function withServiceAction(opcode: number, action: number): Uint8Array {
  const cdb = new Uint8Array(opcode === 0x7f ? 32 : 16);
  cdb[0] = opcode;
  if (opcode === 0x7f) cdb.set([action >> 8, action & 0xff], 8);
  else cdb[1] = action;
  return cdb;
}

function startStop(byte4: number): Uint8Array {
  return Uint8Array.of(0x1b, 0x01, 0, 0, byte4, 0);
}

function preventAllow(byte4: number): Uint8Array {
  return Uint8Array.of(0x1e, 0, 0, 0, byte4, 0);
}

describe("the conflict matrix", () => {
  it("decides for every command, type and standing", () => {
    let conflicts = 0;
    for (const type of TYPES) {
      const { state, nexuses } = reserved(type);
      for (const [cdb, access] of everyCommand()) {
        const found = classify(cdb);
        expect(found, `class of ${toHex(cdb)}`).to.equal(access);
        if (found === "reserve-out" || found === "old-reservation") continue;
        for (const standing of STANDINGS) {
          const allowed = isAllowed(state, nexuses[standing], found);
          expect(allowed, `${toHex(cdb)} type ${type} ${standing}`).to.equal(ALLOWED[type][standing].split(" ").includes(access));
          if (!allowed) conflicts += 1;
        }
      }
    }
    expect(conflicts).to.be.greaterThan(500);
  });

  it("is the table of the standard, line for line", () => {
    const listed = new Set(everyCommand().map(([cdb]) => toHex(cdb)));
    const conditional = ["16", "17", "1b", "1e", "56", "57", "5f"];
    for (const [operationCode, entry] of Object.entries(conflictMatrix)) {
      const opcode = Number(operationCode);
      const actions = typeof entry === "string" ? [0] : [...Object.keys(entry.serviceActions).map(Number), 0x1f];
      for (const action of actions) {
        const known = listed.has(toHex(withServiceAction(opcode, action))) || conditional.includes(opcode.toString(16));
        expect(known, `${opcode.toString(16)}/${action.toString(16)}`).to.equal(true);
      }
    }
  });

  it("lets everything through without a reservation", () => {
    const state = new ReservationState();
    for (const access of ["free", "read", "write"] as const) expect(isAllowed(state, "nobody@1", access)).to.equal(true);
    for (let action = 0; action < 32; action += 1) expect(reserveOutAllowed(state, "nobody@1", action)).to.equal(true);
  });

  it("decides for every service action of PERSISTENT RESERVE OUT", () => {
    for (const type of TYPES) {
      const { state, nexuses } = reserved(type);
      for (const standing of STANDINGS) {
        const allowed = Array.from({ length: 32 }, (_, action) => action).filter((action) =>
          reserveOutAllowed(state, nexuses[standing], action),
        );
        const listed = OUT_ALLOWED[type][standing];
        const unsupported = Array.from({ length: 24 }, (_, n) => n + 8);
        const expected = listed.includes(8) ? [...listed.filter((action) => action < 8), ...unsupported] : listed;
        expect(allowed, `type ${type} ${standing}`).to.deep.equal(expected);
      }
    }
  });

  it("knows every command that has a name", () => {
    const otherDevices = [0x01, 0x0b, 0x43, 0x46, 0x4a, 0xa9];
    const unlisted = COMMANDS.filter(({ opcode, serviceAction }) => {
      const entry = conflictMatrix[opcode];
      if (entry === undefined) return !otherDevices.includes(opcode);
      return serviceAction !== null && typeof entry !== "string" && entry.serviceActions[serviceAction] === undefined;
    });
    expect(unlisted.map(({ name }) => name)).to.deep.equal([]);
  });

  it("has no line for a command that has no name", () => {
    for (const [operationCode, entry] of Object.entries(conflictMatrix)) {
      const actions = typeof entry === "string" ? [null] : Object.keys(entry.serviceActions).map(Number);
      for (const serviceAction of actions) {
        const known = COMMANDS.some((row) => row.opcode === Number(operationCode) && row.serviceAction === serviceAction);
        const alias = Number(operationCode) === 0xa3 && serviceAction === 0x1d;
        expect(known || alias, `${operationCode} ${serviceAction}`).to.equal(true);
      }
    }
  });

  it("has the surprises of the standard", () => {
    const cases: readonly (readonly [CommandClass, readonly number[]])[] = [
      ["write", [0x35, 0, 0, 0, 0, 0, 0, 0, 0, 0]], // SYNCHRONIZE CACHE
      ["free", [0x4d, 0, 0, 0, 0, 0, 0, 0, 0, 0]], // LOG SENSE
      ["free", [0x25, 0, 0, 0, 0, 0, 0, 0, 0, 0]], // READ CAPACITY(10)
      ["free", [0x9e, 0x10, 0, 0, 0, 0, 0, 0, 0, 0]], // READ CAPACITY(16)
      ["write", [0x9e, 0x11, 0, 0, 0, 0, 0, 0, 0, 0]], // READ LONG(16)
      ["read", [0x2f, 0x02, 0, 0, 0, 0, 0, 0, 1, 0]], // VERIFY with data-out
      ["read", [0x1a, 0, 0, 0, 4, 0]], // MODE SENSE
      ["free", [0xa3, 0x0a, 0, 0, 0, 0]], // REPORT TARGET PORT GROUPS
      ["read", [0xa3, 0x0c, 0, 0, 0, 0]], // REPORT SUPPORTED OPERATION CODES
      ["write", [0xc0, 0, 0, 0, 0, 0]], // a vendor's
    ];
    for (const [expected, bytes] of cases) expect(classify(Uint8Array.from(bytes)), String(bytes)).to.equal(expected);
  });

  it("looks into START STOP UNIT and PREVENT ALLOW MEDIUM REMOVAL", () => {
    expect(classify(startStop(0x01))).to.equal("free");
    expect(classify(startStop(0x03))).to.equal("free"); // LOEJ
    expect(classify(startStop(0x00))).to.equal("write");
    expect(classify(startStop(0x11))).to.equal("write"); // POWER CONDITION
    expect(classify(preventAllow(0))).to.equal("free");
    for (const prevent of [1, 2, 3]) expect(classify(preventAllow(prevent))).to.equal("write");
  });
});

describe("RESERVE and RELEASE of SPC-2", () => {
  it("keep others out, and PERSISTENT RESERVE from everyone", () => {
    play(`
      A1 | RESERVE6      | GOOD
      A1 | RESERVE6      | GOOD
      B1 | RESERVE6      | RC
      B1 | RELEASE6      | GOOD
      B1 | READ          | RC
      B1 | TUR           | RC
      B1 | INQUIRY       | GOOD
      B1 | REPORT-LUNS   | GOOD
      B1 | REQUEST-SENSE | GOOD 00/00
      A1 | WRITE         | GOOD
      A1 | READ-KEYS     | RC
      A1 | REG 0 a       | RC
      B1 | REG 0 b       | RC
      A1 | RELEASE6      | GOOD
      B1 | WRITE         | GOOD
      B1 | RESERVE6      | GOOD
      A1 | LU-RESET      | GOOD | | A1:29/03 B1:29/03
      A1 | RESERVE6      | 29/03
      A1 | RESERVE6      | GOOD
      A1 | NEXUS-LOSS    | GOOD | | A1:29/07
      B1 | RESERVE6      | 29/03
      B1 | RESERVE6      | GOOD
    `);
  });

  it("conflict with any registration when CRH = 0", () => {
    play(
      `
      A1 | REG 0 a  | GOOD | 1; a; -
      A1 | RESERVE6 | RC
      A1 | RSV T5   | GOOD | 1; a; 5/a
      A1 | RESERVE6 | RC
      A1 | RELEASE6 | RC
      B1 | RELEASE6 | RC
    `,
      { compatibleReservationHandling: false },
    );
  });
});
